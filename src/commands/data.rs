//! `takd data`.

use super::{
    exit::{self, Problem},
    open::DataArgs,
    print, say,
};
use crate::{
    config::{Cifar, CifarKind, DataInfo, Format, ImageFolder},
    data::{self, DataError},
    fetch::{Source, fetch, sources, unpack},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fs,
    path::{Path, PathBuf},
};

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

const NAMES: [&str; 4] = ["fashion-mini", "cifar10", "cifar100", IMAGENET];
/// A folder of images like any other, but for its name.
const IMAGENET: &str = "imagenet";

pub(super) fn run(command: &Command) -> Result<u8, Problem> {
    match command {
        Command::List { data } => {
            let lines: Vec<String> = names(data).iter().map(|name| line(name, data)).collect();
            print(&lines.concat())?;
        }
        Command::Check { name, data } => {
            let (found, dataset) = data::renew(&format(name, data)?)?;
            // It is hidden where nobody looks.
            let bar = ProgressBar::new(dataset.undecoded() as u64);
            let template = "{bar:24} {pos}/{len} images, {eta} left";
            bar.set_style(ProgressStyle::with_template(template).expect("it is constant"));
            let decoded = dataset.decode_new(&|| bar.inc(1));
            bar.finish_and_clear();
            decoded?;
            let notes: String = found.notes.iter().map(|note| format!("  {note}\n")).collect();
            print(&format!("{name}: {}\n{notes}", summary(&found)))?;
        }
        Command::Fetch { name, from, data } => {
            let mut source = source(name)?;
            source.url = from.clone().unwrap_or(source.url);
            let place = download(&source, data)?;
            // Reading an archive takes seconds at each command, reading files does not.
            unpack(&place, &data.data)?;
            say(&format!("{name} is in {}", data.data.display()));
        }
    }
    Ok(exit::OK)
}

fn unknown(name: &str) -> Problem {
    Problem::Entry(format!(
        "no data set is named `{name}`; there are: {}, and folders with images, IDX or CIFAR files",
        NAMES.join(", ")
    ))
}

/// The names that takd knows, and the folders of images in the folder of data sets.
fn names(data: &DataArgs) -> Vec<String> {
    let mut names = NAMES.map(str::to_owned).to_vec();
    let folders = fs::read_dir(&data.data).into_iter().flatten().flatten();
    let own = folders.filter(|folder| folder.path().join("train").is_dir());
    let own = own.filter_map(|folder| folder.file_name().into_string().ok());
    let mut own: Vec<String> = own.filter(|name| !names.contains(name)).collect();
    own.sort();
    names.extend(own);
    names
}

fn line(name: &str, data: &DataArgs) -> String {
    let found = match format(name, data) {
        // Reading millions of files is for `check`.
        Ok(Format::Folder(folder)) => data::counts(&folder).map(|[classes, train, test]| {
            format!("{train} training and {test} test files in {classes} class folders")
        }),
        Ok(format) => data::probe(&format).map(|found| summary(&found)),
        Err(_) => return String::new(),
    };
    let place = data.data.join(name);
    match found {
        Ok(found) => format!("{name:<14} here   {found}\n"),
        Err(error) if place.exists() || !NAMES.contains(&name) => {
            format!("{name:<14} not usable: {error}\n")
        }
        Err(_) if name == IMAGENET => {
            let place = place.display();
            format!("{name:<14} not here: put train/CLASS/… and val/CLASS/… into {place}\n")
        }
        Err(_) => format!("{name:<14} not here: takd data fetch {name}\n"),
    }
}

fn source(name: &str) -> Result<Source, Problem> {
    let problem = match name {
        "fashion-mini" => "fashion-mini is inside takd: there is nothing to fetch",
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
    let cifar = |kind| Ok(Format::Cifar(Cifar::whole(kind, data.data.clone())));
    let folder = |path| Ok(Format::Folder(ImageFolder::new(path, &data.data)));
    match name {
        "fashion-mini" => Ok(Format::FashionMini),
        "cifar10" => cifar(CifarKind::Ten),
        "cifar100" => cifar(CifarKind::Hundred),
        IMAGENET => folder(data.data.join(name)),
        _ => {
            // Of IDX files, a path may go on with what their names begin with.
            for place in [data.data.join(name), PathBuf::from(name)] {
                match recognised(&place) {
                    Some(format) => return Ok(format),
                    None if place.is_dir() => return folder(place),
                    None => {}
                }
            }
            Err(unknown(name))
        }
    }
}

/// What may lie in a folder besides images in class folders, by the language's words.
pub(super) fn file_formats(folder: &Path) -> [(&'static str, Format); 3] {
    let cifar = |kind| Format::Cifar(Cifar::whole(kind, folder.to_owned()));
    [
        ("idx", Format::Idx(folder.to_owned())),
        ("cifar10", cifar(CifarKind::Ten)),
        ("cifar100", cifar(CifarKind::Hundred)),
    ]
}

/// What lies in a folder, if it is not images in class folders.
fn recognised(folder: &Path) -> Option<Format> {
    // Damage is for the check to tell; only a file that is not there speaks against a format.
    let missing = |format: &Format| matches!(data::probe(format), Err(DataError::Missing { .. }));
    file_formats(folder).into_iter().map(|(_, format)| format).find(|format| !missing(format))
}

fn summary(found: &DataInfo) -> String {
    format!(
        "{} training and {} test images of {}, {} classes, digests {} and {}",
        found.train,
        found.test,
        found.shape,
        found.classes,
        &found.digests.train[..12],
        &found.digests.test[..12],
    )
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
    let place = fetch(source, &data.data, &mut progress);
    bar.finish_and_clear();
    Ok(place?)
}
