//! A training step of one layer, convolution, BatchNorm and ReLU, forward and backward: takd's own
//! operation beside burn's.
//!
//!     cargo bench --bench layers
//!
//! Items are images: `item/s` is what a layer alone would let through.

use burn::tensor::{
    Device, Distribution, Tensor,
    activation::relu,
    module::{batch_norm_train, conv2d},
    ops::ConvOptions,
};
use divan::{Bencher, counter::ItemsCount};
use std::fmt;
use takd::kernels::{self, After, Form, Operands, Precision};

fn main() {
    divan::main();
}

const BATCH: usize = 128;
const EPSILON: f64 = 1e-5;

/// Channels, filters, rows and columns, stride, rows and columns of the kernel, and groups.
#[derive(Clone, Copy)]
struct Shape(usize, usize, usize, usize, usize, usize);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(channels, filters, size, stride, kernel_size, groups) = self;
        write!(
            f,
            "{kernel_size}×{kernel_size}, {channels} to {filters} at {size}, stride {stride}"
        )?;
        if *groups > 1 { write!(f, ", {groups} groups") } else { Ok(()) }
    }
}

/// Of the paper's networks the first layers, then one of each width; of MobileNetV2 and of ShuffleNet what
/// is depthwise and grouped.
const SHAPES: [Shape; 11] = [
    Shape(3, 16, 32, 1, 3, 1),
    Shape(16, 16, 32, 1, 3, 1),
    Shape(16, 32, 32, 2, 3, 1),
    Shape(32, 32, 16, 1, 3, 1),
    Shape(64, 64, 8, 1, 3, 1),
    Shape(128, 128, 8, 1, 3, 1),
    Shape(256, 256, 4, 1, 3, 1),
    Shape(72, 72, 16, 1, 3, 72),
    Shape(72, 72, 16, 2, 3, 72),
    Shape(192, 192, 8, 1, 3, 192),
    Shape(240, 60, 16, 1, 1, 3),
];

struct Tensors {
    weight: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let device = Device::flex().autodiff();
    Tensor::random(shape, Distribution::Uniform(-0.5, 0.5), &device).require_grad()
}

fn tensors(Shape(channels, filters, _, _, kernel_size, groups): Shape) -> Tensors {
    Tensors {
        weight: random([filters, channels / groups, kernel_size, kernel_size]),
        gamma: random([filters]),
        beta: random([filters]),
    }
}

#[divan::bench(args = SHAPES)]
fn own(bencher: Bencher<'_, '_>, shape: Shape) {
    let Shape(channels, filters, side, stride, kernel_size, _) = shape;
    let Tensors { weight, gamma, beta } = tensors(shape);
    let x = random([BATCH, side, side, channels]);
    let moment = Tensor::<1>::ones([filters], &Device::flex());
    let form = Form {
        kernel_size,
        stride,
        after: After::Relu,
        epsilon: EPSILON,
        precision: Precision::F32,
    };
    bencher.counter(ItemsCount::new(BATCH)).bench(|| {
        let (weight, gamma, beta) = (weight.clone(), gamma.clone(), beta.clone());
        let operands = Operands { weight, bias: None, gamma, beta, shortcut: None };
        let running = [moment.clone(), moment.clone()];
        kernels::train(x.clone(), operands, running, form).0.sum().backward()
    });
}

#[divan::bench(args = SHAPES)]
fn burns(bencher: Bencher<'_, '_>, shape: Shape) {
    let Shape(channels, _, side, stride, kernel_size, groups) = shape;
    let Tensors { weight, gamma, beta } = tensors(shape);
    let x = random([BATCH, channels, side, side]);
    bencher.counter(ItemsCount::new(BATCH)).bench(|| {
        let options = ConvOptions::new([stride; 2], [kernel_size / 2; 2], [1, 1], groups);
        let y = conv2d(x.clone(), weight.clone(), None, options);
        let normal = batch_norm_train(y, gamma.clone(), beta.clone(), EPSILON);
        relu(normal.output).sum().backward()
    });
}
