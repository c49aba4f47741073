//! What counts as an image is told by content; what does not is counted by reason.

use crate::{
    image_runs::PIPELINE,
    pictures::{cut, folder, made, picture, save, settle},
    running::Running,
    workspace::Workspace,
};
use image::{DynamicImage, ImageFormat, RgbImage};
use std::{
    fs,
    io::{BufRead, BufReader, Cursor},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};
use takd::dataset::{Data, Fit, Format, ImageFolder, Normalisation, Split, Storage, View};

fn encoded(picture: RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn images_are_told_by_their_content_and_the_rest_is_counted_by_reason() {
    let dir = made();
    let class = dir.path().join("set/train/n01");
    let jpeg = encoded(picture(20, 20, 0, 9), ImageFormat::Jpeg);
    for name in ["a.jfif", "b.JPE", "c", "d.", "e.jpg_large", "f.png", "g.JPG"] {
        fs::write(class.join(name), &jpeg).unwrap();
    }
    fs::write(class.join("h.txt"), encoded(picture(20, 20, 0, 8), ImageFormat::Png)).unwrap();
    let info = folder(dir.path()).verify().unwrap();
    assert_eq!((info.train, info.test), (12 + 8, 4));
    assert!(info.notes.is_empty(), "{:?}", info.notes);

    for (name, bytes) in [
        ("k1.heic", &b"\0\0\0\x18ftypheic\0\0\0\0"[..]),
        ("k2.jpg", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("k3.gif", b"GIF89a\x01\0\x01\0"),
        ("k4.jpg", b"<!DOCTYPE html><html>404</html>"),
        ("k5.jpg", b""),
        ("notes.txt", b"a note"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
        (".DS_Store", b"hidden"),
        ("._a.jpg", b"hidden too"),
        ("k6.jpg", &[0; 100]),
    ] {
        fs::write(class.join(name), bytes).unwrap();
    }
    for thumbnail in ["@eaDir/a.jfif/SYNOPHOTO_THUMB_M.jpg", "b.jpg/c.jpg"] {
        let file = class.join(thumbnail);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &jpeg).unwrap();
    }
    fs::create_dir(dir.path().join("set/val/@eaDir")).unwrap();
    fs::write(dir.path().join("set/train/list.csv"), "a,b").unwrap();
    symlink(".", class.join("again")).unwrap();
    symlink("../..", class.join("above")).unwrap();
    symlink("nowhere.jpg", class.join("gone.jpg")).unwrap();
    symlink("self.jpg", class.join("self.jpg")).unwrap();
    assert!(Command::new("mkfifo").arg(class.join("pipe.jpg")).status().unwrap().success());
    symlink("/dev/zero", class.join("zero.jpg")).unwrap();
    let found = folder(dir.path()).verify().unwrap();
    assert_eq!((found.train, found.digests), (info.train, info.digests), "the images are the same");
    insta::assert_snapshot!(found.notes.join("\n"));
}

#[test]
fn links_to_images_and_to_folders_of_them_are_followed() {
    let dir = made();
    let set = dir.path().join("set");
    fs::rename(set.join("train/n01"), dir.path().join("elsewhere")).unwrap();
    symlink(dir.path().join("elsewhere"), set.join("train/n01")).unwrap();
    symlink(dir.path().join("elsewhere/image0.png"), set.join("val/n01/more.png")).unwrap();
    let info = folder(dir.path()).verify().unwrap();
    assert_eq!((info.train, info.test, info.notes.len()), (12, 5, 0));
}

#[test]
fn a_class_may_lack_test_images_and_the_training_folders_number_the_classes() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    for class in ["0", "180", "270", "90"] {
        save(set.join("train").join(class).join("a.png"), picture(16, 18, 0, 0));
    }
    for class in ["90", "0"] {
        save(set.join("val").join(class).join("a.png"), picture(16, 18, 0, 0));
    }
    fs::create_dir(set.join("val/180")).unwrap();
    let format = Format::from(folder(dir.path()));
    let info = format.probe().unwrap();
    assert_eq!((info.classes, info.train, info.test), (4, 4, 2));
    assert_eq!(info.notes.len(), 1);
    let note = "no test images for 2 of 4 classes (180, 270): test results do not cover them";
    assert_eq!(info.notes[0], note);
    let test = format.load().unwrap().test;
    assert_eq!(test.labels, [0, 3]);
    save(set.join("val/45/a.png"), picture(16, 18, 0, 0));
    let said = format.probe().unwrap_err().to_string();
    assert!(said.contains("val/45") && said.contains("train has no class folder"), "{said}");
}

/// A JPEG whose Exif data says how it is to be turned.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [
        &b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let length = (2 + 6 + tiff.len()) as u16;
    [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

/// Pixels of the only training image, in planes.
fn pixels(folder: &ImageFolder) -> Vec<f32> {
    let format = Format::from(folder.clone());
    let (info, dataset) = (format.probe().unwrap(), format.load().unwrap());
    let normalisation = Normalisation::Given { mean: vec![0.0; 3], std: vec![1.0; 3] };
    let data = Data { format, validation: 0, scoring: 0, normalisation, info };
    let view = View::new(&dataset, &data, Split::Train, &burn::tensor::Device::flex()).unwrap();
    let batch = view.batches(&[0], 1, None).unwrap().next().unwrap().unwrap();
    batch.images.into_data().try_into_vec_as::<f32>().unwrap()
}

/// PIL 12: `ImageOps.exif_transpose` turns orientation 6 by 270° against the clock, as viewers do.
#[test]
fn images_are_turned_as_their_exif_data_says_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    // Bright at the top.
    let bright = RgbImage::from_fn(16, 16, |_, y| image::Rgb([if y < 8 { 255 } else { 0 }; 3]));
    let jpeg = encoded(bright, ImageFormat::Jpeg);
    save(set.join("val/a/a.png"), picture(16, 16, 0, 0));
    fs::create_dir_all(set.join("train/a")).unwrap();
    let bright = |orientation: u8, exif: bool| {
        fs::write(set.join("train/a/a.jpg"), turned(&jpeg, orientation)).unwrap();
        let fit = Fit { size: 16, resize: 16, exif };
        let pixels = pixels(&ImageFolder { fit, ..folder(dir.path()) });
        let at = |(x, y): (usize, usize)| pixels[y * 16 + x] > 0.5;
        let corners = [(2, 2), (13, 2), (2, 13), (13, 13)].map(at);
        match corners {
            [true, true, false, false] => "top",
            [false, false, true, true] => "bottom",
            [false, true, false, true] => "right",
            [true, false, true, false] => "left",
            _ => "nothing",
        }
    };
    for (orientation, side) in [(1, "top"), (3, "bottom"), (6, "right"), (8, "left")] {
        assert_eq!(bright(orientation, true), side, "{orientation}");
        assert_eq!(bright(orientation, false), "top", "{orientation}");
    }
    assert_eq!(bright(77, true), "top", "no orientation has this number");
}

#[test]
fn what_follows_a_jpeg_changes_nothing_of_its_picture() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    save(set.join("val/a/a.png"), picture(16, 16, 0, 0));
    fs::create_dir_all(set.join("train/a")).unwrap();
    let folder = folder(dir.path());
    let jpeg = encoded(picture(31, 22, 0, 5), ImageFormat::Jpeg);
    let read = |behind: &[u8]| {
        fs::write(set.join("train/a/a.jpg"), [&jpeg, behind].concat()).unwrap();
        folder.clone().verify().unwrap();
        pixels(&folder)
    };
    let want = read(&[]);
    let film = [&b"\0\0\0\x18ftypmp42"[..], &[0xff, 0xda, 9, 0xff, 0xd8, 7].repeat(50)].concat();
    for behind in [&film[..], &[0; 5000], &jpeg, &jpeg[..jpeg.len() / 2], b"\xff\xda"] {
        assert!(read(behind) == want, "{} bytes behind it", behind.len());
    }
    let picture = [&turned(&jpeg, 1), &film[..]].concat();
    fs::write(set.join("train/a/a.jpg"), &picture[..jpeg.len() - 9]).unwrap();
    assert!(folder.verify().is_err(), "it is cut short");
}

