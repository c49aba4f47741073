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
        let ([rows, across], channels) = (geometry.output(), geometry.channels);
        for at in (0..channels).step_by(LANES) {
            let (mut sum, mut square) = (L::load_at(sums, at), L::load_at(squares, at));
            let mut put = |pixel: usize, value: L| {
                value.store_at(&mut y[pixel * channels..][..channels], at);
                sum = sum.add(value);
                square = value.mul_add(value, square);
            };
            for row in 0..rows {
                let mut column = 0;
                while column < across {
                    let pixel = row * across + column;
                    let is_inside = |count: usize| {
                        column > 0 && (column + count - 1) * geometry.stride + 1 < geometry.input[1]
                    };
                    column += match (geometry.kernel_size, geometry.stride) {
                        (3, 1) if is_inside(4) => {
                            put_all(tile::<L, 4, 1>(x, filters, geometry, [row, column], at), pixel, &mut put)
                        }
                        (3, 1) if is_inside(2) => {
                            put_all(tile::<L, 2, 1>(x, filters, geometry, [row, column], at), pixel, &mut put)
                        }
                        (3, 2) if is_inside(2) => {
                            put_all(tile::<L, 2, 2>(x, filters, geometry, [row, column], at), pixel, &mut put)
                        }
                        _ => {
                            put(pixel, one::<L>(x, filters, geometry, [row, column], at));
                            1
                        }
                    };
                }
            }
            sum.store_at(sums, at);
            square.store_at(squares, at);
        }
    }
}

#[inline(always)]
fn put_all<L: Lanes, const C: usize>(
    values: [L; C],
    pixel: usize,
    put: &mut impl FnMut(usize, L),
) -> usize {
    for column in 0..C {
        put(pixel + column, values[column]);
    }
    C
}

/// `C` outputs of a 3×3 kernel at a stride of `S`, none of whose taps lies left or right of the image.
#[inline(always)]
fn tile<L: Lanes, const C: usize, const S: usize>(
    x: &[f32],
    filters: &[f32],
    geometry: &Geometry,
    [row, column]: [usize; 2],
    at: usize,
) -> [L; C] {
    let (channels, [height, width]) = (geometry.channels, geometry.input);
    let stride = padded(channels);
    let mut out = [L::splat(0.0); C];
    for line in 0..3 {
        let from = row * S + line;
        if from == 0 || from > height {
            continue;
        }
        let start = ((from - 1) * width + column * S - 1) * channels;
        let mut taps = [L::splat(0.0); 3];
        for tap in 0..3 {
            taps[tap] = L::load_at(filters, (line * 3 + tap) * stride + at);
        }
        for offset in 0..3 + (C - 1) * S {
            let value = L::load_at(&x[start + offset * channels..][..channels], at);
            for output in 0..C {
                if (output * S..output * S + 3).contains(&offset) {
                    out[output] = value.mul_add(taps[offset - output * S], out[output]);
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
        let &Geometry { channels, kernel_size, stride, input: [height, width], .. } = geometry;
        let ([rows, across], frame) = (geometry.output(), kernel_size / 2);
        for at in (0..channels).step_by(LANES) {
            if kernel_size == 3 {
                correlate_three::<L>(x, dy, geometry, at, part);
                continue;
            }
            for line in 0..kernel_size {
                for tap in 0..kernel_size {
                    let to = (line * kernel_size + tap) * padded(channels) + at;
                    let mut sum = L::load_at(part, to);
                    for row in 0..rows {
                        let from = (row * stride + line).wrapping_sub(frame);
                        for column in 0..across {
                            let over = (column * stride + tap).wrapping_sub(frame);
                            if from < height && over < width {
                                let x = L::load_at(&x[(from * width + over) * channels..][..channels], at);
                                let dy = L::load_at(&dy[(row * across + column) * channels..][..channels], at);
                                sum = x.mul_add(dy, sum);
                            }
                        }
                    }
                    let (eight, _) = part[to..].split_at_mut(LANES);
                    sum.store_at(eight, 0);
                }
            }
        }
    }
}

/// As [`correlate`], of a 3×3 kernel and one vector of channels: all nine sums are in registers.
#[inline(always)]
fn correlate_three<L: Lanes>(
    x: &[f32],
    dy: &[f32],
    geometry: &Geometry,
    at: usize,
    part: &mut [f32],
) {
    let &Geometry { channels, stride, input: [height, width], .. } = geometry;
    let [rows, across] = geometry.output();
    let filled = padded(channels);
    let mut sums = [[L::splat(0.0); 3]; 3];
    for line in 0..3 {
        for tap in 0..3 {
            sums[line][tap] = L::load_at(part, (line * 3 + tap) * filled + at);
        }
    }
    for row in 0..rows {
        let top = row * stride;
        let is_row_inside = top > 0 && top + 1 < height;
        for column in 0..across {
            let left = column * stride;
            let dy = L::load_at(&dy[(row * across + column) * channels..][..channels], at);
            if is_row_inside && left > 0 && left + 1 < width {
                let start = ((top - 1) * width + left - 1) * channels;
                for line in 0..3 {
                    for tap in 0..3 {
                        let start = start + (line * width + tap) * channels;
                        let x = L::load_at(&x[start..start + channels], at);
                        sums[line][tap] = x.mul_add(dy, sums[line][tap]);
                    }
                }
                continue;
            }
            for line in 0..3 {
                for tap in 0..3 {
                    let [from, over] = [top + line, left + tap];
                    if (1..=height).contains(&from) && (1..=width).contains(&over) {
                        let start = ((from - 1) * width + over - 1) * channels;
                        let x = L::load_at(&x[start..start + channels], at);
                        sums[line][tap] = x.mul_add(dy, sums[line][tap]);
                    }
                }
            }
        }
    }
    for line in 0..3 {
        for tap in 0..3 {
            let to = (line * 3 + tap) * filled + at;
            sums[line][tap].store_at(&mut part[to..to + LANES], 0);
        }
    }
}

/// The gradient of the filters `[channels, 1, kernel, kernel]` from every task's part, in order.
pub(crate) fn filter_gradient(parts: &[&[f32]], geometry: &Geometry) -> Vec<f32> {
    let (taps, stride) = (geometry.kernel_size * geometry.kernel_size, padded(geometry.channels));
    let sum = |at: usize| parts.iter().map(|part| part[at]).sum();
    let index = |at: usize| (at % taps) * stride + at / taps;
    (0..geometry.channels * taps).map(|at| sum(index(at))).collect()
}
