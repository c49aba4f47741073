//! A data set of 96 small images that is made here, and trains in milliseconds.

use burn::tensor::Device;
use std::{fs, path::Path};
use takd::{
    architecture::Architecture,
    dataset::{DataInfo, Digests, Presence, View},
    network::Kernels,
    optimizer::Sgd,
    recipe::{BatchnormWeight, OnCollapse, Precision, Recipe, Select},
    schedule::Constant,
    shape::Shape,
    training::{self, Objective, Stop, Trained, Training},
};

/// Three classes of 8×8 images: a bright bar whose row tells the class, and pixel noise.
pub const CLASSES: usize = 3;
const SIDE: usize = 8;

/// Writes the four IDX files into `folder`.
pub fn write_idx(folder: &Path) {
    write_many(folder, 72, 24);
}

/// As [`write_idx`], with so many training and test images; they are others up to the 256th.
pub fn write_many(folder: &Path, train: usize, test: usize) {
    fs::create_dir_all(folder).unwrap();
    for (name, count, salt) in [("train", train, 0), ("t10k", test, 1)] {
        let labels: Vec<u8> = (0..count).map(|index| (index % CLASSES) as u8).collect();
        let pixels: Vec<u8> =
            labels.iter().enumerate().flat_map(|(i, &l)| image(i, l, salt)).collect();
        let big_endian = |numbers: &[usize]| -> Vec<u8> {
            numbers.iter().flat_map(|&number| (number as u32).to_be_bytes()).collect()
        };
        let images = [big_endian(&[0x803, count, SIDE, SIDE]), pixels].concat();
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        let labels = [big_endian(&[0x801, count]), labels].concat();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn image(index: usize, label: u8, salt: u8) -> Vec<u8> {
    let mut pixels = vec![0; SIDE * SIDE];
    let noise = blake3::hash(&[salt, index as u8]);
    for (place, pixel) in pixels.iter_mut().enumerate() {
        let bar = place / SIDE == 2 * usize::from(label) + 1;
        *pixel = noise.as_bytes()[place % 32] / 3 + if bar { 120 } else { 0 };
    }
    pixels
}

/// What a pipeline that names this data set finds, without any file.
pub fn info() -> DataInfo {
    let shape = Shape { channels: 1, height: SIDE, width: SIDE };
    DataInfo {
        digests: Digests { train: "00".repeat(32), test: "11".repeat(32) },
        shape,
        classes: CLASSES,
        train: 72,
        test: 24,
        notes: Vec::new(),
        presence: Presence::Here,
    }
}

/// Never stops a training.
pub struct Never;

impl Stop for Never {
    fn stopped(&self) -> bool {
        false
    }
}

/// Two epochs of momentum SGD.
pub fn train(
    net: &Architecture,
    objective: Objective<'_>,
    view: &View,
    device: &Device,
) -> Trained {
    let optimizer = Sgd { lr: 0.02, momentum: 0.9, nesterov: true, weight_decay: 1e-4 }.into();
    let (schedule, warmup) = (Constant {}.into(), 0);
    let (augment, select) = (Vec::new(), Select::Last);
    let batchnorm_weight = BatchnormWeight::Ones;
    let recipe = Recipe {
        epochs: 2,
        batch_size: 32,
        optimizer,
        schedule,
        warmup,
        augment,
        select,
        batchnorm_weight,
        precision: Precision::F32,
    };
    let (seed, kernels, evaluation) = (7, Kernels::Takd, None);
    let training = Training {
        net,
        recipe: &recipe,
        objective,
        seed,
        kernels,
        train: view,
        evaluation,
        until: None,
        on_collapse: OnCollapse::Warn,
    };
    training::train(&training, device, &Never, &mut |_, _| {}).unwrap()
}
