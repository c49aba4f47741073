//! `takd report`.

use super::{
    exit::{self, Problem},
    open::PipelineArgs,
    plural, print_data, say, write,
};
use crate::{
    graph::Graph,
    key::keys,
    report::{Entries, EventFile, FigureResults, Format, NodeResults, Page, Report, event_files},
    store::Store,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd report pipelines/quickstart.toml --format html -o report.html")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How the report is written
    #[arg(long, value_enum, default_value = "text")]
    format: Written,
    /// Write it into this file instead of printing it
    #[arg(short, long, value_name = "REPORT")]
    output: Option<PathBuf>,
    /// Write each figure as SVG and PNG, and the numbers behind it as CSV, into this folder
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Write what TensorBoard reads into this folder: NODE/seed-SEED for each result
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Written {
    /// Aligned columns
    Text,
    /// Markdown tables
    Md,
    /// LaTeX tabulars (booktabs)
    Latex,
    /// One line a row and seed, with every metric
    Csv,
    /// Everything
    Json,
    /// One page for a browser: tables, figures, nodes with their curves and configuration
    Html,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let pipeline = args.pipeline.open()?;
    let graph = Graph::new(&pipeline);
    let keys = keys(&graph);
    let mut entries = Entries::new(store);
    let report = Report::gather(&graph, &keys, &mut entries)?;
    if let Some(folder) = &args.figures {
        write_figures(&report.figures, folder)?;
    }
    let html = matches!(args.format, Written::Html);
    let nodes = if html || args.tensorboard.is_some() {
        NodeResults::gather(&graph, &keys, &mut entries)?
    } else {
        Vec::new()
    };
    if let Some(folder) = &args.tensorboard {
        write_events(&event_files(&nodes), folder)?;
    }
    let text = match args.format {
        Written::Text => report.render(Format::Text),
        Written::Md => report.render(Format::Md),
        Written::Latex => report.render(Format::Latex),
        Written::Csv => report.render(Format::Csv),
        Written::Json => report.render(Format::Json),
        Written::Html => Page::new(&graph, &report, &nodes).html(),
    };
    match &args.output {
        None => print_data(&text)?,
        Some(path) => {
            write(path, text)?;
            say(&format!("wrote {}", path.display()));
        }
    }
    Ok(exit::OK)
}

fn create(folder: &Path) -> Result<(), Problem> {
    fs::create_dir_all(folder).map_err(|error| Problem::Write { path: folder.to_owned(), error })
}

fn write_events(files: &[EventFile], folder: &Path) -> Result<(), Problem> {
    for file in files {
        let path = folder.join(&file.path);
        create(path.parent().unwrap_or(folder))?;
        write(&path, &file.bytes)?;
    }
    let count = files.len();
    say(&format!("wrote {count} event file{} to {}", plural(count), folder.display()));
    Ok(())
}

fn write_figures(figures: &[FigureResults], folder: &Path) -> Result<(), Problem> {
    if figures.is_empty() {
        say("the pipeline has no figure: a [figure.NAME] table describes one");
        return Ok(());
    }
    create(folder)?;
    for figure in figures {
        let picture = figure.picture();
        let path = |extension| folder.join(format!("{}.{extension}", figure.name));
        write(&path("svg"), picture.svg())?;
        write(&path("png"), picture.png()?)?;
        write(&path("csv"), figure.csv())?;
    }
    let count = figures.len();
    say(&format!("wrote {count} figure{} to {}", plural(count), folder.display()));
    Ok(())
}
