//! Folders of images are read as they lie there, a few at a time, to the same bits on any number of
//! threads.

use crate::pictures::{folder, made, picture, save, settle};
use image::DynamicImage;
use std::{fs, time::SystemTime};
use takd::{
    augment::{Augment, Crop, Flip, ResizedCrop},
    dataset::{
        Changes, Data, DataError, Fit, Format, ImageFolder, Normalisation, Split, Storage, View,
    },
    kind::Choice,
};
use tempfile::TempDir;

fn view(folder: &ImageFolder, split: Split, validation: usize) -> Result<View, DataError> {
    let format = Format::from(folder.clone());
    let (info, dataset) = (format.probe()?, format.load()?);
    let data =
        Data { format, validation, scoring: 0, normalisation: Normalisation::Measured, info };
    View::new(&dataset, &data, split, &burn::tensor::Device::flex())
}

/// Every batch's pixels and labels, normalised.
fn pixels(view: &View, size: usize, changes: Option<Changes<'_>>) -> (Vec<f32>, Vec<i32>) {
    let places: Vec<u32> = (0..view.len() as u32).collect();
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for batch in view.batches(&places, size, changes).unwrap() {
        let batch = batch.unwrap();
        images.extend(batch.images.into_data().try_into_vec_as::<f32>().unwrap());
        labels.extend(batch.labels.into_data().try_into_vec_as::<i32>().unwrap());
    }
    (images, labels)
}

fn digest(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    blake3::hash(&bytes).to_hex()[..16].to_owned()
}

#[test]
fn measuring_mean_and_deviation_stops() {
    let dir = made();
    let folder = folder(dir.path());
    let dataset = folder.clone().load().unwrap();
    let stopped = dataset.measure(&Normalisation::Measured, &|| true);
    assert!(matches!(stopped, Err(DataError::Stopped)));
    // Nothing half measured stays, and what is measured once is not measured again.
    dataset.measure(&Normalisation::Measured, &|| false).unwrap();
    dataset.measure(&Normalisation::Measured, &|| true).unwrap();
}

#[test]
fn classes_and_samples_are_numbered_by_their_sorted_names() {
    let dir = made();
    let root = dir.path().join("set");
    save(root.join("train/n01/deeper/zz.png"), picture(9, 9, 0, 0));
    fs::write(root.join("train/n01/.DS_Store"), "hidden").unwrap();
    fs::write(root.join("train/n01/notes.txt"), "no image").unwrap();
    fs::write(root.join("train/list.txt"), "no class").unwrap();
    let folder = folder(dir.path());
    let info = folder.clone().probe().unwrap();
    assert_eq!((info.classes, info.train, info.test), (2, 13, 4));
    assert_eq!(info.shape.to_string(), "3×16×16");
    let train = view(&folder, Split::Train, 0).unwrap();
    assert_eq!(train.labels, [vec![0; 7], vec![1; 6]].concat());
    assert!(train.ids.iter().copied().eq(0..13));
    let [held, left] =
        [Split::Validation, Split::Train].map(|split| view(&folder, split, 4).unwrap());
    assert_eq!((held.len(), left.len()), (4, 9));
}

#[test]
fn the_digest_is_that_of_names_and_contents() {
    let [one, other] = [made(), made()];
    let digests = |dir: &TempDir| folder(dir.path()).probe().unwrap().digests;
    let base = digests(&one);
    assert_eq!(base, digests(&other), "where the folder lies does not matter");
    assert_ne!(base.train, base.test);
    let set = other.path().join("set/train/n01");
    fs::rename(set.join("image0.png"), set.join("renamed.png")).unwrap();
    let renamed = digests(&other);
    assert!(renamed.train != base.train && renamed.test == base.test);
    save(one.path().join("set/val/n02/image0.png"), picture(20, 24, 1, 7));
    let replaced = digests(&one);
    assert!(replaced.train == base.train && replaced.test != base.test);
    // Names of classes say what labels mean, in both parts.
    let [train, val] = ["train", "val"].map(|split| one.path().join("set").join(split));
    for split in [train, val] {
        fs::rename(split.join("n02"), split.join("n03")).unwrap();
    }
    let other_class = digests(&one);
    assert!(other_class.train != replaced.train && other_class.test != replaced.test);
}

