//! Convolution, BatchNorm and what follows as one operation on the host.
//!
//! Forward keeps the convolution's outputs y and their moments; backward makes everything else anew
//! from them, image by image, while the image is in the cache.

use super::{
    buffers,
    conv::{self, Backward},
    geometry::Geometry,
    norm::{self, Affine, After, Passed, Sums, lane_values},
};
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelIterator, ParallelIterator, ParallelSlice,
    ParallelSliceMut,
};

/// A layer: its extent and what follows the normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// The convolution.
    pub geometry: Geometry,
    /// What follows.
    pub after: After,
    /// BatchNorm's ε.
    pub epsilon: f64,
}

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

/// γ/√(σ²+ε) and β − μ·γ/√(σ²+ε).
pub(super) fn affine(
    [gamma, beta]: [&[f32]; 2],
    [mean, variance]: [&[f64]; 2],
    epsilon: f64,
) -> Affine {
    let scale: Vec<f64> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, variance)| f64::from(gamma) / (variance + epsilon).sqrt())
        .collect();
    let shift = beta.iter().zip(mean).zip(&scale);
    let shift = shift.map(|((&beta, mean), scale)| f64::from(beta) - mean * scale);
    Affine { shift: lane_values(shift), scale: lane_values(scale.iter().copied()) }
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
    let Layer { geometry, after, epsilon } = *layer;
    let Saved { y, mean, variance } = inputs.saved;
    let affine = affine([inputs.gamma, inputs.beta], [mean, variance], epsilon);
    let center = lane_values(mean.iter().copied());
    let channels = geometry.filters;
    let (pixels, task) = (geometry.output_pixels() * channels, geometry.images_per_task());
    let shape = after.shape(geometry.output());
    let size = shape[0] * shape[1] * channels;
    let passed = |image: usize| Passed {
        y: &y[image * pixels..][..pixels],
        out: inputs.out.map(|out| &out[image * size..][..size]),
        gradient: &inputs.gradient[image * size..][..size],
        image: geometry.output(),
        after,
    };
    let images_of = |part: usize| part * task..((part + 1) * task).min(geometry.images);

    // Σ dz and Σ dz·(y − μ), and dz itself where a shortcut takes it on.
    let mut shortcut =
        buffers::take(if inputs.out.is_some() { geometry.images * pixels } else { 0 });
    let parts = geometry.images.div_ceil(task);
    let mut shortcuts: Vec<&mut [f32]> = shortcut.chunks_mut(task * pixels).collect();
    shortcuts.resize_with(parts, Default::default);
    let sums: Vec<Sums> = shortcuts
        .into_par_iter()
        .enumerate()
        .map(|(part, shortcut)| {
            let mut sums = Sums::new(channels);
            let [mut sum, mut product] = [(); 2].map(|()| vec![0.0; center.len()]);
            let mut own = vec![0.0; if shortcut.is_empty() { pixels } else { 0 }];
            for (index, image) in images_of(part).enumerate() {
                let dz = if shortcut.is_empty() {
                    &mut own
                } else {
                    &mut shortcut[index * pixels..][..pixels]
                };
                norm::unapply(passed(image), &affine, dz);
                let y = passed(image).y;
                norm::gather_sums(dz, y, &center, channels, &mut sum, &mut product);
                sums.take(&mut sum, &mut product);
            }
            sums
        })
        .collect();
    let mut total = Sums::new(channels);
    sums.iter().for_each(|part| total.add(part));
    let (sum, product) = total.parts();

    // dy = s·dz − s/n·Σdz − (y − μ)·s/(n·(σ²+ε))·Σdz·(y − μ), with s = γ/√(σ²+ε).
    let count = (geometry.images * geometry.output_pixels()) as f64;
    let spread = variance.iter().map(|variance| variance + epsilon);
    let scale: Vec<f64> = inputs
        .gamma
        .iter()
        .zip(spread.clone())
        .map(|(&gamma, spread)| f64::from(gamma) / spread.sqrt())
        .collect();
    let slope: Vec<f64> = (0..channels)
        .zip(spread.clone())
        .map(|(at, spread)| scale[at] * product[at] / (count * spread))
        .collect();
    let shift = (0..channels).map(|at| slope[at] * mean[at] - scale[at] * sum[at] / count);
    let through = Affine { shift: lane_values(shift), scale: lane_values(scale.iter().copied()) };
    let slope = lane_values(slope.iter().copied());

    let filters = inputs.wants_x.then(|| conv::backward_filters(inputs.weight, &geometry));
    let input = geometry.input_pixels() * geometry.channels;
    let mut dx = buffers::take(if inputs.wants_x { geometry.images * input } else { 0 });
    let mut dxs: Vec<&mut [f32]> = dx.chunks_mut(task * input).collect();
    dxs.resize_with(parts, Default::default);
    // Images of a block: about as many pixels as the largest block of tiles has.
    let together = (1024 / geometry.output_pixels()).clamp(1, task);
    let length = conv::part_length(&geometry);
    let mut shares = buffers::take(parts * length);
    dxs.into_par_iter().zip(shares.par_chunks_exact_mut(length)).enumerate().for_each(
        |(part, (dx, share))| {
            let mut work = Backward::new(&geometry, filters.as_ref(), together, share);
            let mut dy = vec![0.0; together * pixels];
            let images = images_of(part);
            let start = images.start;
            for first in images.clone().step_by(together) {
                let count = together.min(images.end - first);
                for (index, dy) in dy.chunks_exact_mut(pixels).take(count).enumerate() {
                    let image = first + index;
                    let y = passed(image).y;
                    if shortcut.is_empty() {
                        norm::unapply(passed(image), &affine, dy);
                        norm::through_norm(None, y, &through, &slope, channels, dy);
                    } else {
                        let dz = &shortcut[image * pixels..][..pixels];
                        norm::through_norm(Some(dz), y, &through, &slope, channels, dy);
                    }
                }
                let x = &inputs.x[first * input..][..count * input];
                let dx =
                    (!dx.is_empty()).then(|| &mut dx[(first - start) * input..][..count * input]);
                work.add(Some(x), &dy[..count * pixels], dx);
            }
        },
    );
    let weight = conv::filter_gradient(&shares.chunks_exact(length).collect::<Vec<_>>(), &geometry);
    buffers::give(shares);
    let f32s = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value as f32).collect();
    Gradients {
        x: inputs.wants_x.then_some(dx),
        weight,
        gamma: f32s(
            &mut product.iter().zip(spread).map(|(product, spread)| product / spread.sqrt()),
        ),
        beta: f32s(&mut sum.iter().copied()),
        shortcut: inputs.out.is_some().then_some(shortcut),
    }
}
