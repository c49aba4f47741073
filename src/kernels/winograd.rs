//! 3×3 convolutions with stride 1 by Winograd's F(4×4, 3×3): 36 multiplications for sixteen outputs
//! where the direct method needs 144; or, where an image is too small for that, by F(2×2, 3×3), 16 for
//! 36 (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//!
//! Images are covered by square tiles of outputs. Each tile's input patch d becomes BᵀdB, each filter
//! g becomes GgGᵀ, their products are summed over the channels (a matrix product for each element), and
//! Aᵀ·A turns each sum into outputs. The gradient of the filter is the adjoint of the same steps:
//! Gᵀ(Σ BᵀdB ⊙ AeAᵀ)G, e the outputs' gradient. [`Minimal`] has the matrices.

use super::{
    gemm::Panels,
    lanes::{LANES, Lanes, padded, vectorised},
    minimal::{Four, Minimal, Two},
    tiles::{Planes, Size, Tiles, gradient_stride},
};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

vectorised! {
    /// BᵀdB of the input patch of each of `count` tiles from `first` on.
    fn transform_input<L>(images: &[f32], shape: Tiles, first: usize, count: usize, out: &mut Planes) {
        match shape.size {
            Size::Two => input::<L, Two, 2, 4>(images, shape, first, count, out),
            Size::Four => input::<L, Four, 4, 6>(images, shape, first, count, out),
        }
    }
}

#[inline(always)]
fn input<L: Lanes, M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>(
    images: &[f32],
    shape: Tiles,
    first: usize,
    count: usize,
    out: &mut Planes,
) {
    let (channels, stride) = (out.channels, out.stride());
    let mut index = 0;
    while index < count {
        let [image, row, column] = shape.corner(first + index);
        // Neighbours in a row of tiles: the last two columns of a patch are the next one's first.
        let run = (shape.across() - column / OUT).min(count - index);
        let mut lines: [&[f32]; IN] = [&[]; IN];
        for line in 0..IN {
            // The patch starts one pixel above and left of its outputs; a row before the image
            // wraps to a huge number, which is not within it either.
            if let Some(start) = shape.pixel(image, (row + line).wrapping_sub(1), 0) {
                lines[line] = &images[start..start + shape.image[1] * shape.channels];
            }
        }
        for at in (0..shape.channels).step_by(LANES) {
            let mut columns = [[L::splat(0.0); IN]; IN];
            if column > 0 {
                columns[0] = M::input(pixels(&lines, column - 1, shape.channels, at));
            }
            columns[1] = M::input(pixels(&lines, column, shape.channels, at));
            for tile in 0..run {
                let next = column + OUT * tile + 1;
                for new in 0..OUT {
                    columns[2 + new] = M::input(pixels(&lines, next + new, shape.channels, at));
                }
                for row in 0..IN {
                    let start = (index + tile) * channels + at + row * IN * stride;
                    L::store_every(M::input(across(&columns, row)), &mut out.values, start, stride);
                }
                columns[0] = columns[OUT];
                columns[1] = columns[OUT + 1];
            }
        }
        index += run;
    }
}

/// Eight channels of the pixels of one column of a patch, whose rows are `lines`; those outside the
/// image are 0.
#[inline(always)]
fn pixels<L: Lanes, const IN: usize>(
    lines: &[&[f32]; IN],
    column: usize,
    channels: usize,
    at: usize,
) -> [L; IN] {
    let mut d = [L::splat(0.0); IN];
    for line in 0..IN {
        if let Some(pixel) = lines[line].get(column * channels..(column + 1) * channels) {
            d[line] = L::load_at(pixel, at);
        }
    }
    d
}

/// Element `row` of each column.
#[inline(always)]
fn across<L: Lanes, const LENGTH: usize, const COUNT: usize>(
    columns: &[[L; LENGTH]; COUNT],
    row: usize,
) -> [L; COUNT] {
    let mut line = [columns[0][row]; COUNT];
    for column in 0..COUNT {
        line[column] = columns[column][row];
    }
    line
}

vectorised! {
    /// AeAᵀ of the outputs' gradient of each of `count` tiles from `first` on.
    fn transform_gradient<L>(images: &[f32], shape: Tiles, first: usize, count: usize, out: &mut Planes) {
        match shape.size {
            Size::Two => gradient::<L, Two, 2, 4>(images, shape, first, count, out),
            Size::Four => gradient::<L, Four, 4, 6>(images, shape, first, count, out),
        }
    }
}

