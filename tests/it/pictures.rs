//! A folder of small images that are made here.

use image::{DynamicImage, RgbImage};
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};
use takd::dataset::{Fit, ImageFolder};
use tempfile::TempDir;

/// A picture whose colours depend on `salt`, reddish or bluish by `class`.
pub fn picture(width: u32, height: u32, class: u8, salt: u8) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x * 37 + y * 91 + u32::from(salt) * 53) as u8 / 4;
        let tint = if class == 0 { [190, 0] } else { [0, 190] };
        image::Rgb([
            tint[0] + noise,
            noise.wrapping_add((x as u8).wrapping_mul(3)),
            tint[1] + noise,
        ])
    })
}

pub fn save(path: impl AsRef<Path>, picture: impl Into<DynamicImage>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture: DynamicImage = picture.into();
    picture.save(path).unwrap();
}

/// Two classes, PNG and JPEG, of several sizes; six images each to train on, two each held out.
pub fn write(root: &Path) {
    for (split, count) in [("train", 6), ("val", 2)] {
        for (class, name) in [(0, "n01"), (1, "n02")] {
            for place in 0..count {
                let extension = ["png", "JPEG", "jpg"][place as usize % 3];
                let (width, height) = (20 + u32::from(place) * 3, 24);
                let salt = place + if split == "val" { 100 } else { 0 };
                let name = format!("{split}/{name}/image{place}.{extension}");
                save(root.join(name), picture(width, height, class, salt));
            }
        }
    }
}

pub fn made() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("set"));
    dir
}

pub fn folder(dir: &Path) -> ImageFolder {
    let fit = Fit { size: 16, resize: 18, ..Fit::default() };
    ImageFolder { fit, ..ImageFolder::new(dir.join("set"), &dir.join("data")) }
}

/// Leaves three quarters of a file.
pub fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() * 3 / 4]).unwrap();
}

/// Files with a time from before, so that their digests can be kept.
pub fn settle(root: &Path) {
    let old = SystemTime::now() - Duration::from_secs(1000);
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            settle(&path);
        } else {
            fs::File::options().append(true).open(&path).unwrap().set_modified(old).unwrap();
        }
    }
}
