//! A layer with given moments, BatchNorm's running ones: inference, and the gradient of what comes in.
//!
//! A fixed normalisation is a factor and a summand for each channel, so that backward needs no sums.

use super::{
    buffers,
    conv::{self, Backward},
    geometry::Layer,
    layer::{convolve, follow},
    norm::{self, Affine, Passed, affine, lane_values},
};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

/// What backward needs besides the inputs.
#[derive(Debug)]
pub(crate) struct Fixed {
    /// The convolution's outputs.
    y: Vec<f32>,
    affine: Affine,
}

impl Drop for Fixed {
    fn drop(&mut self) {
        buffers::give(std::mem::take(&mut self.y));
    }
}

/// `after(norm(conv(x)) + shortcut)` with given moments; shapes as in [`layer`](super::layer).
pub(crate) fn forward(
    layer: &Layer,
    x: &[f32],
    weight: &[f32],
    norm: [&[f32]; 2],
    [mean, variance]: [&[f32]; 2],
    shortcut: Option<&[f32]>,
) -> (Vec<f32>, Fixed) {
    let Layer { geometry, after, epsilon } = *layer;
    let mut y = buffers::take(geometry.images * geometry.output_pixels() * geometry.filters);
    convolve(&geometry, x, weight, &mut y);
    let f64s = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let affine = affine(norm, [&f64s(mean), &f64s(variance)], epsilon);
    let out = follow(&geometry, after, &affine, &y, shortcut);
    (out, Fixed { y, affine })
}

/// The gradients of `x` and of the shortcut by that of the output. `out` is the output, where there was
/// a shortcut.
pub(crate) fn backward(
    layer: &Layer,
    weight: &[f32],
    fixed: &Fixed,
    out: Option<&[f32]>,
    gradient: &[f32],
) -> (Vec<f32>, Option<Vec<f32>>) {
    let Layer { geometry, after, .. } = *layer;
    let Fixed { y, affine } = fixed;
    let channels = geometry.filters;
    let (pixels, task) = (geometry.output_pixels() * channels, geometry.images_per_task());
    let shape = after.shape(geometry.output());
    let size = shape[0] * shape[1] * channels;
    let none = || lane_values((0..channels).map(|_| 0.0));
    let through = Affine { scale: affine.scale.clone(), shift: none() };
    let slope = none();
    let filters = conv::backward_filters(weight, &geometry);
    let input = geometry.input_pixels() * geometry.channels;
    let mut dx = buffers::take(geometry.images * input);
    let mut shortcut = buffers::take(if out.is_some() { geometry.images * pixels } else { 0 });
    let mut shortcuts: Vec<&mut [f32]> = shortcut.chunks_mut(task * pixels).collect();
    shortcuts.resize_with(geometry.images.div_ceil(task), Default::default);
    let parts = dx.par_chunks_mut(task * input).zip(shortcuts).enumerate();
    parts.for_each(|(part, (dx, shortcut))| {
        let mut work = Backward::of_input(&geometry, &filters);
        let mut dy = vec![0.0; pixels];
        for (index, dx) in dx.chunks_exact_mut(input).enumerate() {
            let image = part * task + index;
            let y = &y[image * pixels..][..pixels];
            let out = out.map(|out| &out[image * size..][..size]);
            let gradient = &gradient[image * size..][..size];
            let passed = Passed { y, out, gradient, image: geometry.output(), after };
            norm::unapply(passed, affine, &mut dy);
            if !shortcut.is_empty() {
                shortcut[index * pixels..][..pixels].copy_from_slice(&dy);
            }
            norm::through_norm(None, y, &through, &slope, channels, &mut dy);
            work.add(None, &dy, Some(dx));
        }
    });
    (dx, out.is_some().then_some(shortcut))
}
