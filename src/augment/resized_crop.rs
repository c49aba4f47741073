//! A random part of the image, brought back to its size.

use super::interface::{Augment, Region};
use crate::{
    kind::{Choice, Kind},
    rng::Stream,
    shape::Shape,
};
use image::{
    GrayImage,
    imageops::{self, FilterType},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A part of 8 to 100 % of the image, 3:4 to 4:3, brought to the size of the images.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ResizedCrop {}

pub(super) const KIND: Kind<dyn Augment> = Kind {
    name: "resized-crop",
    doc: "a part of 8 to 100 % of the image, 3:4 to 4:3, brought to its size; it comes first",
    source: "Szegedy et al. 2015, section 6; torchvision's RandomResizedCrop",
    fields: &[],
    make: |fields| Ok(Arc::new(Kind::<dyn Augment>::read::<ResizedCrop>(fields))),
};

impl From<ResizedCrop> for Choice<dyn Augment> {
    fn from(change: ResizedCrop) -> Self {
        KIND.with(&change)
    }
}

impl Augment for ResizedCrop {
    fn apply(&self, image: Vec<u8>, shape: Shape, stream: &mut Stream) -> Vec<u8> {
        let Shape { height, width, .. } = shape;
        let region = random_region(width as u32, height as u32, stream);
        let planes = image.chunks_exact(height * width);
        planes.flat_map(|plane| plane_part(plane, width, region)).collect()
    }

    fn cuts(&self) -> bool {
        true
    }

    fn region(&self, width: u32, height: u32, stream: &mut Stream) -> Region {
        random_region(width, height, stream)
    }
}

/// A random part of a picture: torchvision's `RandomResizedCrop.get_params` with its defaults, a
/// share in [0.08, 1) of the area, sides 3:4 to 4:3, and after ten misses the centre.
fn random_region(width: u32, height: u32, stream: &mut Stream) -> Region {
    let (narrow, wide) = (3.0 / 4.0, 4.0 / 3.0);
    let between =
        |low: f64, high: f64, stream: &mut Stream| low + (high - low) * f64::from(stream.uniform());
    let area = f64::from(width) * f64::from(height);
    for _ in 0..10 {
        let wanted = area * between(0.08, 1.0, stream);
        let ratio = between(f64::ln(narrow), f64::ln(wide), stream).exp();
        let (w, h) = ((wanted * ratio).sqrt(), (wanted / ratio).sqrt());
        let (w, h) = (w.round_ties_even() as u32, h.round_ties_even() as u32);
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            let top = stream.below(u64::from(height - h) + 1) as u32;
            let left = stream.below(u64::from(width - w) + 1) as u32;
            return Region { left, top, width: w, height: h };
        }
    }
    let ratio = f64::from(width) / f64::from(height);
    let (w, h) = if ratio < narrow {
        (width, (f64::from(width) / narrow).round_ties_even() as u32)
    } else if ratio > wide {
        ((f64::from(height) * wide).round_ties_even() as u32, height)
    } else {
        (width, height)
    };
    Region { left: (width - w) / 2, top: (height - h) / 2, width: w, height: h }
}

/// A part of one plane of bytes, `width` wide, brought back to the plane's size.
fn plane_part(plane: &[u8], width: usize, region: Region) -> Vec<u8> {
    let height = plane.len() / width;
    let (width, height) = (width as u32, height as u32);
    let picture = GrayImage::from_raw(width, height, plane.to_vec());
    let picture = picture.expect("a plane is whole rows");
    let Region { left, top, width: w, height: h } = region;
    let cut = imageops::crop_imm(&picture, left, top, w, h).to_image();
    imageops::resize(&cut, width, height, FilterType::Triangle).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn random_regions_lie_inside_and_have_the_share_and_the_sides_that_they_should() {
        let (width, height) = (200, 150);
        let mut shares = 0.0;
        for sample in 0..1000 {
            let mut stream = Stream::new(1, Purpose::Augment, 0, sample);
            let Region { left, top, width: w, height: h } =
                random_region(width, height, &mut stream);
            assert!(left + w <= width && top + h <= height);
            let share = f64::from(w * h) / f64::from(width * height);
            let ratio = f64::from(w) / f64::from(h);
            assert!((0.07..=1.0).contains(&share), "{share}");
            assert!((0.72..1.38).contains(&ratio), "{ratio}");
            shares += share;
        }
        // Large regions of a wrong shape do not fit and are drawn again.
        assert!((0.4..0.54).contains(&(shares / 1000.0)), "{shares}");
        let mut stream = Stream::new(1, Purpose::Augment, 0, 0);
        let strip = random_region(1000, 10, &mut stream);
        assert_eq!(strip, Region { left: 493, top: 0, width: 13, height: 10 });
    }
}
