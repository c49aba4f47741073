//! Layers, each a convolution, BatchNorm and ReLU, forward and backward: what is depthwise and grouped in MobileNetV2
//! and ShuffleNet.

use super::{
    BATCH, images,
    torch::{LAYOUTS, Torch},
    turns::{Row, Turns},
};
use burn::tensor::{Device, Tensor, TensorData};
use std::{error::Error, ffi::OsStr, fs, time::Instant};
use takd::{
    kernels::{self, After, Form, Operands, Precision},
    network::NamedTensor,
    rng::{Purpose, Stream},
};

/// Channels, filters, stride, rows and columns of the kernel, and groups.
type Shape = [usize; 5];

/// What is measured: the input's rows and columns, and layers one after another, since alone a layer is not what a
/// network has: nobody takes its gradient over, and burn's sum of its outputs takes as long.
const STACKS: [(&str, usize, &[Shape]); 7] = [
    ("3×3 depthwise, 72 at 16", 16, &[[72, 72, 1, 3, 72]; 3]),
    (
        "the same, the first by strides of 2",
        16,
        &[[72, 72, 2, 3, 72], [72, 72, 1, 3, 72], [72, 72, 1, 3, 72]],
    ),
    ("3×3 depthwise, 192 at 8", 8, &[[192, 192, 1, 3, 192]; 3]),
    ("3×3 depthwise, 480 at 4", 4, &[[480, 480, 1, 3, 480]; 3]),
    ("3×3 depthwise, 96 at 32", 32, &[[96, 96, 1, 3, 96]; 3]),
    (
        "1×1 in 3 groups, 240, 60, 240 at 16",
        16,
        &[[240, 60, 1, 1, 3], [60, 240, 1, 1, 3], [240, 60, 1, 1, 3]],
    ),
    (
        "1×1 in 3 groups, 480, 120, 480 at 8",
        8,
        &[[480, 120, 1, 1, 3], [120, 480, 1, 1, 3], [480, 120, 1, 1, 3]],
    ),
];
const ROUNDS: usize = 15;
/// Steps of a turn.
const STEPS: usize = 5;
const EPSILON: f64 = 1e-5;
/// Largest relative difference of the sums of all outputs, and of all weights' gradients' magnitudes.
const SAME: f64 = 1e-3;

struct Layer {
    weight: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    form: Form,
}

struct Takd {
    x: Tensor<4>,
    layers: Vec<Layer>,
}

impl Takd {
    /// Some layers, and what PyTorch needs for the same ones.
    fn new(side: usize, shapes: &[Shape]) -> (Self, Vec<NamedTensor>) {
        let mut stream = Stream::new(1, Purpose::Holdout, 0, 0);
        let device = Device::flex().autodiff();
        let mut tensors = Vec::new();
        let mut noise = |name: String, shape: &[usize]| {
            let values: Vec<f32> =
                (0..shape.iter().product()).map(|_| stream.uniform() - 0.5).collect();
            tensors.push(NamedTensor { name, shape: shape.to_vec(), values: values.clone() });
            TensorData::new(values, shape.to_vec())
        };
        let x = noise("x".to_owned(), &[BATCH, side, side, shapes[0][0]]);
        let mut layers = Vec::new();
        for (index, &[channels, filters, stride, kernel_size, groups]) in shapes.iter().enumerate()
        {
            let shape = [filters, channels / groups, kernel_size, kernel_size];
            let weight = noise(format!("{index}/weight"), &shape);
            let beta = noise(format!("{index}/beta"), &[filters]);
            layers.push(Layer {
                weight: Tensor::from_data(weight, &device).require_grad(),
                gamma: Tensor::ones([filters], &device).require_grad(),
                beta: Tensor::from_data(beta, &device).require_grad(),
                form: Form {
                    kernel_size,
                    stride,
                    after: After::Relu,
                    epsilon: EPSILON,
                    precision: Precision::F32,
                },
            });
        }
        (Self { x: Tensor::from_data(x, &device).require_grad(), layers }, tensors)
    }

