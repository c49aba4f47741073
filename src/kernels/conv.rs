//! A convolution's ways on the host: by Winograd's transforms where they apply, a filter for each channel,
//! group by group, and by columns elsewhere. All work on a task's images; the transforms, on a block that
//! fits the second-level cache at a time.

use super::{
    columns::{self, Framed},
    depthwise,
    gemm::Panels,
    geometry::Geometry,
    grouped,
    lanes::{LANES, padded},
    norm::Sums,
    tiles::{self, Planes, Size, Tiles},
    winograd,
};

/// Transformed filters of one direction.
pub(crate) enum Filters {
    Winograd(Panels),
    Columns(Panels),
    /// `[tap, channels filled up]`.
    Depthwise(Vec<f32>),
    /// Of each group.
    Grouped(Vec<Filters>),
}

/// Bytes that a block's transformed inputs and outputs may take: most of a second-level cache of
/// 512 KiB, shared with the filters.
const BLOCK_BYTES: usize = 320 << 10;
/// Fewest tiles or pixels of a block, over which the filters' reading is spread.
const LEAST: usize = 48;

/// Winograd's transforms pay from one vector of channels on.
fn is_winograd(geometry: &Geometry) -> bool {
    let &Geometry { channels, filters, groups, kernel_size, stride, .. } = geometry;
    groups == 1 && kernel_size == 3 && stride == 1 && channels >= LANES && filters >= LANES
}

/// Whether each channel has one filter.
fn is_depthwise(geometry: &Geometry) -> bool {
    let &Geometry { channels, filters, groups, .. } = geometry;
    groups > 1 && groups == channels && groups == filters
}

/// The filters of each group.
fn grouped_filters(
    weight: &[f32],
    geometry: &Geometry,
    filters: fn(&[f32], &Geometry) -> Filters,
) -> Filters {
    let one = grouped::of(geometry);
    let weights = weight.chunks_exact(weight.len() / geometry.groups);
    Filters::Grouped(weights.map(|weight| filters(weight, &one)).collect())
}

/// Tiles or pixels of a block with so many floats each.
fn block(floats: usize) -> usize {
    (BLOCK_BYTES / (4 * floats)).max(LEAST) / 6 * 6
}

/// The filters `[filters, channels of a group, kernel, kernel]` for [`forward`].
pub(crate) fn forward_filters(weight: &[f32], geometry: &Geometry) -> Filters {
    if is_winograd(geometry) {
        let &Geometry { filters, channels, .. } = geometry;
        Filters::Winograd(winograd::transform_filters(weight, filters, channels, size(geometry)))
    } else if is_depthwise(geometry) {
        Filters::Depthwise(depthwise::filters(weight, geometry, false))
    } else if geometry.groups > 1 {
        grouped_filters(weight, geometry, forward_filters)
    } else {
        Filters::Columns(columns::forward_filters(weight, geometry))
    }
}

/// The filters for the gradient of the input.
pub(crate) fn backward_filters(weight: &[f32], geometry: &Geometry) -> Filters {
    if is_winograd(geometry) {
        let &Geometry { filters, channels, .. } = geometry;
        Filters::Winograd(winograd::transform_turned(weight, filters, channels, size(geometry)))
    } else if is_depthwise(geometry) {
        let turned = depthwise::turns(geometry);
        Filters::Depthwise(depthwise::filters(weight, geometry, turned))
    } else if geometry.groups > 1 {
        grouped_filters(weight, geometry, backward_filters)
    } else {
        Filters::Columns(columns::backward_filters(weight, geometry))
    }
}

/// The convolution of some images; gives the sums over its outputs.
pub(crate) fn forward(x: &[f32], filters: &Filters, geometry: &Geometry, y: &mut [f32]) -> Sums {
    let images = x.len() / (geometry.input_pixels() * geometry.channels);
    let mut sums = Sums::new(geometry.filters);
    let [mut sum, mut square] = [(); 2].map(|()| vec![0.0; padded(geometry.filters)]);
    match filters {
        Filters::Winograd(filters) => {
            let (from, to) = tiles(geometry);
            let block = block(from.size.planes() * (padded(from.channels) + padded(to.channels)));
            let total = images * from.per_image();
            let size = block.min(total);
            let mut input = Planes::new(from.size, size, from.channels);
            let mut output = Planes::new(to.size, size, to.channels);
            for first in (0..total).step_by(block) {
                let count = block.min(total - first);
                winograd::transform_input(x, from, first, count, &mut input);
                tiles::multiply(&input, filters, count, &mut output);
                winograd::transform_output(&output, to, first, count, y, &mut sum, &mut square);
                sums.take(&mut sum, &mut square);
            }
        }
        Filters::Columns(filters) => {
            let [rows, across] = geometry.output();
            let (stride, channels) = (padded(geometry.filters), geometry.filters);
            let mut framed = Framed::new(geometry);
            let mut line = vec![0.0; across * stride];
            let pixels = geometry.input_pixels() * geometry.channels;
            let images = x.chunks_exact(pixels).zip(y.chunks_exact_mut(rows * across * channels));
            for (x, y) in images {
                let image = framed.under(x, geometry);
                for (row, y) in y.chunks_exact_mut(across * channels).enumerate() {
                    image.convolve(geometry, row, filters, &mut line);
                    columns::emit(&line, stride, channels, y, &mut sum, &mut square);
                }
                sums.take(&mut sum, &mut square);
            }
        }
        Filters::Depthwise(filters) => {
            let pixels = geometry.input_pixels() * geometry.channels;
            let outputs = geometry.output_pixels() * geometry.filters;
            for (x, y) in x.chunks_exact(pixels).zip(y.chunks_exact_mut(outputs)) {
                depthwise::convolve(x, filters, geometry, y, &mut sum, &mut square);
                sums.take(&mut sum, &mut square);
            }
        }
        Filters::Grouped(all) => {
            let one = grouped::of(geometry);
            let mut from = vec![0.0; x.len() / geometry.groups];
            let mut to = vec![0.0; y.len() / geometry.groups];
            sums = Sums::new(0);
            for (group, filters) in all.iter().enumerate() {
                grouped::take(x, geometry.channels, group, &mut from, one.channels);
                sums.extend(&forward(&from, filters, &one, &mut to));
                grouped::put(&to, one.filters, group, y, geometry.filters);
            }
        }
    }
    sums
}

