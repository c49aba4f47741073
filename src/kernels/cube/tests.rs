//! The kernels for GPUs beside those for the CPU, and beside burn's operations where the CPU has none: on the first
//! adapter that wgpu finds, which may be Mesa's llvmpipe.

use crate::kernels::{
    After, Descent, Form, Frame, Layout, Moments, Operands, Precision, Weights, adapt, convolve,
    descend, frame, infer, linear, matmul_nt, mean, normalise, score, soft_loss, train,
};
use burn::tensor::{Device, DeviceKind, Int, Tensor, TensorData, activation::log_softmax};

/// Largest difference from the CPU's, as a share of the largest value: both sum in f32, in another order.
const NEAR: f32 = 2e-5;

fn gpu() -> Device {
    Device::wgpu(DeviceKind::DefaultDevice)
}

/// Values in ±1 that depend on `seed` alone.
fn values(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed * 7919 + 17;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 2.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor<const N: usize>(seed: u64, shape: [usize; N], device: &Device) -> Tensor<N> {
    Tensor::from_data(TensorData::new(values(seed, shape.iter().product()), shape), device)
}

fn host<const N: usize>(tensor: Tensor<N>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// What was computed, by name.
type Found = Vec<(&'static str, Vec<f32>)>;

fn assert_near(what: &str, cpu: &Found, gpu: &Found) {
    assert_eq!(cpu.len(), gpu.len(), "{what}");
    for ((name, cpu), (_, gpu)) in cpu.iter().zip(gpu) {
        assert_eq!(cpu.len(), gpu.len(), "{what} {name}");
        assert!(cpu.iter().any(|value| *value != 0.0) || *name == "dbias", "{what} {name} is zero");
        let size = cpu.iter().map(|value| value.abs()).fold(1e-3, f32::max);
        for (at, (want, got)) in cpu.iter().zip(gpu).enumerate() {
            assert!((want - got).abs() <= NEAR * size, "{what} {name}[{at}]: {got}, not {want}");
        }
    }
}

/// A layer, in every way in which one is applied.
#[derive(Clone, Copy, Debug)]
struct Case {
    images: usize,
    size: [usize; 2],
    channels: usize,
    filters: usize,
    kernel: usize,
    stride: usize,
    after: After,
    shortcut: bool,
    bias: bool,
    /// Whether images lie channels first.
    permuted: bool,
}

const PLAIN: Case = Case {
    images: 3,
    size: [8, 8],
    channels: 16,
    filters: 16,
    kernel: 3,
    stride: 1,
    after: After::Relu,
    shortcut: false,
    bias: false,
    permuted: false,
};

/// Tiles of every shape, with rows, columns and sums to spare; more tiles than one along each axis; several parts of
/// a weight's gradient; kernels of 1, 3, 5 and 7; odd images, whose last row no pool covers.
const CASES: [Case; 10] = [
    PLAIN,
    Case { permuted: true, channels: 3, bias: true, after: After::Pool, ..PLAIN },
    Case { shortcut: true, ..PLAIN },
    Case { shortcut: true, bias: true, after: After::Relu6, ..PLAIN },
    Case { stride: 2, filters: 32, after: After::Nothing, ..PLAIN },
    Case { stride: 2, kernel: 1, size: [7, 9], filters: 24, ..PLAIN },
    Case { after: After::Pool, size: [9, 7], filters: 70, channels: 5, ..PLAIN },
    Case { images: 40, size: [16, 16], filters: 10, channels: 64, ..PLAIN },
    Case { images: 1, size: [2, 2], filters: 130, channels: 3, kernel: 5, ..PLAIN },
    Case {
        images: 2,
        size: [20, 20],
        filters: 8,
        channels: 3,
        kernel: 7,
        stride: 2,
        after: After::Relu6,
        ..PLAIN
    },
];

/// What a layer is given, on a device.
struct Given {
    x: Tensor<4>,
    weight: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    bias: Option<Tensor<1>>,
    shortcut: Option<Tensor<4>>,
}

impl Case {
    fn form(&self) -> Form {
        let (kernel_size, precision) = (self.kernel, Precision::F32);
        Form { kernel_size, stride: self.stride, after: self.after, epsilon: 1e-5, precision }
    }

    fn given(&self, device: &Device) -> Given {
        let Self { images, size: [height, width], channels, filters, kernel, stride, .. } = *self;
        let x = match self.permuted {
            true => tensor(1, [images, channels, height, width], device),
            false => tensor(1, [images, height, width, channels], device),
        };
        let rows = [height, width].map(|length| (length - 1) / stride + 1);
        let shape = [images, rows[0], rows[1], filters];
        Given {
            x: x.require_grad(),
            weight: tensor(2, [filters, channels, kernel, kernel], device).require_grad(),
            gamma: (tensor(3, [filters], device) + 1.5).require_grad(),
            beta: tensor(4, [filters], device).require_grad(),
            bias: self.bias.then(|| tensor(5, [filters], device).require_grad()),
            shortcut: self.shortcut.then(|| tensor(6, shape, device).require_grad()),
        }
    }

    fn images(&self, x: &Tensor<4>) -> Tensor<4> {
        if self.permuted { x.clone().permute([0, 2, 3, 1]) } else { x.clone() }
    }
}

impl Given {
    fn operands(&self) -> Operands {
        let Self { weight, gamma, beta, bias, shortcut, .. } = self;
        Operands {
            weight: weight.clone(),
            bias: bias.clone(),
            gamma: gamma.clone(),
            beta: beta.clone(),
            shortcut: shortcut.clone(),
        }
    }
}

/// Outputs and gradients: of x and a shortcut, and of `more`.
fn outcome(out: Tensor<4>, given: &Given, more: &[&'static str]) -> Found {
    let weights = tensor(9, out.dims(), &out.device());
    let gradients = (out.clone() * weights).sum().backward();
    let mut found = vec![("out", host(out)), ("dx", host(given.x.grad(&gradients).unwrap()))];
    for name in more {
        let gradient = match *name {
            "dweight" => given.weight.grad(&gradients).map(host),
            "dgamma" => given.gamma.grad(&gradients).map(host),
            "dbeta" => given.beta.grad(&gradients).map(host),
            _ => given.bias.as_ref().and_then(|bias| bias.grad(&gradients)).map(host),
        };
        found.extend(gradient.map(|gradient| (*name, gradient)));
    }
    let shortcut = given.shortcut.as_ref().and_then(|shortcut| shortcut.grad(&gradients));
    found.extend(shortcut.map(|gradient| ("dshortcut", host(gradient))));
    found
}

/// Running moments of so many channels.
fn running(channels: usize, device: &Device) -> [Tensor<1>; 2] {
    [tensor(10, [channels], device), tensor(11, [channels], device) + 2.0]
}

fn on_both(what: &str, found: impl Fn(&Device) -> Found) {
    assert_near(what, &found(&Device::flex()), &found(&gpu()));
}

#[test]
fn layers_train_as_on_the_cpu() {
    for case in CASES {
        on_both(&format!("{case:?}"), |device| {
            let given = case.given(&device.clone().autodiff());
            let moments = running(case.filters, device);
            let (out, [mean, variance]) =
                train(case.images(&given.x), given.operands(), moments, case.form());
            let mut found = outcome(out, &given, &["dweight", "dgamma", "dbeta", "dbias"]);
            found.extend([("mean", host(mean)), ("variance", host(variance))]);
            found
        });
    }
}

#[test]
fn frozen_layers_give_what_they_give_on_the_cpu() {
    for case in CASES {
        on_both(&format!("{case:?}"), |device| {
            let device = device.clone().autodiff();
            let given = case.given(&device);
            let moments = running(case.filters, &device);
            let out = infer(case.images(&given.x), given.operands(), moments, case.form());
            outcome(out, &given, &[])
        });
    }
}

#[test]
fn convolutions_and_norms_alone_are_the_cpus() {
    for case in CASES {
        on_both(&format!("convolve {case:?}"), |device| {
            let given = case.given(&device.clone().autodiff());
            let (x, shortcut) = (case.images(&given.x), given.shortcut.clone());
            let out = convolve(x, given.weight.clone(), shortcut, case.stride, Precision::F32);
            outcome(out, &given, &["dweight"])
        });
        let case = Case { filters: case.channels, shortcut: false, bias: false, ..case };
        on_both(&format!("normalise {case:?}"), |device| {
            let given = case.given(&device.clone().autodiff());
            let norm = [given.gamma.clone(), given.beta.clone()];
            let moments = running(case.channels, device);
            let (out, [mean, variance]) =
                normalise(case.images(&given.x), norm, moments, case.after, 1e-5);
            let mut found = outcome(out, &given, &["dgamma", "dbeta"]);
            found.extend([("mean", host(mean)), ("variance", host(variance))]);
            found
        });
    }
}

#[test]
fn fully_connected_layers_products_and_means_are_the_cpus() {
    for with_relu in [false, true] {
        on_both(&format!("{with_relu}"), |device| {
            let device = device.clone().autodiff();
            let x = tensor(1, [37, 50], &device).require_grad();
            let weight = tensor(2, [23, 50], &device).require_grad();
            let bias = tensor(3, [23], &device).require_grad();
            let out = linear(x.clone(), weight.clone(), bias.clone(), with_relu);
            let gradients = (out.clone() * tensor(4, [37, 23], &device)).sum().backward();
            let dx = host(x.grad(&gradients).unwrap());
            let dweight = host(weight.grad(&gradients).unwrap());
            let dbias = host(bias.grad(&gradients).unwrap());
            vec![("out", host(out)), ("dx", dx), ("dweight", dweight), ("db", dbias)]
        });
    }
    on_both("rows by rows", |device| {
        let device = device.clone().autodiff();
        let a = tensor(1, [3, 37, 50], &device).require_grad();
        let b = tensor(2, [3, 18, 50], &device).require_grad();
        let out = matmul_nt(a.clone(), b.clone());
        let rows: Tensor<2> = a.clone().slice(0..1).reshape([37, 50]);
        let alike = matmul_nt(rows.clone(), rows); // both operands are one
        let weighed = (out.clone() * tensor(3, [3, 37, 18], &device)).sum()
            + (alike.clone() * tensor(4, [37, 37], &device)).sum();
        let gradients = weighed.backward();
        let [da, db] = [a, b].map(|x| host(x.grad(&gradients).unwrap()));
        vec![("out", host(out)), ("alike", host(alike)), ("da", da), ("db", db)]
    });
    on_both("mean", |device| {
        let x = tensor(1, [5, 4, 6, 9], &device.clone().autodiff()).require_grad();
        let own = mean(&x).unwrap_or_else(|| x.clone().mean_dim(1).mean_dim(2));
        let gradients = (own.clone() * tensor(2, [5, 1, 1, 9], &own.device())).sum().backward();
        vec![("mean", host(own)), ("dx", host(x.grad(&gradients).unwrap()))]
    });
}

#[test]
fn losses_have_the_cpus_values_and_gradients() {
    let (batch, classes, temperature) = (300, 13, 4.0);
    let labels: Vec<i32> = (0..batch as i32).map(|image| image * 7 % classes as i32).collect();
    for (of_labels, of_teacher) in [(0.3, 0.7), (1.0, 0.0), (0.0, 2.0)] {
        let weights = Weights { labels: of_labels, teacher: of_teacher, temperature };
        on_both(&format!("{weights:?}"), |device| {
            let device = device.clone().autodiff();
            let student = (tensor(1, [batch, classes], &device) * 6.0).detach().require_grad();
            let teacher = tensor(2, [batch, classes], &device) * 5.0;
            let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &device);
            let given = (of_teacher > 0.0).then_some(&teacher);
            let loss = soft_loss(&student, &labels, given, weights).unwrap_or_else(|| {
                let log_p = log_softmax(teacher.clone() / temperature, 1);
                let log_q = log_softmax(student.clone() / temperature, 1);
                let picked = log_softmax(student.clone(), 1).gather(1, labels.unsqueeze_dim(1));
                let divergence = (log_p.clone().exp() * (log_p - log_q)).sum();
                picked.sum().neg() * of_labels + divergence * of_teacher
            });
            let gradients = (loss.clone() * 3.0).backward();
            vec![("loss", host(loss)), ("dlogits", host(student.grad(&gradients).unwrap()))]
        });
    }
}

#[test]
fn a_steps_numbers_go_to_their_places_and_nowhere_else() {
    let device = gpu();
    let logits = [[0.0_f32, 2.0, 1.0], [3.0, 3.0, 0.0], [0.0, 1.0, 5.0], [1.0, 0.0, 0.0]];
    let logits = Tensor::<2>::from_data(logits, &device);
    // The first of equals is taken, as on the CPU.
    let labels = Tensor::<1, Int>::from_data([1_i32, 0, 1, 0].as_slice(), &device);
    let numbers = Tensor::<1>::zeros([6], &device);
    let loss = Tensor::full([1], 5.5, &device);
    let scored = score(numbers.clone(), &loss, &logits, &labels, [1, 4]).unwrap();
    assert_eq!(host(scored.clone()), [0.0, 5.5, 0.0, 0.0, 3.0, 0.0]);
    assert_eq!(host(numbers), [0.0; 6], "what another holds is left alone");
    let scored = score(scored, &loss, &logits, &labels, [2, 5]).unwrap();
    assert_eq!(host(scored), [0.0, 5.5, 5.5, 0.0, 3.0, 3.0]);
}

#[test]
fn a_step_of_descent_is_that_of_the_operations() {
    for nesterov in [false, true] {
        on_both(&format!("{nesterov}"), |device| {
            let [value, gradient, velocity] = [1, 2, 3].map(|seed| tensor(seed, [700], device));
            let descent = Descent { lr: 0.1, momentum: 0.9, weight_decay: 1e-2, nesterov };
            let moved = descend(&value, &gradient, &velocity, descent).unwrap_or_else(|| {
                let gradient = gradient + value.clone() * 1e-2;
                let velocity = velocity * 0.9 + gradient.clone();
                let ahead = gradient + velocity.clone() * 0.9;
                let direction = if nesterov { ahead } else { velocity.clone() };
                [value - direction * 0.1, velocity]
            });
            let [value, velocity] = moved.map(host);
            vec![("value", value), ("velocity", velocity)]
        });
    }
}

#[test]
fn a_step_of_adam_is_that_of_the_operations() {
    for (penalty, keep, steps) in [(0.0, 1.0, 2), (1e-2, 1.0, 3), (0.0, 0.999, 900)] {
        on_both(&format!("{penalty} {keep} {steps}"), |device| {
            let [value, gradient, first] = [1, 2, 3].map(|seed| tensor(seed, [700], device));
            let second = tensor(4, [700], device).powi_scalar(2);
            let (lr, betas, epsilon) = (0.1, [0.9, 0.99], 1e-3);
            let moments = Moments { lr, betas, epsilon, steps, penalty, keep };
            let adapted =
                adapt(&value, &gradient, [&first, &second], moments).unwrap_or_else(|| {
                    let gradient = gradient + value.clone() * penalty;
                    let first = first * 0.9 + gradient.clone() * 0.1;
                    let second = second * 0.99 + gradient.powi_scalar(2) * 0.01;
                    let mean = first.clone() / (1.0 - 0.9_f64.powi(steps));
                    let size = (second.clone() / (1.0 - 0.99_f64.powi(steps))).sqrt() + epsilon;
                    [value * keep - mean / size * lr, first, second]
                });
            let [value, first, second] = adapted.map(host);
            vec![("value", value), ("first", first), ("second", second)]
        });
    }
}

#[test]
fn tensors_go_together_and_come_back_without_a_difference() {
    let device = gpu();
    // More than one launch holds, and every kind of length.
    let lengths: Vec<usize> = (0..300).map(|index| [3, 256, 700, 1, 512][index % 5]).collect();
    let parts: Vec<Tensor<1>> =
        lengths.iter().enumerate().map(|(seed, &of)| tensor(seed as u64, [of], &device)).collect();
    let want: Vec<Vec<f32>> = parts.iter().cloned().map(host).collect();
    let layout = Layout::new(lengths, &device);
    let flat = layout.gather(parts);
    assert_eq!(layout.cut(&host(flat.clone())), want);
    let twice: Vec<Vec<f32>> = layout.scatter(flat * 2.0).into_iter().map(host).collect();
    let doubled = want.iter().map(|part| part.iter().map(|value| value * 2.0).collect());
    assert_eq!(twice, doubled.collect::<Vec<Vec<f32>>>());
}

#[test]
fn a_frame_is_normalised_as_on_the_host() {
    let device = gpu();
    let (channels, height, width) = (2, 3, 4);
    let bytes: Vec<i32> =
        (0..5 * channels * height * width).map(|at| at as i32 * 37 % 256).collect();
    let data = TensorData::new(bytes.clone(), [5, channels * height * width]);
    let samples = Tensor::<2, Int>::from_data(data, &device);
    let channel =
        |values: [f32; 2]| Tensor::<1>::from_data(values, &device).reshape([1, channels, 1, 1]);
    let (mean, scale) = (channel([100.0, 120.5]), channel([0.01, 0.02]));
    let numbers = Tensor::<1, Int>::from_data([4_i32, 0].as_slice(), &device);
    let own = Frame { batch: 2, shape: [channels, height, width], is_shifted: false };
    let images = frame(&samples, &numbers, [&mean, &scale], own).unwrap();
    let size = channels * height * width;
    let pixels = [4, 0].map(|image| &bytes[image * size..][..size]).concat();
    let want = pixels.iter().enumerate().map(|(at, &byte)| {
        let (mean, scale) =
            [(100.0_f32, 0.01_f32), (120.5, 0.02)][at / (height * width) % channels];
        (byte as f32 - mean) * scale
    });
    assert_eq!(host(images), want.collect::<Vec<f32>>(), "to the bit");
}