#[inline(always)]
fn gradient<L: Lanes, M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>(
    images: &[f32],
    shape: Tiles,
    first: usize,
    count: usize,
    out: &mut Planes,
) {
    let (channels, stride) = (out.channels, out.stride());
    let zeros = vec![0.0; shape.channels];
    for index in 0..count {
        let [image, top, left] = shape.corner(first + index);
        let mut outputs: [[&[f32]; OUT]; OUT] = [[&zeros; OUT]; OUT];
        for row in 0..OUT {
            for column in 0..OUT {
                if let Some(start) = shape.pixel(image, top + row, left + column) {
                    outputs[column][row] = &images[start..start + shape.channels];
                }
            }
        }
        for at in (0..shape.channels).step_by(LANES) {
            let mut columns = [[L::splat(0.0); IN]; OUT];
            for column in 0..OUT {
                let mut e = [L::splat(0.0); OUT];
                for row in 0..OUT {
                    e[row] = L::load_at(outputs[column][row], at);
                }
                columns[column] = M::gradient(e);
            }
            for row in 0..IN {
                let start = index * channels + at + row * IN * stride;
                L::store_every(M::gradient(across(&columns, row)), &mut out.values, start, stride);
            }
        }
    }
}

vectorised! {
    /// AᵀmA of each of `count` tiles, written to the images from tile `first` on; `sums` and
    /// `squares` gain the outputs of each channel, filled up to whole vectors, and their squares.
    fn transform_output<L>(
        planes: &Planes, shape: Tiles, first: usize, count: usize, images: &mut [f32],
        sums: &mut [f32], squares: &mut [f32],
    ) {
        match shape.size {
            Size::Two => output::<L, Two, 2, 4>(planes, shape, first, count, images, sums, squares),
            Size::Four => output::<L, Four, 4, 6>(planes, shape, first, count, images, sums, squares),
        }
    }
}

#[inline(always)]
fn output<L: Lanes, M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>(
    planes: &Planes,
    shape: Tiles,
    first: usize,
    count: usize,
    images: &mut [f32],
    sums: &mut [f32],
    squares: &mut [f32],
) {
    let (channels, stride) = (planes.channels, planes.stride());
    for index in 0..count {
        let [image, top, left] = shape.corner(first + index);
        let mut pixels = [[None; OUT]; OUT];
        for row in 0..OUT {
            for column in 0..OUT {
                pixels[row][column] = shape.pixel(image, top + row, left + column);
            }
        }
        for at in (0..shape.channels).step_by(LANES) {
            let mut columns = [[L::splat(0.0); OUT]; IN];
            for column in 0..IN {
                let start = index * channels + at + column * stride;
                columns[column] = M::output(L::load_every(&planes.values, start, IN * stride));
            }
            let mut sum = L::load_at(sums, at);
            let mut square = L::load_at(squares, at);
            for row in 0..OUT {
                let outputs = M::output(across(&columns, row));
                for column in 0..OUT {
                    if let Some(pixel) = pixels[row][column] {
                        let value = outputs[column];
                        value.store_at(&mut images[pixel..pixel + shape.channels], at);
                        sum = sum.add(value);
                        square = value.mul_add(value, square);
                    }
                }
            }
            sum.store_at(sums, at);
            square.store_at(squares, at);
        }
    }
}

/// GgGᵀ of the filters `[filters, channels, 3, 3]`: a matrix `[channels, filters]` for each element.
pub(crate) fn transform_filters(
    weight: &[f32],
    filters: usize,
    channels: usize,
    size: Size,
) -> Panels {
    Panels::new(size.planes(), channels, filters, |first, width, panel| {
        let start = [9, first * channels * 9, channels * 9];
        spread(weight, size, start, [channels, width, filters - first], false, panel);
    })
}

/// The same for the gradient of the input, a convolution with the filters turned by 180° whose
/// input channels are the filters: matrices `[filters, channels]`.
pub(crate) fn transform_turned(
    weight: &[f32],
    filters: usize,
    channels: usize,
    size: Size,
) -> Panels {
    Panels::new(size.planes(), filters, channels, |first, width, panel| {
        let start = [channels * 9, first * 9, 9];
        spread(weight, size, start, [filters, width, channels - first], true, panel);
    })
}