/// Adds up gradients over blocks of images.
pub(crate) struct Backward<'a> {
    geometry: Geometry,
    /// For the gradient of the input, where it is wanted.
    filters: Option<&'a Filters>,
    scratch: Scratch<'a>,
    /// The filters' gradient so far, in the form that [`filter_gradient`] reads; of groups, each one's work
    /// has its own.
    part: &'a mut [f32],
}

/// Floats of one task's share of the filters' gradient.
pub(crate) fn part_length(geometry: &Geometry) -> usize {
    let outputs = padded(geometry.filters);
    if is_winograd(geometry) {
        size(geometry).planes() * tiles::gradient_stride(geometry.channels, outputs)
    } else if is_depthwise(geometry) {
        geometry.kernel_size * geometry.kernel_size * outputs
    } else if geometry.groups > 1 {
        geometry.groups * part_length(&grouped::of(geometry))
    } else {
        geometry.kernel_size * columns::depth(geometry) * outputs
    }
}

enum Scratch<'a> {
    /// `is_begun`: the filters' gradient holds something to add to.
    Winograd {
        input: Planes,
        gradient: Planes,
        output: Planes,
        block: usize,
        is_begun: bool,
    },
    Columns {
        image: Framed,
        gradient: Framed,
        dy: Vec<f32>,
        spread: Vec<f32>,
    },
    Depthwise,
    Grouped(Vec<Backward<'a>>),
}

impl<'a> Backward<'a> {
    /// For at most `images` images at a time; `part`, of [`part_length`], is written over.
    pub fn new(
        geometry: &Geometry,
        filters: Option<&'a Filters>,
        images: usize,
        mut part: &'a mut [f32],
    ) -> Self {
        let (channels, outputs) = (geometry.channels, padded(geometry.filters));
        let scratch = if is_winograd(geometry) {
            let (from, to) = tiles(geometry);
            let block = block(from.size.planes() * (padded(channels) + outputs))
                .min(images * from.per_image());
            Scratch::Winograd {
                input: Planes::new(from.size, block, from.channels),
                gradient: Planes::new(to.size, block, to.channels),
                output: Planes::new(from.size, block, from.channels),
                block,
                is_begun: false,
            }
        } else if is_depthwise(geometry) {
            part.fill(0.0);
            Scratch::Depthwise
        } else if geometry.groups > 1 {
            let one = grouped::of(geometry);
            let length = part.len() / geometry.groups;
            let works = (0..geometry.groups).map(|group| {
                let filters = filters.and_then(|filters| match filters {
                    Filters::Grouped(all) => all.get(group),
                    _ => None,
                });
                let share = part.split_off_mut(..length).unwrap_or_default();
                Self::new(&one, filters, images, share)
            });
            Scratch::Grouped(works.collect())
        } else {
            part.fill(0.0);
            let (depth, across) = (columns::depth(geometry), geometry.output()[1]);
            Scratch::Columns {
                image: Framed::new(geometry),
                gradient: Framed::new(geometry),
                dy: vec![0.0; across * outputs],
                spread: vec![0.0; across * padded(depth)],
            }
        };
        Self { geometry: *geometry, filters, scratch, part }
    }

    /// For one image at a time, and for the gradient of the input alone.
    pub fn of_input(geometry: &Geometry, filters: &'a Filters) -> Self {
        Self::new(geometry, Some(filters), 1, &mut [])
    }