#[test]
fn files_are_not_read_twice_and_a_change_behind_their_times_is_found_when_they_are_used() {
    let dir = made();
    settle(&dir.path().join("set"));
    let folder = folder(dir.path());
    let format = Format::from(folder.clone());
    let base = format.probe().unwrap().digests;
    // The same size and the same time, other bytes.
    let file = dir.path().join("set/train/n02/image0.png");
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    fs::File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
    assert_eq!(format.probe().unwrap().digests, base, "it was not read");
    let said = view(&folder, Split::Train, 0).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("n02/image0.png") && said.contains("takd data check"), "{said}");
    // A new time is enough.
    fs::File::options().append(true).open(&file).unwrap().set_modified(SystemTime::now()).unwrap();
    assert_ne!(format.probe().unwrap().digests, base);
    // Lines that a power cut has torn say nothing.
    let index = fs::read_dir(dir.path().join("data/digests")).unwrap().next().unwrap().unwrap();
    let text = fs::read(index.path()).unwrap();
    fs::write(index.path(), &text[..text.len() - 40]).unwrap();
    assert_ne!(format.probe().unwrap().digests, base);
}

#[test]
fn images_of_the_right_size_are_taken_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("set");
    let (colour, grey) = (picture(8, 8, 0, 1), DynamicImage::from(picture(8, 8, 0, 2)).to_luma8());
    let clear = DynamicImage::from(colour.clone()).to_rgba8();
    for split in ["train", "test"] {
        save(root.join(split).join("a/colour.png"), colour.clone());
        save(root.join(split).join("a/grey.png"), grey.clone());
        save(root.join(split).join("b/clear.png"), clear.clone());
    }
    let fit = Fit { size: 8, resize: 8, ..Fit::default() };
    let folder = ImageFolder { fit, ..folder(dir.path()) };
    let format = Format::from(folder);
    let normalisation = Normalisation::Given { mean: vec![0.0; 3], std: vec![1.0; 3] };
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    let data = Data { format, validation: 0, scoring: 0, normalisation, info };
    let view = View::new(&dataset, &data, Split::Test, &burn::tensor::Device::flex()).unwrap();
    let (images, labels) = pixels(&view, 2, None);
    let planes = |channel: usize| colour.pixels().map(move |pixel| pixel.0[channel]);
    let colours: Vec<u8> = (0..3).flat_map(planes).collect();
    let greys = [grey.as_raw().as_slice(); 3].concat();
    let want = [colours.clone(), greys, colours].concat();
    assert!(images.iter().map(|value| (value * 255.0).round() as u8).eq(want));
    assert_eq!(labels, [0, 0, 1]);
}

fn changes() -> [Choice<dyn Augment>; 3] {
    [ResizedCrop {}.into(), Crop {}.into(), Flip {}.into()]
}

#[test]
fn the_number_of_threads_and_the_size_of_batches_change_no_bit() {
    let dir = made();
    let folder = folder(dir.path());
    let read = |threads, size, changes| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| pixels(&view(&folder, Split::Train, 0).unwrap(), size, changes))
    };
    let augment = changes();
    let changed = |epoch| Some(Changes { augment: &augment, seed: 5, epoch });
    for changes in [None, changed(0)] {
        let one = read(1, 12, changes);
        assert_eq!(one.0.len(), 12 * 3 * 16 * 16);
        assert!(one == read(4, 5, changes) && one == read(2, 1, changes));
    }
    assert!(read(2, 4, changed(0)) != read(2, 4, changed(1)), "an epoch has its own changes");
}

/// If one of these changes, the same key would give other bits: raise `KEY_VERSION`.
#[test]
fn known_images_give_what_they_gave() {
    let dir = tempfile::tempdir().unwrap();
    for split in ["train", "val"] {
        // PNG only: what the encoder of JPEGs writes is not ours to promise.
        let root = dir.path().join("set").join(split);
        save(root.join("a/wide.png"), picture(40, 24, 0, 3));
        save(root.join("b/tall.png"), picture(24, 31, 1, 4));
    }
    let view = view(&folder(dir.path()), Split::Train, 0).unwrap();
    let changes = Changes { augment: &[ResizedCrop {}.into()], seed: 1, epoch: 2 };
    let found = [None, Some(changes)].map(|changes| digest(&pixels(&view, 8, changes).0));
    assert_eq!(found, KNOWN);
}

const KNOWN: [&str; 2] = ["be2006e29db06a68", "8e75a495eb4845b3"];

#[test]
fn more_than_256_classes_have_labels_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    for class in 0..300u16 {
        for split in ["train", "val"] {
            let name = format!("set/{split}/class{class:03}/a.png");
            save(dir.path().join(name), picture(2, 2, 0, class as u8));
        }
    }
    let folder =
        ImageFolder { fit: Fit { size: 2, resize: 2, ..Fit::default() }, ..folder(dir.path()) };
    let view = view(&folder, Split::Test, 0).unwrap();
    assert!(view.labels.iter().copied().eq(0..300));
    assert!(pixels(&view, 128, None).1.into_iter().eq(0..300));
    let mut logits = vec![0.0; 300 * 300];
    (0..300).for_each(|class| logits[class * 300 + class] = 1.0);
    assert_eq!(takd::metric::metrics(&logits, &view.labels, 300, 1.0).top1(), 1.0);
}
