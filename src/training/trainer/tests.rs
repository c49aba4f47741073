use super::*;
use crate::training::features::Kept;
use crate::{
    architecture::WrittenLayer as Layer,
    dataset::{
        Data, DataInfo, Dataset, Digests, FashionMini, Images, Normalisation, Part, Presence, Split,
    },
    kind::Choice,
    memory::Promise,
    objective::{At, CrossEntropy, Ctkd, Distillation, Fitnet, Rkd, Sp, Term, Weight, sum},
    optimizer::Sgd,
    recipe::{BatchnormWeight, OnCollapse, Precision, Select},
    schedule::Constant,
    shape::Shape,
};
use burn::tensor::Tensor;

const CLASSES: usize = 3;

/// Ten training images of noise, two of which are held out.
fn views(shape: Shape) -> [View; 2] {
    let part = |count: usize| Part {
        images: Images::Bytes((0..count * shape.size()).map(|at| (at * at % 251) as u8).collect()),
        labels: (0..count).map(|at| (at % CLASSES) as u16).collect(),
    };
    let (digests, notes) = (Digests::default(), Vec::new());
    let (train, test) = (part(10), part(1));
    let dataset = Dataset { shape, classes: CLASSES, train, test, digests, notes };
    let digests = Digests::default();
    let (notes, presence) = (Vec::new(), Presence::Here);
    let info = DataInfo { digests, shape, classes: CLASSES, train: 10, test: 1, notes, presence };
    let normalisation = Normalisation::Measured;
    let data = Data { format: FashionMini.into(), validation: 2, scoring: 0, normalisation, info };
    [Split::Train, Split::Validation]
        .map(|split| View::new(&dataset, &data, split, &Device::flex()).unwrap())
}

/// Sees what the pool holds before each step.
struct Held {
    steps: usize,
    early: usize,
    late: usize,
}

impl Watch for Held {
    fn order(&mut self, _: usize, _: usize, _: usize) -> Order {
        match self.steps {
            100..200 => self.early = self.early.max(kernels::held()),
            2900.. => self.late = self.late.max(kernels::held()),
            _ => {}
        }
        self.steps += 1;
        Order::GoOn
    }

    fn keep(&mut self, _: &dyn Fn() -> Checkpoint) {}

    fn stopped(&mut self) -> bool {
        false
    }

    fn epoch(&mut self, _: &Progress<'_>) {}
}

/// Each epoch has a step of five images, one of three, and an evaluation of two.
fn no_more_is_held_after_3000_steps(layers: &[&str], taught: &[Choice<dyn Distillation>]) {
    for channels in [1, 3] {
        let shape = Shape { channels, height: 8, width: 8 };
        let layers: Vec<Layer> = layers.iter().map(|layer| layer.parse().unwrap()).collect();
        let net = Architecture::new(layers, shape, CLASSES).unwrap();
        let [train, evaluation] = views(shape);
        let optimizer = Sgd { lr: 0.02, momentum: 0.9, nesterov: true, weight_decay: 1e-4 }.into();
        let (schedule, warmup) = (Constant {}.into(), 0);
        let (augment, select) = (Vec::new(), Select::BestValidation);
        let (epochs, batch_size) = (1500, 5);
        let recipe = Recipe {
            epochs,
            batch_size,
            optimizer,
            schedule,
            warmup,
            augment,
            select,
            batchnorm_weight: BatchnormWeight::Ones,
            precision: Precision::F32,
        };
        let teacher = Network::init(&net, 9, &Device::flex());
        let weight = Weight::Fixed(0.1);
        let terms = taught.iter().cloned().map(|objective| Term { weight, objective }).collect();
        let (kernels, taught_by) = (Kernels::Takd, sum(terms));
        let objective = if taught.is_empty() {
            Objective::Labels(&CrossEntropy {})
        } else {
            Objective::Live(&*taught_by, (&teacher).into())
        };
        let (recipe, evaluation) = (&recipe, Some(&evaluation));
        let training = Training {
            net: &net,
            recipe,
            objective,
            seed: 7,
            kernels,
            train: &train,
            evaluation,
            until: None,
            on_collapse: OnCollapse::Warn,
        };
        let mut watch = Held { steps: 0, early: 0, late: 0 };
        resume(&training, &Device::flex(), None, &mut watch).unwrap();
        let Held { steps, early, late } = watch;
        assert_eq!(steps, 3000);
        assert!(early > 0, "what a step is done with goes to the next");
        // Which buffer fits best may turn out a little otherwise.
        assert!(late <= early + early / 4, "{channels} channels: {early} bytes, then {late}");
    }
}

#[test]
fn a_plain_training_holds_no_more_after_3000_steps_than_after_100() {
    no_more_is_held_after_3000_steps(&["conv8", "conv8", "maxpool", "fc3"], &[]);
}

#[test]
fn a_residual_training_holds_no_more_after_3000_steps_than_after_100() {
    let layers = ["stem8", "basic8", "basic16/2", "padbasic24/2", "avgpool", "fc3"];
    no_more_is_held_after_3000_steps(&layers, &[]);
}

#[test]
fn a_depthwise_and_grouped_training_holds_no_more_after_3000_steps_than_after_100() {
    let layers =
        ["stem8", "inverted8x4", "inverted12x4/2", "shuffle24/2", "split24", "avgpool", "fc3"];
    no_more_is_held_after_3000_steps(&layers, &[]);
}

#[test]
fn a_training_on_features_holds_no_more_after_3000_steps_than_after_100() {
    let layers = ["stem4", "basic4", "basic8/2", "avgpool", "fc3"];
    let taught = [
        At { weight: 1.0, ce: 1.0 }.into(),
        Sp { weight: 1.0, ce: 0.0 }.into(),
        Rkd { distance: 1.0, angle: 1.0, ce: 0.0 }.into(),
        Fitnet { weight: 1.0, ce: 0.0, stage: 2, first: 5 }.into(),
        Ctkd { weight: 0.9, ce: 0.1, epochs: 10, standardize: false }.into(),
    ];
    no_more_is_held_after_3000_steps(&layers, &taught);
}

/// What is kept was made in other batches than those of a training, and is the same to the bit.
#[test]
fn kept_features_are_those_that_a_teacher_gives() {
    let shape = Shape { channels: 1, height: 8, width: 8 };
    let [train, _] = views(shape);
    let layers = ["stem4", "basic4", "basic8/2", "avgpool", "fc3"];
    let layers: Vec<Layer> = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    let net = Architecture::new(layers, shape, CLASSES).unwrap();
    let teacher = Network::init(&net, 3, &Device::flex());
    let taps = teacher.taps().to_vec();
    assert_eq!(taps.len(), 4);
    let names: Vec<_> = taps.iter().map(|tapped| tapped.tap).collect();
    let promise = Promise::of(0).unwrap();
    let Ok(kept) = Kept::new(promise, &teacher, &train, &taps, &mut || true) else {
        panic!("they are kept")
    };
    let values = |tensor: Tensor<2>| tensor.into_data().try_into_vec_as::<f32>().unwrap();
    for places in [vec![5, 1, 2], vec![7], vec![0, 3, 4, 6]] {
        let batch = train.batches(&places, places.len(), None).unwrap().next().unwrap().unwrap();
        let (logits, features) = teacher.infer_with(batch.images, &names);
        let (kept_logits, kept_features) = kept.batch(&batch.at);
        assert_eq!(values(kept_logits), values(logits));
        for ((tap, kept), feature) in kept_features.into_iter().zip(features) {
            assert_eq!(values(kept.flatten(1, 3)), values(feature.flatten(1, 3)), "{tap}");
        }
    }
}
