//! A step's numbers, kept on the device until they are read.

use super::{
    launch::{empty, in_order, units},
    norm::whole,
    plan::UNITS,
};
use burn::{
    backend::{
        Backend, Dispatch, TensorMetadata, backend_extension,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// One cube: the loss to its place, and how many rows have their first largest logit at their label to theirs.
#[cube(launch)]
fn score(
    loss: &[f32],
    logits: &[f32],
    labels: &[i32],
    numbers: &mut [f32],
    rows: usize,
    loss_at: usize,
    hits_at: usize,
    #[comptime] classes: usize,
) {
    let mut hits = 0f32;
    for row in range_stepped(UNIT_POS as usize, rows, UNITS) {
        let start = row * classes;
        let mut greatest = logits[start];
        let mut best = 0usize.runtime();
        for class in 1..classes {
            let value = logits[start + class];
            if value > greatest {
                greatest = value;
                best = class;
            }
        }
        if best == labels[row] as usize {
            hits += 1f32;
        }
    }
    let hits = whole(hits);
    if UNIT_POS == 0 {
        numbers[loss_at] = loss[0];
        numbers[hits_at] = hits;
    }
}

/// As an operation of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait ScorePass: Backend {
    /// `numbers` with a loss and a count of hits in their places.
    #[fusion(dtype = numbers, shape = numbers)]
    fn score(
        numbers: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        logits: FloatTensor<Self>,
        labels: IntTensor<Self>,
        loss_at: usize,
        hits_at: usize,
    ) -> FloatTensor<Self>;
}

impl ScorePass for CubeBackend {
    fn score(
        numbers: CubeTensor,
        loss: CubeTensor,
        logits: CubeTensor,
        labels: CubeTensor,
        loss_at: usize,
        hits_at: usize,
    ) -> CubeTensor {
        let logits = in_order(logits);
        let [rows, classes] = logits.shape().dims();
        let numbers = if numbers.can_mut() { numbers } else { copied(numbers) };
        score::launch(
            &logits.client.clone(),
            CubeCount::Static(1, 1, 1),
            units(),
            in_order(loss).into_buffer_arg(),
            logits.into_buffer_arg(),
            in_order(labels).into_buffer_arg(),
            numbers.clone().into_buffer_arg(),
            rows,
            loss_at,
            hits_at,
            classes,
        );
        numbers
    }
}

/// In memory of its own.
fn copied(numbers: CubeTensor) -> CubeTensor {
    let length = numbers.meta.num_elements();
    let out = empty(&numbers, [length]);
    copy::launch(
        &numbers.client.clone(),
        super::launch::each(length),
        units(),
        in_order(numbers).into_buffer_arg(),
        out.clone().into_buffer_arg(),
    );
    out
}

#[cube(launch)]
fn copy(from: &[f32], to: &mut [f32]) {
    if ABSOLUTE_POS < to.len() {
        to[ABSOLUTE_POS] = from[ABSOLUTE_POS];
    }
}

/// See [`crate::kernels::score`].
pub fn score_step(
    numbers: Tensor<1>,
    loss: Tensor<1>,
    logits: Tensor<2>,
    labels: Tensor<1, Int>,
    [loss_at, hits_at]: [usize; 2],
) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as ScorePass>::score(
        numbers.into_dispatch(),
        loss.into_dispatch(),
        logits.into_dispatch(),
        labels.into_dispatch(),
        loss_at,
        hits_at,
    ))
}
