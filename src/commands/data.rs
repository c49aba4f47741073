//! `takd data`.

use crate::{
    console::{
        DataArgs,
        exit::{self, Problem},
        print, say,
    },
    dataset::{DataFormat, Format, Location},
    fetch::{Source, fetch, sources, unpack},
    kind::Choice,
    kinds::Kinds,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{fs, path::PathBuf};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the data sets that takd knows, and whether they are here
    #[command(after_help = "Example:
  takd data list")]
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Download a data set from its own site, and verify it
    #[command(after_help = "Example:
  takd data fetch cifar10")]
    Fetch {
        /// cifar10 or cifar100
        name: String,
        /// Another address of the same file
        #[arg(long, value_name = "URL")]
        from: Option<String>,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Read a data set whole, and say what is in it
    #[command(after_help = "Example:
  takd data check cifar10")]
    Check {
        /// fashion-mini, cifar10, cifar100, imagenet, or a folder with images, IDX or CIFAR files,
        /// here or in the folder of data sets
        name: String,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// A folder of images like any other, but for its name.
const IMAGENET: &str = "imagenet";

pub(super) fn run(command: &Command) -> Result<u8, Problem> {
    match command {
        Command::List { data } => {
            let lines: Vec<String> = names(data).iter().map(|name| line(name, data)).collect();
            print(&lines.concat())?;
        }
        Command::Check { name, data } => {
            let (found, dataset) = format(name, data)?.renew()?;
            // It is hidden where nobody looks.
            let bar = ProgressBar::new(dataset.undecoded() as u64);
            let template = "{bar:24} {pos}/{len} images, {eta} left";
            bar.set_style(ProgressStyle::with_template(template).expect("it is constant"));
            let decoded = dataset.decode_new(&|| bar.inc(1));
            bar.finish_and_clear();
            decoded?;
            let notes: String = found.notes.iter().map(|note| format!("  {note}\n")).collect();
            print(&format!("{name}: {found}\n{notes}"))?;
        }
        Command::Fetch { name, from, data } => {
            let mut source = source(name)?;
            source.url = from.clone().unwrap_or(source.url);
            let path = download(&source, data)?;
            // Reading an archive takes seconds at each command, reading files does not.
            unpack(&path, &data.data)?;
            say(&format!("{name} is in {}", data.data.display()));
        }
    }
    Ok(exit::OK)
}

fn unknown(name: &str) -> Problem {
    Problem::Entry(format!(
        "no data set is named `{name}`; there are: {}, and folders with images, IDX or CIFAR files",
        distributed().join(", ")
    ))
}

/// The formats with all their defaults.
fn formats() -> Vec<Choice<dyn DataFormat>> {
    // Only one whose files are always named could need a field, and none does.
    Kinds::default().formats.iter().filter_map(|kind| kind.choose(&[]).ok()).collect()
}

/// Distributions that takd knows: formats of their own, and ImageNet.
fn distributed() -> Vec<String> {
    let own = |format: &Choice<dyn DataFormat>| {
        matches!(format.location(), Location::BuiltIn | Location::Data)
    };
    let names = formats().into_iter().filter(own).map(|format| format.chosen().kind.clone());
    names.chain([IMAGENET.to_owned()]).collect()
}

/// The names that takd knows, and the folders of images in the folder of data sets.
fn names(data: &DataArgs) -> Vec<String> {
    let mut names = distributed();
    let folders = fs::read_dir(&data.data).into_iter().flatten().flatten();
    let own = folders.filter(|folder| folder.path().join("train").is_dir());
    let own = own.filter_map(|folder| folder.file_name().into_string().ok());
    let mut own: Vec<String> = own.filter(|name| !names.contains(name)).collect();
    own.sort();
    names.extend(own);
    names
}

fn line(name: &str, data: &DataArgs) -> String {
    let Ok(format) = format(name, data) else { return String::new() };
    match format.summary() {
        Ok(found) => format!("{name:<14} here   {found}\n"),
        Err(error) if data.data.join(name).exists() => {
            format!("{name:<14} not usable: {error}\n")
        }
        Err(_) => format!("{name:<14} not here: {}\n", format.how_to_get()),
    }
}

fn source(name: &str) -> Result<Source, Problem> {
    let problem = match name {
        "fashion-mini" => "fashion-mini is built into takd: there is nothing to fetch",
        IMAGENET => {
            "ImageNet takes an account at https://image-net.org and cannot be fetched by takd: put it \
             into the folder of data sets as imagenet/train/CLASS/….JPEG and imagenet/val/CLASS/….JPEG"
        }
        _ => {
            let found = sources().into_iter().find(|source| source.name == name);
            return found.ok_or_else(|| unknown(name));
        }
    };
    Err(Problem::Entry(problem.to_owned()))
}

fn format(name: &str, data: &DataArgs) -> Result<Format, Problem> {
    let formats = formats();
    let at = |choice: &Choice<dyn DataFormat>, path| Format::new(choice, path, &data.data);
    if let Some(choice) = formats.iter().find(|format| format.chosen().kind == name) {
        match choice.location() {
            Location::BuiltIn | Location::Data => return Ok(at(choice, data.data.clone())),
            Location::Named | Location::Given(_) => {}
        }
    }
    // Of IDX files, a path may go on with what their names begin with.
    for path in [data.data.join(name), PathBuf::from(name)] {
        let mut named = formats.iter().filter(|format| format.location() != Location::BuiltIn);
        if let Some(choice) = named.find(|choice| at(choice, path.clone()).is_there()) {
            return Ok(at(choice, path));
        }
        // What a folder of images lacks is the best that can be said of a folder.
        let folder = formats.iter().find(|format| format.location() == Location::Named);
        if let Some(choice) = folder.filter(|_| path.is_dir() || name == IMAGENET) {
            return Ok(at(choice, path));
        }
    }
    Err(unknown(name))
}

fn download(source: &Source, data: &DataArgs) -> Result<PathBuf, Problem> {
    let bar = ProgressBar::no_length();
    let template = "{bar:24} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is constant"));
    let mut progress = |done, total| {
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(done);
    };
    let path = fetch(source, &data.data, &mut progress);
    bar.finish_and_clear();
    Ok(path?)
}
