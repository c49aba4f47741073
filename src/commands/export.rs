//! `takd export`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        networks, say, write,
    },
    session::Exported,
    store::Store,
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf, is_separator},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd export pipelines/quickstart.toml takd@20 -o student.onnx")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    #[arg(add = networks())]
    node: String,
    /// What to write: a .safetensors, .onnx or .pt file, or a folder (DIR/) as Hugging Face's hub has it
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Its format, whatever its ending
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// ONNX: pixels that the graph takes; raw ones it normalises itself
    #[arg(long, value_enum, default_value = "raw")]
    pixels: Pixels,
    /// ONNX: put BatchNorms into the convolutions before them
    #[arg(long)]
    fold: bool,
    /// ONNX: weights and activations in 8 bits, calibrated on training images
    #[arg(long)]
    int8: bool,
}

/// What can be written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Tensors under PyTorch's names
    Safetensors,
    /// A graph for any runtime: opset 17
    Onnx,
    /// A state_dict, for torch.load
    Pt,
    /// A folder in the layout of Hugging Face's hub
    Hub,
}

/// What an ONNX graph takes.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Pixels {
    /// Pixels between 0 and 1; the graph normalises them
    Raw,
    /// Pixels less their mean over their deviation
    Normalised,
}

/// Endings of files that export does not write, and what they would be.
const OTHERS: [(&str, &str); 5] = [
    ("ckpt", "Lightning's checkpoints"),
    ("bin", "PyTorch's older pickles"),
    ("npz", "NumPy"),
    ("h5", "HDF5"),
    ("tflite", "TensorFlow Lite"),
];

/// What is written is said by the file's ending.
fn of_ending(output: &Path) -> Result<Format, Problem> {
    if is_folder(output) {
        return Ok(Format::Hub);
    }
    // A device or a pipe has no format of its own.
    let device = fs::metadata(output).is_ok_and(|there| !there.is_file());
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let problem = match ending.as_deref() {
        _ if device => return Ok(Format::Safetensors),
        Some("safetensors") => return Ok(Format::Safetensors),
        Some("onnx") => return Ok(Format::Onnx),
        Some("pt" | "pth") => return Ok(Format::Pt),
        None => "it has no ending".to_owned(),
        Some(ending) => match OTHERS.iter().find(|(other, _)| *other == ending) {
            Some((_, name)) => format!("export does not write {name} (.{ending})"),
            None => format!(".{ending} is not a known format"),
        },
    };
    Err(Problem::Entry(format!(
        "cannot export to {}: {problem}; name a .safetensors, .onnx or .pt file, or a folder (DIR/), or say \
         --format",
        output.display(),
    )))
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let format = args.format.map_or_else(|| of_ending(&args.output), Ok)?;
    let session = args.pipeline.session(store)?;
    let exported = session.export(&args.node)?;
    let (name, output) = (&exported.name, args.output.display());
    if exported.card.mean.is_none() {
        say("note: the data set is not here, so that mean and std are not told");
    }
    let bytes = match format {
        Format::Hub => {
            write_folder(&args.output, &exported, &session.results_of(&args.node)?)?;
            say(&format!("wrote {name} to {output}: model.safetensors, config.json, README.md"));
            return Ok(exit::OK);
        }
        Format::Safetensors => exported.weights,
        Format::Onnx if args.int8 => exported.int8(args.pixels == Pixels::Raw)?,
        Format::Onnx => exported.onnx(args.pixels == Pixels::Raw, args.fold)?,
        Format::Pt => exported.state_dict(),
    };
    write(&args.output, &bytes)?;
    say(&format!("wrote {name} to {output} ({} bytes)", bytes.len()));
    Ok(exit::OK)
}

/// Whether a path means a folder: one that is there, or one that ends like one.
fn is_folder(path: &Path) -> bool {
    let ends =
        path.as_os_str().as_encoded_bytes().last().is_some_and(|&byte| is_separator(byte as char));
    ends || path.is_dir()
}

/// The layout that Hugging Face's hub knows.
fn write_folder(folder: &Path, exported: &Exported, results: &[String]) -> Result<(), Problem> {
    let problem = |error| Problem::Write { path: folder.to_owned(), error };
    fs::create_dir_all(folder).map_err(problem)?;
    const PLAIN: &str = "plain data with string keys is always JSON";
    let mut config = serde_json::to_value(&exported.card).expect(PLAIN);
    // As transformers' configurations have them.
    if let Some(names) = &exported.card.class_names {
        let labels = names.iter().enumerate().map(|(class, name)| (class.to_string(), json!(name)));
        config["id2label"] = labels.collect::<serde_json::Map<_, _>>().into();
    }
    let config = serde_json::to_string_pretty(&config);
    let config = config.expect(PLAIN) + "\n";
    write(&folder.join("model.safetensors"), &exported.weights)?;
    write(&folder.join("config.json"), config)?;
    write(&folder.join("README.md"), readme(exported, results))
}

fn readme(exported: &Exported, results: &[String]) -> String {
    let Exported { name, card, .. } = exported;
    let [channels, height, width] = card.input;
    let (net, classes, parameters) = (&card.net, card.classes, card.parameters);
    let mut text = format!(
        "# {name}\n\n`{net}` for {classes} classes, {parameters} parameters, trained with takd {}. The entry's \
         key is\n`{}`.\n\n",
        card.takd, card.key
    );
    if !results.is_empty() {
        text += "Top-1 accuracy of this seed:\n\n";
        text.extend(results.iter().map(|result| format!("- {result}\n")));
        text.push('\n');
    }
    text += &format!("An image is `[{channels}, {height}, {width}]`, its pixels between 0 and 1");
    if let (Some(mean), Some(std)) = (&card.mean, &card.std) {
        text +=
            &format!(", less their mean `{mean:?}` over their deviation `{std:?}`, a channel each");
    }
    text += &format!(
        ".\n\nLayers, the image's side first: `{}`. `config.json` has all of it, and so has the\nfile's \
         metadata. The names of the tensors are PyTorch's:\n\n```python\nfrom safetensors.torch import \
         load_file\n\nstate = load_file(\"model.safetensors\")\n```\n",
        card.layers.join(" ")
    );
    text
}
