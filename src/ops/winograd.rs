//! 3×3 convolutions with stride 1 by Winograd's F(2×2, 3×3): 16 multiplications for four outputs
//! where the direct method needs 36 (Lavin and Gray 2016, "Fast Algorithms for Convolutional
//! Neural Networks", section 4.1, whose matrices Bᵀ, G and Aᵀ these are).
//!
//! Images are covered by tiles of 2×2 outputs. Each tile's 4×4 input patch d becomes BᵀdB, each
//! filter g becomes GgGᵀ, their products are summed over the channels (16 matrix products), and Aᵀ·A
//! turns each sum into 2×2 outputs. The gradient of the filter is the adjoint of the same steps:
//! Gᵀ(Σ BᵀdB ⊙ AeAᵀ)G, e the outputs' gradient.

use super::{
    gemm::{self, Panels},
    lanes::{LANES, Lanes, padded, vectorised},
};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

/// Elements of a transformed tile.
pub(crate) const PLANES: usize = 16;

/// 2×2 tiles over images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    /// Rows and columns of an image.
    pub image: [usize; 2],
    /// Channels of the images that the tiles are cut from.
    pub channels: usize,
}

impl Tiles {
    /// Tiles of one image.
    pub fn per_image(&self) -> usize {
        self.image[0].div_ceil(2) * self.image[1].div_ceil(2)
    }

    /// The top left output of a tile: the number of its image, its row and its column.
    #[inline(always)]
    fn corner(&self, tile: usize) -> [usize; 3] {
        let across = self.image[1].div_ceil(2);
        let (image, place) = (tile / self.per_image(), tile % self.per_image());
        [image, place / across * 2, place % across * 2]
    }

    /// Where the channels of a pixel start, if the pixel is within its image.
    #[inline(always)]
    fn pixel(&self, image: usize, row: usize, column: usize) -> Option<usize> {
        let [height, width] = self.image;
        (row < height && column < width)
            .then(|| ((image * height + row) * width + column) * self.channels)
    }
}

/// Transformed tiles: 16 planes of `[tile, channels]`, channels filled up to whole vectors.
///
/// A line of 64 bytes between the planes keeps them from falling on the same cache sets.
pub(crate) struct Planes {
    pub channels: usize,
    capacity: usize,
    values: Vec<f32>,
}

const GAP: usize = 16;

impl Planes {
    pub fn new(tiles: usize, channels: usize) -> Self {
        let channels = padded(channels);
        Self { channels, capacity: tiles, values: vec![0.0; PLANES * (tiles * channels + GAP)] }
    }

    #[inline(always)]
    fn stride(&self) -> usize {
        self.capacity * self.channels + GAP
    }

    pub fn plane(&self, plane: usize) -> &[f32] {
        &self.values[plane * self.stride()..][..self.capacity * self.channels]
    }

    pub fn plane_mut(&mut self, plane: usize) -> &mut [f32] {
        let stride = self.stride();
        &mut self.values[plane * stride..][..self.capacity * self.channels]
    }
}

/// `out = planes · filter` for the first `tiles` tiles.
pub(crate) fn multiply(planes: &Planes, filter: &[Panels], tiles: usize, out: &mut Planes) {
    for (plane, filter) in filter.iter().enumerate() {
        let from = planes.plane(plane);
        gemm::product(from, planes.channels, tiles, filter, false, out.plane_mut(plane));
    }
}

/// Adds the first `tiles` tiles' share of the transformed filter's gradient to `out`, 16 planes of
/// `[channels, filters]`; `channels` are those of `input`, `filters` those of `gradient`, filled up.
pub(crate) fn correlate(
    input: &Planes,
    gradient: &Planes,
    channels: usize,
    tiles: usize,
    out: &mut [f32],
) {
    let filters = gradient.channels;
    let stride = [input.channels, filters];
    for (plane, out) in out.chunks_exact_mut(channels * filters).enumerate() {
        let (a, b) = (input.plane(plane), gradient.plane(plane));
        gemm::outer(a, b, stride, tiles, channels, filters, out);
    }
}

