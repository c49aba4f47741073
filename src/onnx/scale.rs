//! Images as another network takes them.

use crate::shape::Shape;
use image::{ImageBuffer, Luma, imageops};
use rayon::{iter::ParallelIterator as _, slice::ParallelSlice as _};

/// Images `[channels, height, width]` of pixels between 0 and 1, one behind another, as a network takes them:
/// scaled to the shape `to` by a triangle filter, as PIL's and torchvision's antialiased bilinear one, a single
/// channel repeated, and normalised: (p − mean) / std.
///
/// # Panics
/// If the images are not of shape `from`, or mean and deviation not of `to`'s channels.
pub fn scaled(images: &[f32], from: Shape, to: Shape, mean: &[f64], std: &[f64]) -> Vec<f32> {
    assert!(mean.len() == to.channels && std.len() == to.channels, "one value a channel");
    let plane = from.height * from.width;
    let same = (from.height, from.width) == (to.height, to.width);
    let of_image = |image: &[f32]| -> Vec<f32> {
        let planes: Vec<Vec<f32>> = image
            .chunks_exact(plane)
            .map(|pixels| if same { pixels.to_vec() } else { resized(pixels, from, to) })
            .collect();
        let channel = |channel: usize| {
            let (mean, std) = (mean[channel] as f32, std[channel] as f32);
            planes[channel % from.channels].iter().map(move |pixel| (pixel - mean) / std)
        };
        (0..to.channels).flat_map(channel).collect()
    };
    let images: Vec<Vec<f32>> = images.par_chunks_exact(from.size()).map(of_image).collect();
    images.concat()
}

fn resized(pixels: &[f32], from: Shape, to: Shape) -> Vec<f32> {
    let size = |length: usize| length as u32;
    let plane: ImageBuffer<Luma<f32>, _> =
        ImageBuffer::from_raw(size(from.width), size(from.height), pixels.to_vec())
            .expect("a plane has a value a pixel");
    let (width, height) = (size(to.width), size(to.height));
    imageops::resize(&plane, width, height, imageops::FilterType::Triangle).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_image_is_doubled_repeated_and_normalised() {
        let (from, to) = (
            Shape { channels: 1, height: 1, width: 2 },
            Shape { channels: 3, height: 1, width: 4 },
        );
        let found = scaled(&[0.0, 1.0], from, to, &[0.0, 0.5, 0.5], &[1.0, 1.0, 0.5]);
        // PIL: Image.fromarray(np.array([[0., 1.]], "f"), "F").resize((4, 1), BILINEAR).
        let one = [0.0, 0.25, 0.75, 1.0];
        let want =
            one.iter().copied().chain(one.map(|p| p - 0.5)).chain(one.map(|p| 2.0 * p - 1.0));
        assert_eq!(found, want.collect::<Vec<f32>>());
    }
}
