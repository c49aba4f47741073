//! Pictures out of JPEG and PNG files, brought to the size of a data set's images.
//!
//! The definitions are torchvision's (`torchvision/transforms/functional.py`, `transforms.py`), with
//! bilinear resampling that averages when it shrinks, as Pillow's does.

use super::content::Content;
use crate::{augment::Region, dataset::Fit, input};
use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage,
    imageops::{self, FilterType},
    metadata::Orientation,
};
use std::{
    io::Cursor,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Most bytes of one file: pictures of raw sensors and panoramas have a tenth of it.
pub(super) const MOST_FILE: u64 = 1 << 28;
/// Most pixels that a byte of a file can stand for: deflate packs 1032 to one, and a PNG has 8
/// pixels a byte at most. What claims more is damage, or an attack.
const PIXELS_A_BYTE: u64 = 10_000;
/// Most pixels of one picture; the largest of ImageNet has 65 million.
const MOST_PIXELS: u64 = 1 << 27;
/// Pictures of more pixels are decoded one at a time, not one a thread.
const LARGE: u64 = 1 << 24;
/// Most bytes that the decoders may ask for beside the pixels.
const MOST_BYTES: u64 = 1 << 28;
/// Longer side over shorter side; a resized strip would need far more memory than its file.
const NARROWEST: u32 = 50;

/// The picture in a file's bytes; grey ones get equal colours, transparency is dropped. It is turned
/// as its Exif data says if `upright` asks for it. `large` is held while a large one is decoded.
///
/// # Errors
/// What is wrong with the bytes, as the end of a sentence.
pub(super) fn decode(bytes: &[u8], upright: bool, large: &Mutex<()>) -> Result<RgbImage, String> {
    let bytes = match Content::of(bytes) {
        // Phones append a film, and cameras other pictures.
        Content::Jpeg => match jpeg_end(bytes) {
            Some(end) => &bytes[..end],
            None => {
                let length = bytes.len();
                return Err(format!("the JPEG is cut short: its {length} bytes have no end"));
            }
        },
        Content::Png => bytes,
        _ => return Err("its content is neither JPEG nor PNG".to_owned()),
    };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > bytes.len() as u64 * PIXELS_A_BYTE {
        let length = bytes.len();
        return Err(format!("{length} bytes that claim {width}×{height} pixels"));
    }
    if pixels > MOST_PIXELS {
        let most = MOST_PIXELS / 1_000_000;
        return Err(format!("{width}×{height} pixels; takd decodes at most {most} million"));
    }
    if width.max(height) / width.min(height) > NARROWEST {
        return Err(format!("{width}×{height} pixels are a strip, not a picture"));
    }
    // Exif data that cannot be read says nothing, as in viewers.
    let orientation = match upright {
        true => decoder.orientation().unwrap_or(Orientation::NoTransforms),
        false => Orientation::NoTransforms,
    };
    let _alone = (pixels > LARGE).then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Where a JPEG's picture ends: after the first end-of-image marker that is no part of another
/// segment, such as a thumbnail in its Exif data. (ITU-T T.81, B.1.1: within a scan FF is followed
/// by 0 or a restart marker only.)
///
/// Decoders fill what is missing with grey and say nothing.
fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
        let marker = bytes[at];
        at += 1;
        match marker {
            0xd9 => return Some(at),
            // Stuffing, markers without content, and what no encoder writes.
            ..0xc0 | 0xd0..=0xd8 => {}
            _ => at += usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])),
        }
    }
}

/// The shorter side of the picture in a file, in pixels, if its header can be read.
pub(super) fn shorter_side(path: &Path) -> Option<u32> {
    let bytes = input::read(path, MOST_FILE).ok()?;
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some(width.min(height))
}

/// The picture with its shorter side resized, and the centre of that: torchvision's `Resize` and
/// `CenterCrop`.
pub(super) fn fitted(picture: &RgbImage, fit: Fit) -> RgbImage {
    let (width, height) = picture.dimensions();
    let short = width.min(height);
    // The long side is rounded down there.
    let side = |length: u32| (u64::from(fit.resize) * u64::from(length) / u64::from(short)) as u32;
    let resized = imageops::resize(picture, side(width), side(height), FilterType::Triangle);
    // Python rounds halves to even there.
    let from = |length: u32| (f64::from(length - fit.size) / 2.0).round_ties_even() as u32;
    let (left, top) = (from(resized.width()), from(resized.height()));
    imageops::crop_imm(&resized, left, top, fit.size, fit.size).to_image()
}

/// A part of a picture, brought to `size` × `size`.
pub(super) fn part(picture: &RgbImage, region: Region, size: u32) -> RgbImage {
    let Region { left, top, width, height } = region;
    let cut = imageops::crop_imm(picture, left, top, width, height).to_image();
    imageops::resize(&cut, size, size, FilterType::Triangle)
}