vectorised! {
    /// BᵀdB of the input patch of each of `count` tiles from `first` on.
    fn transform_input<L>(images: &[f32], shape: Tiles, first: usize, count: usize, out: &mut Planes) {
        let (channels, stride) = (out.channels, out.stride());
        let across = shape.image[1].div_ceil(2);
        let mut place = 0;
        while place < count {
            let [image, row, column] = shape.corner(first + place);
            // Neighbours in a row of tiles: two of a patch's four columns are also the next one's.
            let run = (across - column / 2).min(count - place);
            let mut lines: [&[f32]; 4] = [&[]; 4];
            for line in 0..4 {
                // The patch starts one pixel above and left of its outputs; a row before the image
                // wraps to a huge number, which is not within it either.
                if let Some(start) = shape.pixel(image, (row + line).wrapping_sub(1), 0) {
                    lines[line] = &images[start..start + shape.image[1] * shape.channels];
                }
            }
            for at in (0..shape.channels).step_by(LANES) {
                let before = if column == 0 { [L::splat(0.0); 4] } else { down(&lines, column - 1, shape.channels, at) };
                let mut left = [before, down(&lines, column, shape.channels, at)];
                for tile in 0..run {
                    let next = column + 2 * tile + 1;
                    let right = [down(&lines, next, shape.channels, at), down(&lines, next + 1, shape.channels, at)];
                    let mut full = [left[0][0]; PLANES];
                    for row in 0..4 {
                        let [a, b, c, e] = [left[0][row], left[1][row], right[0][row], right[1][row]];
                        full[row * 4] = a.sub(c);
                        full[row * 4 + 1] = b.add(c);
                        full[row * 4 + 2] = c.sub(b);
                        full[row * 4 + 3] = b.sub(e);
                    }
                    L::store_every(full, &mut out.values, (place + tile) * channels + at, stride);
                    left = right;
                }
            }
            place += run;
        }
    }
}

/// Bᵀd of one column of a patch, whose four rows are `lines`; pixels outside the image are 0.
#[inline(always)]
fn down<L: Lanes>(lines: &[&[f32]; 4], column: usize, channels: usize, at: usize) -> [L; 4] {
    let mut d = [L::splat(0.0); 4];
    for line in 0..4 {
        if let Some(pixel) = lines[line].get(column * channels..(column + 1) * channels) {
            d[line] = L::load_at(pixel, at);
        }
    }
    let [a, b, c, e] = d;
    [a.sub(c), b.add(c), c.sub(b), b.sub(e)]
}

