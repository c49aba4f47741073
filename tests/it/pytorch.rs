//! The arithmetic is PyTorch's: networks, gradients, optimizers, losses and schedules against the
//! values that `tests/golden/make.py` got from it.

use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use std::collections::BTreeMap;
use takd::{
    architecture::Architecture,
    kind::Choice,
    network::{AnyTensor, Kernels, NamedTensor, Network, Role, Visitor},
    node::read_weights,
    objective::{Batch, Distillation, Given, Kd, Reduction, cross_entropy},
    optimizer::{Adam, AdamW, Optimizer, Sgd},
    recipe::{BatchnormWeight, Precision, Recipe, Select},
    schedule::{self, Cosine},
    shape::Shape,
    training::OptimizerState,
};

/// A convolution's bias is undone by the BatchNorm behind it: its gradient is rounding alone.
const CONV_BIASES: [&str; 3] = ["conv_layers.0.bias", "conv_layers.3.bias", "conv_layers.7.bias"];

pub struct Golden(BTreeMap<String, NamedTensor>);

impl Golden {
    pub fn read() -> Self {
        Self::of(read_weights(include_bytes!("../golden/pytorch.safetensors")).unwrap())
    }

    pub fn of(tensors: Vec<NamedTensor>) -> Self {
        Self(tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn values(&self, name: &str) -> &[f32] {
        &self.0[name].values
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let NamedTensor { shape, values, .. } = &self.0[name];
        Tensor::from_data(TensorData::new(values.clone(), shape.clone()), &Device::flex())
    }

    pub fn labels(&self, name: &str) -> Tensor<1, Int> {
        let labels: Vec<i32> = self.values(name).iter().map(|&label| label as i32).collect();
        Tensor::from_data(labels.as_slice(), &Device::flex())
    }

    /// A network's tensors, which lie under `prefix`.
    pub fn state(&self, prefix: &str) -> Vec<NamedTensor> {
        let under = self.0.values().filter_map(|tensor| {
            let name = tensor.name.strip_prefix(prefix)?.strip_prefix('/')?.to_owned();
            Some(NamedTensor { name, ..tensor.clone() })
        });
        under.filter(|tensor| tensor.name != "losses").collect()
    }

    /// A family's golden network with its first weights, tracked for autodiff.
    fn net(&self, family: &str) -> Network {
        let mut net = Network::init(&net(family), 0, &Device::flex());
        net.load(self.state(&format!("{family}/init"))).unwrap();
        net.track();
        net
    }
}

const FAMILIES: [&str; 12] = [
    "plain",
    "basic",
    "pad",
    "bottleneck",
    "wide",
    "wide-basic",
    "preact",
    "wide-preact",
    "inverted",
    "reluinverted",
    "shuffle",
    "split",
];

fn net(family: &str) -> Architecture {
    let (layers, side) = match family {
        "plain" => ("conv3 conv4 maxpool conv5 fc6 fc3", 7),
        "basic" => ("stem4 basic4 basic4 basic7/2 avgpool fc3", 7),
        "wide" => ("conv8 conv17 maxpool conv10 fc6 fc3", 7),
        "wide-basic" => ("stem8 basic8 basic8 basic16/2 avgpool fc3", 7),
        "preact" => ("prestem4 preact4 preact4 preact7/2 batchnorm avgpool fc3", 7),
        "wide-preact" => ("prestem8 preact8 preact8 preact16/2 batchnorm avgpool fc3", 7),
        "inverted" => {
            ("mobilestem8 inverted8x1 inverted12x4/2 inverted12x4 mobilehead16 avgpool fc3", 13)
        }
        "reluinverted" => (
            "stem8/2 reluinverted8x1 reluinverted12x2/2 reluinverted12x2 pointwise16 avgpool fc3",
            13,
        ),
        "shuffle" => ("pointwise24 shuffle48/2 shuffle48 shuffle72/2 avgpool fc3", 9),
        "split" => {
            ("pointwise10 split20/2 split20 split24/2 pointwise18 squeezeexcite4 avgpool fc3", 9)
        }
        "pad" => ("stem4 padbasic4 padbasic4 padbasic7/2 avgpool fc3", 7),
        _ => ("bigstem4 bottleneck4 bottleneck4 bottleneck7/2 avgpool fc3", 21),
    };
    let layers = layers.split(' ').map(|layer| layer.parse().unwrap()).collect();
    Architecture::new(layers, Shape { channels: 2, height: side, width: side }, 3).unwrap()
}

struct Grads<'a>(&'a Gradients, BTreeMap<String, Vec<f32>>);

impl Visitor for Grads<'_> {
    fn visit(&mut self, name: &str, role: Role, tensor: &mut dyn AnyTensor) {
        if role == Role::Parameter {
            let grad = tensor.gradient(self.0).expect("every parameter has a gradient");
            self.1.insert(name.to_owned(), grad);
        }
    }
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as().unwrap()
}

