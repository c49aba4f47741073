//! What a recipe may say beyond the usual: an optimizer that starts anew, and other first weights.

use crate::{resume::Keeper, tiny};
use burn::tensor::Device;
use takd::{
    architecture::Architecture,
    dataset::{Data, Format, Idx, Normalisation, Split, View},
    kind::Choice,
    network::{Kernels, NamedTensor, Network},
    node::read_checkpoint,
    objective::CrossEntropy,
    optimizer::{Adam, Optimizer, Sgd},
    recipe::{BatchnormWeight, OnCollapse, Precision, Recipe, Select},
    schedule::{self, Constant, Cosine, Schedule},
    training::{Checkpoint, Objective, Training, TrainingState, resume},
};

fn recipe(
    epochs: usize,
    optimizer: Choice<dyn Optimizer>,
    schedule: Choice<dyn Schedule>,
) -> Recipe {
    Recipe {
        epochs,
        batch_size: 16,
        optimizer,
        schedule,
        warmup: 0,
        augment: Vec::new(),
        select: Select::Last,
        batchnorm_weight: BatchnormWeight::Ones,
        precision: Precision::F32,
    }
}

fn step(restart: bool) -> Choice<dyn Schedule> {
    schedule::Step { milestones: vec![2], gamma: 0.1, restart }.into()
}

/// Weights in the order of their names: a file has them in another.
fn sorted(mut weights: Vec<NamedTensor>) -> Vec<NamedTensor> {
    weights.sort_by(|a, b| a.name.cmp(&b.name));
    weights
}

#[test]
fn a_restart_is_a_second_run_with_a_new_optimizer() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_idx(folder.path());
    let format = Format::from(Idx(folder.path().to_owned()));
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    let layers = ["conv4", "maxpool", "fc3"].map(|layer| layer.parse().unwrap()).to_vec();
    let net = Architecture::new(layers, info.shape, info.classes).unwrap();
    let data =
        Data { format, validation: 12, scoring: 0, normalisation: Normalisation::Measured, info };
    let device = Device::flex();
    let images = View::new(&dataset, &data, Split::Train, &device).unwrap();
    let run = |recipe: &Recipe, from: Option<Checkpoint>| {
        let (objective, train, evaluation) = (Objective::Labels(&CrossEntropy {}), &images, None);
        let training = Training {
            net: &net,
            recipe,
            objective,
            seed: 3,
            kernels: Kernels::Takd,
            train,
            evaluation,
            until: None,
            on_collapse: OnCollapse::Warn,
        };
        let mut keeper = Keeper::default();
        let trained = resume(&training, &device, from, &mut keeper).unwrap();
        (sorted(trained.weights), keeper)
    };
    let sgd = |lr| Sgd { lr, momentum: 0.9, nesterov: false, weight_decay: 1e-3 }.into();
    let adam = |lr| Adam { lr, betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0 }.into();
    for rule in [&sgd as &dyn Fn(f64) -> Choice<dyn Optimizer>, &adam] {
        let recipe_of = |restart| recipe(4, rule(0.02), step(restart));
        let (whole, keeper) = run(&recipe_of(true), None);

        // By hand: two epochs, then two more at a tenth of the rate with an optimizer of no past.
        let (_, first) = run(&recipe(2, rule(0.02), Constant {}.into()), None);
        let half = read_checkpoint(first.kept.last().unwrap()).unwrap();
        let fresh = TrainingState { steps: 0, ..half.state };
        let half = Checkpoint { optimizer: Vec::new(), state: fresh, ..half };
        let (by_hand, _) = run(&recipe(4, rule(0.02 * 0.1), Constant {}.into()), Some(half));
        assert_eq!(whole, by_hand, "{:?}", rule(0.02));

        let (without, _) = run(&recipe_of(false), None);
        assert_ne!(
            whole,
            without,
            "the optimizer's past decides what comes after: {:?}",
            rule(0.02)
        );

        for (place, kept) in keeper.kept.iter().enumerate() {
            let (again, _) = run(&recipe_of(true), Some(read_checkpoint(kept).unwrap()));
            assert_eq!(again, whole, "{:?} from checkpoint {place}", rule(0.02));
        }
    }
}

#[test]
fn an_optimizer_starts_anew_at_milestones_only() {
    let milestones = vec![1, 4];
    let schedule: Choice<dyn Schedule> =
        schedule::Step { milestones, gamma: 0.1, restart: true }.into();
    let told: Vec<bool> = (0..6).map(|epoch| schedule.restarts(epoch)).collect();
    assert_eq!(told, [false, true, false, false, true, false]);
    for schedule in [step(false), Constant {}.into(), Cosine { min: 0.0 }.into()] {
        assert!((0..6).all(|epoch| !schedule.restarts(epoch)));
    }
}

/// Initial tensors by name.
fn first(layers: &[&str], seed: u64, batchnorm_weight: BatchnormWeight) -> Vec<NamedTensor> {
    let shape = takd::shape::Shape { channels: 3, height: 8, width: 8 };
    let layers = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    let net = Architecture::new(layers, shape, 3).unwrap();
    Network::init_with(&net, seed, batchnorm_weight, &Device::flex()).save()
}

#[test]
fn batchnorm_weights_are_drawn_in_plain_layers_alone() {
    let plain = ["conv16", "conv16", "maxpool", "fc3"];
    let (ones, drawn, other) = (
        first(&plain, 1, BatchnormWeight::Ones),
        first(&plain, 1, BatchnormWeight::Uniform),
        first(&plain, 2, BatchnormWeight::Uniform),
    );
    let is_scale = |tensor: &NamedTensor| {
        ["conv_layers.1.weight", "conv_layers.4.weight"].contains(&&*tensor.name)
    };
    let mut scales = Vec::new();
    for ((one, drawn), other) in ones.iter().zip(&drawn).zip(&other) {
        if !is_scale(one) {
            assert_eq!(one, drawn, "nothing else changes");
            continue;
        }
        assert!(one.values.iter().all(|&value| value == 1.0));
        assert!(drawn.values.iter().all(|value| (0.0..1.0).contains(value)));
        assert_ne!(drawn.values, other.values, "each seed has its own");
        scales.push(&drawn.values);
    }
    assert!(scales.len() == 2 && scales[0] != scales[1], "each layer has its own");

    // Residual blocks set 1, as the authors' ResNets do.
    let residual = ["stem4", "basic4", "padbasic8/2", "avgpool", "fc3"];
    let [ones, drawn] =
        [BatchnormWeight::Ones, BatchnormWeight::Uniform].map(|weight| first(&residual, 1, weight));
    assert_eq!(ones, drawn);
}
