//! Convolution, BatchNorm and what follows as one operation on the host.
//!
//! Forward keeps the convolution's outputs y and their moments; backward makes everything else anew
//! from them, image by image, while the image is in the cache.

use super::{
    adjoint::{Adjoint, Normed},
    buffers,
    conv::{self, Backward, Filters},
    geometry::{Geometry, Layer},
    norm::{self, Affine, After, Sums, affine},
};
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelIterator, ParallelIterator, ParallelSlice,
    ParallelSliceMut,
};

/// What backward needs besides the inputs.
#[derive(Debug)]
pub(crate) struct Saved {
    y: Vec<f32>,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Drop for Saved {
    fn drop(&mut self) {
        buffers::give(std::mem::take(&mut self.y));
    }
}

/// What forward gives: activations, and the batch's mean and biased variance of each channel.
pub(crate) struct Forward {
    pub out: Vec<f32>,
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
    pub saved: Saved,
}

/// Gradients of a layer's inputs.
pub(crate) struct Gradients {
    pub x: Option<Vec<f32>>,
    pub weight: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    pub shortcut: Option<Vec<f32>>,
}

/// `after(norm(conv(x)) + shortcut)` with the batch's own moments.
///
/// `x` is `[image, row, column, channel]`, `weight` `[filters, channels, kernel, kernel]`, `gamma` and
/// `beta` `[filters]`, `shortcut` as the output.
pub(crate) fn forward(
    layer: &Layer,
    x: &[f32],
    weight: &[f32],
    [gamma, beta]: [&[f32]; 2],
    shortcut: Option<&[f32]>,
) -> Forward {
    let Layer { geometry, after, epsilon } = *layer;
    let mut y = buffers::take(geometry.images * geometry.output_pixels() * geometry.filters);
    let sums = convolve(&geometry, x, weight, &mut y);
    let (mean, variance) = sums.moments(geometry.images * geometry.output_pixels());
    let affine = affine([gamma, beta], [&mean, &variance], epsilon);
    let out = follow(&geometry, after, &affine, &y, shortcut);
    let f32s = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    Forward {
        out,
        mean: f32s(&mean),
        variance: f32s(&variance),
        saved: Saved { y, mean, variance },
    }
}

pub(super) fn convolve(geometry: &Geometry, x: &[f32], weight: &[f32], y: &mut [f32]) -> Sums {
    let filters = conv::forward_filters(weight, geometry);
    let images = geometry.images_per_task();
    let tasks = y
        .par_chunks_mut(images * geometry.output_pixels() * geometry.filters)
        .zip(x.par_chunks(images * geometry.input_pixels() * geometry.channels));
    let parts: Vec<Sums> = tasks.map(|(y, x)| conv::forward(x, &filters, geometry, y)).collect();
    let mut sums = Sums::new(geometry.filters);
    parts.iter().for_each(|part| sums.add(part));
    sums
}

pub(super) fn follow(
    geometry: &Geometry,
    after: After,
    affine: &Affine,
    y: &[f32],
    shortcut: Option<&[f32]>,
) -> Vec<f32> {
    let shape = after.shape(geometry.output());
    let size = shape[0] * shape[1] * geometry.filters;
    let pixels = geometry.output_pixels() * geometry.filters;
    let mut out = buffers::take(geometry.images * size);
    out.par_chunks_mut(size).enumerate().for_each(|(image, out)| {
        let y = &y[image * pixels..][..pixels];
        let shortcut = shortcut.map(|shortcut| &shortcut[image * size..][..size]);
        norm::apply(y, shortcut, affine, geometry.output(), after, out);
    });
    out
}

/// What [`backward`] reads.
pub(crate) struct Inputs<'a> {
    pub x: &'a [f32],
    pub weight: &'a [f32],
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    /// The layer's output, where it had a shortcut to add.
    pub out: Option<&'a [f32]>,
    pub saved: &'a Saved,
    /// The output's gradient.
    pub gradient: &'a [f32],
    /// Whether the gradient of `x` is wanted.
    pub wants_x: bool,
}

/// The adjoint of [`forward`].
pub(crate) fn backward(layer: &Layer, inputs: &Inputs<'_>) -> Gradients {
    let Layer { geometry, .. } = *layer;
    let Inputs { saved, gamma, beta, out, gradient, .. } = *inputs;
    let Saved { y, mean, variance } = saved;
    let normed = Normed { y, mean, variance, gamma, beta, out, gradient };
    let adjoint = Adjoint::new(layer, &normed);
    let filters = inputs.wants_x.then(|| conv::backward_filters(inputs.weight, &geometry));
    let (x, weight) = convolved(&geometry, Some(inputs.x), filters.as_ref(), |image, dy| {
        adjoint.image(layer, &normed, image, dy);
    });
    let Adjoint { gamma, beta, shortcut, .. } = adjoint;
    Gradients { x, weight, gamma, beta, shortcut: out.is_some().then_some(shortcut) }
}

/// The gradients of a convolution's inputs, where there are `filters` for them, and of its weight, where
/// there is an `x`. `dy` writes the gradient of one image's outputs.
pub(super) fn convolved(
    geometry: &Geometry,
    x: Option<&[f32]>,
    filters: Option<&Filters>,
    dy: impl Fn(usize, &mut [f32]) + Sync,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let (pixels, task) = (geometry.output_pixels() * geometry.filters, geometry.images_per_task());
    let parts = geometry.images.div_ceil(task);
    let input = geometry.input_pixels() * geometry.channels;
    let mut dx = buffers::take(if filters.is_some() { geometry.images * input } else { 0 });
    let mut dxs: Vec<&mut [f32]> = dx.chunks_mut(task * input).collect();
    dxs.resize_with(parts, Default::default);
    // Images of a block: about as many pixels as the largest block of tiles has.
    let together = (1024 / geometry.output_pixels()).clamp(1, task);
    let length = conv::part_length(geometry);
    let mut shares = buffers::take(parts * length);
    dxs.into_par_iter().zip(shares.par_chunks_exact_mut(length)).enumerate().for_each(
        |(part, (dx, share))| {
            let mut work = Backward::new(geometry, filters, together, share);
            let mut dys = vec![0.0; together * pixels];
            let images = part * task..((part + 1) * task).min(geometry.images);
            let start = images.start;
            for first in images.clone().step_by(together) {
                let count = together.min(images.end - first);
                for (index, out) in dys.chunks_exact_mut(pixels).take(count).enumerate() {
                    dy(first + index, out);
                }
                let x = x.map(|x| &x[first * input..][..count * input]);
                let dx =
                    (!dx.is_empty()).then(|| &mut dx[(first - start) * input..][..count * input]);
                work.add(x, &dys[..count * pixels], dx);
            }
        },
    );
    let weight = match x {
        Some(_) => {
            conv::filter_gradient(&shares.chunks_exact(length).collect::<Vec<_>>(), geometry)
        }
        None => Vec::new(),
    };
    buffers::give(shares);
    (filters.is_some().then_some(dx), weight)
}
