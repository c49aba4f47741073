//! `takd export`.

use crate::{
    console::{
        PipelineArgs,
        exit::{self, Problem},
        say, write,
    },
    node::WEIGHTS,
    store::Store,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd export pipelines/quickstart.toml teacher@20 -o teacher.safetensors")]
pub(super) struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The node, with its seed where the pipeline has several (student@31)
    node: String,
    /// The file to write: .safetensors
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
    check_ending(&args.output)?;
    let session = args.pipeline.session(store)?;
    let graph = session.graph();
    let (task, entry) = session.trained(&graph, &args.node)?;
    let name = graph.name(task);
    let bytes = entry.read(WEIGHTS)?;
    write(&args.output, &bytes)?;
    say(&format!("wrote {name} to {} ({} bytes)", args.output.display(), bytes.len()));
    Ok(exit::OK)
}
