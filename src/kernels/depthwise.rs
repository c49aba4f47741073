//! Depthwise convolutions (Howard et al. 2017, section 3.1): each channel has a filter of its own, so that
//! there is no matrix to multiply by. A vector of channels goes along a row with its filters in registers;
//! outputs side by side share what they load.

use super::{
    geometry::Geometry,
    lanes::{LANES, Lanes, padded, vectorised},
};

/// The filters `[channels, 1, kernel, kernel]` as `[tap, channels filled up]`; turned by half a circle for
/// the gradient of the input.
pub(crate) fn filters(weight: &[f32], geometry: &Geometry, turned: bool) -> Vec<f32> {
    let (taps, stride) = (geometry.kernel_size * geometry.kernel_size, padded(geometry.channels));
    let mut out = vec![0.0; taps * stride];
    for (channel, weight) in weight.chunks_exact(taps).enumerate() {
        for (tap, &value) in weight.iter().enumerate() {
            let tap = if turned { taps - 1 - tap } else { tap };
            out[tap * stride + channel] = value;
        }
    }
    out
}

/// Whether the gradient of the input is a convolution by the turned filters.
pub(crate) fn turns(geometry: &Geometry) -> bool {
    geometry.stride == 1 && geometry.kernel_size % 2 == 1
}

/// The gradient of one image from that of its outputs.
pub(crate) fn input_gradient(dy: &[f32], filters: &[f32], geometry: &Geometry, dx: &mut [f32]) {
    if turns(geometry) {
        // What the convolution sums is of no use here.
        let mut unused = vec![0.0; 2 * padded(geometry.channels)];
        let (sums, squares) = unused.split_at_mut(padded(geometry.channels));
        convolve(dy, filters, geometry, dx, sums, squares);
    } else {
        gather(dy, filters, geometry, dx);
    }
}

vectorised! {
    /// One image's outputs; adds them and their squares to `sums` and `squares`.
    fn convolve<L>(
        x: &[f32], filters: &[f32], geometry: &Geometry, y: &mut [f32], sums: &mut [f32], squares: &mut [f32],
    ) {
        let &Geometry { channels, kernel_size, stride, .. } = geometry;
        let [rows, across] = geometry.output();
        for row in 0..rows {
            let mut column = 0;
            while column < across {
                let count = match (across - column, kernel_size, stride) {
                    (4.., 3, 1) => 4,
                    (2.., 3, 1 | 2) => 2,
                    _ => 1,
                };
                let y = &mut y[(row * across + column) * channels..];
                // All of a pixel's channels at once: memory is read and written in order.
                for at in (0..channels).step_by(LANES) {
                    let (to, place) = ((&mut *y, at, channels), [row, column]);
                    match (count, stride) {
                        (4, _) => put(tile::<L, 4, 1, 6>(x, filters, geometry, place, at), to, sums, squares),
                        (2, 1) => put(tile::<L, 2, 1, 4>(x, filters, geometry, place, at), to, sums, squares),
                        (2, _) => put(tile::<L, 2, 2, 5>(x, filters, geometry, place, at), to, sums, squares),
                        _ => put([one::<L>(x, filters, geometry, place, at)], to, sums, squares),
                    }
                }
                column += count;
            }
        }
    }
}

/// Writes outputs side by side and adds them, in their order, to what is summed.
#[inline(always)]
fn put<L: Lanes, const C: usize>(
    values: [L; C],
    (y, at, channels): (&mut [f32], usize, usize),
    sums: &mut [f32],
    squares: &mut [f32],
) {
    let (mut sum, mut square) = (L::load_at(sums, at), L::load_at(squares, at));
    for column in 0..C {
        values[column].store_at(&mut y[column * channels..][..channels], at);
        sum = sum.add(values[column]);
        square = values[column].mul_add(values[column], square);
    }
    sum.store_at(sums, at);
    square.store_at(squares, at);
}