vectorised! {
    /// A panel of transformed filters, `[element, depth, width]`, the first `there` columns of which
    /// there are. The filter of a row and a column starts at `row · start[0] + start[1] + column ·
    /// start[2]`.
    fn spread<L>(
        weight: &[f32], size: Size, start: [usize; 3], shape: [usize; 3], turned: bool, panel: &mut [f32],
    ) {
        match size {
            Size::Two => filters::<L, Two, 2, 4>(weight, start, shape, turned, panel),
            Size::Four => filters::<L, Four, 4, 6>(weight, start, shape, turned, panel),
        }
    }
}

#[inline(always)]
fn filters<L: Lanes, M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>(
    weight: &[f32],
    [by_row, first, by_column]: [usize; 3],
    [depth, width, there]: [usize; 3],
    turned: bool,
    panel: &mut [f32],
) {
    for row in 0..depth {
        for at in (0..width).step_by(LANES) {
            let mut g = [[0.0; LANES]; 9];
            for lane in 0..LANES.min(there - at) {
                let filter = &weight[row * by_row + first + (at + lane) * by_column..][..9];
                for index in 0..9 {
                    g[if turned { 8 - index } else { index }][lane] = filter[index];
                }
            }
            let mut down = [[L::splat(0.0); IN]; 3];
            for column in 0..3 {
                down[column] = M::filter([
                    L::load(&g[column]),
                    L::load(&g[3 + column]),
                    L::load(&g[6 + column]),
                ]);
            }
            for line in 0..IN {
                let start = (line * IN * depth + row) * width + at;
                L::store_every(M::filter(across(&down, line)), panel, start, depth * width);
            }
        }
    }
}

/// GᵀuG, u the sum of `parts`, each a plane of `[channels, filters filled up]` for every element,
/// [`gradient_stride`] apart: the gradient of the filters, `[filters, channels, 3, 3]`.
pub(crate) fn filter_gradient(
    parts: &[&[f32]],
    filters: usize,
    channels: usize,
    size: Size,
) -> Vec<f32> {
    let mut out = vec![0.0; filters * channels * 9];
    // Two vectors at a time: a line of the cache has so many.
    out.par_chunks_mut(2 * LANES * channels * 9).enumerate().for_each(|(group, out)| {
        gradient_of_filters(parts, size, group * 2 * LANES, padded(filters), channels, out);
    });
    out
}

vectorised! {
    /// The gradient of sixteen filters from `first` on, or of fewer at the end.
    fn gradient_of_filters<L>(
        parts: &[&[f32]], size: Size, first: usize, columns: usize, channels: usize, out: &mut [f32],
    ) {
        for channel in 0..channels {
            for (vector, out) in out.chunks_mut(LANES * channels * 9).enumerate() {
                let index = channel * columns + first + vector * LANES;
                let stride = gradient_stride(channels, columns);
                match size {
                    Size::Two => eight_filters::<L, Two, 2, 4>(parts, index, stride, channel, channels, out),
                    Size::Four => eight_filters::<L, Four, 4, 6>(parts, index, stride, channel, channels, out),
                }
            }
        }
    }
}

/// One channel of eight filters, whose elements lie at `index` and then `stride` apart.
#[inline(always)]
fn eight_filters<L: Lanes, M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>(
    parts: &[&[f32]],
    index: usize,
    stride: usize,
    channel: usize,
    channels: usize,
    out: &mut [f32],
) {
    let mut down = [[L::splat(0.0); 3]; IN];
    for column in 0..IN {
        let mut u = [L::splat(0.0); IN];
        for part in parts {
            let more: [L; IN] = L::load_every(part, index + column * stride, IN * stride);
            for row in 0..IN {
                u[row] = u[row].add(more[row]);
            }
        }
        down[column] = M::filter_gradient(u);
    }
    let mut nine = [[[0.0; LANES]; 3]; 3];
    for row in 0..3 {
        let line = M::filter_gradient(across(&down, row));
        for column in 0..3 {
            line[column].store(&mut nine[row][column]);
        }
    }
    let nine = nine.as_flattened();
    for (lane, out) in out.chunks_exact_mut(channels * 9).enumerate() {
        for at in 0..9 {
            out[channel * 9 + at] = nine[at][lane];
        }
    }
}
