//! A convolution and its two gradients as matrix products: each cube of units stages a tile of both matrices, and
//! keeps 4×4 sums a unit in registers.
//!
//! Sums are f32, and products too unless a plan's precision says less, in an order that shapes alone decide: two runs
//! on one device give the same bits.

use super::{
    operands::{Place, left_in, right_in, spot},
    plan::{DEPTH, Plan, SIDE, UNITS},
    tensor,
};
use crate::kernels::precision::Precision;
use cubecl::prelude::*;
use cubecl::tf32;
use half::bf16;

/// Room for what a cube reads of both matrices at a time, in a product of this or of that plan.
#[cube]
pub(super) fn stage(#[comptime] one: Plan, #[comptime] other: Plan) -> Shared<[f32]> {
    Shared::<[f32]>::new_slice(comptime!(std::cmp::max(one.staged(), other.staged())))
}

/// The unit's sums, `SIDE` rows of as many, over elements `first..end`.
#[cube]
pub(super) fn sums(
    x: &Tensor<f32>,
    dy: &Tensor<f32>,
    weight: &[f32],
    stage: &mut Shared<[f32]>,
    at: &Place,
    rows: usize,
    first: usize,
    end: usize,
    #[comptime] plan: Plan,
) -> Array<f32> {
    if comptime!(plan.precision == Precision::F32) {
        unit_sums(x, dy, weight, stage, at, rows, first, end, plan)
    } else if comptime!(plan.precision == Precision::Tf32) {
        tensor::sums::<tf32>(x, dy, weight, at, rows, first, end, plan)
    } else {
        tensor::sums::<bf16>(x, dy, weight, at, rows, first, end, plan)
    }
}

/// As [`sums`], each unit its own.
#[cube]
fn unit_sums(
    x: &Tensor<f32>,
    dy: &Tensor<f32>,
    weight: &[f32],
    stage: &mut Shared<[f32]>,
    at: &Place,
    rows: usize,
    first: usize,
    end: usize,
    #[comptime] plan: Plan,
) -> Array<f32> {
    let mut sums = Array::<f32>::new(comptime!(SIDE * SIDE));
    #[unroll]
    for index in 0..comptime!(SIDE * SIDE) {
        sums[index] = 0f32;
    }
    let unit = UNIT_POS as usize;
    for start in range_stepped(first, end, DEPTH) {
        #[unroll]
        for turn in 0..comptime!(plan.tile * DEPTH / UNITS) {
            let (row, depth) = spot(unit + turn * UNITS, comptime!(plan.tile), plan);
            stage[depth * comptime!(plan.tile + 1) + row] =
                left_in(x, dy, at, row, start + depth, rows, end, plan);
        }
        #[unroll]
        for turn in 0..comptime!(plan.width() * DEPTH / UNITS) {
            let (column, depth) = spot(unit + turn * UNITS, comptime!(plan.width()), plan);
            stage[comptime!(DEPTH * (plan.tile + 1))
                + depth * comptime!(plan.width() + 1)
                + column] = right_in(x, weight, at, column, start + depth, end, plan);
        }
        sync_cube();
        #[unroll]
        for depth in 0..DEPTH {
            let mut row = Array::<f32>::new(SIDE);
            let mut column = Array::<f32>::new(SIDE);
            #[unroll]
            for side in 0..SIDE {
                row[side] = stage
                    [comptime!(depth * (plan.tile + 1) + side * plan.tile / SIDE) + at.unit_row];
                column[side] = stage[comptime!(
                    DEPTH * (plan.tile + 1)
                        + depth * (plan.width() + 1)
                        + side * plan.width() / SIDE
                ) + at.unit_column];
            }
            #[unroll]
            for i in 0..SIDE {
                #[unroll]
                for j in 0..SIDE {
                    sums[comptime!(i * SIDE + j)] += row[i] * column[j];
                }
            }
        }
        sync_cube();
    }
    sums
}