/// `N` pixels side by side, from the one before `pixel` on, of a row of which `pixel` is at `column`; zeros left
/// and right of the row. Lanes past a pixel's last channel are of no use.
#[inline(always)]
fn neighbours<L: Lanes, const N: usize>(
    x: &[f32],
    geometry: &Geometry,
    pixel: usize,
    column: usize,
    at: usize,
) -> [L; N] {
    let channels = geometry.channels;
    let mut lanes = [L::splat(0.0); N];
    if pixel > 0 && (pixel + N - 2) * channels + at + LANES <= x.len() {
        lanes = L::load_every(x, (pixel - 1) * channels + at, channels);
    } else {
        for index in 0..N {
            let start = (pixel + index).wrapping_sub(1).wrapping_mul(channels).wrapping_add(at);
            if start < x.len() {
                lanes[index] = L::load_at(x, start);
            }
        }
    }
    if column == 0 {
        lanes[0] = L::splat(0.0);
    }
    if column + N - 1 > geometry.input[1] {
        lanes[N - 1] = L::splat(0.0);
    }
    lanes
}

/// `C` outputs of a 3×3 kernel at a stride of `S`, from `N` = 3 + (C − 1)·S pixels of each row.
#[inline(always)]
fn tile<L: Lanes, const C: usize, const S: usize, const N: usize>(
    x: &[f32],
    filters: &[f32],
    geometry: &Geometry,
    [row, column]: [usize; 2],
    at: usize,
) -> [L; C] {
    let [height, width] = geometry.input;
    let stride = padded(geometry.channels);
    let mut out = [L::splat(0.0); C];
    for line in 0..3 {
        let from = row * S + line;
        if from == 0 || from > height {
            continue;
        }
        let taps = L::load_every::<3>(filters, line * 3 * stride + at, stride);
        let pixel = (from - 1) * width + column * S;
        let values: [L; N] = neighbours(x, geometry, pixel, column * S, at);
        for offset in 0..N {
            for output in 0..C {
                if (output * S..output * S + 3).contains(&offset) {
                    out[output] = values[offset].mul_add(taps[offset - output * S], out[output]);
                }
            }
        }
    }
    out
}

/// One output of any kernel, anywhere.
#[inline(always)]
fn one<L: Lanes>(
    x: &[f32],
    filters: &[f32],
    geometry: &Geometry,
    [row, column]: [usize; 2],
    at: usize,
) -> L {
    let &Geometry { channels, kernel_size, stride, input: [height, width], .. } = geometry;
    let frame = kernel_size / 2;
    let mut out = L::splat(0.0);
    for line in 0..kernel_size {
        let from = (row * stride + line).wrapping_sub(frame);
        for tap in 0..kernel_size {
            let across = (column * stride + tap).wrapping_sub(frame);
            if from < height && across < width {
                let value = L::load_at(&x[(from * width + across) * channels..][..channels], at);
                let factor = (line * kernel_size + tap) * padded(channels) + at;
                out = value.mul_add(L::load_at(filters, factor), out);
            }
        }
    }
    out
}

vectorised! {
    /// The gradient of one image from that of its outputs, pixel by pixel: for strides, with which the taps
    /// that a pixel meets are others for each.
    fn gather<L>(dy: &[f32], filters: &[f32], geometry: &Geometry, dx: &mut [f32]) {
        let &Geometry { channels, kernel_size, stride, input: [height, width], .. } = geometry;
        let ([rows, across], frame) = (geometry.output(), kernel_size / 2);
        let meets = |pixel: usize, tap: usize, outputs: usize| {
            let from = (pixel + frame).checked_sub(tap)?;
            (from % stride == 0 && from / stride < outputs).then_some(from / stride)
        };
        let mut met = Vec::with_capacity(kernel_size * kernel_size);
        for row in 0..height {
            for column in 0..width {
                met.clear();
                for line in 0..kernel_size {
                    let Some(from) = meets(row, line, rows) else { continue };
                    for tap in 0..kernel_size {
                        let Some(output) = meets(column, tap, across) else { continue };
                        let factor = (line * kernel_size + tap) * padded(channels);
                        met.push(((from * across + output) * channels, factor));
                    }
                }
                let dx = &mut dx[(row * width + column) * channels..][..channels];
                for at in (0..channels).step_by(LANES) {
                    let mut sum = L::splat(0.0);
                    for &(start, factor) in &met {
                        let value = L::load_at(&dy[start..start + channels], at);
                        sum = value.mul_add(L::load_at(filters, factor + at), sum);
                    }
                    sum.store_at(dx, at);
                }
            }
        }
    }
}

