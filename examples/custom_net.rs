//! Trains a network of one's own with the library alone: no pipeline, no cache.
//!
//!     cargo run --release --example custom_net

use std::error::Error;
use takd::{
    architecture::Architecture,
    dataset::{Data, FashionMini, Format, Normalisation, Split, View},
    network::Kernels,
    objective::CrossEntropy,
    optimizer::Sgd,
    recipe::{BatchnormWeight, OnCollapse, Precision, Recipe, Select},
    schedule::Cosine,
    training::{self, Objective, Stop, Training},
};

struct Never;

impl Stop for Never {
    fn stopped(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let format = Format::from(FashionMini);
    let info = format.probe()?;
    let dataset = format.load()?;

    let layers = ["conv4", "maxpool", "conv4", "maxpool", "fc10"];
    let layers = layers.iter().map(|layer| layer.parse()).collect::<Result<_, _>>()?;
    let net = Architecture::new(layers, info.shape, info.classes)?;
    println!("{} parameters on {} images", net.parameters(), info.shape);

    let recipe = Recipe {
        epochs: 3,
        batch_size: 64,
        optimizer: Sgd { lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0 }.into(),
        schedule: Cosine { min: 0.0 }.into(),
        warmup: 0,
        augment: Vec::new(),
        select: Select::Last,
        batchnorm_weight: BatchnormWeight::Ones,
        precision: Precision::F32,
    };
    // 4,000 of the 5,000 images are held out: 1,000 are enough to see it learn.
    let data =
        Data { format, validation: 4000, scoring: 0, normalisation: Normalisation::Measured, info };
    let device = takd::node::Choice::Auto.select()?.device;
    let train = View::new(&dataset, &data, Split::Train, &device)?;
    let evaluation = View::new(&dataset, &data, Split::Test, &device)?;
    let objective = Objective::Labels(&CrossEntropy {});
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
    let trained = training::train(&training, &device, &Never, &mut |record, pace| {
        let accuracy = record.accuracy.unwrap_or_default() * 100.0;
        println!(
            "epoch {}: loss {:.3}, {accuracy:.1} %, {pace:.0} images/s",
            record.epoch, record.loss
        );
    })?;
    println!("{} tensors", trained.weights.len());
    Ok(())
}
