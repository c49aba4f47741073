//! `takd report`.

use super::{
    exit::{self, Problem},
    open::PipelineArgs,
    plural, print, say,
};
use crate::{
    graph::Graph,
    key::keys,
    report::{FigureResults, Format, Report},
    store::Store,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd report pipelines/quickstart.toml --format md")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How the tables are written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write each figure as SVG and PNG, and the numbers behind it as CSV, into this folder
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open()?;
    let graph = Graph::new(&pipeline);
    let report = Report::gather(&graph, &keys(&graph), store)?;
    if let Some(folder) = &args.figures {
        write_figures(&report.figures, folder)?;
    }
    print(&report.render(args.format))?;
    Ok(exit::OK)
}

fn write_figures(figures: &[FigureResults], folder: &Path) -> Result<(), Problem> {
    if figures.is_empty() {
        say("the pipeline has no figure: a [figure.NAME] table describes one");
        return Ok(());
    }
    let write = |path: PathBuf, bytes: &[u8]| {
        fs::write(&path, bytes).map_err(|error| Problem::Write { path, error })
    };
    fs::create_dir_all(folder)
        .map_err(|error| Problem::Write { path: folder.to_owned(), error })?;
    for figure in figures {
        let picture = figure.picture();
        let path = |extension| folder.join(format!("{}.{extension}", figure.name));
        write(path("svg"), picture.svg().as_bytes())?;
        write(path("png"), &picture.png()?)?;
        write(path("csv"), figure.csv().as_bytes())?;
    }
    let count = figures.len();
    say(&format!("wrote {count} figure{} to {}", plural(count), folder.display()));
    Ok(())
}
