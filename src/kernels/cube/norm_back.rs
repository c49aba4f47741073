//! The way back through BatchNorm and what follows it.

use super::{
    conv::{MEAN, SCALE, SPREAD},
    norm::{apart, by_lane, lanes, normed, pooled, whole},
    plan::UNITS,
    window::Window,
};
use crate::kernels::norm::After;
use cubecl::prelude::*;

/// Whether the ReLU lets a gradient through where it gave or was given `value`.
#[cube]
fn open(value: f32, #[comptime] after: After) -> bool {
    if comptime!(after == After::Nothing) {
        true.runtime()
    } else if comptime!(after == After::Relu6) {
        value > 0f32 && value < 6f32
    } else {
        value > 0f32
    }
}

/// The gradient of `y[at] · scale + shift`: through the ReLU, and to the first of the greatest of a pool's four.
#[cube]
fn undone(
    gradient: &[f32],
    y: &[f32],
    norm: &[f32],
    out: ComptimeOption<&[f32]>,
    at: usize,
    #[comptime] after: After,
    #[comptime] window: Window,
) -> f32 {
    let channels = comptime!(window.filters);
    let channel = at % channels;
    let own = normed(y, at, norm, channel, channels);
    let mut value = 0f32;
    if comptime!(after == After::Pool) {
        let (rows, columns) = comptime!((window.rows / 2, window.columns / 2));
        let pixel = at / channels;
        let line = pixel / comptime!(window.columns);
        let (image, row) = (line / comptime!(window.rows), line % comptime!(window.rows) / 2);
        let column = pixel % comptime!(window.columns) / 2;
        // A pixel that no pool covers has none.
        if row < rows && column < columns && own > 0f32 {
            let top = ((image * rows + row) * columns + column) * channels + channel;
            let first = pooled(top, window);
            let mut is_greatest = true.runtime();
            #[unroll]
            for index in 0..4usize {
                let place = first + comptime!(apart(index, window));
                let other = normed(y, place, norm, channel, channels);
                if other > own || (other == own && place < at) {
                    is_greatest = false;
                }
            }
            if is_greatest {
                value = gradient[top];
            }
        }
    } else {
        #[comptime]
        if let ComptimeOption::Some(out) = out {
            if open(out[at], after) {
                value = gradient[at];
            }
        } else {
            if open(own, after) {
                value = gradient[at];
            }
        }
    }
    value
}

/// Sums of a share of the pixels for each channel: of the gradient of `y · scale + shift`, and of that times
/// `y − mean`: `[part, 2, channels]`.
#[cube(launch, address_type = "dynamic")]
pub(super) fn gather(
    gradient: &[f32],
    y: &[f32],
    norm: &[f32],
    out: ComptimeOption<&[f32]>,
    parts: &mut [f32],
    count: usize,
    share: usize,
    #[comptime] after: After,
    #[comptime] window: Window,
) {
    let channels = comptime!(window.filters);
    let lanes = comptime!(lanes(channels));
    let channel = CUBE_POS_Y as usize * lanes + UNIT_POS as usize % lanes;
    let first = CUBE_POS_X as usize * share;
    let end = min(first + share, count);
    let mut sum = 0f32;
    let mut product = 0f32;
    if channel < channels {
        let mean = norm[MEAN * channels + channel];
        for pixel in range_stepped(first + UNIT_POS as usize / lanes, end, comptime!(UNITS / lanes))
        {
            let at = pixel * channels + channel;
            let value = undone(gradient, y, norm, out, at, after, window);
            sum += value;
            product += value * (y[at] - mean);
        }
    }
    let sum = by_lane(sum, lanes);
    let product = by_lane(product, lanes);
    if channel < channels && UNIT_POS < lanes as u32 {
        parts[CUBE_POS_X as usize * 2 * channels + channel] = sum;
        parts[(CUBE_POS_X as usize * 2 + 1) * channels + channel] = product;
    }
}

/// Of each channel, a cube's: the gradients of γ, β and a bias, which has none, and what [`through`] reads,
/// `[2, channels]`: with s = γ/√(σ²+ε), slope s/(n·(σ²+ε))·Σdz·(y − μ) and shift s/n·Σdz.
#[cube(launch, address_type = "dynamic")]
pub(super) fn conclude(
    parts: &[f32],
    norm: &[f32],
    gamma: &mut [f32],
    beta: &mut [f32],
    bias: ComptimeOption<&mut [f32]>,
    through: &mut [f32],
    shares: usize,
    channels: usize,
    count: usize,
) {
    let channel = CUBE_POS as usize;
    let mut sum = 0f32;
    let mut product = 0f32;
    for part in range_stepped(UNIT_POS as usize, shares, UNITS) {
        sum += parts[part * 2 * channels + channel];
        product += parts[(part * 2 + 1) * channels + channel];
    }
    let sum = whole(sum);
    let product = whole(product);
    if UNIT_POS == 0 {
        let (scale, spread) = (norm[SCALE * channels + channel], norm[SPREAD * channels + channel]);
        let count = f32::cast_from(count);
        let slope = scale * product / (count * spread);
        gamma[channel] = product / spread.sqrt();
        beta[channel] = sum;
        #[comptime]
        if let ComptimeOption::Some(bias) = bias {
            bias[channel] = 0f32;
        }
        through[channel] = slope;
        through[channels + channel] = scale * sum / count;
    }
}

/// The gradient of y, s·dz − slope·(y − μ) − shift, with moments that the batch made, or s·dz with given ones; and dz
/// itself for a shortcut.
#[cube(launch, address_type = "dynamic")]
pub(super) fn through(
    gradient: &[f32],
    y: &[f32],
    norm: &[f32],
    out: ComptimeOption<&[f32]>,
    coefficients: ComptimeOption<&[f32]>,
    dy: &mut [f32],
    shortcut: ComptimeOption<&mut [f32]>,
    #[comptime] after: After,
    #[comptime] window: Window,
) {
    let at = ABSOLUTE_POS;
    if at >= dy.len() {
        terminate!();
    }
    let channels = comptime!(window.filters);
    let channel = at % channels;
    let dz = undone(gradient, y, norm, out, at, after, window);
    let scaled = norm[SCALE * channels + channel] * dz;
    #[comptime]
    if let ComptimeOption::Some(coefficients) = coefficients {
        let away = y[at] - norm[MEAN * channels + channel];
        dy[at] = scaled - coefficients[channels + channel] - coefficients[channel] * away;
    } else {
        dy[at] = scaled;
    }
    #[comptime]
    if let ComptimeOption::Some(shortcut) = shortcut {
        shortcut[at] = dz;
    }
}
