//! BatchNorm (Ioffe and Szegedy 2015, algorithm 1) with the ReLU, the sum with a shortcut and the 2×2 max-pool that
//! follow it.

use super::{
    conv::{MEAN, SCALE, SHIFT, SPREAD, bounded},
    plan::UNITS,
    window::Window,
};
use crate::kernels::norm::After;
use cubecl::prelude::*;

/// Channels that lie side by side in a cube that sums over pixels.
pub(super) fn lanes(channels: usize) -> usize {
    channels.next_power_of_two().min(32)
}

/// The sum of one value of each unit, in the same order each time.
#[cube]
pub(super) fn whole(value: f32) -> f32 {
    let mut shares = Shared::<[f32]>::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    shares[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime!(UNITS.ilog2()) {
        let apart = comptime!(UNITS >> (step + 1));
        if unit < apart {
            let other = shares[unit + apart];
            shares[unit] += other;
        }
        sync_cube();
    }
    let sum = shares[0];
    sync_cube();
    sum
}

/// Of each channel, a cube's: mean, scale γ/√(σ²+ε), shift β − μ·scale and σ²+ε, `[4, channels]`, and the running
/// mean, of outputs with their bias, and unbiased variance. `parts` is `[part, 2, channels]`, each of `share` values
/// but the last: sums, and squares about the part's mean (Chan et al. 1983, equation 2.1).
#[cube(launch, address_type = "dynamic")]
pub(super) fn settle(
    parts: &[f32],
    gamma: &[f32],
    beta: &[f32],
    bias: ComptimeOption<&[f32]>,
    old_mean: &[f32],
    old_variance: &[f32],
    norm: &mut [f32],
    mean: &mut [f32],
    variance: &mut [f32],
    count: usize,
    channels: usize,
    share: usize,
    epsilon: f32,
    momentum: f32,
) {
    let channel = CUBE_POS as usize;
    let all = count.div_ceil(share);
    let mut sum = 0f32;
    for part in range_stepped(UNIT_POS as usize, all, UNITS) {
        sum += parts[part * 2 * channels + channel];
    }
    let average = whole(sum) / f32::cast_from(count);
    let mut square = 0f32;
    for part in range_stepped(UNIT_POS as usize, all, UNITS) {
        let here = f32::cast_from(min(share, count - part * share));
        let away = parts[part * 2 * channels + channel] / here - average;
        square += parts[(part * 2 + 1) * channels + channel] + here * away * away;
    }
    let spread = whole(square) / f32::cast_from(count);
    if UNIT_POS == 0 {
        let scale = gamma[channel] / (spread + epsilon).sqrt();
        norm[MEAN * channels + channel] = average;
        norm[SCALE * channels + channel] = scale;
        norm[SHIFT * channels + channel] = beta[channel] - average * scale;
        norm[SPREAD * channels + channel] = spread + epsilon;
        let mut moved = average;
        #[comptime]
        if let ComptimeOption::Some(bias) = bias {
            moved += bias[channel];
        }
        let unbiased = spread * f32::cast_from(count) / f32::cast_from(max(count, 2) - 1);
        mean[channel] = old_mean[channel] * (1f32 - momentum) + moved * momentum;
        variance[channel] = old_variance[channel] * (1f32 - momentum) + unbiased * momentum;
    }
}

/// As [`settle`] makes it, of moments that are given, of outputs with their bias.
#[cube(launch, address_type = "dynamic")]
pub(super) fn given(
    mean: &[f32],
    variance: &[f32],
    gamma: &[f32],
    beta: &[f32],
    bias: ComptimeOption<&[f32]>,
    norm: &mut [f32],
    channels: usize,
    epsilon: f32,
) {
    let channel = ABSOLUTE_POS;
    if channel < channels {
        let mut average = mean[channel];
        #[comptime]
        if let ComptimeOption::Some(bias) = bias {
            average -= bias[channel];
        }
        let scale = gamma[channel] / (variance[channel] + epsilon).sqrt();
        norm[MEAN * channels + channel] = average;
        norm[SCALE * channels + channel] = scale;
        norm[SHIFT * channels + channel] = beta[channel] - average * scale;
        norm[SPREAD * channels + channel] = variance[channel] + epsilon;
    }
}

/// The moments of what no convolution made: as [`super::conv::measured`] leaves them, of `share` pixels a part.
#[cube(launch, address_type = "dynamic")]
pub(super) fn moments(
    x: &[f32],
    parts: &mut [f32],
    count: usize,
    share: usize,
    #[comptime] channels: usize,
) {
    let lanes = comptime!(lanes(channels));
    let rows = comptime!(UNITS / lanes);
    let channel = CUBE_POS_Y as usize * lanes + UNIT_POS as usize % lanes;
    let first = CUBE_POS_X as usize * share;
    let end = min(first + share, count);
    let start = first + UNIT_POS as usize / lanes;
    let mut sum = 0f32;
    if channel < channels {
        for pixel in range_stepped(start, end, rows) {
            sum += x[pixel * channels + channel];
        }
    }
    let total = by_lane(sum, lanes);
    let mean = total / f32::cast_from(end - first);
    let mut square = 0f32;
    if channel < channels {
        for pixel in range_stepped(start, end, rows) {
            let away = x[pixel * channels + channel] - mean;
            square += away * away;
        }
    }
    let squares = by_lane(square, lanes);
    if channel < channels && UNIT_POS < lanes as u32 {
        parts[CUBE_POS_X as usize * 2 * channels + channel] = total;
        parts[(CUBE_POS_X as usize * 2 + 1) * channels + channel] = squares;
    }
}

/// The sum of the values of those units that are a multiple of `lanes` apart.
#[cube]
pub(super) fn by_lane(value: f32, #[comptime] lanes: usize) -> f32 {
    let mut shares = Shared::<[f32]>::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    shares[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime!((UNITS / lanes).ilog2()) {
        let apart = comptime!(UNITS >> (step + 1));
        if unit < apart {
            let other = shares[unit + apart];
            shares[unit] += other;
        }
        sync_cube();
    }
    let sum = shares[unit % lanes];
    sync_cube();
    sum
}

/// `y · scale + shift`.
#[cube]
pub(super) fn normed(
    y: &[f32],
    at: usize,
    norm: &[f32],
    channel: usize,
    #[comptime] channels: usize,
) -> f32 {
    y[at] * norm[SCALE * channels + channel] + norm[SHIFT * channels + channel]
}

/// Where the pool's output `at` has its first pixel, `[image, row, column, channel]` both.
#[cube]
pub(super) fn pooled(at: usize, #[comptime] window: Window) -> usize {
    let channels = comptime!(window.filters);
    let (rows, columns) = comptime!((window.rows / 2, window.columns / 2));
    let pixel = at / channels;
    let line = pixel / columns;
    let row = line / rows * comptime!(window.rows) + line % rows * 2;
    (row * comptime!(window.columns) + pixel % columns * 2) * channels + at % channels
}

/// How far the pool's pixel `index` of four is from the first.
pub(super) fn apart(index: usize, window: Window) -> usize {
    (index / 2 * window.columns + index % 2) * window.filters
}

/// `after(y · scale + shift + shortcut)`.
#[cube(launch, address_type = "dynamic")]
pub(super) fn follow(
    y: &[f32],
    norm: &[f32],
    shortcut: ComptimeOption<&[f32]>,
    out: &mut [f32],
    #[comptime] after: After,
    #[comptime] window: Window,
) {
    let at = ABSOLUTE_POS;
    if at >= out.len() {
        terminate!();
    }
    let channels = comptime!(window.filters);
    let channel = at % channels;
    let value = if comptime!(after == After::Pool) {
        greatest(y, pooled(at, window), norm, channel, window)
    } else {
        normed(y, at, norm, channel, channels)
    };
    #[comptime]
    if let ComptimeOption::Some(shortcut) = shortcut {
        out[at] = bounded(value + shortcut[at], after);
    } else {
        out[at] = bounded(value, after);
    }
}

/// The greatest of a pool's four.
#[cube]
fn greatest(
    y: &[f32],
    first: usize,
    norm: &[f32],
    channel: usize,
    #[comptime] window: Window,
) -> f32 {
    let channels = comptime!(window.filters);
    let mut value = normed(y, first, norm, channel, channels);
    #[unroll]
    for index in 1..4usize {
        let other = normed(y, first + comptime!(apart(index, window)), norm, channel, channels);
        value = select(other < value, value, other);
    }
    value
}
