//! The gradient's way back through what follows a convolution and through BatchNorm.

use super::{
    buffers,
    geometry::Layer,
    norm::{self, Affine, Passed, Sums, affine, lane_values},
};
use rayon::prelude::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// What forward was given, what it made, and the gradient of that.
#[derive(Clone, Copy)]
pub(super) struct Normed<'a> {
    /// What was normalised, `[image, row, column, channel]`.
    pub y: &'a [f32],
    pub mean: &'a [f64],
    pub variance: &'a [f64],
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    /// What came out, where there was a shortcut to add.
    pub out: Option<&'a [f32]>,
    /// The gradient of what came out.
    pub gradient: &'a [f32],
}

/// The sums over a batch that the gradient of what was normalised takes, and what they give at once.
pub(super) struct Adjoint {
    affine: Affine,
    through: Affine,
    slope: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    /// The gradient of the shortcut; empty without one.
    pub shortcut: Vec<f32>,
}

impl Adjoint {
    pub fn new(layer: &Layer, normed: &Normed<'_>) -> Self {
        let Layer { geometry, epsilon, .. } = *layer;
        let Normed { mean, variance, .. } = *normed;
        let affine = affine([normed.gamma, normed.beta], [mean, variance], epsilon);
        let center = lane_values(mean.iter().copied());
        let channels = geometry.filters;
        let (pixels, task) = (geometry.output_pixels() * channels, geometry.images_per_task());

        // Σ dz and Σ dz·(y − μ), and dz itself where a shortcut takes it on.
        let mut shortcut =
            buffers::take(if normed.out.is_some() { geometry.images * pixels } else { 0 });
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
                let images = part * task..((part + 1) * task).min(geometry.images);
                for (index, image) in images.enumerate() {
                    let dz = if shortcut.is_empty() {
                        &mut own
                    } else {
                        &mut shortcut[index * pixels..][..pixels]
                    };
                    let passed = passed(layer, normed, image);
                    norm::unapply(passed, &affine, dz);
                    norm::gather_sums(dz, passed.y, &center, channels, &mut sum, &mut product);
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
        let scale: Vec<f64> = normed
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
        let through =
            Affine { shift: lane_values(shift), scale: lane_values(scale.iter().copied()) };
        let gamma = product.iter().zip(spread).map(|(product, spread)| product / spread.sqrt());
        Self {
            affine,
            through,
            slope: lane_values(slope.iter().copied()),
            gamma: gamma.map(|value| value as f32).collect(),
            beta: sum.iter().map(|&value| value as f32).collect(),
            shortcut,
        }
    }

    /// The gradient of one image of what was normalised.
    pub fn image(&self, layer: &Layer, normed: &Normed<'_>, image: usize, dy: &mut [f32]) {
        let channels = layer.geometry.filters;
        let passed = passed(layer, normed, image);
        if self.shortcut.is_empty() {
            norm::unapply(passed, &self.affine, dy);
            norm::through_norm(None, passed.y, &self.through, &self.slope, channels, dy);
        } else {
            let dz = &self.shortcut[image * dy.len()..][..dy.len()];
            norm::through_norm(Some(dz), passed.y, &self.through, &self.slope, channels, dy);
        }
    }
}

fn passed<'a>(layer: &Layer, normed: &Normed<'a>, image: usize) -> Passed<'a> {
    let Layer { geometry, after, .. } = *layer;
    let pixels = geometry.output_pixels() * geometry.filters;
    let shape = after.shape(geometry.output());
    let size = shape[0] * shape[1] * geometry.filters;
    Passed {
        y: &normed.y[image * pixels..][..pixels],
        out: normed.out.map(|out| &out[image * size..][..size]),
        gradient: &normed.gradient[image * size..][..size],
        image: geometry.output(),
        after,
    }
}
