//! The matrices of a convolution and of its two gradients, which are never laid out: what each has where, read from
//! where the images lie.

use super::{
    plan::{DEPTH, Kind, Plan, SIDE},
    window::Window,
};
use cubecl::prelude::*;

/// The input pixel that output pixel `at` sees at `tap`, a place of the kernel and a channel; zero outside.
#[cube]
fn seen(x: &Tensor<f32>, at: usize, tap: usize, #[comptime] window: Window) -> f32 {
    let padding = comptime!(window.kernel / 2);
    let channel = tap % comptime!(window.channels);
    let place = tap / comptime!(window.channels);
    let line = at / comptime!(window.columns);
    let row =
        line % comptime!(window.rows) * comptime!(window.stride) + place / comptime!(window.kernel);
    let column = at % comptime!(window.columns) * comptime!(window.stride)
        + place % comptime!(window.kernel);
    let image = line / comptime!(window.rows);
    let mut value = 0f32;
    if row >= padding
        && row < comptime!(window.height + window.kernel / 2)
        && column >= padding
        && column < comptime!(window.width + window.kernel / 2)
    {
        value = x[image * x.stride(0)
            + (row - padding) * x.stride(1)
            + (column - padding) * x.stride(2)
            + channel * x.stride(3)];
    }
    value
}

/// The gradient of the output that sees input pixel `at` at `tap`, a place of the kernel and a filter; zero where
/// none does.
#[cube]
fn sent(dy: &Tensor<f32>, at: usize, tap: usize, #[comptime] window: Window) -> f32 {
    let filter = tap % comptime!(window.filters);
    let place = tap / comptime!(window.filters);
    let line = at / comptime!(window.width);
    let image = line / comptime!(window.height);
    // Both are moved by the kernel's size, so that they stay positive.
    let shift = comptime!(window.kernel / 2 + window.kernel * window.stride);
    let row = line % comptime!(window.height) + shift - place / comptime!(window.kernel);
    let column = at % comptime!(window.width) + shift - place % comptime!(window.kernel);
    let start = comptime!(window.kernel * window.stride);
    let mut value = 0f32;
    if row >= start
        && column >= start
        && (row - start) % comptime!(window.stride) == 0
        && (column - start) % comptime!(window.stride) == 0
    {
        let row = (row - start) / comptime!(window.stride);
        let column = (column - start) / comptime!(window.stride);
        if row < comptime!(window.rows) && column < comptime!(window.columns) {
            let pixel = (image * comptime!(window.rows) + row) * comptime!(window.columns) + column;
            value = dy[pixel * comptime!(window.filters) + filter];
        }
    }
    value
}

/// An element of the left matrix; of x, dy and the weight a kind reads two.
#[cube]
fn left(x: &Tensor<f32>, dy: &Tensor<f32>, row: usize, at: usize, #[comptime] plan: Plan) -> f32 {
    if comptime!(plan.kind == Kind::Forward) {
        seen(x, row, at, comptime!(plan.window))
    } else if comptime!(plan.kind == Kind::Input) {
        sent(dy, row, at, comptime!(plan.window))
    } else {
        dy[at * comptime!(plan.window.filters) + row]
    }
}

/// An element of the right matrix. Weights are `[filter, channel, row, column]`.
#[cube]
fn right(x: &Tensor<f32>, weight: &[f32], at: usize, column: usize, #[comptime] plan: Plan) -> f32 {
    let channels = comptime!(plan.window.channels);
    let filters = comptime!(plan.window.filters);
    let places = comptime!(plan.window.places());
    if comptime!(plan.kind == Kind::Forward) {
        weight[(column * channels + at % channels) * places + at / channels]
    } else if comptime!(plan.kind == Kind::Input) {
        weight[(at % filters * channels + column) * places + at / filters]
    } else {
        seen(x, at, column, comptime!(plan.window))
    }
}

/// Where a cube's tile and a unit's sums in it lie.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Place {
    /// The tile's number among the rows'.
    pub tile: usize,
    /// Its first row.
    pub row: usize,
    /// Its first column.
    pub column: usize,
    /// The part of the sums that the cube makes.
    pub part: usize,
    /// The unit's first row in the tile; its others are a quarter of the tile away each.
    pub unit_row: usize,
    /// The unit's first column in the tile, in the same way.
    pub unit_column: usize,
}

/// Where the cube with this number among a product's is, and its unit: rows' tiles come first, then columns', then
/// parts.
#[cube]
pub(super) fn place(cube: usize, rows: usize, #[comptime] plan: Plan) -> Place {
    let tiles = comptime!(plan.columns().div_ceil(plan.width()));
    let down = rows.div_ceil(comptime!(plan.tile));
    let (tile, along) = (cube % down, cube / down);
    let across = comptime!(plan.width() / SIDE);
    Place {
        tile,
        row: tile * comptime!(plan.tile),
        column: along % tiles * comptime!(plan.width()),
        part: along / tiles,
        unit_row: UNIT_POS as usize / across,
        unit_column: UNIT_POS as usize % across,
    }
}

/// The number of this cube in a grid along x and y.
#[cube]
pub(super) fn number() -> usize {
    (CUBE_POS_X + CUBE_POS_Y * CUBE_COUNT_X) as usize
}

/// The row or column of a tile of so many, and the depth, that number `index` of what is staged has: neighbours read
/// what lies side by side.
#[cube]
pub(super) fn spot(
    index: usize,
    #[comptime] side: usize,
    #[comptime] plan: Plan,
) -> (usize, usize) {
    if comptime!(plan.kind == Kind::Weight) {
        (index % side, index / side)
    } else {
        (index / DEPTH, index % DEPTH)
    }
}

/// An element of the left matrix in a row of the tile; zero beyond the last row and element.
#[cube]
pub(super) fn left_in(
    x: &Tensor<f32>,
    dy: &Tensor<f32>,
    at: &Place,
    row: usize,
    depth: usize,
    rows: usize,
    end: usize,
    #[comptime] plan: Plan,
) -> f32 {
    let mut value = 0f32;
    if at.row + row < rows && depth < end {
        value = left(x, dy, at.row + row, depth, plan);
    }
    value
}

/// An element of the right matrix in a column of the tile; zero beyond the last column and element.
#[cube]
pub(super) fn right_in(
    x: &Tensor<f32>,
    weight: &[f32],
    at: &Place,
    column: usize,
    depth: usize,
    end: usize,
    #[comptime] plan: Plan,
) -> f32 {
    let mut value = 0f32;
    if at.column + column < comptime!(plan.columns()) && depth < end {
        value = right(x, weight, depth, at.column + column, plan);
    }
    value
}

/// The unit's row `i`, of `SIDE`.
#[cube]
pub(super) fn row(at: &Place, #[comptime] i: usize, #[comptime] plan: Plan) -> usize {
    at.row + at.unit_row + comptime!(i * plan.tile / SIDE)
}

/// The unit's column `j`, of `SIDE`.
#[cube]
pub(super) fn column(at: &Place, #[comptime] j: usize, #[comptime] plan: Plan) -> usize {
    at.column + at.unit_column + comptime!(j * plan.width() / SIDE)
}