/// The largest difference, relative to the largest expected value.
pub fn assert_near(what: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(1e-3_f32, |a, b| a.max(b.abs()));
    let worst = got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{what}: {:.1e} of {tolerance:.0e}", worst / scale);
    assert!(
        worst <= tolerance * scale,
        "{what}: off by {worst}, values up to {scale}\n{got:?}\n{want:?}"
    );
}

#[test]
fn logits_loss_and_every_gradient_of_every_family() {
    let golden = Golden::read();
    for family in FAMILIES {
        let name = |name: &str| format!("{family}/{name}");
        let mut net = golden.net(family);
        let images: Tensor<4> = golden.tensor(&name("images"));
        let logits = net.train(images.clone().autodiff());
        let want = golden.values(&name("train_logits"));
        assert_near(&name("logits"), &values(logits.clone()), want, 1e-4);
        let loss = cross_entropy(logits, golden.labels(&name("labels")).autodiff());
        assert_near(&name("loss"), &values(loss.clone()), golden.values(&name("loss")), 1e-4);
        let grads = loss.backward();
        let mut read = Grads(&grads, BTreeMap::new());
        net.visit(&mut read);
        let counted = golden.state(&name("grad")).len();
        assert!(counted >= 16 && read.1.len() == counted, "{family}: {counted}");
        for (parameter, grad) in &read.1 {
            let tolerance = if CONV_BIASES.contains(&&**parameter) { 1e-2 } else { 1e-4 };
            let grad_name = name(&format!("grad/{parameter}"));
            assert_near(&grad_name, grad, golden.values(&grad_name), tolerance);
        }
        let mut frozen = Network::init(&self::net(family), 0, &Device::flex());
        frozen.load(golden.state(&name("once"))).unwrap();
        let want = golden.values(&name("infer_logits"));
        assert_near(&name("inference"), &values(frozen.infer(images)), want, 1e-4);
        let state = net.save();
        let once = golden.state(&name("once"));
        for want in once.iter().filter(|tensor| tensor.name.contains("running")) {
            let got = state.iter().find(|tensor| tensor.name == want.name).unwrap();
            assert_near(&name(&want.name), &got.values, &want.values, 1e-4);
        }
    }
}

