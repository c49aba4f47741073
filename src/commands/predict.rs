//! `takd predict`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        networks, print, print_json,
    },
    node::Choice,
    report::csv_line,
    session::{Likely, Prediction, predict_with},
    store::Store,
};
use serde_json::{Value, json};
use std::{num::NonZeroUsize, path::PathBuf};

#[derive(clap::Args)]
#[command(
    override_usage = "takd predict [OPTIONS] FILE NODE IMAGE...\n       \
                      takd predict [OPTIONS] --model MODEL IMAGE...",
    after_help = "Example:
  takd predict pipelines/quickstart.toml takd@20 shirt.png boot.jpg"
)]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    #[arg(required_unless_present = "model", add = networks())]
    node: Option<String>,
    /// Pictures, JPEG or PNG
    #[arg(value_name = "IMAGE", required_unless_present = "model")]
    images: Vec<PathBuf>,
    /// A network in a file instead: .onnx, or .safetensors of `takd export`
    #[arg(long)]
    model: Option<PathBuf>,
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

impl Args {
    fn found(&self, store: &Store) -> Result<Vec<Prediction>, Problem> {
        let node = self.node.as_deref().unwrap_or_default();
        let Some(model) = &self.model else {
            let session = self.pipeline.session(store)?;
            return Ok(session.predict(node, self.device, &self.images)?);
        };
        // There is neither a pipeline nor a node: what stands in their places is a picture.
        let mut images = vec![self.pipeline.path().to_owned()];
        images.extend(self.node.as_ref().map(PathBuf::from));
        images.extend(self.images.iter().cloned());
        Ok(predict_with(model, self.device, &images)?)
    }
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
    let found = args.found(store)?;
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
        let told = told.map(|Likely { class, name, probability, .. }| {
            let name = name.clone().unwrap_or_else(|| format!("class {class}"));
            format!("{name} ({:.1} %)", probability * 100.0)
        });
        format!("{}: {}\n", file.display(), told.collect::<Vec<_>>().join(", "))
    };
    found.iter().map(line).collect()
}

fn csv(found: &[Prediction], top: usize) -> String {
    let head = ["image", "rank", "class", "name", "probability", "logit"];
    let mut text = csv_line(head.map(str::to_owned));
    for Prediction { file, classes } in found {
        for (rank, found) in (1..).zip(classes.iter().take(top)) {
            let file = file.display().to_string();
            text += &csv_line([
                file,
                rank.to_string(),
                found.class.to_string(),
                found.name.clone().unwrap_or_default(),
                found.probability.to_string(),
                found.logit.to_string(),
            ]);
        }
    }
    text
}

fn of_picture(found: &Prediction, top: usize) -> Value {
    let classes = found.classes.iter().take(top);
    let classes = classes.map(|Likely { class, name, probability, logit }| {
        json!({ "class": class, "name": name, "probability": probability, "logit": logit })
    });
    json!({ "image": found.file.display().to_string(), "classes": classes.collect::<Vec<_>>() })
}
