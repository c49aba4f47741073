//! A convolution and its two gradients as matrix products whose matrices are never laid out: each cube of units
//! reads a tile of both from where the images lie, and keeps 4×4 sums a unit in registers.
//!
//! Products and sums are f32, in an order that shapes alone decide: two runs on one device give the same bits.

use super::window::Window;
use cubecl::prelude::*;

/// Units of a cube.
pub(super) const UNITS: usize = 256;
/// Rows and columns of a unit's sums.
const SIDE: usize = 4;
/// Elements of the sums that a tile reads at a time.
const DEPTH: usize = 16;

/// What is computed. Images are rows of pixels, `[image, row, column, channel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Outputs: output pixels by filters, over places and channels.
    Forward,
    /// The input's gradient: input pixels by channels, over places and filters.
    Input,
    /// The weight's gradient: filters by places and channels, over output pixels.
    Weight,
}

/// A product and the tile that a cube makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    pub kind: Kind,
    pub window: Window,
    /// Rows of a tile; it has `SIDE² · UNITS / rows` columns.
    pub tile: usize,
}

impl Plan {
    /// With the tile that covers the product with the fewest sums to spare.
    pub fn new(kind: Kind, window: Window, rows: usize) -> Self {
        let columns = Self { kind, window, tile: 16 }.columns();
        let covered = |tile: usize| {
            let other = SIDE * SIDE * UNITS / tile;
            rows.div_ceil(tile) * tile * columns.div_ceil(other) * other
        };
        // The squarest of equals: it reads least.
        let tile = [64, 128, 32, 256, 16].into_iter().min_by_key(|&tile| covered(tile));
        Self { kind, window, tile: tile.expect("there are some") }
    }

    /// Columns of the product.
    pub fn columns(&self) -> usize {
        match self.kind {
            Kind::Forward => self.window.filters,
            Kind::Input => self.window.channels,
            Kind::Weight => self.window.places() * self.window.channels,
        }
    }

    /// Cubes that make a product of so many rows.
    pub fn cubes(&self, rows: usize) -> usize {
        rows.div_ceil(self.tile) * self.columns().div_ceil(self.width())
    }

    /// Columns of a tile.
    pub fn width(&self) -> usize {
        SIDE * SIDE * UNITS / self.tile
    }

    /// Values that are staged. A line of a matrix has one more than it needs: units that write a column meet other
    /// banks.
    fn staged(&self) -> usize {
        DEPTH * (self.tile + 1 + self.width() + 1)
    }

    /// How many elements a sum has: all of a filter's, or `pixels` outputs.
    pub fn depth(&self, pixels: usize) -> usize {
        match self.kind {
            Kind::Forward => self.window.places() * self.window.channels,
            Kind::Input => self.window.places() * self.window.filters,
            Kind::Weight => pixels,
        }
    }
}

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
    let tile = comptime!(plan.tile);
    let width = comptime!(plan.width());
    let columns = comptime!(plan.columns());
    let mut sums = Array::<f32>::new(comptime!(SIDE * SIDE));
    #[unroll]
    for index in 0..comptime!(SIDE * SIDE) {
        sums[index] = 0f32;
    }
    let unit = UNIT_POS as usize;
    for start in range_stepped(first, end, DEPTH) {
        #[unroll]
        for turn in 0..comptime!(plan.tile * DEPTH / UNITS) {
            let index = unit + turn * UNITS;
            // Neighbours read what lies side by side.
            let (row, depth) = if comptime!(plan.kind == Kind::Weight) {
                (index % tile, index / tile)
            } else {
                (index / DEPTH, index % DEPTH)
            };
            let mut value = 0f32;
            if at.row + row < rows && start + depth < end {
                value = left(x, dy, at.row + row, start + depth, plan);
            }
            stage[depth * comptime!(plan.tile + 1) + row] = value;
        }
        #[unroll]
        for turn in 0..comptime!(plan.width() * DEPTH / UNITS) {
            let index = unit + turn * UNITS;
            let (column, depth) = if comptime!(plan.kind == Kind::Weight) {
                (index % width, index / width)
            } else {
                (index / DEPTH, index % DEPTH)
            };
            let mut value = 0f32;
            if at.column + column < columns && start + depth < end {
                value = right(x, weight, start + depth, at.column + column, plan);
            }
            stage[comptime!(DEPTH * (plan.tile + 1))
                + depth * comptime!(plan.width() + 1)
                + column] = value;
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
