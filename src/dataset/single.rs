//! Pictures that belong to no data set, as a network was trained to see them.

use super::{
    DataError, Fit,
    picture::{MOST_FILE, decode, fitted, write_planes},
};
use crate::{input, shape::Shape};
use image::{
    RgbImage,
    imageops::{self, FilterType},
};
use std::{path::Path, sync::Mutex};

/// The bytes of the picture in a file, `[channels, height, width]`: cut as `fit` says, or else resized as a
/// whole where its size is another. One channel is its brightness (ITU-R BT.601, as Pillow's "L").
///
/// # Errors
/// [`DataError`] if the file cannot be read, is no picture, or the shape has neither one nor three channels.
pub fn read_picture(path: &Path, shape: Shape, fit: Option<Fit>) -> Result<Vec<u8>, DataError> {
    let file = path.display().to_string();
    let damaged = |problem: String| DataError::Damaged { file: file.clone(), problem };
    let bytes = input::read(path, MOST_FILE).map_err(|error| {
        let help = "name a JPEG or PNG file".to_owned();
        DataError::Missing { file: file.clone(), error, help }
    })?;
    let upright = fit.is_none_or(|fit| fit.exif);
    let picture = decode(&bytes, upright, &Mutex::new(())).map_err(damaged)?;
    let picture = match fit {
        Some(fit) => fitted(&picture, fit),
        None => resized(picture, shape),
    };
    let mut planes = vec![0; 3 * shape.height * shape.width];
    write_planes(&picture, &mut planes);
    match shape.channels {
        3 => Ok(planes),
        1 => Ok(brightness(&planes)),
        channels => {
            Err(damaged(format!("a picture has 3 channels or 1, the network takes {channels}")))
        }
    }
}

fn resized(picture: RgbImage, shape: Shape) -> RgbImage {
    let (width, height) = (shape.width as u32, shape.height as u32);
    if picture.dimensions() == (width, height) {
        return picture;
    }
    imageops::resize(&picture, width, height, FilterType::Triangle)
}

/// L = 0.299 R + 0.587 G + 0.114 B, in Pillow's whole numbers.
fn brightness(planes: &[u8]) -> Vec<u8> {
    let plane = planes.len() / 3;
    let at = |channel: usize, pixel: usize| u32::from(planes[channel * plane + pixel]);
    (0..plane)
        .map(|pixel| {
            let sum = 19_595 * at(0, pixel) + 38_470 * at(1, pixel) + 7_471 * at(2, pixel);
            ((sum + 0x8000) >> 16) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::brightness;

    #[test]
    fn grey_stays_and_colours_weigh_as_in_pillow() {
        assert_eq!(brightness(&[7, 255, 0, 7, 0, 255, 7, 0, 0]), [7, 76, 150]);
    }
}
