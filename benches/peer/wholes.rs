//! Whole pipelines, as a user runs them: `takd run` beside the authors' way in PyTorch, which asks the
//! teacher at each step and trains every chain from its top.

use super::{
    images::{self, Noise},
    process::takd,
    torch::Torch,
    turns::{Row, Turns},
};
use std::{error::Error, ffi::OsStr, fs, path::Path};

/// A pipeline and its size.
#[derive(Clone, Copy)]
pub struct Whole {
    name: &'static str,
    about: &'static str,
    images: usize,
    epochs: usize,
    rounds: usize,
    /// What is trained before the clock starts, if anything.
    before: Option<&'static str>,
    nodes: &'static str,
}

/// One student of a teacher that is there.
pub const DISTILL: Whole = Whole {
    name: "distill",
    about: "a distillation plain10 → plain2, the teacher's logits included",
    images: 2560,
    epochs: 20,
    rounds: 3,
    before: Some("teacher"),
    nodes: "ta/plain2",
};

/// The teacher and all eight paths.
pub const LATTICE: Whole = Whole {
    name: "lattice",
    about: "all paths from plain10 to plain2: 16 trainings beside 21",
    images: 1280,
    epochs: 3,
    rounds: 3,
    before: None,
    nodes: "ta/*",
};

pub fn compare(python: &OsStr, threads: usize, whole: Whole) -> Result<Row, Box<dyn Error>> {
    let Whole { name, about, images, epochs, rounds, .. } = whole;
    let folder = images::folder(name)?;
    let noise = Noise::new(images);
    noise.write(&[], &folder.join("images.safetensors"))?;
    fs::write(folder.join("train.bin"), noise.cifar())?;
    fs::write(folder.join("test.bin"), Noise::new(100).cifar())?;
    fs::write(folder.join("pipeline.toml"), pipeline(epochs))?;
    let file = folder.join("pipeline.toml");
    let run = |nodes, cache: &Path| takd("run", &file, cache, &[nodes, "--device", "cpu", "-q"]);
    let (mut ours, mut theirs) = (Turns(Vec::new()), Turns(Vec::new()));
    if let Some(before) = whole.before {
        run(before, &folder.join("before"))?;
    }
    for round in 0..rounds {
        let cache = folder.join(format!("cache{round}"));
        if whole.before.is_some() {
            copy(&folder.join("before"), &cache)?;
        }
        ours.0.push(run(whole.nodes, &cache)?);
        let file = folder.join("images.safetensors");
        let epochs = epochs.to_string();
        let args = [OsStr::new(name), file.as_os_str(), OsStr::new(&epochs)];
        theirs.0.push(Torch::start(python, &args, threads)?.hear()?.seconds);
    }
    let row = Row::new(name, ours, vec![("default".to_owned(), theirs)]);
    println!("{about}; {images} images, {epochs} epochs");
    println!(
        "takd {} s, PyTorch {} s, ratio {:.2}\n",
        row.takd.seconds(),
        row.torch[0].1.seconds(),
        row.ratio
    );
    Ok(row)
}

/// A folder with all that is in it, so that each round begins with the same trained teacher.
fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn pipeline(epochs: usize) -> String {
    format!(
        r#"
[data.noise]
format = "cifar10"
path = "."
train = ["train.bin"]
test = ["test.bin"]
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]

[recipe.short]
epochs = {epochs}
batch_size = 128
optimizer = {{ sgd = {{ lr = 0.01, momentum = 0.9, nesterov = true, weight_decay = 1e-4 }} }}
select = "last"

[train.teacher]
net = "plain10"
data = "noise"
recipe = "short"

[chain.ta]
nets = ["plain10", "plain8", "plain6", "plain4", "plain2"]
from = "teacher"
paths = "all"
objective = {{ kd = {{ temperature = 5.0, lambda = 0.5 }} }}
"#
    )
}
