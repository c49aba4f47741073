//! `takd data`.

use super::{
    exit::{self, Problem},
    open::DataArgs,
    print, say,
};
use crate::{
    config::{Cifar, CifarKind, Format},
    data,
    fetch::{Source, fetch, sources, unpack},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the data sets that takd knows, and whether they are here
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Download a data set from its own site, and verify it
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
    Check {
        /// fashion-mini, cifar10 or cifar100
        name: String,
        #[command(flatten)]
        data: DataArgs,
    },
}

const NAMES: [&str; 3] = ["fashion-mini", "cifar10", "cifar100"];

pub(super) fn run(command: &Command) -> Result<u8, Problem> {
    match command {
        Command::List { data } => {
            let lines =
                NAMES.map(|name| match format(name, data).and_then(|format| probe(&format)) {
                    Ok(found) => format!("{name:<14} here   {found}\n"),
                    Err(_) => format!("{name:<14} not here: takd data fetch {name}\n"),
                });
            print(&lines.concat())?;
        }
        Command::Check { name, data } => {
            let found = probe(&format(name, data)?)?;
            print(&format!("{name}: {found}\n"))?;
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
    Problem::Entry(format!("no data set is named `{name}`; there are: {}", NAMES.join(", ")))
}

fn source(name: &str) -> Result<Source, Problem> {
    if name == "fashion-mini" {
        let problem = "fashion-mini is inside takd: there is nothing to fetch".to_owned();
        return Err(Problem::Entry(problem));
    }
    sources().into_iter().find(|source| source.name == name).ok_or_else(|| unknown(name))
}

fn format(name: &str, data: &DataArgs) -> Result<Format, Problem> {
    let kind = match name {
        "fashion-mini" => return Ok(Format::FashionMini),
        "cifar10" => CifarKind::Ten,
        "cifar100" => CifarKind::Hundred,
        _ => return Err(unknown(name)),
    };
    Ok(Format::Cifar(Cifar::whole(kind, data.data.clone())))
}

fn probe(format: &Format) -> Result<String, Problem> {
    let found = data::probe(format)?;
    Ok(format!(
        "{} training and {} test images of {}, {} classes, digest {}",
        found.train,
        found.test,
        found.shape,
        found.classes,
        &found.digest[..12]
    ))
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
