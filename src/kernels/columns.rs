//! Convolutions of any extent, a kernel row at a time.
//!
//! Images are copied once with zeros around them. The pixels under a kernel row are then one
//! stretch of memory, and the patches of a row of outputs are overlapping rows of a matrix: each
//! kernel row is one product with that matrix, without a copy of every patch (im2col).

use super::{
    gemm::{self, Panels},
    geometry::Geometry,
    lanes::{LANES, padded, vectorised},
};

/// Floats under one row of the kernel.
pub(crate) fn depth(geometry: &Geometry) -> usize {
    geometry.kernel_size * geometry.channels
}

/// An image with zeros around it, as far as the kernel reaches.
pub(crate) struct Framed {
    width: usize,
    values: Vec<f32>,
}

/// A framed image to read. A kernel of one pixel needs no frame.
pub(crate) struct Under<'a> {
    width: usize,
    values: &'a [f32],
}

impl Framed {
    pub fn new(geometry: &Geometry) -> Self {
        let [height, width] = geometry.input.map(|length| length + geometry.kernel_size / 2 * 2);
        let length = if geometry.kernel_size == 1 { 0 } else { height * width * geometry.channels };
        Self { width, values: vec![0.0; length] }
    }

    /// Takes an image in.
    pub fn under<'a>(&'a mut self, image: &'a [f32], geometry: &Geometry) -> Under<'a> {
        if geometry.kernel_size == 1 {
            return Under { width: self.width, values: image };
        }
        self.rows(geometry)
            .zip(image.chunks_exact(geometry.input[1] * geometry.channels))
            .for_each(|(to, from)| to.copy_from_slice(from));
        Under { width: self.width, values: &self.values }
    }

    /// Gathers in `image` what `add` adds to a framed image of the given width, which is 0 before.
    pub fn gather(
        &mut self,
        image: &mut [f32],
        geometry: &Geometry,
        add: impl FnOnce(&mut [f32], usize),
    ) {
        if geometry.kernel_size == 1 {
            image.fill(0.0);
            add(image, self.width);
            return;
        }
        self.values.fill(0.0);
        add(&mut self.values, self.width);
        self.rows(geometry)
            .zip(image.chunks_exact_mut(geometry.input[1] * geometry.channels))
            .for_each(|(from, to)| to.copy_from_slice(from));
    }

    /// The image's rows within the frame.
    fn rows(&mut self, geometry: &Geometry) -> impl Iterator<Item = &mut [f32]> {
        let &Geometry { channels, kernel_size, input, .. } = geometry;
        let (frame, length) = (kernel_size / 2 * channels, input[1] * channels);
        let rows = self.values.chunks_exact_mut(self.width * channels);
        rows.skip(kernel_size / 2).take(input[0]).map(move |row| &mut row[frame..frame + length])
    }
}

/// From where row `line` of the kernel reads for the first output of row `row`, in a framed image of
/// the given width.
fn start(geometry: &Geometry, width: usize, row: usize, line: usize) -> usize {
    (row * geometry.stride + line) * width * geometry.channels
}

impl Under<'_> {
    /// One row of outputs, `[column, filters filled up]`; a matrix of `filters` for each kernel row.
    pub fn convolve(&self, geometry: &Geometry, row: usize, filters: &Panels, out: &mut [f32]) {
        let (stride, across) = (geometry.stride * geometry.channels, geometry.output()[1]);
        for line in 0..filters.matrices {
            let from = &self.values[start(geometry, self.width, row, line)..];
            gemm::product(from, stride, across, filters, line, line > 0, out);
        }
    }

    /// Adds a row of outputs' share of the filters' gradient to `part`, `[kernel row, depth,
    /// filters filled up]`; `dy` is `[column, filters filled up]`.
    pub fn correlate(&self, geometry: &Geometry, row: usize, dy: &[f32], part: &mut [f32]) {
        let (columns, across) = (padded(geometry.filters), geometry.output()[1]);
        let stride = [geometry.stride * geometry.channels, columns];
        let depth = depth(geometry);
        for (line, part) in part.chunks_exact_mut(depth * columns).enumerate() {
            let from = &self.values[start(geometry, self.width, row, line)..];
            gemm::outer(from, dy, stride, across, depth, columns, true, part);
        }
    }
}