#[test]
fn what_a_user_should_know_is_said_once_by_a_run_and_by_a_check() {
    let workspace = Workspace::new();
    crate::pictures::write(&workspace.path("set"));
    workspace.write("own.toml", PIPELINE);
    fs::remove_dir_all(workspace.path("set/val/n02")).unwrap();
    workspace.write("set/train/n01/a.gif", "GIF89a");
    let gif = "skipped 1 GIF file, which takd does not decode: train/n01/a.gif";
    let lacking = "no test images for 1 of 2 classes (n02): test results do not cover it";
    let checked = workspace.ok(&["data", "check", "set"]);
    assert!(checked.contains(gif) && checked.contains(lacking), "{checked}");
    let run = workspace.takd(&["run", "own.toml"]);
    for note in [gif, lacking] {
        let told = run.stderr.matches(&format!("note: own: {note}")).count();
        assert_eq!(told, 1, "{}", run.stderr);
    }
    assert_eq!(run.code, 0, "{run:?}");
}

/// Whatever of this is broken would be found after the last epoch.
#[test]
fn a_damaged_test_image_is_found_before_the_first_training() {
    let workspace = Workspace::new();
    crate::pictures::write(&workspace.path("set"));
    settle(&workspace.path("set"));
    workspace.write("own.toml", PIPELINE);
    let broken = workspace.path("set/val/n02/image1.JPEG");
    let whole = fs::read(&broken).unwrap();
    cut(&broken);
    let run = workspace.takd(&["run", "own.toml"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("val/n02/image1.JPEG: the JPEG is cut short"), "{}", run.stderr);
    assert!(!run.stderr.contains("started"), "{}", run.stderr);
    fs::write(&broken, whole).unwrap();
    // 15 are known to be whole; the new one is young and is not remembered yet.
    let decoding = |output: &str| {
        let first = output.lines().find(|line| line.contains("\"decoding\""));
        first.map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            (event["data"].clone(), event["done"].clone(), event["total"].clone())
        })
    };
    let events = ["run", "own.toml", "--log-format", "json", "--set", "recipe.short.epochs=1"];
    let run = workspace.takd(&events);
    assert_eq!(decoding(&run.stderr), Some(("own".into(), 0.into(), 1.into())), "{}", run.stderr);
    settle(&workspace.path("set"));
    let again = |epochs: &str| workspace.takd(&[&events[..4], &["--set", epochs]].concat()).stderr;
    assert_eq!(decoding(&again("recipe.short.epochs=2")).map(|(.., total)| total), Some(16.into()));
    assert_eq!(decoding(&again("recipe.short.epochs=3")), None, "all are remembered");
}

