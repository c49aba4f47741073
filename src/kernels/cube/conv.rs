//! The convolution's kernels: what becomes of a product's sums.

use super::{
    launch::{address, along, in_order, units},
    operands::{self, number, place},
    plan::Plan,
    product::{stage, sums},
};
use crate::kernels::norm::After;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// `[filters]` each, one behind the other: what [`super::norm`] makes of a batch's moments.
pub(super) const MEAN: usize = 0;
pub(super) const SCALE: usize = 1;
pub(super) const SHIFT: usize = 2;
/// σ² + ε.
pub(super) const SPREAD: usize = 3;

/// Outputs, and for each tile and filter their sum and the squares of what they are from the tile's mean, summed:
/// `[tile, 2, filters]`. No sum cancels, however far from zero the outputs are.
#[cube(launch_unchecked, address_type = "dynamic")]
fn measured(
    x: &Tensor<f32>,
    weight: &[f32],
    y: &mut [f32],
    parts: &mut [f32],
    rows: usize,
    #[comptime] plan: Plan,
) {
    let at = place(number(), rows, plan);
    let mut stage = stage(plan, plan);
    let depth = comptime!(plan.depth(0));
    let sums = sums(x, x, weight, &mut stage, &at, rows, 0, depth, plan);
    let filters = comptime!(plan.window.filters);
    #[unroll]
    for i in 0..4usize {
        #[unroll]
        for j in 0..4usize {
            let (row, column) = (operands::row(&at, i, plan), operands::column(&at, j, plan));
            if row < rows && column < filters {
                y[row * filters + column] = sums[comptime!(i * 4 + j)];
            }
        }
    }
    let width = comptime!(plan.width());
    let mut shares = Shared::<[f32]>::new_slice(comptime!(plan.width() * plan.tile / 4));
    let mut means = Shared::<[f32]>::new_slice(width);
    #[unroll]
    for j in 0..4usize {
        let mut sum = 0f32;
        #[unroll]
        for i in 0..4usize {
            // Rows past the last have sums of zero.
            sum += sums[comptime!(i * 4 + j)];
        }
        shares[at.unit_row * width + at.unit_column + comptime!(j * plan.width() / 4)] = sum;
    }
    sync_cube();
    let unit = UNIT_POS as usize;
    let here = min(rows - min(at.row, rows), comptime!(plan.tile));
    let own = at.column + unit;
    if unit < width {
        let mut sum = 0f32;
        for share in 0..comptime!(plan.tile / 4) {
            sum += shares[share * width + unit];
        }
        means[unit] = sum / f32::cast_from(max(here, 1));
        if own < filters && here > 0 {
            parts[at.tile * comptime!(plan.window.filters * 2) + own] = sum;
        }
    }
    sync_cube();
    #[unroll]
    for j in 0..4usize {
        let mean = means[at.unit_column + comptime!(j * plan.width() / 4)];
        let mut sum = 0f32;
        #[unroll]
        for i in 0..4usize {
            let away = sums[comptime!(i * 4 + j)] - mean;
            if operands::row(&at, i, plan) < rows {
                sum += away * away;
            }
        }
        shares[at.unit_row * width + at.unit_column + comptime!(j * plan.width() / 4)] = sum;
    }
    sync_cube();
    if unit < width && own < filters && here > 0 {
        let mut sum = 0f32;
        for share in 0..comptime!(plan.tile / 4) {
            sum += shares[share * width + unit];
        }
        parts[at.tile * comptime!(plan.window.filters * 2) + filters + own] = sum;
    }
}