/// Writes a picture's colours one plane after another.
pub(super) fn write_planes(picture: &RgbImage, out: &mut [u8]) {
    let plane = out.len() / 3;
    for (index, pixel) in picture.pixels().enumerate() {
        for (channel, &value) in pixel.0.iter().enumerate() {
            out[channel * plane + index] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> RgbImage {
        RgbImage::from_fn(40, 24, |x, y| {
            image::Rgb([(x * 7 + y * 13), x * x, y * 29].map(|v| v as u8))
        })
    }

    fn assert_near(what: &str, ours: &RgbImage, theirs: &str) {
        let theirs = (0..theirs.len() / 2).map(|at| u8::from_str_radix(&theirs[2 * at..][..2], 16));
        let theirs: Vec<u8> = theirs.collect::<Result<_, _>>().unwrap();
        assert_eq!(ours.as_raw().len(), theirs.len());
        let worst = ours.as_raw().iter().zip(theirs).map(|(&a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(1), "{what}: {worst:?}");
    }

    /// Pillow 13.0: resize((16, 10), BILINEAR).crop((4, 1, 12, 9)), as torchvision's Resize(10) and
    /// CenterCrop(8) do, and crop(…).resize((8, 8), BILINEAR), as its RandomResizedCrop(8) does.
    #[test]
    fn pictures_are_resized_as_pillow_does() {
        let fit = Fit { size: 8, resize: 10, ..Fit::default() };
        assert_near("fitted", &fitted(&picture(), fit), FITTED);
        let shrunk = Region { left: 5, top: 3, width: 20, height: 15 };
        assert_near("shrunk", &part(&picture(), shrunk, 8), SHRUNK);
        let grown = Region { left: 5, top: 3, width: 4, height: 3 };
        assert_near("grown", &part(&picture(), grown, 8), GROWN);
    }

    const FITTED: &str = "\
        73755a85b05a96605aa84e5ab9a65acb5b5adb8e5ad65c5a9375a0a5b0a0b660a0c84ea0d9a6a0da5ba09b8e\
        a0465ca0b275a0c4b0a0d460a0d64ea0a1a6a04a5ba0238ea02d5ca0d17530dfb030c360304f4e3021a63029\
        5b303a8e304c5c30ca75707bb070346070264e7036a670485b70598e706b5c703375b624b0b63260b6444eb6\
        55a6b6675bb6788eb68a5cb62f757c41b07c52607c644e7c75a67c875b7c988e7caa5c7c4e754160b0417160\
        41834e4194a641a65b41b78e41c95c41";
    const SHRUNK: &str = "\
        5925696945697a75698cb0699d6069af4e69c0a669d058696f25997f4599907599a2b099b36099c54e99d6a6\
        99e158998725cb9745cba875cbbab0cbcb60cbdc4ecbd7a6cb8858cb9f2540af4540c07540d2b040e16040b2\
        4e4043a640195840b9253ec9453eda753ee4b03ea8603e244e3e20a63e30583ed12575e14575cf75756ab075\
        226075274e7538a675485875de25aba445ab3a75ab20b0ab2d60ab3f4eab50a6ab6058ab6925db2345db2075\
        db32b0db4360db554edb66a6db7658db";
    const GROWN: &str = "\
        4a19574c1c574f2157532757562e575a35575d3c575f40574b19594d1c59502159542759572e595b35595e3c\
        59604059501964521c645521645927645c2e64603564633c6465406455196f571c6f5a216f5e276f612e6f65\
        356f683c6f6a406f5919795b1c795e2179622779652e796935796c3c796e40795e1984601c84632184672784\
        6a2e846e3584713c8473408463198f651c8f68218f6c278f6f2e8f73358f763c8f78408f641991661c916921\
        916d2791702e91743591773c91794091";

    #[test]
    fn a_jpeg_ends_with_its_own_end_and_not_with_that_of_what_is_in_it_or_behind_it() {
        let (start, end) = ([0xff, 0xd8], [0xff, 0xd9]);
        let scan = [0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd3, 0xff, 0xff];
        let thumbnail = [&[0xff, 0xe1, 0, 17][..], &start, &scan, &end].concat();
        let whole = [&start[..], &thumbnail, &scan[..9], &end].concat();
        assert_eq!(jpeg_end(&whole), Some(whole.len()));
        // A film, and pictures that are not whole.
        for behind in [&[0; 9][..], &scan, &[0xff, 0xd8, 0xff, 0xda]] {
            assert_eq!(jpeg_end(&[&whole, behind].concat()), Some(whole.len()));
        }
        // Fill bytes before a marker belong to it.
        let filled = [&start[..], &thumbnail, &scan, &end].concat();
        assert_eq!(jpeg_end(&filled), Some(filled.len()));
        for cut in 2..whole.len() {
            assert_eq!(jpeg_end(&whole[..cut]), None, "{cut}");
        }
    }
}
