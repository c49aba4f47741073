//! A product's sums on tensor cores: operands are rounded when they are staged, sums are f32.

use super::{
    operands::{Place, left_in, right_in, spot},
    plan::{DEPTH, PLANE, Plan, SIDE, UNITS},
};
use cubecl::cmma::{self, Matrix, MatrixIdent, MatrixLayout};
use cubecl::prelude::*;

/// Rows and columns of what a plane's units multiply together.
const EDGE: usize = 16;
/// Elements behind a staged line: the next one starts at another bank, and 32 bytes aligned.
const SPARE: usize = 8;
const _: () =
    assert!(SIDE * SIDE * UNITS == 2 * UNITS / PLANE * EDGE * EDGE, "two squares a plane");

/// As [`super::product::sums`]. A plane makes two squares of the tile, side by side, or one below the other in a tile
/// that is one square wide.
#[cube]
pub(super) fn sums<E: Numeric>(
    x: &Tensor<f32>,
    dy: &Tensor<f32>,
    weight: &[f32],
    at: &Place,
    rows: usize,
    first: usize,
    end: usize,
    #[comptime] plan: Plan,
) -> Array<f32> {
    let width = comptime!(plan.width());
    let deep = comptime!(plan.deep());
    let line = comptime!(plan.tile + SPARE);
    let other_line = comptime!(plan.width() + SPARE);
    let mut left =
        Shared::<[E]>::new_aligned_slice(comptime!(DEPTH * (plan.tile + SPARE)), 32usize);
    let mut right =
        Shared::<[E]>::new_aligned_slice(comptime!(DEPTH * (plan.width() + SPARE)), 32usize);
    let mut out = Shared::<[f32]>::new_aligned_slice(comptime!(SIDE * SIDE * UNITS), 32usize);
    let square = UNIT_POS as usize / PLANE * 2;
    let across = comptime!(plan.width() / EDGE);
    let (row, column) = (square / across * EDGE, square % across * EDGE);
    let (next_row, next_column) = ((square + 1) / across * EDGE, (square + 1) % across * EDGE);
    let one = zeros(plan);
    let next = zeros(plan);
    let unit = UNIT_POS as usize;
    for start in range_stepped(first, end, DEPTH) {
        #[unroll]
        for turn in 0..comptime!(plan.tile * DEPTH / UNITS) {
            let (row, depth) = spot(unit + turn * UNITS, comptime!(plan.tile), plan);
            let value = left_in(x, dy, at, row, start + depth, rows, end, plan);
            left[depth * line + row] = E::cast_from(value);
        }
        #[unroll]
        for turn in 0..comptime!(plan.width() * DEPTH / UNITS) {
            let (column, depth) = spot(unit + turn * UNITS, comptime!(plan.width()), plan);
            let value = right_in(x, weight, at, column, start + depth, end, plan);
            right[depth * other_line + column] = E::cast_from(value);
        }
        sync_cube();
        #[unroll]
        for step in 0..comptime!(DEPTH / plan.deep()) {
            let (above, beside) = (step * deep * line, step * deep * other_line);
            let a = lines::<E>(&left[above + row..left.len()], MatrixIdent::A, line, plan);
            let b =
                lines::<E>(&right[beside + column..right.len()], MatrixIdent::B, other_line, plan);
            cmma::execute(&a, &b, &one, &one);
            if comptime!(plan.width() == EDGE) {
                let a = lines::<E>(&left[above + next_row..left.len()], MatrixIdent::A, line, plan);
                cmma::execute(&a, &b, &next, &next);
            } else {
                let from = beside + next_column;
                let b = lines::<E>(&right[from..right.len()], MatrixIdent::B, other_line, plan);
                cmma::execute(&a, &b, &next, &next);
            }
        }
        sync_cube();
    }
    let layout = MatrixLayout::RowMajor;
    let end = out.len();
    cmma::store(&mut out[row * width + column..end], &one, width as u32, layout);
    cmma::store(&mut out[next_row * width + next_column..end], &next, width as u32, layout);
    sync_cube();
    let mut sums = Array::<f32>::new(comptime!(SIDE * SIDE));
    #[unroll]
    for i in 0..SIDE {
        #[unroll]
        for j in 0..SIDE {
            let row = at.unit_row + comptime!(i * plan.tile / SIDE);
            let column = at.unit_column + comptime!(j * plan.width() / SIDE);
            sums[comptime!(i * SIDE + j)] = out[row * width + column];
        }
    }
    sync_cube();
    sums
}

/// A square of sums that are zero.
#[cube]
fn zeros(#[comptime] plan: Plan) -> Matrix<f32> {
    let ident = MatrixIdent::Accumulator;
    let layout = MatrixLayout::Undefined;
    Matrix::<f32>::from_value(ident, EDGE, EDGE, comptime!(plan.deep()), layout, 0f32)
}

/// An operand's square out of staged lines, of which each has the elements of one depth.
#[cube]
fn lines<E: Numeric>(
    staged: &[E],
    #[comptime] ident: MatrixIdent,
    #[comptime] line: usize,
    #[comptime] plan: Plan,
) -> Matrix<E> {
    let layout = comptime!(match ident {
        MatrixIdent::A => MatrixLayout::ColMajor,
        _ => MatrixLayout::RowMajor,
    });
    Matrix::<E>::from_slice(ident, EDGE, EDGE, comptime!(plan.deep()), layout, staged, line as u32)
}
