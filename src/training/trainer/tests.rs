use super::*;
use crate::{
    architecture::WrittenLayer as Layer,
    dataset::{
        Data, DataInfo, Dataset, Digests, FashionMini, Images, Normalisation, Part, Presence, Split,
    },
    objective::CrossEntropy,
    optimizer::Sgd,
    recipe::{BatchnormWeight, OnCollapse},
    schedule::Constant,
    shape::Shape,
};

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
    let data = Data { format: FashionMini.into(), validation: 2, normalisation, info };
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
fn no_more_is_held_after_3000_steps(layers: &[&str]) {
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
        };
        let (kernels, objective) = (Kernels::Takd, Objective::Labels(&CrossEntropy {}));
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
    no_more_is_held_after_3000_steps(&["conv8", "conv8", "maxpool", "fc3"]);
}

#[test]
fn a_residual_training_holds_no_more_after_3000_steps_than_after_100() {
    let layers = ["stem8", "basic8", "basic16/2", "padbasic24/2", "avgpool", "fc3"];
    no_more_is_held_after_3000_steps(&layers);
}
