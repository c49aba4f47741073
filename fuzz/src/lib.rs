//! What reads bytes from outside, as functions of bytes. `cargo fuzz` feeds them here (see
//! `README.md`), and `tests/it/bad_input.rs` includes this file and feeds them in every test run.

use std::{fs, path::Path};
use takd::{
    dataset::{
        Cifar, CifarKind, DataInfo, Digests, Fit, Format, Idx, ImageFolder, Presence, Storage,
    },
    history,
    kinds::Kinds,
    network,
    node::{read_checkpoint, read_logits, read_weights},
    pipeline::{self, Catalogue, Sources, setting},
    pytorch::read_state_dict,
    search::Told,
    session::{Selection, Session},
    shape::Shape,
    store::{Manifest, Store},
};

/// Reads a pipeline; the images are always the same.
fn spec(sources: Vec<(String, String)>) {
    let shape = Shape { channels: 1, height: 28, width: 28 };
    let info = DataInfo {
        digests: Digests { train: "00".repeat(32), test: "11".repeat(32) },
        shape,
        classes: 10,
        train: 100,
        test: 10,
        notes: Vec::new(),
        presence: Presence::Here,
    };
    let catalogue = Catalogue {
        profile: false,
        preset: None,
        data: Path::new("data"),
        told: &Told::default(),
        open_only: false,
        probe: &|_| Ok(info.clone()),
        digest: &|_| Ok("22".repeat(32)),
        onnx: &|_| Err("no file is read".to_owned()),
        text: &|_| Ok("a\nb".to_owned()),
        kinds: &Kinds::default(),
        net: network::builtin,
        net_names: &network::BUILTIN,
    };
    match pipeline::parse(Sources(sources), Path::new(""), "fuzz", catalogue) {
        Err(errors) => assert!(!errors.list().is_empty() && !errors.render(false).is_empty()),
        Ok(pipeline) => {
            let session = Session::new(pipeline, Store::new("no such cache"));
            let plan =
                session.plan(&Selection::default()).expect("an absent cache is an empty one");
            assert_eq!(plan.running().count(), plan.steps.len());
        }
    }
}

/// A pipeline file.
pub fn pipeline(bytes: &[u8]) {
    spec(vec![("fuzz.toml".to_owned(), String::from_utf8_lossy(bytes).into_owned())]);
}

/// A `--set` over a small pipeline.
pub fn set(bytes: &[u8]) {
    const FILE: &str = "[data.d]\nformat = \"fashion-mini\"\n[recipe.r]\nepochs = 1\nbatch_size = 1\n\
        optimizer = { sgd = { lr = 1 } }\n[train.t]\nnet = \"plain2\"\ndata = \"d\"\nrecipe = \"r\"\n";
    if let Some(set) = setting(&String::from_utf8_lossy(bytes)) {
        spec(vec![("fuzz.toml".to_owned(), FILE.to_owned()), set]);
    }
}

/// An entry's manifest.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) {
        manifest.key();
        let net = manifest.inputs.net.map(|net| net.architecture(&Kinds::default()));
        net.into_iter().flatten().for_each(|net| assert!(net.parameters() < usize::MAX));
    }
}

/// A training's checkpoint.
pub fn checkpoint(bytes: &[u8]) {
    let _ = read_checkpoint(bytes);
    let _ = history::read(bytes);
}

/// Weights or logits in the safetensors format.
pub fn safetensors(bytes: &[u8]) {
    let _ = read_weights(bytes);
    let _ = read_logits(bytes);
}

/// A file that `torch.save` wrote.
pub fn pytorch(bytes: &[u8]) {
    let _ = read_state_dict(bytes);
}

fn read(format: &Format) {
    let (probed, loaded) = (format.probe(), format.load());
    if let (Ok(probed), Ok(loaded)) = (probed, loaded) {
        assert_eq!((probed.shape, probed.train), (loaded.shape, loaded.train.labels.len()));
    }
}

/// Training images and labels in IDX files, cut at the first byte's place; in `folder`.
pub fn idx(bytes: &[u8], folder: &Path) {
    let Some((&cut, rest)) = bytes.split_first() else { return };
    let (images, labels) = rest.split_at(usize::from(cut).min(rest.len()));
    for name in ["train", "t10k"] {
        for (part, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            if fs::write(folder.join(format!("{name}-{part}-ubyte")), bytes).is_err() {
                return;
            }
        }
    }
    read(&Format::from(Idx(folder.to_owned())));
}

/// CIFAR-10's only training and test file, a record or an archive; in `folder`.
pub fn cifar(bytes: &[u8], folder: &Path) {
    let names = || vec!["data.bin".to_owned()];
    for file in ["data.bin", "archive.tar.gz"] {
        if fs::write(folder.join(file), bytes).is_err() {
            return;
        }
    }
    for path in [folder.to_owned(), folder.join("archive.tar.gz")] {
        let cifar = Cifar { kind: CifarKind::Ten, path, train: names(), test: names() };
        read(&Format::from(cifar));
    }
}

/// An image in a folder of them, by its first byte a PNG or a JPEG; in `folder`, which is made ready
/// once.
pub fn image(bytes: &[u8], folder: &Path) {
    let Some((&kind, rest)) = bytes.split_first() else { return };
    let name = if kind % 2 == 0 { "x.png" } else { "x.jpg" };
    let set = folder.join("set");
    for place in ["train/a", "val/a"] {
        if fs::create_dir_all(set.join(place)).is_err()
            || fs::write(set.join(place).join(name), rest).is_err()
        {
            return;
        }
    }
    let fit = Fit { size: 4, resize: 4, ..Fit::default() };
    let images = ImageFolder { fit, ..ImageFolder::new(set.clone(), &folder.join("data")) };
    let _ = images.verify();
    for place in ["train/a", "val/a"] {
        let _ = fs::remove_file(set.join(place).join(name));
    }
}