/// What was checked is kept 256 images at a time; a stop is no matter of minutes.
#[test]
fn a_signal_ends_the_check_of_images_at_once() {
    let workspace = Workspace::new();
    crate::pictures::write(&workspace.path("set"));
    let file = workspace.path("set/train/n01/large.jpg");
    save(&file, picture(3000, 3000, 0, 0));
    for place in 0..2000 {
        fs::hard_link(&file, workspace.path(format!("set/train/n01/again{place}.jpg"))).unwrap();
    }
    workspace.write("own.toml", PIPELINE);
    let mut command = workspace.command(&["run", "own.toml", "--log-format", "json"]);
    let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let begun = lines.find(|line| line.as_ref().unwrap().contains("\"decoding\""));
    assert!(begun.is_some());
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(run.output().unwrap().status.code(), Some(130), "{rest:?}");
    let whole = rest.iter().any(|line| line.contains("\"done\":2013") || line.contains("started"));
    assert!(!whole, "{rest:?}");
}

#[test]
fn init_and_check_count_what_a_run_trains_on() {
    let workspace = Workspace::new();
    crate::pictures::write(&workspace.path("set"));
    let rename = |from: &str, to: &str| {
        fs::rename(
            workspace.path(Path::new("set").join(from)),
            workspace.path(Path::new("set").join(to)),
        )
        .unwrap();
    };
    rename("train/n01/image1.JPEG", "train/n01/image1");
    rename("train/n02/image0.png", "train/n02/image0.jfif");
    workspace.write("set/train/n02/x.jpg", "");
    let written = workspace.takd(&["init", "set", "-o", "new.toml"]);
    assert!(written.stderr.contains("12 training and 4 test images"), "{written:?}");
    assert!(workspace.ok(&["data", "check", "set"]).contains("12 training and 4 test images"));
    assert!(workspace.ok(&["check", "new.toml"]).contains("no errors"));
}
