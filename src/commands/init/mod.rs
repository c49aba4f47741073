//! `takd init`.

mod fitting;

use crate::{
    console::{
        exit::{self, Problem},
        say, write_new,
    },
    dataset::{DataError, DataInfo, FashionMini, Format, Location, Storage},
    kinds::Kinds,
    session::Opening,
};
use fitting::{Networks, course, networks, reasons};
use std::path::{Path, PathBuf};

/// The pipeline with `@NAME@` where the data set decides.
const TEMPLATE: &str = include_str!("template.toml");

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd init /usr/share/datasets/fashion-mnist -o fashion.toml")]
pub(super) struct Args {
    /// A data set: a folder of IDX files, CIFAR files or class folders of images, split (train, val or
    /// test) or not; or a CSV file of path,label [default: the images inside takd]
    folder: Option<PathBuf>,
    /// The file to write; one that is there is left alone
    #[arg(long, short, value_name = "FILE", default_value = "pipeline.toml")]
    output: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let root = args.folder.as_deref().map(root);
    let path = root.map(|root| relative(root, &args.output)).transpose()?;
    let (lines, info) = match (&args.folder, path) {
        (Some(folder), Some(path)) => recognise(folder, &path)?,
        _ => ("format     = \"fashion-mini\"\n".to_owned(), FashionMini.probe()?),
    };
    let networks = networks(&info);
    let validation = (info.train / 10).max(1).min(info.train.saturating_sub(1));
    let text = pipeline(&lines, &info, &networks, validation);
    // What is written must be what the other commands read.
    Opening::new(&args.output).parse(text.clone())?;
    write_new(&args.output, &text)?;
    let why = reasons(&info, &networks, validation);
    let (DataInfo { shape, classes, train, test, .. }, file) = (info, args.output.display());
    say(&format!(
        "wrote {file}: {train} training and {test} test images of {shape}, {classes} classes\n\
         {why}look it through, then:\n  takd plan {file}\n  takd run {file}"
    ));
    Ok(exit::OK)
}

/// The folder that a data set lies in: of a list of images the one with the list.
fn root(given: &Path) -> &Path {
    let above = given.parent().filter(|_| given.is_file());
    above.map_or(given, |above| if above.as_os_str().is_empty() { Path::new(".") } else { above })
}

/// A folder as the pipeline in `output` names it: paths there are relative to the file.
fn relative(folder: &Path, output: &Path) -> Result<String, Problem> {
    let beside = output.parent().is_none_or(|parent| parent.as_os_str().is_empty());
    let path = if beside { folder.to_owned() } else { absolute(folder)? };
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Problem::Entry(format!("{} is not UTF-8: rename it", path.display())))
}

fn absolute(folder: &Path) -> Result<PathBuf, Problem> {
    std::path::absolute(folder).map_err(|error| Problem::Read { path: folder.to_owned(), error })
}

/// The lines of a data set's table that say what `folder` holds, and what that is.
fn recognise(folder: &Path, path: &str) -> Result<(String, DataInfo), Problem> {
    let mut problem = format!("no data set that takd reads is in {}:", folder.display());
    for kind in Kinds::default().formats {
        let Ok(usual) = kind.choose(&[]) else { continue };
        if usual.location() == Location::BuiltIn {
            continue;
        }
        let suited = usual.suited(folder);
        // A file is a list of images: what else lies beside it is not meant.
        if folder.is_file() && suited.is_empty() {
            continue;
        }
        let choice = kind.choose(&suited).unwrap_or(usual);
        match Format::new(&choice, root(folder).to_owned(), Path::new("data")).probe() {
            Ok(info) => {
                let (format, path) = (kind.name, toml::Value::from(path));
                let mut lines = format!("format     = \"{format}\"\npath       = {path}\n");
                for (name, value) in suited {
                    let doc = kind.field(&name).map_or("", |field| field.doc);
                    let value = value.to_string();
                    lines += &format!("{name:<10} = {value:<22} # {doc}\n");
                }
                return Ok((lines, info));
            }
            Err(DataError::Missing { file, error, .. }) => {
                problem += &format!("\n  {}: cannot read {file}: {error}", kind.name);
            }
            Err(damaged) => return Err(damaged.into()),
        }
    }
    if !folder.exists() {
        return Err(Problem::Entry(format!("there is no folder {}", folder.display())));
    }
    let folder = folder.display();
    problem += &format!(
        "\nimages go into {folder}/CLASS/, or into {folder}/train/CLASS/ and {folder}/val/CLASS/, a folder \
         for each class; or a CSV file lists them, path,label a line"
    );
    Err(Problem::Entry(problem))
}

fn pipeline(lines: &str, info: &DataInfo, networks: &Networks, validation: usize) -> String {
    let Networks { names: [large, middle, small], tables, .. } = networks;
    let (epochs, batch_size) = course(info, validation);
    TEMPLATE
        .replace("@DATA@\n", lines)
        .replace("@VALIDATION@", &format!("{validation:<22}"))
        .replace("@EPOCHS@", &format!("{epochs:<22}"))
        .replace("@BATCH@", &batch_size.to_string())
        .replace("@NETS@\n", tables)
        .replace("@LARGE@", large)
        .replace("@MIDDLE@", middle)
        .replace("@SMALL@", small)
}
