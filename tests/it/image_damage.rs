//! What is said of images and folders of images that are not as they must be.

use crate::{
    errors::with,
    pictures::{cut, folder, made, picture, save},
};
use std::{fs, path::Path};
use takd::dataset::Format;

/// What is said of a folder after `change`, by a look at its files and by a full check.
fn said(change: impl Fn(&Path)) -> [String; 2] {
    let dir = made();
    change(&dir.path().join("set"));
    let format = Format::from(folder(dir.path()));
    [format.probe(), format.verify()].map(|found| match found {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    })
}

#[test]
fn damaged_images_are_named() {
    let [seen, checked] = said(|set| cut(&set.join("train/n01/image1.JPEG")));
    assert!(seen.is_empty(), "a look reads digests only: {seen}");
    assert!(checked.contains("n01/image1.JPEG: the JPEG is cut short"), "{checked}");
    let [_, png] = said(|set| cut(&set.join("val/n02/image0.png")));
    assert!(png.contains("val/n02/image0.png: ") && png.contains("replace it"), "{png}");
    let [_, several] = said(|set| {
        cut(&set.join("train/n01/image1.JPEG"));
        cut(&set.join("train/n02/image2.jpg"));
    });
    assert!(several.starts_with("2 files are not usable"), "{several}");
    let vast = |set: &Path| {
        let file = fs::File::options().write(true).open(set.join("val/n01/image1.JPEG")).unwrap();
        file.set_len(1 << 40).unwrap();
    };
    let [seen, _] = said(vast);
    assert!(seen.contains("image1.JPEG") && seen.contains("1099.5 GB"), "it is not read: {seen}");
}

#[test]
fn wrong_layouts_are_named() {
    for (change, says) in [
        (
            Box::new(|set: &Path| fs::create_dir(set.join("train/n00")).unwrap())
                as Box<dyn Fn(&Path)>,
            &["train/n00", "an empty class folder"][..],
        ),
        (
            Box::new(|set: &Path| save(set.join("val/n03/a.png"), picture(4, 4, 0, 0))),
            &["val/n03", "train has no class folder of this name"],
        ),
        (
            Box::new(|set: &Path| {
                for place in 0..6 {
                    let name = ["png", "JPEG", "jpg"][place % 3];
                    let name = set.join(format!("train/n02/image{place}.{name}"));
                    fs::write(name, "RIFF....WEBPVP8 ").unwrap();
                }
            }),
            &["train/n02", "an empty class folder", "skipped 6 WebP files"],
        ),
        (
            Box::new(|set: &Path| {
                for class in ["n01", "n02"] {
                    fs::remove_dir_all(set.join("val").join(class)).unwrap();
                    fs::create_dir(set.join("val").join(class)).unwrap();
                }
            }),
            &["set/val", "its class folders are empty"],
        ),
        (
            Box::new(|set: &Path| {
                fs::remove_dir_all(set.join("val")).unwrap();
                save(set.join("val/a.JPEG"), picture(4, 4, 0, 0));
            }),
            &["set/val", "it holds images, but no class folder", "valprep"],
        ),
        (
            Box::new(|set: &Path| {
                fs::remove_dir_all(set.join("train")).unwrap();
                fs::create_dir(set.join("train")).unwrap();
            }),
            &["set/train", "it holds no class folder"],
        ),
        (
            Box::new(|set: &Path| fs::remove_dir_all(set.join("val")).unwrap()),
            &["set/val", "val or test", "TAKD_DATA"],
        ),
    ] {
        let [seen, _] = said(change);
        assert!(says.iter().all(|part| seen.contains(part)), "{says:?}: {seen}");
    }
}

#[test]
fn image_folders_and_what_belongs_to_others() {
    insta::assert_snapshot!(with(
        r#"
[data.photos]
format = "image-folder"
train = ["a"]
size = 0
[data.small]
format = "image-folder"
size = 64
resize = 32
[data.turned]
format = "image-folder"
exif = "no"
[data.e]
format = "idx"
path = "bars"
size = 32
exif = false
train = "a"
[recipe.late]
epochs = 1
batch_size = 8
optimizer = { sgd = { lr = 0.1 } }
augment = ["flip", "resized-crop", "resize"]
"#
    ));
}
