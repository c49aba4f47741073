//! `takd predict`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        print, print_json,
    },
    node::Choice,
    report::csv_line,
    session::Prediction,
    store::Store,
};
use serde_json::{Value, json};
use std::{num::NonZeroUsize, path::PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd predict pipelines/quickstart.toml takd@20 shirt.png boot.jpg")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    node: String,
    /// Pictures, JPEG or PNG
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// How many classes to tell of each
    #[arg(long, default_value = "1", value_name = "K")]
    top: NonZeroUsize,
    /// Language of the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// auto, cpu, cuda[:N] or wgpu[:N]; auto takes CUDA, then another GPU, then the CPU
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: Choice,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A line per picture
    Text,
    /// A line per picture and class
    Csv,
    /// One list
    Json,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let session = args.pipeline.session(store)?;
    let found = session.predict(&args.node, args.device, &args.images)?;
    let top = args.top.get();
    match args.format {
        Format::Text => print(&text(&found, top))?,
        Format::Csv => print(&csv(&found, top))?,
        Format::Json => {
            print_json(&found.iter().map(|found| of_picture(found, top)).collect::<Vec<_>>())?
        }
    }
    Ok(exit::OK)
}

fn text(found: &[Prediction], top: usize) -> String {
    let line = |Prediction { file, classes }: &Prediction| {
        let told = classes.iter().take(top);
        let told = told.map(|(class, share)| format!("class {class} ({:.1} %)", share * 100.0));
        format!("{}: {}\n", file.display(), told.collect::<Vec<_>>().join(", "))
    };
    found.iter().map(line).collect()
}

fn csv(found: &[Prediction], top: usize) -> String {
    let mut text = csv_line(["image", "rank", "class", "probability"].map(str::to_owned));
    for Prediction { file, classes } in found {
        for (rank, (class, share)) in (1..).zip(classes.iter().take(top)) {
            let file = file.display().to_string();
            text += &csv_line([file, rank.to_string(), class.to_string(), share.to_string()]);
        }
    }
    text
}

fn of_picture(found: &Prediction, top: usize) -> Value {
    let classes = found.classes.iter().take(top);
    let classes = classes.map(|(class, share)| json!({ "class": class, "probability": share }));
    json!({ "image": found.file.display().to_string(), "classes": classes.collect::<Vec<_>>() })
}