    /// One step: Σ of the outputs, and Σ of the magnitudes of the first weight's gradient where asked for.
    fn step(&self, wants_gradient: bool) -> Result<[f64; 2], Box<dyn Error>> {
        let mut x = self.x.clone();
        for Layer { weight, gamma, beta, form } in &self.layers {
            let running = [beta.clone().inner(), gamma.clone().inner()];
            let [gamma, beta] = [gamma, beta].map(Tensor::clone);
            let operands =
                Operands { weight: weight.clone(), bias: None, gamma, beta, shortcut: None };
            x = kernels::train(x, operands, running, *form).0;
        }
        let sum = x.sum();
        let mut gradients = sum.backward();
        let value = f64::from(sum.into_scalar::<f32>());
        let gradient = self.layers[0].weight.grad_remove(&mut gradients).ok_or("a gradient")?;
        // In a network the layer before takes it, and its memory goes round.
        let gradient_of_x = self.x.grad_remove(&mut gradients).ok_or("a gradient")?;
        kernels::leave(gradient_of_x);
        kernels::settle();
        let size = if wants_gradient { gradient.abs().sum().into_scalar::<f32>() } else { 0.0 };
        Ok([value, f64::from(size)])
    }

    /// Seconds of some steps.
    fn turn(&self) -> Result<f64, Box<dyn Error>> {
        let started = Instant::now();
        for _ in 0..STEPS {
            self.step(false)?;
        }
        Ok(started.elapsed().as_secs_f64())
    }
}

pub fn compare(python: &OsStr, threads: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let folder = images::folder("layers")?;
    println!("layers one after another, ms a step");
    println!("{:36}  {:20}  {:20}  {:20}  ratio", "", "takd", "PyTorch", "channels_last");
    let mut rows = Vec::new();
    for (what, side, shapes) in STACKS {
        let (takd, tensors) = Takd::new(side, shapes);
        let file = folder.join("layers.safetensors");
        fs::write(&file, takd::node::write_weights(&tensors)?)?;
        let words = shapes.iter().map(|&[_, _, stride, _, groups]| format!("{stride}/{groups}"));
        let words = words.collect::<Vec<_>>().join(",");
        let start = |layout: &&str| {
            let [part, words, layout] = ["layers", &words, layout].map(OsStr::new);
            Torch::start(python, &[part, file.as_os_str(), words, layout], threads)
        };
        let mut torches = LAYOUTS.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let ours = takd.step(true)?;
        for torch in &mut torches {
            let theirs = torch.hear()?.sums.ok_or("peer.py sums")?;
            let is_near = |(a, b): (f64, f64)| (a - b).abs() <= SAME * b.abs();
            if !ours.into_iter().zip(theirs).all(is_near) {
                return Err(format!("{what}: {ours:?}, but PyTorch has {theirs:?}").into());
            }
        }
        let mut turns = Turns(Vec::new());
        let mut theirs = LAYOUTS.map(|layout| (layout.to_owned(), Turns(Vec::new())));
        for round in 0..=ROUNDS {
            let seconds = takd.turn()?;
            let said = torches.iter_mut().map(|torch| torch.ask(&STEPS.to_string()));
            let said = said.collect::<Result<Vec<_>, _>>()?;
            // The first turn warms up.
            if round > 0 {
                turns.0.push(seconds);
                for ((_, turns), said) in theirs.iter_mut().zip(said) {
                    turns.0.push(said.seconds);
                }
            }
        }
        let row = Row::new(what, turns, theirs.to_vec());
        let ms = |turns: &Turns| {
            Turns(turns.0.iter().map(|s| s * 1e3 / STEPS as f64).collect()).seconds()
        };
        println!(
            "{what:36}  {:20}  {:20}  {:20}  {:5.2}",
            ms(&row.takd),
            ms(&row.torch[0].1),
            ms(&row.torch[1].1),
            row.ratio
        );
        rows.push(row);
    }
    println!();
    Ok(rows)
}
