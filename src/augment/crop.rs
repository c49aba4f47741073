//! A crop out of the padded image.

use super::{Shift, interface::Augment};
use crate::{
    kind::{Choice, Kind},
    rng::Stream,
    shape::Shape,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Four black pixels around the image, then a crop of its old size anywhere in it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Crop {}

/// Black pixels on each side before a crop (He et al. 2016, section 4.2).
const PADDING: usize = 4;

pub(super) const KIND: Kind<dyn Augment> = Kind {
    name: "crop",
    doc: "four black pixels around the image, then a crop of its old size anywhere in it",
    source: "He et al. 2016, section 4.2",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Augment>::read::<Crop>(fields))),
};

impl From<Crop> for Choice<dyn Augment> {
    fn from(change: Crop) -> Self {
        KIND.with(&change)
    }
}

impl Augment for Crop {
    fn apply(&self, image: Vec<u8>, shape: Shape, stream: &mut Stream) -> Vec<u8> {
        let [down, right] = offsets(stream);
        crop(&image, shape, down, right)
    }

    fn shifts(&self) -> bool {
        true
    }

    fn shift(&self, shape: Shape, stream: &mut Stream) -> Shift {
        let [down, right] = offsets(stream).map(|offset| offset as i32 - PADDING as i32);
        Shift::by(shape, down, right)
    }
}

/// Rows and columns of the padded image before the crop.
fn offsets(stream: &mut Stream) -> [usize; 2] {
    let mut offset = || stream.below(2 * PADDING as u64 + 1) as usize;
    let down = offset();
    [down, offset()]
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
    use crate::augment::{Flip, augment};
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
            augment(&image(), SHAPE, &[Crop {}.into(), Flip {}.into()], &mut stream)
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
            let flipped = augment(&image(), SHAPE, &[Flip {}.into()], &mut stream);
            if flipped != image() {
                assert_eq!(flipped[..6], [6, 5, 4, 3, 2, 1]);
                mirrored += 1;
            }
        }
        assert!((70..130).contains(&mirrored), "{mirrored} of 200");
    }
}
