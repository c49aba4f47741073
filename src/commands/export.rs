//! `takd export`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        say, write,
    },
    session::Exported,
    store::Store,
};
use std::{
    fs,
    path::{Path, PathBuf, is_separator},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd export pipelines/quickstart.toml teacher@20 -o teacher.safetensors")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    node: String,
    /// What to write: a .safetensors file, or a folder (DIR/) in the layout of Hugging Face's hub
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Endings of files that export does not write, and what they would be.
const OTHERS: [(&str, &str); 8] = [
    ("onnx", "ONNX"),
    ("pt", "PyTorch's pickles"),
    ("pth", "PyTorch's pickles"),
    ("ckpt", "PyTorch's pickles"),
    ("bin", "PyTorch's pickles"),
    ("npz", "NumPy"),
    ("h5", "HDF5"),
    ("tflite", "TensorFlow Lite"),
];

/// What is written is said by the file's ending, and must be what takd writes.
fn check_ending(output: &Path) -> Result<(), Problem> {
    // A device or a pipe has no format of its own.
    let device = fs::metadata(output).is_ok_and(|there| !there.is_file() && !there.is_dir());
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let problem = match ending.as_deref() {
        _ if device => return Ok(()),
        Some("safetensors") => return Ok(()),
        None => "it has no ending".to_owned(),
        Some(ending) => match OTHERS.iter().find(|(other, _)| *other == ending) {
            Some((_, name)) => format!("export does not write {name} (.{ending})"),
            None => format!(".{ending} is not a known format"),
        },
    };
    let better = output.with_extension("safetensors");
    Err(Problem::Entry(format!(
        "cannot export to {}: {problem}; name a .safetensors file, such as {}: PyTorch loads it with \
         safetensors.torch.load_file",
        output.display(),
        better.display()
    )))
}

pub(super) fn run(args: &Args, store: &Store) -> Result<u8, Problem> {
    let folder = is_folder(&args.output);
    if !folder {
        check_ending(&args.output)?;
    }
    let session = args.pipeline.session(store)?;
    let exported = session.export(&args.node)?;
    let (name, output) = (&exported.name, args.output.display());
    if exported.card.mean.is_none() {
        say("note: the data set is not here, so that mean and std are not told");
    }
    if folder {
        write_folder(&args.output, &exported)?;
        say(&format!("wrote {name} to {output}: model.safetensors, config.json, README.md"));
    } else {
        write(&args.output, &exported.weights)?;
        say(&format!("wrote {name} to {output} ({} bytes)", exported.weights.len()));
    }
    Ok(exit::OK)
}

/// Whether a path means a folder: one that is there, or one that ends like one.
fn is_folder(path: &Path) -> bool {
    let ends =
        path.as_os_str().as_encoded_bytes().last().is_some_and(|&byte| is_separator(byte as char));
    ends || path.is_dir()
}

/// The layout that Hugging Face's hub knows.
fn write_folder(folder: &Path, exported: &Exported) -> Result<(), Problem> {
    let problem = |error| Problem::Write { path: folder.to_owned(), error };
    fs::create_dir_all(folder).map_err(problem)?;
    let config = serde_json::to_string_pretty(&exported.card);
    let config = config.expect("plain data with string keys is always JSON") + "\n";
    write(&folder.join("model.safetensors"), &exported.weights)?;
    write(&folder.join("config.json"), config)?;
    write(&folder.join("README.md"), readme(exported))
}

fn readme(exported: &Exported) -> String {
    let Exported { name, card, results, weights: _ } = exported;
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