/// takd's own operations and burn's are one network: over odd sizes, single channels, strides, and
/// batches of one. (At 1×1 after a stride, a batch of one has a variance of 0 everywhere; two images
/// are the least that BatchNorm makes sense of.)
#[test]
fn own_operations_are_burns() {
    let device = Device::flex();
    for (layers, channels, [height, width], batch) in [
        ("conv1 fc2", 1, [3, 5], 1),
        ("conv8 conv8 maxpool conv16 fc3", 1, [5, 4], 1),
        ("conv9 maxpool conv12 conv24 maxpool fc3", 3, [9, 6], 5),
        ("maxpool conv8 fc3", 2, [4, 4], 3),
        ("conv16 conv16 fc3", 3, [1, 1], 7),
        ("conv40 conv33 fc3", 2, [2, 3], 4),
        ("stem8 basic8 basic16/2 basic16/2 avgpool fc3", 3, [7, 5], 2),
        ("stem4 padbasic12/2 padbasic12 avgpool fc3", 1, [6, 6], 3),
        ("prestem8 preact8 preact12/2 preact12 batchnorm avgpool fc3", 3, [9, 5], 3),
        ("mobilestem8 inverted8x1 inverted12/2 inverted12 mobilehead16 avgpool fc3", 3, [9, 13], 3),
        ("stem16/2 reluinverted24x1/2 reluinverted24x3 pointwise8 avgpool fc3", 3, [14, 9], 20),
        ("pointwise24 shuffle48/2 shuffle48 shuffle96/2 avgpool fc3", 3, [8, 7], 5),
        ("pointwise12 split20/2 split20 squeezeexcite4 split40/2 avgpool fc3", 2, [9, 6], 4),
        ("conv8 batchnorm maxpool fc3", 2, [5, 4], 3),
        ("bigstem8 bottleneck8 bottleneck16/2 avgpool fc3", 3, [17, 23], 2),
        ("conv8 conv8 fc3", 3, [13, 11], 130),
    ] {
        let shape = Shape { channels, height, width };
        let parsed = layers.split(' ').map(|layer| layer.parse().unwrap()).collect();
        let classes = layers.rsplit("fc").next().unwrap().parse().unwrap();
        let config = Architecture::new(parsed, shape, classes).unwrap();
        let count = batch * shape.size();
        let images = (0..count).map(|at| ((at * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect();
        let images = TensorData::new::<f32, _>(images, [batch, channels, height, width]);
        let images = Tensor::<4>::from_data(images, &device);
        let labels: Vec<i32> = (0..batch).map(|at| (at % classes) as i32).collect();
        let run = |mut net: Network| {
            net.track();
            let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &device);
            let logits = net.train(images.clone().autodiff());
            let loss = cross_entropy(logits.clone(), labels.autodiff());
            let grads = loss.backward();
            let mut read = Grads(&grads, BTreeMap::new());
            net.visit(&mut read);
            let state = net.save();
            let mut frozen = Network::init(&config, 0, &device);
            frozen.load(state.clone()).unwrap();
            (values(logits), read.1, state, values(frozen.infer(images.clone())))
        };
        let fresh = Network::init(&config, 5, &device);
        let (own, plain) = (run(fresh.clone()), run(fresh.with_kernels(Kernels::Burn)));
        assert_near(layers, &own.0, &plain.0, 1e-4);
        assert_near(layers, &own.3, &plain.3, 1e-4);
        for (name, grad) in &own.1 {
            let tolerance =
                if name.starts_with("conv_layers") && name.ends_with("bias") { 1e-2 } else { 1e-3 };
            assert_near(&format!("{layers}: {name}"), grad, &plain.1[name], tolerance);
        }
        for (own, plain) in own.2.iter().zip(&plain.2) {
            assert_near(&format!("{layers}: {}", own.name), &own.values, &plain.values, 1e-4);
        }
    }
}

#[test]
fn ten_steps_of_every_optimizer() {
    let golden = Golden::read();
    let lr = 0.05;
    let sgd = |momentum, nesterov, weight_decay| -> Choice<dyn Optimizer> {
        Sgd { lr, momentum, nesterov, weight_decay }.into()
    };
    let adam = Adam { lr: 0.01, betas: [0.8, 0.95], epsilon: 1e-6, weight_decay: 1e-2 };
    let adamw = AdamW { lr: 0.01, betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.1 };
    for (kind, rule) in [
        ("sgd", sgd(0.0, false, 0.0)),
        ("momentum", sgd(0.9, false, 1e-2)),
        ("nesterov", sgd(0.9, true, 1e-2)),
        ("adam", adam.into()),
        ("adamw", adamw.into()),
    ] {
        let (mut net, mut optimizer_state) =
            (golden.net("plain"), OptimizerState::new(rule.clone(), &Device::flex()));
        let (images, labels) = (golden.tensor::<4>("plain/images"), golden.labels("plain/labels"));
        let mut losses = Vec::new();
        for step in 0..10 {
            let range = [0..5, 5..10, 10..12][step % 3].clone();
            let logits = net.train(images.clone().slice([range.clone()]).autodiff());
            let loss = cross_entropy(logits, labels.clone().slice([range]).autodiff());
            losses.extend(values(loss.clone()));
            optimizer_state.step(&mut net, loss.backward(), rule.lr());
        }
        assert_near(
            &format!("{kind}: losses"),
            &losses,
            golden.values(&format!("{kind}/losses")),
            1e-3,
        );
        for (got, want) in sorted(net.save()).iter().zip(golden.state(kind)) {
            assert_eq!(got.name, want.name);
            // Adam divides a gradient that is rounding alone by its own size. Such a bias moves the
            // running mean behind it, and nothing else.
            let adrift = CONV_BIASES.contains(&&*got.name) || got.name.ends_with("mean");
            if !(kind.starts_with("adam") && adrift) {
                assert_near(&format!("{kind}: {}", got.name), &got.values, &want.values, 1e-3);
            }
        }
    }
}

fn sorted(mut tensors: Vec<NamedTensor>) -> Vec<NamedTensor> {
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

pub fn batch(
    student: Tensor<2>,
    teacher: Tensor<2>,
    labels: Tensor<1, Int>,
    epoch: usize,
) -> Batch {
    let teachers = vec![teacher.clone()];
    let given = Given::default();
    Batch { student, teacher, teachers, labels, given, epoch, step: 0, seed: 1 }
}

#[test]
fn distillation_for_several_temperatures_weights_and_reductions() {
    let golden = Golden::read();
    for (word, reduction) in [("batchmean", Reduction::Batchmean), ("mean", Reduction::Mean)] {
        let losses = golden.values(&format!("kd/{word}/losses"));
        let cases = golden.values("kd/cases").chunks_exact(2);
        for (index, (case, want)) in cases.zip(losses).enumerate() {
            // The cases are stored in 32 bits: 0.9 and 0.1 come back a little off.
            let round = |value: f32| (f64::from(value) * 1000.0).round() / 1000.0;
            let kd = Kd { reduction, ..Kd::new(round(case[0]), round(case[1])) };
            let student = golden.tensor::<2>("kd/student").autodiff().require_grad();
            let (teacher, labels) = (golden.tensor("kd/teacher"), golden.labels("kd/labels"));
            let teacher = Tensor::autodiff(teacher);
            let loss = kd.loss(batch(student.clone(), teacher, labels.autodiff(), 1));
            let name = format!("{kd:?}");
            assert_near(&name, &values(loss.clone()), &[*want], 1e-4);
            let grad = values(student.grad(&loss.backward()).unwrap());
            assert_near(&name, &grad, golden.values(&format!("kd/{word}/grad{index}")), 1e-4);
        }
    }
}

#[test]
fn the_weight_ratio_is_that_of_the_formula() {
    let kd = |reduction| Kd { reduction, ..Kd::new(5.0, 0.5) };
    assert_eq!(kd(Reduction::Batchmean).teacher_weight(10), Some(25.0));
    assert_eq!(kd(Reduction::Mean).teacher_weight(10), Some(2.5));
}

#[test]
fn schedules_epoch_by_epoch() {
    let golden = Golden::read();
    let step = schedule::Step { milestones: vec![3, 7], gamma: 0.2, restart: false }.into();
    let batchnorm_weight = BatchnormWeight::Ones;
    for (name, schedule, warmup) in [
        ("step", step, 0),
        ("cosine", Cosine { min: 0.001 }.into(), 0),
        ("warm", Cosine { min: 0.0 }.into(), 4),
    ] {
        let optimizer = Sgd { lr: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0 }.into();
        let (warmup, augment, select) = (warmup, Vec::new(), Select::Last);
        let recipe = Recipe {
            epochs: 10,
            batch_size: 1,
            optimizer,
            schedule,
            warmup,
            augment,
            select,
            batchnorm_weight,
            precision: Precision::F32,
        };
        let rates: Vec<f32> = (0..10).map(|epoch| recipe.learning_rate(epoch) as f32).collect();
        assert_near(name, &rates, golden.values(&format!("schedule/{name}")), 1e-6);
    }
}
