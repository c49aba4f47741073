//! `takd report`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print_data, say, write,
    },
    key::keys,
    report::{
        Entries, EventFile, FigureResults, NodeResults, Report, event_files, plural,
        render::{Contents, FORMATS, ReportFormat, format, format_of},
    },
    store::Store,
};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd report pipelines/quickstart.toml -o report.html")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How the report is written [default: by the ending of --output, else text]
    #[arg(long, value_parser = formats())]
    format: Option<&'static ReportFormat>,
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

/// The formats by their names.
fn formats() -> impl TypedValueParser<Value = &'static ReportFormat> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.doc));
    PossibleValuesParser::new(values)
        .map(|name| format(&name).expect("a possible value is a format's name"))
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.session(store)?;
    let graph = session.graph();
    let keys = keys(&graph);
    let mut entries = Entries::new(store);
    let report = Report::gather(&graph, &keys, &mut entries)?;
    if let Some(folder) = &args.figures {
        write_figures(&report.figures, folder)?;
    }
    let by_ending = args.output.as_deref().and_then(format_of);
    let format = args.format.or(by_ending).unwrap_or(FORMATS[0]);
    let nodes = if format.shows_nodes || args.tensorboard.is_some() {
        NodeResults::gather(&graph, &keys, &mut entries)?
    } else {
        Vec::new()
    };
    if let Some(folder) = &args.tensorboard {
        write_events(&event_files(&nodes), folder)?;
    }
    let text = format.render(&Contents { graph: &graph, report: &report, nodes: &nodes });
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
