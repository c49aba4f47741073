//! A convolution that no BatchNorm follows, and BatchNorm of what no convolution precedes: pre-activation
//! blocks (He et al. 2016, "Identity Mappings in Deep Residual Networks") have both.

use super::{
    adjoint::{Adjoint, Normed},
    buffers, conv,
    geometry::{Geometry, Layer},
    layer::{convolve, convolved, follow},
    norm::{self, Sums, affine},
};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSlice, ParallelSliceMut};

/// `conv(x) + shortcut`; shapes as in [`layer`](super::layer).
pub(crate) fn conv(
    geometry: &Geometry,
    x: &[f32],
    weight: &[f32],
    shortcut: Option<&[f32]>,
) -> Vec<f32> {
    let image = geometry.output_pixels() * geometry.filters;
    let mut y = buffers::take(geometry.images * image);
    convolve(geometry, x, weight, &mut y);
    if let Some(shortcut) = shortcut {
        y.par_chunks_mut(image).zip(shortcut.par_chunks(image)).for_each(|(y, shortcut)| {
            y.iter_mut().zip(shortcut).for_each(|(y, shortcut)| *y += shortcut);
        });
    }
    y
}

/// The gradients of `x` by [`conv`]'s outputs, if it is wanted, and of the weight, if there is an `x`.
pub(crate) fn conv_backward(
    geometry: &Geometry,
    x: Option<&[f32]>,
    weight: &[f32],
    gradient: &[f32],
    wants_x: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let filters = wants_x.then(|| conv::backward_filters(weight, geometry));
    convolved(geometry, x, filters.as_ref(), |image, dy| {
        dy.copy_from_slice(&gradient[image * dy.len()..][..dy.len()]);
    })
}

/// `after(norm(x))` with the batch's own moments, and these. The layer's convolution is a single pixel's,
/// from as many channels to as many.
pub(crate) fn norm(
    layer: &Layer,
    x: &[f32],
    [gamma, beta]: [&[f32]; 2],
) -> (Vec<f32>, [Vec<f64>; 2]) {
    let Layer { geometry, after, epsilon } = *layer;
    let channels = geometry.channels;
    let image = geometry.input_pixels() * channels;
    let zero = norm::lane_values((0..channels).map(|_| 0.0));
    let parts: Vec<Sums> = x
        .par_chunks(geometry.images_per_task() * image)
        .map(|images| {
            let mut sums = Sums::new(channels);
            let [mut sum, mut square] = [(); 2].map(|()| vec![0.0; zero.len()]);
            for x in images.chunks_exact(image) {
                norm::gather_sums(x, x, &zero, channels, &mut sum, &mut square);
                sums.take(&mut sum, &mut square);
            }
            sums
        })
        .collect();
    let mut sums = Sums::new(channels);
    parts.iter().for_each(|part| sums.add(part));
    let (mean, variance) = sums.moments(geometry.images * geometry.input_pixels());
    let affine = affine([gamma, beta], [&mean, &variance], epsilon);
    (follow(&geometry, after, &affine, x, None), [mean, variance])
}

/// The gradients of x, γ and β.
pub(crate) fn norm_backward(
    layer: &Layer,
    x: &[f32],
    [gamma, beta]: [&[f32]; 2],
    [mean, variance]: [&[f64]; 2],
    gradient: &[f32],
) -> [Vec<f32>; 3] {
    let normed = Normed { y: x, mean, variance, gamma, beta, out: None, gradient };
    let adjoint = Adjoint::new(layer, &normed);
    let mut dx = buffers::take(x.len());
    let images = dx.par_chunks_mut(layer.geometry.input_pixels() * layer.geometry.channels);
    images.enumerate().for_each(|(image, dx)| adjoint.image(layer, &normed, image, dx));
    [dx, adjoint.gamma, adjoint.beta]
}