/// Adds what a row of outputs gives back to each pixel of a framed image of the given width: the
/// adjoint of [`Under::convolve`]. `scratch` holds a row of outputs of the turned filters.
pub(crate) fn spread(
    framed: &mut [f32],
    width: usize,
    geometry: &Geometry,
    row: usize,
    dy: &[f32],
    turned: &Panels,
    scratch: &mut [f32],
) {
    let (stride, across) = (geometry.stride * geometry.channels, geometry.output()[1]);
    let (columns, depth) = (padded(geometry.filters), depth(geometry));
    for line in 0..turned.matrices {
        gemm::product(dy, columns, across, turned, line, false, scratch);
        let to = &mut framed[start(geometry, width, row, line)..];
        add_rows(scratch, turned.columns, depth, across, to, stride);
    }
}

/// `[pixel, filters]` filled up to whole vectors, in `wide` where they are not whole.
pub(crate) fn filled<'a>(rows: &'a [f32], filters: usize, wide: &'a mut [f32]) -> &'a [f32] {
    if filters == padded(filters) {
        return rows;
    }
    let pairs = wide.chunks_exact_mut(padded(filters)).zip(rows.chunks_exact(filters));
    pairs.for_each(|(wide, row)| wide[..filters].copy_from_slice(row));
    wide
}

vectorised! {
    /// Adds `depth` values of each of `count` rows of `from`, `from_stride` apart, to rows of `to`
    /// that may overlap.
    fn add_rows<L>(
        from: &[f32], from_stride: usize, depth: usize, count: usize, to: &mut [f32], to_stride: usize,
    ) {
        for row in 0..count {
            let from = &from[row * from_stride..][..depth];
            let to = &mut to[row * to_stride..][..depth];
            for at in (0..depth).step_by(LANES) {
                L::load_at(to, at).add(L::load_at(from, at)).store_at(to, at);
            }
        }
    }
}

vectorised! {
    /// Copies rows of `filters` values, `stride` apart, to pixels, and adds them and their squares
    /// to `sums` and `squares`.
    fn emit<L>(
        rows: &[f32], stride: usize, filters: usize, pixels: &mut [f32], sums: &mut [f32], squares: &mut [f32],
    ) {
        for at in (0..filters).step_by(LANES) {
            let (mut sum, mut square) = (L::load_at(sums, at), L::load_at(squares, at));
            for (row, pixel) in rows.chunks_exact(stride).zip(pixels.chunks_exact_mut(filters)) {
                let value = L::load_at(row, at);
                value.store_at(pixel, at);
                sum = sum.add(value);
                square = value.mul_add(value, square);
            }
            sum.store_at(sums, at);
            square.store_at(squares, at);
        }
    }
}

/// The filters `[filters, channels, kernel, kernel]` as `[depth, filters]` for each kernel row.
pub(crate) fn forward_filters(weight: &[f32], geometry: &Geometry) -> Panels {
    Panels::from_fn(geometry.kernel_size, depth(geometry), geometry.filters, |line, row, filter| {
        weight[index(geometry, filter, line, row)]
    })
}

/// The filters as `[filters filled up, depth]` for each kernel row.
pub(crate) fn backward_filters(weight: &[f32], geometry: &Geometry) -> Panels {
    let filters = padded(geometry.filters);
    Panels::from_fn(geometry.kernel_size, filters, depth(geometry), |line, filter, row| {
        if filter < geometry.filters { weight[index(geometry, filter, line, row)] } else { 0.0 }
    })
}

/// The sum of `parts`, each `[kernel row, depth, filters filled up]`, as `[filters, channels, kernel,
/// kernel]`.
pub(crate) fn filter_gradient(parts: &[&[f32]], geometry: &Geometry) -> Vec<f32> {
    let (depth, columns) = (depth(geometry), padded(geometry.filters));
    let mut out = vec![0.0; geometry.filters * geometry.kernel_size * depth];
    for line in 0..geometry.kernel_size {
        for row in 0..depth {
            for filter in 0..geometry.filters {
                let at = (line * depth + row) * columns + filter;
                out[index(geometry, filter, line, row)] = parts.iter().map(|part| part[at]).sum();
            }
        }
    }
    out
}

/// Where the weight of a filter for a position under a kernel row lies in `[filters, channels, kernel,
/// kernel]`.
fn index(geometry: &Geometry, filter: usize, line: usize, row: usize) -> usize {
    let &Geometry { channels, kernel_size, .. } = geometry;
    let (column, channel) = (row / channels, row % channels);
    ((filter * channels + channel) * kernel_size + line) * kernel_size + column
}
