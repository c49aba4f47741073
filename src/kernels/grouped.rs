//! Grouped convolutions: each group of filters sees its own channels alone, so that a group is a
//! convolution by itself, over a copy of its channels.

use super::geometry::Geometry;

/// One group's convolution.
pub(crate) fn of(geometry: &Geometry) -> Geometry {
    let Geometry { channels, filters, groups, .. } = *geometry;
    Geometry { channels: channels / groups, filters: filters / groups, groups: 1, ..*geometry }
}

/// A group's channels of pixels that have `channels`.
pub(crate) fn take(pixels: &[f32], channels: usize, group: usize, out: &mut [f32], width: usize) {
    for (pixel, out) in pixels.chunks_exact(channels).zip(out.chunks_exact_mut(width)) {
        out.copy_from_slice(&pixel[group * width..][..width]);
    }
}

/// The way back of [`take`].
pub(crate) fn put(from: &[f32], width: usize, group: usize, pixels: &mut [f32], channels: usize) {
    for (pixel, from) in pixels.chunks_exact_mut(channels).zip(from.chunks_exact(width)) {
        pixel[group * width..][..width].copy_from_slice(from);
    }
}