/// `after(y · scale + shift + bias + shortcut)` where y is the convolution; `after` is no pool.
#[cube(launch_unchecked, address_type = "dynamic")]
fn finished(
    x: &Tensor<f32>,
    weight: &[f32],
    affine: ComptimeOption<&[f32]>,
    bias: ComptimeOption<&[f32]>,
    shortcut: ComptimeOption<&[f32]>,
    out: &mut [f32],
    rows: usize,
    #[comptime] after: After,
    #[comptime] plan: Plan,
) {
    let at = place(number(), rows, plan);
    let mut stage = stage(plan, plan);
    let depth = comptime!(plan.depth(0));
    let sums = sums(x, x, weight, &mut stage, &at, rows, 0, depth, plan);
    let columns = comptime!(plan.columns());
    #[unroll]
    for i in 0..4usize {
        #[unroll]
        for j in 0..4usize {
            let (row, column) = (operands::row(&at, i, plan), operands::column(&at, j, plan));
            if row < rows && column < columns {
                let mut value = sums[comptime!(i * 4 + j)];
                #[comptime]
                if let ComptimeOption::Some(affine) = affine {
                    value =
                        value * affine[SCALE * columns + column] + affine[SHIFT * columns + column];
                }
                #[comptime]
                if let ComptimeOption::Some(bias) = bias {
                    value += bias[column];
                }
                #[comptime]
                if let ComptimeOption::Some(shortcut) = shortcut {
                    value += shortcut[row * columns + column];
                }
                out[row * columns + column] = bounded(value, after);
            }
        }
    }
}

/// A value after the ReLU; a NaN stays one, so that a loss shows it.
#[cube]
pub(super) fn bounded(value: f32, #[comptime] after: After) -> f32 {
    if comptime!(after == After::Nothing) {
        value
    } else if comptime!(after == After::Relu6) {
        select(value < 0f32, 0f32, select(value > 6f32, 6f32, value))
    } else {
        select(value < 0f32, 0f32, value)
    }
}

/// The gradient of x, and parts of the weight's, `[part, filter, channel, row, column]`, each of `share` output
/// pixels. The first cubes make the one, the others the other: two products that a device works on at once.
#[cube(launch_unchecked, address_type = "dynamic")]
fn gradients(
    x: &Tensor<f32>,
    dy: &Tensor<f32>,
    weight: &[f32],
    dx: ComptimeOption<&mut [f32]>,
    parts: ComptimeOption<&mut [f32]>,
    rows: usize,
    pixels: usize,
    share: usize,
    first_cubes: usize,
    #[comptime] input: Plan,
    #[comptime] own: Plan,
) {
    let mut stage = stage(input, own);
    let cube = number();
    #[comptime]
    if let ComptimeOption::Some(dx) = dx {
        if cube < first_cubes {
            let at = place(cube, rows, input);
            let depth = comptime!(input.depth(0));
            let sums = sums(x, dy, weight, &mut stage, &at, rows, 0, depth, input);
            let columns = comptime!(input.columns());
            #[unroll]
            for i in 0..4usize {
                #[unroll]
                for j in 0..4usize {
                    let row = operands::row(&at, i, input);
                    let column = operands::column(&at, j, input);
                    if row < rows && column < columns {
                        dx[row * columns + column] = sums[comptime!(i * 4 + j)];
                    }
                }
            }
        }
    }
    #[comptime]
    if let ComptimeOption::Some(parts) = parts {
        if cube >= first_cubes {
            let filters = comptime!(own.window.filters);
            let channels = comptime!(own.window.channels);
            let places = comptime!(own.window.places());
            let columns = comptime!(own.columns());
            let at = place(cube - first_cubes, filters, own);
            let first = at.part * share;
            let end = min(first + share, pixels);
            let sums = sums(x, dy, weight, &mut stage, &at, filters, first, end, own);
            #[unroll]
            for i in 0..4usize {
                #[unroll]
                for j in 0..4usize {
                    let row = operands::row(&at, i, own);
                    let column = operands::column(&at, j, own);
                    // The grid may have more cubes than there are parts.
                    if row < filters && column < columns && first < pixels {
                        let place = column % channels * places + column / channels;
                        parts[(at.part * filters + row) * columns + place] =
                            sums[comptime!(i * 4 + j)];
                    }
                }
            }
        }
    }
}

/// The sum of `parts` arrays that lie one behind the other.
#[cube(launch, address_type = "dynamic")]
pub(super) fn sum_parts(shares: &[f32], out: &mut [f32], parts: usize) {
    let at = ABSOLUTE_POS;
    let length = out.len();
    if at < length {
        let mut sum = 0f32;
        for part in 0..parts {
            sum += shares[part * length + at];
        }
        out[at] = sum;
    }
}