vectorised! {
    /// AeAᵀ of the 2×2 outputs' gradient of each of `count` tiles from `first` on.
    fn transform_gradient<L>(images: &[f32], shape: Tiles, first: usize, count: usize, out: &mut Planes) {
        let (channels, stride) = (out.channels, out.stride());
        let zeros = vec![0.0; shape.channels];
        for place in 0..count {
            let [image, row, column] = shape.corner(first + place);
            let mut four: [&[f32]; 4] = [&zeros; 4];
            for (at, pixel) in four.iter_mut().enumerate() {
                if let Some(start) = shape.pixel(image, row + at / 2, column + at % 2) {
                    *pixel = &images[start..start + shape.channels];
                }
            }
            for at in (0..shape.channels).step_by(LANES) {
                let (a, b) = (L::load_at(four[0], at), L::load_at(four[1], at));
                let (c, e) = (L::load_at(four[2], at), L::load_at(four[3], at));
                let zero = L::splat(0.0);
                let rows = [[a, b], [a.add(c), b.add(e)], [a.sub(c), b.sub(e)], [zero.sub(c), zero.sub(e)]];
                let mut full = [zero; PLANES];
                for row in 0..4 {
                    let [left, right] = rows[row];
                    let line = [left, left.add(right), left.sub(right), zero.sub(right)];
                    full[row * 4..row * 4 + 4].copy_from_slice(&line);
                }
                L::store_every(full, &mut out.values, place * channels + at, stride);
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
        let (channels, stride) = (planes.channels, planes.stride());
        for place in 0..count {
            let [image, row, column] = shape.corner(first + place);
            let mut pixels = [None; 4];
            for (at, pixel) in pixels.iter_mut().enumerate() {
                *pixel = shape.pixel(image, row + at / 2, column + at % 2);
            }
            for at in (0..shape.channels).step_by(LANES) {
                let m: [L; PLANES] = L::load_every(&planes.values, place * channels + at, stride);
                let mut top = [m[0]; 4];
                let mut bottom = [m[0]; 4];
                for column in 0..4 {
                    let [a, b, c, e] = [m[column], m[4 + column], m[8 + column], m[12 + column]];
                    top[column] = a.add(b).add(c);
                    bottom[column] = b.sub(c).sub(e);
                }
                let outputs = [
                    top[0].add(top[1]).add(top[2]),
                    top[1].sub(top[2]).sub(top[3]),
                    bottom[0].add(bottom[1]).add(bottom[2]),
                    bottom[1].sub(bottom[2]).sub(bottom[3]),
                ];
                let mut sum = L::load_at(sums, at);
                let mut square = L::load_at(squares, at);
                for output in 0..4 {
                    let value = outputs[output];
                    if let Some(pixel) = pixels[output] {
                        value.store_at(&mut images[pixel..pixel + shape.channels], at);
                        sum = sum.add(value);
                        square = value.mul_add(value, square);
                    }
                }
                sum.store_at(sums, at);
                square.store_at(squares, at);
            }
        }
    }
}

/// GgGᵀ of the filters `[filters, channels, 3, 3]`: 16 matrices `[channels, filters]`.
pub(crate) fn transform_filters(weight: &[f32], filters: usize, channels: usize) -> Vec<Panels> {
    spread(weight, channels, filters, |channel, filter| (filter * channels + channel) * 9, false)
}

/// The same for the gradient of the input, a convolution with the filters turned by 180° whose
/// input channels are the filters: 16 matrices `[filters, channels]`.
pub(crate) fn transform_turned(weight: &[f32], filters: usize, channels: usize) -> Vec<Panels> {
    spread(weight, filters, channels, |filter, channel| (filter * channels + channel) * 9, true)
}

fn spread(
    weight: &[f32],
    depth: usize,
    columns: usize,
    start: impl Fn(usize, usize) -> usize,
    turned: bool,
) -> Vec<Panels> {
    let mut panels = vec![Panels::zeros(depth, columns); PLANES];
    for row in 0..depth {
        for first in (0..columns).step_by(LANES) {
            let mut planes = [[0.0; LANES]; PLANES];
            for lane in 0..LANES.min(columns - first) {
                let at = start(row, first + lane);
                let filter = &weight[at..at + 9];
                let g = |place: usize| filter[if turned { 8 - place } else { place }];
                let transformed = transform_filter(std::array::from_fn(g));
                for (plane, value) in planes.iter_mut().zip(transformed) {
                    plane[lane] = value;
                }
            }
            for (panels, plane) in panels.iter_mut().zip(planes) {
                panels.vector_mut(row, first).copy_from_slice(&plane);
            }
        }
    }
    panels
}

#[inline(always)]
fn transform_filter(g: [f32; 9]) -> [f32; PLANES] {
    let four = |a: f32, b: f32, c: f32| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let columns: [[f32; 4]; 3] =
        std::array::from_fn(|column| four(g[column], g[3 + column], g[6 + column]));
    let mut out = [0.0; PLANES];
    for row in 0..4 {
        let line = four(columns[0][row], columns[1][row], columns[2][row]);
        out[row * 4..row * 4 + 4].copy_from_slice(&line);
    }
    out
}

/// GᵀuG, u the sum of `parts`, each 16 planes of `[channels, filters filled up]`: the gradient of
/// the filters, `[filters, channels, 3, 3]`.
pub(crate) fn filter_gradient(parts: &[&[f32]], filters: usize, channels: usize) -> Vec<f32> {
    let mut out = vec![0.0; filters * channels * 9];
    out.par_chunks_mut(LANES * channels * 9).enumerate().for_each(|(group, out)| {
        gradient_of_filters(parts, group * LANES, padded(filters), channels, out);
    });
    out
}

vectorised! {
    /// The gradient of eight filters from `first` on, or of fewer at the end.
    fn gradient_of_filters<L>(
        parts: &[&[f32]], first: usize, columns: usize, channels: usize, out: &mut [f32],
    ) {
        let plane = channels * columns;
        let half = L::splat(0.5);
        for channel in 0..channels {
            let place = channel * columns + first;
            let mut u = [L::splat(0.0); PLANES];
            for part in parts {
                for at in 0..PLANES {
                    u[at] = u[at].add(L::load_at(&part[at * plane + place..][..LANES], 0));
                }
            }
            let mut columns_done = [L::splat(0.0); 12];
            for at in 0..4 {
                let [a, b, c, e] = [u[at], u[4 + at], u[8 + at], u[12 + at]];
                let both = b.add(c).mul(half);
                columns_done[at] = a.add(both);
                columns_done[4 + at] = b.sub(c).mul(half);
                columns_done[8 + at] = both.add(e);
            }
            let mut nine = [[0.0; LANES]; 9];
            for row in 0..3 {
                let [a, b, c, e] = [
                    columns_done[row * 4],
                    columns_done[row * 4 + 1],
                    columns_done[row * 4 + 2],
                    columns_done[row * 4 + 3],
                ];
                let both = b.add(c).mul(half);
                a.add(both).store(&mut nine[row * 3]);
                b.sub(c).mul(half).store(&mut nine[row * 3 + 1]);
                both.add(e).store(&mut nine[row * 3 + 2]);
            }
            for (lane, out) in out.chunks_exact_mut(channels * 9).enumerate() {
                for at in 0..9 {
                    out[channel * 9 + at] = nine[at][lane];
                }
            }
        }
    }
}
