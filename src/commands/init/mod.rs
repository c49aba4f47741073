//! `takd init`.

use crate::{
    architecture::Architecture,
    console::{
        exit::{self, Problem},
        say, write_new,
    },
    dataset::{DataError, DataInfo, FashionMini, Format, Location, Storage},
    kinds::Kinds,
    network,
    recipe::leaves_one,
    session::Opening,
};
use std::path::{Path, PathBuf};

/// The pipeline with `@NAME@` where the data set decides.
const TEMPLATE: &str = include_str!("template.toml");

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd init /usr/share/datasets/fashion-mnist -o fashion.toml")]
pub(super) struct Args {
    /// Folder of a data set: IDX files, CIFAR files, or a folder of images a class [default: the
    /// images inside takd]
    folder: Option<PathBuf>,
    /// The file to write; one that is there is left alone
    #[arg(long, short, value_name = "FILE", default_value = "pipeline.toml")]
    output: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let path = args.folder.as_deref().map(|folder| relative(folder, &args.output)).transpose()?;
    let (lines, info) = match (&args.folder, path) {
        (Some(folder), Some(path)) => recognise(folder, &path)?,
        _ => ("format     = \"fashion-mini\"\n".to_owned(), FashionMini.probe()?),
    };
    let text = pipeline(&lines, &info);
    // What is written must be what the other commands read.
    Opening::new(&args.output).parse(text.clone())?;
    write_new(&args.output, &text)?;
    let (DataInfo { shape, classes, train, test, .. }, file) = (info, args.output.display());
    say(&format!(
        "wrote {file}: {train} training and {test} test images of {shape}, {classes} classes\n\
         look it through, then:\n  takd plan {file}\n  takd run {file}"
    ));
    Ok(exit::OK)
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
        let choice = kind.choose(&suited).unwrap_or(usual);
        match Format::new(&choice, folder.to_owned(), Path::new("data")).probe() {
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
        "\nimages go into {folder}/train/CLASS/ and {folder}/val/CLASS/, a folder for each class"
    );
    Err(Problem::Entry(problem))
}

/// Below this side images are for small networks: the first two layers of ImageNet's leave a quarter.
const LARGE: usize = 128;

/// Networks of three sizes that fit the images: their names, and tables for those that have none.
fn networks(info: &DataInfo) -> ([&'static str; 3], String) {
    let fits = |name: &&str| {
        let layers = network::builtin(name, info.classes);
        layers.is_some_and(|layers| {
            Architecture::read(&layers, info.shape, info.classes, &Kinds::default()).is_ok()
        })
    };
    let large = info.shape.height.min(info.shape.width) >= LARGE;
    let named = [
        (large, ["imagenet-resnet50", "imagenet-resnet20", "imagenet-resnet14"]),
        (true, ["plain8", "plain4", "plain2"]),
    ];
    for (wanted, names) in named {
        if wanted && names.iter().all(fits) {
            return (names, String::new());
        }
    }
    let table = |name, layers: &str| {
        format!("[net.{name}]\nlayers = [{layers}, \"fc{}\"]\n\n", info.classes)
    };
    let tables = [
        table("large", "\"conv32\", \"conv32\", \"fc64\""),
        table("middle", "\"conv16\", \"fc32\""),
        table("small", "\"conv4\""),
    ];
    (["large", "middle", "small"], tables.concat())
}

/// Steps in which networks of this size learn something, about.
const STEPS: usize = 600;

/// Epochs and batch size; few images need small batches and many epochs.
fn course(info: &DataInfo, validation: usize) -> (usize, usize) {
    let mut batch_size = match info.train {
        ..500 => 16,
        500..2000 => 32,
        _ => 64,
    };
    if leaves_one(info.train - validation, batch_size) {
        batch_size += 1;
    }
    ((STEPS * batch_size).div_ceil(info.train.max(1)).clamp(10, 60), batch_size)
}

fn pipeline(lines: &str, info: &DataInfo) -> String {
    let ([large, middle, small], nets) = networks(info);
    let validation = (info.train / 10).max(1).min(info.train.saturating_sub(1));
    let (epochs, batch_size) = course(info, validation);
    TEMPLATE
        .replace("@DATA@\n", lines)
        .replace("@VALIDATION@", &format!("{validation:<22}"))
        .replace("@EPOCHS@", &format!("{epochs:<22}"))
        .replace("@BATCH@", &batch_size.to_string())
        .replace("@NETS@\n", &nets)
        .replace("@LARGE@", large)
        .replace("@MIDDLE@", middle)
        .replace("@SMALL@", small)
}
