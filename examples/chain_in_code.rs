//! Teacher → assistant → student with the library alone: no pipeline, no cache.
//!
//!     cargo run --release --example chain_in_code

use burn::tensor::Device;
use std::error::Error;
use takd::{
    architecture::Architecture,
    dataset::{Data, FashionMini, Format, Normalisation, Split, View},
    network::{Kernels, Network},
    objective::CrossEntropy,
    objective::Kd,
    optimizer::Sgd,
    recipe::{BatchnormWeight, OnCollapse, Precision, Recipe, Select},
    schedule::Cosine,
    training::{self, Logits, Objective, Stop, Training},
};

struct Never;

impl Stop for Never {
    fn stopped(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let format = Format::from(FashionMini);
    let (info, dataset) = (format.probe()?, format.load()?);
    let (shape, classes) = (info.shape, info.classes);
    // 4,000 of the 5,000 images are held out: 1,000 are enough to see the chain work.
    let data =
        Data { format, validation: 4000, scoring: 0, normalisation: Normalisation::Measured, info };
    let device: Device = takd::node::Choice::Auto.select()?.device;
    let train = View::new(&dataset, &data, Split::Train, &device)?;
    let evaluation = View::new(&dataset, &data, Split::Test, &device)?;

    let recipe = Recipe {
        epochs: 3,
        batch_size: 50,
        optimizer: Sgd { lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0 }.into(),
        schedule: Cosine { min: 0.0 }.into(),
        warmup: 0,
        augment: Vec::new(),
        select: Select::Last,
        batchnorm_weight: BatchnormWeight::Ones,
        precision: Precision::F32,
    };
    let kd = Kd::new(5.0, 0.5);

    // Each network learns from the one before it; the first from the labels alone.
    let mut teacher: Option<Logits> = None;
    for layers in [
        &["conv8", "maxpool", "conv8", "maxpool", "fc10"][..],
        &["conv6", "maxpool", "conv6", "maxpool", "fc10"],
        &["conv4", "maxpool", "conv4", "maxpool", "fc10"],
    ] {
        let layers = layers.iter().map(|layer| layer.parse()).collect::<Result<_, _>>()?;
        let net = Architecture::new(layers, shape, classes)?;
        let objective = match &teacher {
            None => Objective::Labels(&CrossEntropy {}),
            Some(logits) => Objective::Stored(&kd, logits.into()),
        };
        let training = Training {
            net: &net,
            recipe: &recipe,
            objective,
            seed: 1,
            kernels: Kernels::Takd,
            train: &train,
            evaluation: Some(&evaluation),
            until: None,
            on_collapse: OnCollapse::Warn,
        };
        let trained = training::train(&training, &device, &Never, &mut |_, _| {})?;
        let accuracy = trained.history.last().and_then(|record| record.accuracy);
        println!(
            "{} parameters, taught by {}: {:.1} % on the test images",
            net.parameters(),
            if teacher.is_some() { "the network before it" } else { "the labels" },
            accuracy.unwrap_or_default() * 100.0
        );
        // A frozen teacher's logits never change: they are computed once.
        let mut frozen = Network::init(&net, 0, &device);
        frozen.load(trained.weights)?;
        teacher = Some(Logits::new(&train.ids, training::infer(&frozen, &train)?, classes)?);
    }
    Ok(())
}