/// What a convolution's outputs meet on the way to memory.
#[derive(Default)]
pub(super) struct Added {
    /// `[4, filters]`: a scale and a shift.
    pub norm: Option<CubeTensor>,
    /// `[filters]`.
    pub bias: Option<CubeTensor>,
    /// Of the output's shape.
    pub shortcut: Option<CubeTensor>,
}

/// Launches [`measured`]; `parts` has a part for each tile.
#[allow(
    unsafe_code,
    reason = "products index within their window and rows; checks would be in their inner loop"
)]
pub(super) fn measure(
    plan: &Plan,
    x: CubeTensor,
    weight: CubeTensor,
    y: CubeTensor,
    parts: CubeTensor,
) {
    let rows = y.meta.num_elements() / plan.columns();
    let wide = address([&x, &weight, &y, &parts]);
    // SAFETY: x is read within the window, the rest below the rows and columns of y.
    unsafe {
        measured::launch_unchecked(
            &y.client.clone(),
            along(plan.cubes(rows)),
            units(),
            wide,
            x.into_tensor_arg(),
            weight.into_buffer_arg(),
            y.into_buffer_arg(),
            parts.into_buffer_arg(),
            rows,
            *plan,
        );
    }
}

/// Launches [`finished`].
#[allow(unsafe_code, reason = "as in `measure`")]
pub(super) fn finish(
    plan: &Plan,
    x: CubeTensor,
    weight: CubeTensor,
    added: Added,
    after: After,
    out: CubeTensor,
) {
    let rows = out.meta.num_elements() / plan.columns();
    let Added { norm, bias, shortcut } = added;
    let wide = address([&x, &weight, &out]);
    // SAFETY: as in `measure`; what is added has a value for each column, or is like the output.
    unsafe {
        finished::launch_unchecked(
            &out.client.clone(),
            along(plan.cubes(rows)),
            units(),
            wide,
            x.into_tensor_arg(),
            weight.into_buffer_arg(),
            norm.map(CubeTensor::into_buffer_arg).into(),
            bias.map(|bias| in_order(bias).into_buffer_arg()).into(),
            shortcut.map(|shortcut| in_order(shortcut).into_buffer_arg()).into(),
            out.into_buffer_arg(),
            rows,
            after,
            *plan,
        );
    }
}

/// What [`gradients`] makes, in memory for it.
pub(super) struct Wanted {
    pub dx: Option<CubeTensor>,
    /// Parts of the weight's gradient.
    pub parts: Option<CubeTensor>,
    /// Output pixels of a part.
    pub share: usize,
}

/// Launches [`gradients`].
#[allow(unsafe_code, reason = "as in `measure`")]
pub(super) fn adjoin(
    [input, own]: [&Plan; 2],
    x: CubeTensor,
    dy: CubeTensor,
    weight: CubeTensor,
    wanted: Wanted,
) {
    let Wanted { dx, parts, share } = wanted;
    let rows = x.meta.num_elements() / input.columns();
    let pixels = dy.meta.num_elements() / input.window.filters;
    let first = if dx.is_some() { input.cubes(rows) } else { 0 };
    let others = own.cubes(own.window.filters) * pixels.div_ceil(share);
    let cubes = first + if parts.is_some() { others } else { 0 };
    let all = [&x, &dy, &weight].into_iter().chain(&dx).chain(&parts);
    let wide = address(all);
    // SAFETY: as in `measure`; a part ends with the pixels.
    unsafe {
        gradients::launch_unchecked(
            &dy.client.clone(),
            along(cubes),
            units(),
            wide,
            x.into_tensor_arg(),
            dy.into_tensor_arg(),
            weight.into_buffer_arg(),
            dx.map(CubeTensor::into_buffer_arg).into(),
            parts.map(CubeTensor::into_buffer_arg).into(),
            rows,
            pixels,
            share,
            first,
            *input,
            *own,
        );
    }
}