vectorised! {
    /// Adds one image's share of the filters' gradient to `part`, `[tap, channels filled up]`.
    fn correlate<L>(x: &[f32], dy: &[f32], geometry: &Geometry, part: &mut [f32]) {
        // A row at a time, whose pixels stay in the first-level cache from one vector of channels to the next.
        for row in 0..geometry.output()[0] {
            for at in (0..geometry.channels).step_by(LANES) {
                if geometry.kernel_size == 3 {
                    correlate_three::<L>(x, dy, geometry, [row, at], part);
                } else {
                    correlate_any::<L>(x, dy, geometry, [row, at], part);
                }
            }
        }
    }
}

/// [`correlate`] for one row of outputs and one vector of channels.
#[inline(always)]
fn correlate_any<L: Lanes>(
    x: &[f32],
    dy: &[f32],
    geometry: &Geometry,
    [row, at]: [usize; 2],
    part: &mut [f32],
) {
    let &Geometry { channels, kernel_size, stride, input: [height, width], .. } = geometry;
    let (across, frame) = (geometry.output()[1], kernel_size / 2);
    for line in 0..kernel_size {
        let from = (row * stride + line).wrapping_sub(frame);
        if from >= height {
            continue;
        }
        for tap in 0..kernel_size {
            let to = (line * kernel_size + tap) * padded(channels) + at;
            let mut sum = L::load_at(part, to);
            for column in 0..across {
                let over = (column * stride + tap).wrapping_sub(frame);
                if over < width {
                    let x = L::load_at(x, (from * width + over) * channels + at);
                    let dy = L::load_at(dy, (row * across + column) * channels + at);
                    sum = x.mul_add(dy, sum);
                }
            }
            sum.store_at(&mut part[to..to + LANES], 0);
        }
    }
}

/// As [`correlate_any`], of a 3×3 kernel: all nine sums are in registers.
#[inline(always)]
fn correlate_three<L: Lanes>(
    x: &[f32],
    dy: &[f32],
    geometry: &Geometry,
    [row, at]: [usize; 2],
    part: &mut [f32],
) {
    let &Geometry { channels, stride, input: [height, width], .. } = geometry;
    let across = geometry.output()[1];
    let filled = padded(channels);
    let mut sums = L::load_every::<9>(part, at, filled);
    for column in 0..across {
        let dy = L::load_at(dy, (row * across + column) * channels + at);
        for line in 0..3 {
            let from = row * stride + line;
            if from == 0 || from > height {
                continue;
            }
            let (pixel, over) = ((from - 1) * width + column * stride, column * stride);
            let x: [L; 3] = neighbours(x, geometry, pixel, over, at);
            for tap in 0..3 {
                sums[line * 3 + tap] = x[tap].mul_add(dy, sums[line * 3 + tap]);
            }
        }
    }
    L::store_every(sums, part, at, filled);
}

/// The gradient of the filters `[channels, 1, kernel, kernel]` from every task's part, in order.
pub(crate) fn filter_gradient(parts: &[&[f32]], geometry: &Geometry) -> Vec<f32> {
    let (taps, stride) = (geometry.kernel_size * geometry.kernel_size, padded(geometry.channels));
    let sum = |at: usize| parts.iter().map(|part| part[at]).sum();
    let index = |at: usize| (at % taps) * stride + at / taps;
    (0..geometry.channels * taps).map(|at| sum(index(at))).collect()
}