    /// Takes the gradient of some images' outputs, and the images themselves where the filters' gradient
    /// is wanted; writes that of the inputs.
    pub fn add(&mut self, x: Option<&[f32]>, dy: &[f32], mut dx: Option<&mut [f32]>) {
        let geometry = &self.geometry;
        let images = dy.len() / (geometry.output_pixels() * geometry.filters);
        match &mut self.scratch {
            Scratch::Winograd { input, gradient, output, block, is_begun } => {
                let (from, to) = tiles(geometry);
                // What the output's transform sums is of no use here.
                let mut unused = vec![0.0; 2 * padded(from.channels)];
                let (sums, squares) = unused.split_at_mut(padded(from.channels));
                let total = images * from.per_image();
                for first in (0..total).step_by(*block) {
                    let count = (*block).min(total - first);
                    if let (Some(dx), Some(Filters::Winograd(filters))) = (&mut dx, self.filters) {
                        winograd::transform_input(dy, to, first, count, gradient);
                        tiles::multiply(gradient, filters, count, output);
                        winograd::transform_output(output, from, first, count, dx, sums, squares);
                    }
                    let Some(x) = x else { continue };
                    winograd::transform_input(x, from, first, count, input);
                    winograd::transform_gradient(dy, to, first, count, gradient);
                    let add = std::mem::replace(is_begun, true);
                    tiles::correlate(input, gradient, from.channels, count, add, self.part);
                }
            }
            Scratch::Columns { image, gradient, dy: wide, spread } => {
                let (filters, across) = (geometry.filters, geometry.output()[1]);
                let pixels = geometry.input_pixels() * geometry.channels;
                for (index, dy) in dy.chunks_exact(geometry.output_pixels() * filters).enumerate() {
                    if let Some(x) = x {
                        let image = image.under(&x[index * pixels..][..pixels], geometry);
                        for (row, dy) in dy.chunks_exact(across * filters).enumerate() {
                            let dy = columns::filled(dy, filters, wide);
                            image.correlate(geometry, row, dy, self.part);
                        }
                    }
                    if let (Some(dx), Some(Filters::Columns(turned))) = (&mut dx, self.filters) {
                        let dx = &mut dx[index * pixels..][..pixels];
                        gradient.gather(dx, geometry, |framed, width| {
                            for (row, dy) in dy.chunks_exact(across * filters).enumerate() {
                                let dy = columns::filled(dy, filters, wide);
                                columns::spread(framed, width, geometry, row, dy, turned, spread);
                            }
                        });
                    }
                }
            }
            Scratch::Depthwise => {
                let (pixels, outputs) =
                    (geometry.input_pixels() * geometry.channels, dy.len() / images);
                for (index, dy) in dy.chunks_exact(outputs).enumerate() {
                    if let Some(x) = x {
                        depthwise::correlate(
                            &x[index * pixels..][..pixels],
                            dy,
                            geometry,
                            self.part,
                        );
                    }
                    if let (Some(dx), Some(Filters::Depthwise(filters))) = (&mut dx, self.filters) {
                        let dx = &mut dx[index * pixels..][..pixels];
                        depthwise::input_gradient(dy, filters, geometry, dx);
                    }
                }
            }
            Scratch::Grouped(works) => {
                let one = grouped::of(geometry);
                let copied = |all: &[f32], channels, group, width| {
                    let mut out = vec![0.0; all.len() / geometry.groups];
                    grouped::take(all, channels, group, &mut out, width);
                    out
                };
                for (group, work) in works.iter_mut().enumerate() {
                    let x = x.map(|x| copied(x, geometry.channels, group, one.channels));
                    let dy = copied(dy, geometry.filters, group, one.filters);
                    let Some(dx) = &mut dx else {
                        work.add(x.as_deref(), &dy, None);
                        continue;
                    };
                    let mut part = vec![0.0; dx.len() / geometry.groups];
                    work.add(x.as_deref(), &dy, Some(&mut part));
                    grouped::put(&part, one.channels, group, dx, geometry.channels);
                }
            }
        }
    }
}

/// The gradient of the filters `[filters, channels of a group, kernel, kernel]` from every task's part, in
/// order.
pub(crate) fn filter_gradient(parts: &[&[f32]], geometry: &Geometry) -> Vec<f32> {
    let &Geometry { filters, channels, .. } = geometry;
    if is_winograd(geometry) {
        winograd::filter_gradient(parts, filters, channels, size(geometry))
    } else if is_depthwise(geometry) {
        depthwise::filter_gradient(parts, geometry)
    } else if geometry.groups > 1 {
        let one = grouped::of(geometry);
        let length = part_length(&one);
        let of = |group: usize| {
            let parts = parts.iter().map(|part| &part[group * length..][..length]);
            filter_gradient(&parts.collect::<Vec<_>>(), &one)
        };
        (0..geometry.groups).flat_map(of).collect()
    } else {
        columns::filter_gradient(parts, geometry)
    }
}

fn size(geometry: &Geometry) -> Size {
    Size::of(geometry.input)
}

/// Tiles over the inputs and over the outputs, which are of one size.
fn tiles(geometry: &Geometry) -> (Tiles, Tiles) {
    let over = |channels| Tiles { size: size(geometry), image: geometry.input, channels };
    (over(geometry.channels), over(geometry.filters))
}

#[cfg(test)]
mod tests;
