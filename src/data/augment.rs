//! Random changes of one training image, on bytes.

use super::picture::{plane_part, random_region};
use crate::{
    config::{Augment, Shape},
    rng::Stream,
};

/// How training images are changed at random, drawn for each sample from (seed, epoch, sample id).
#[derive(Clone, Copy)]
pub struct Changes<'a> {
    /// One after another; at least one.
    pub augment: &'a [Augment],
    /// The training's seed.
    pub seed: u64,
    /// Counted from 0.
    pub epoch: u64,
}

/// Black pixels on each side before a crop (He et al. 2016, section 4.2).
const PADDING: usize = 4;

/// `image`, `[channels, height, width]`, after `changes` drawn from `stream`.
pub(super) fn augment(
    image: &[u8],
    shape: Shape,
    changes: &[Augment],
    stream: &mut Stream,
) -> Vec<u8> {
    let mut image = image.to_vec();
    for change in changes {
        match change {
            Augment::ResizedCrop => {
                let Shape { height, width, .. } = shape;
                let region = random_region(width as u32, height as u32, stream);
                let planes = image.chunks_exact(height * width);
                image = planes.flat_map(|plane| plane_part(plane, width, region)).collect();
            }
            Augment::Crop => {
                let mut offset = || stream.below(2 * PADDING as u64 + 1) as usize;
                let (down, right) = (offset(), offset());
                image = crop(&image, shape, down, right);
            }
            Augment::Flip => {
                if stream.below(2) == 1 {
                    image.chunks_exact_mut(shape.width).for_each(<[u8]>::reverse);
                }
            }
        }
    }
    image
}

/// The part of the padded image that starts `down` rows and `right` columns from its corner.
fn crop(image: &[u8], shape: Shape, down: usize, right: usize) -> Vec<u8> {
    let Shape { height, width, .. } = shape;
    let mut out = vec![0; image.len()];
    let planes = out.chunks_exact_mut(height * width).zip(image.chunks_exact(height * width));
    for (new, old) in planes {
        for row in 0..height {
            let Some(from) = (row + down).checked_sub(PADDING).filter(|&from| from < height) else {
                continue;
            };
            for column in 0..width {
                let from_column =
                    (column + right).checked_sub(PADDING).filter(|&from| from < width);
                if let Some(from_column) = from_column {
                    new[row * width + column] = old[from * width + from_column];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    const SHAPE: Shape = Shape { channels: 2, height: 5, width: 6 };

    fn image() -> Vec<u8> {
        (1..=SHAPE.size() as u8).collect()
    }

    #[test]
    fn crops_shift_and_blacken() {
        assert_eq!(crop(&image(), SHAPE, PADDING, PADDING), image());
        let up_left = crop(&image(), SHAPE, PADDING + 1, PADDING + 2);
        assert_eq!(up_left[..6], [9, 10, 11, 12, 0, 0]);
        assert_eq!(up_left[24..30], [0; 6], "the row below the last is black");
        let down = crop(&image(), SHAPE, 0, PADDING);
        assert_eq!((&down[..24], &down[24..30]), (&[0; 24][..], &image()[..6]));
    }

    #[test]
    fn draws_belong_to_seed_epoch_and_sample() {
        let draw = |seed, epoch, sample| {
            let mut stream = Stream::new(seed, Purpose::Augment, epoch, sample);
            augment(&image(), SHAPE, &[Augment::Crop, Augment::Flip], &mut stream)
        };
        let base = draw(1, 2, 3);
        assert_eq!(base, draw(1, 2, 3));
        let mut others = 0;
        for other in 0..20 {
            let drawn = [draw(1, 2, 100 + other), draw(other + 2, 2, 3)];
            others += drawn.iter().filter(|other| **other != base).count();
        }
        assert!(others > 35, "{others} of 40 differ");
    }

    #[test]
    fn flips_mirror_about_half_of_the_images() {
        let mut mirrored = 0;
        for sample in 0..200 {
            let mut stream = Stream::new(0, Purpose::Augment, 0, sample);
            let flipped = augment(&image(), SHAPE, &[Augment::Flip], &mut stream);
            if flipped != image() {
                assert_eq!(flipped[..6], [6, 5, 4, 3, 2, 1]);
                mirrored += 1;
            }
        }
        assert!((70..130).contains(&mirrored), "{mirrored} of 200");
    }
}
