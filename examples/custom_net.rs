//! Trains a network of one's own with the library alone: no pipeline, no cache.
//!
//!     cargo run --release --example custom_net

use std::error::Error;
use takd::{
    config::{
        BatchnormWeight, Data, Format, Net, Normalisation, OnCollapse, Optimizer, Recipe, Schedule,
        Select, Split, Warmup,
    },
    data::{self, View},
    learn::{self, Lesson, Objective, Stop},
    net::Ops,
};

struct Never;

impl Stop for Never {
    fn stopped(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let format = Format::FashionMini;
    let info = data::probe(&format)?;
    let dataset = data::load(&format)?;

    let layers = ["conv4", "maxpool", "conv4", "maxpool", "fc10"];
    let layers = layers.iter().map(|layer| layer.parse()).collect::<Result<_, _>>()?;
    let net = Net::new(layers, info.shape, info.classes)?;
    println!("{} parameters on {} images", net.parameters(), info.shape);

    let recipe = Recipe {
        epochs: 3,
        batch_size: 64,
        optimizer: Optimizer::Sgd { lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0 },
        schedule: Schedule::Cosine { min: 0.0 },
        warmup: Warmup(0),
        augment: Vec::new(),
        select: Select::Last,
        batchnorm_weight: BatchnormWeight::Ones,
    };
    // 4,000 of the 5,000 images are held out: 1,000 are enough to see it learn.
    let data = Data { format, validation: 4000, normalisation: Normalisation::Measured, info };
    let device = takd::node::Choice::Auto.select()?.device;
    let train = View::new(&dataset, &data, Split::Train, &device)?;
    let judge = View::new(&dataset, &data, Split::Test, &device)?;
    let objective = Objective::CrossEntropy;
    let lesson = Lesson {
        net: &net,
        recipe: &recipe,
        objective,
        seed: 1,
        ops: Ops::Own,
        train: &train,
        judge: Some(&judge),
        on_collapse: OnCollapse::Warn,
    };
    let trained = learn::train(&lesson, &device, &Never, &mut |record, pace| {
        let accuracy = record.accuracy.unwrap_or_default() * 100.0;
        println!(
            "epoch {}: loss {:.3}, {accuracy:.1} %, {pace:.0} images/s",
            record.epoch, record.loss
        );
    })?;
    println!("{} tensors", trained.weights.len());
    Ok(())
}
