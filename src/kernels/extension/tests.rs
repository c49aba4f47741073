//! Layers as operations of the backend, run many times.

use super::*;
use crate::kernels::{norm::After, precision::Precision};
use burn::tensor::Device;

const FORM: Form = Form {
    kernel_size: 3,
    stride: 1,
    after: After::Relu,
    epsilon: 1e-5,
    precision: Precision::F32,
};

/// Running moments of eight filters.
fn running() -> Running {
    [(); 2].map(|()| Tensor::ones([8], &Device::flex()))
}

/// Forward and backward over images that no layer made, with a shortcut, and evaluation.
#[test]
fn steps_hold_no_more_memory_the_longer_they_go_on() {
    let device = Device::flex();
    let ones = |shape: [usize; 4]| Tensor::<4>::ones(shape, &device);
    let vector = || Tensor::<1>::ones([8], &device);
    let step = |images: usize| {
        let operands = |channels, shortcut| Operands {
            weight: ones([8, channels, 3, 3]).autodiff().require_grad(),
            bias: None,
            gamma: vector().autodiff().require_grad(),
            beta: vector().autodiff().require_grad(),
            shortcut,
        };
        let x = ones([images, 8, 8, 3]).autodiff();
        let (first, ..) = train(x, operands(3, None), running(), FORM);
        let (second, ..) = train(first.clone(), operands(8, Some(first)), running(), FORM);
        drop(second.sum().backward());
        let frozen = Operands {
            weight: ones([8, 3, 3, 3]),
            bias: None,
            gamma: vector(),
            beta: vector(),
            shortcut: None,
        };
        drop(infer(ones([images, 8, 8, 3]), frozen, [vector(), vector()], FORM));
        buffers::settle();
        buffers::held()
    };
    let early = (0..100).map(|_| step(4)).max();
    assert!(early > Some(0));
    let late = (0..2_900).map(|_| step(4)).max();
    assert!(late <= early, "{late:?} after {early:?}");
}

/// Two layers, the second with a shortcut, and the gradient of what came in.
#[test]
fn gradients_of_inputs_hold_no_more_memory_the_longer_they_go_on() {
    let device = Device::flex();
    let lifted = || Tensor::<1>::ones([8], &device).autodiff();
    let frozen = |channels, shortcut| Operands {
        weight: Tensor::ones([8, channels, 3, 3], &device).autodiff(),
        bias: None,
        gamma: lifted(),
        beta: lifted(),
        shortcut,
    };
    let step = || {
        let x = Tensor::<4>::ones([4, 8, 8, 3], &device).autodiff().require_grad();
        let first = infer(x.clone(), frozen(3, None), [lifted(), lifted()], FORM);
        let shortcut = Some(first.clone());
        let second = infer(first, frozen(8, shortcut), [lifted(), lifted()], FORM);
        assert!(x.grad(&second.sum().backward()).is_some());
        buffers::settle();
        buffers::held()
    };
    let early = (0..100).map(|_| step()).max();
    assert!(early > Some(0));
    let late = (0..2_900).map(|_| step()).max();
    assert!(late <= early, "{late:?} after {early:?}");
}

/// A pre-activation block: BatchNorm alone, a layer, and a convolution alone with a shortcut.
#[test]
fn blocks_hold_no_more_memory_the_longer_they_go_on() {
    let device = Device::flex();
    let tracked = |shape: [usize; 4]| Tensor::<4>::ones(shape, &device).autodiff().require_grad();
    let vector = || Tensor::<1>::ones([8], &device).autodiff().require_grad();
    let step = || {
        let x = convolve(
            Tensor::ones([4, 8, 8, 3], &device).autodiff(),
            tracked([8, 3, 3, 3]),
            None,
            1,
            Precision::F32,
        );
        let (h, ..) = normalise(x.clone(), [vector(), vector()], running(), After::Relu, 1e-5);
        let operands = Operands {
            weight: tracked([8, 8, 3, 3]),
            bias: None,
            gamma: vector(),
            beta: vector(),
            shortcut: None,
        };
        let (h, ..) = train(h, operands, running(), FORM);
        drop(convolve(h, tracked([8, 8, 3, 3]), Some(x), 1, Precision::F32).sum().backward());
        drop(convolve(
            Tensor::ones([4, 8, 8, 3], &device),
            Tensor::ones([8, 3, 3, 3], &device),
            None,
            1,
            Precision::F32,
        ));
        buffers::settle();
        buffers::held()
    };
    let early = (0..100).map(|_| step()).max();
    assert!(early > Some(0));
    let late = (0..2_900).map(|_| step()).max();
    assert!(late <= early, "{late:?} after {early:?}");
}
