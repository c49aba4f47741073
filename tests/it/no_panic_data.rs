//! No bytes of a data file make takd panic, or ask for memory that the file could not fill.

use crate::{
    pictures::{picture, save},
    tiny,
    workspace::Workspace,
};
use image::{DynamicImage, ImageFormat};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_oneof, proptest,
};
use std::{fs, io::Cursor, path::Path};
use takd::dataset::{Cifar, CifarKind, Fit, Format, Idx, ImageFolder};

/// A file's bytes with some of them replaced, or its end missing, or other bytes altogether.
fn damaged(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = valid.len();
    let patch = (0..length, prop::collection::vec(any::<u8>(), 1..6));
    let patched = (Just(valid.clone()), patch, 0..=length, any::<bool>());
    let patched = patched.prop_map(|(mut bytes, (start, patch), cut, whole)| {
        for (byte, new) in bytes[start..].iter_mut().zip(patch) {
            *byte = new;
        }
        bytes.truncate(if whole { bytes.len() } else { cut });
        bytes
    });
    // The header says the most: it is hit more often than its share.
    let head =
        (Just(valid), 0..length.min(40), any::<[u8; 4]>()).prop_map(|(mut bytes, at, new)| {
            for (byte, new) in bytes[at..].iter_mut().zip(new) {
                *byte = new;
            }
            bytes
        });
    prop_oneof![2 => patched, 2 => head, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture(11, 9, 0, 1)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Whatever is found, it is told; a panic fails the test by itself.
fn tells(format: &Format) -> bool {
    match format.verify() {
        Ok(info) => info.classes > 0,
        Err(error) => !error.to_string().is_empty(),
    }
}

fn image_folder(root: &Path, name: &str, bytes: &[u8]) -> Format {
    for split in ["train", "val"] {
        save(root.join(split).join("a/good.png"), picture(4, 4, 0, 0));
    }
    fs::write(root.join("train/a").join(name), bytes).unwrap();
    let fit = Fit { size: 4, resize: 4, ..Fit::default() };
    Format::from(ImageFolder { fit, ..ImageFolder::new(root.to_owned(), &root.join("data")) })
}

fn idx(bytes: &[u8], labels: bool) -> bool {
    let dir = tempfile::tempdir().unwrap();
    tiny::write_idx(dir.path());
    let name = if labels { "train-labels-idx1-ubyte" } else { "t10k-images-idx3-ubyte" };
    fs::write(dir.path().join(name), bytes).unwrap();
    tells(&Format::from(Idx(dir.path().to_owned())))
}

fn valid_idx(name: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    tiny::write_idx(dir.path());
    fs::read(dir.path().join(name)).unwrap()
}

fn cifar(bytes: &[u8], name: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), bytes).unwrap();
    let (train, test) = (vec!["a.bin".to_owned()], vec!["a.bin".to_owned()]);
    let path = dir.path().join(if name.ends_with("tar.gz") { name } else { "" });
    tells(&Format::from(Cifar { kind: CifarKind::Ten, path, train, test }))
}

fn packed() -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(3073);
    header.set_mode(0o644);
    builder.append_data(&mut header, "cifar/a.bin", &[0; 3073][..]).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 150, ..Default::default() })]

    #[test]
    fn pngs(bytes in damaged(encoded(ImageFormat::Png))) {
        let dir = tempfile::tempdir().unwrap();
        prop_assert!(tells(&image_folder(dir.path(), "x.png", &bytes)));
    }

    #[test]
    fn jpegs(bytes in damaged(encoded(ImageFormat::Jpeg))) {
        let dir = tempfile::tempdir().unwrap();
        prop_assert!(tells(&image_folder(dir.path(), "x.jpg", &bytes)));
    }

    #[test]
    fn idx_images(bytes in damaged(valid_idx("t10k-images-idx3-ubyte"))) {
        prop_assert!(idx(&bytes, false));
    }

    #[test]
    fn idx_labels(bytes in damaged(valid_idx("train-labels-idx1-ubyte"))) {
        prop_assert!(idx(&bytes, true));
    }

    #[test]
    fn cifar_records(bytes in damaged(vec![3; 2 * 3073])) {
        prop_assert!(cifar(&bytes, "a.bin"));
    }

    #[test]
    fn cifar_archives(bytes in damaged(packed())) {
        prop_assert!(cifar(&bytes, "cifar-10-binary.tar.gz"));
    }
}

/// A PNG of one line of data that claims `width` × `height` pixels, its checksum right.
fn boast(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    bytes
}

/// takd may use 2 GB of address space here, threads and libraries included: what these files claim
/// is more.
#[test]
#[cfg(target_os = "linux")]
fn headers_that_boast_get_no_memory() {
    let workspace = Workspace::new();
    let limited = |arguments: &str| {
        let script = format!("ulimit -v 2000000; exec \"$0\" {arguments}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_takd")]);
        let output = command.current_dir(workspace.path("")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let mut jpeg = encoded(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    for (name, bytes) in [
        ("x.png", boast(60_000, 60_000)),
        ("y.png", boast(u32::MAX >> 1, u32::MAX >> 1)),
        ("z.jpg", jpeg),
        // Long enough for what it claims, were it packed as well as can be.
        ("v.png", [boast(30_000, 30_000), vec![0; 200_000]].concat()),
        ("w.png", [boast(1_000_000, 2), vec![0; 1000]].concat()),
    ] {
        let root = workspace.path(name.replace('.', "-"));
        image_folder(&root, name, &bytes);
        let set = root.file_name().unwrap().to_str().unwrap();
        let (code, said) = limited(&format!("data check {set}"));
        assert!(code == Some(1) && said.contains(name), "{name}: {code:?} {said}");
    }
    let header = [0x803u32, 1 << 26, 1 << 26, 1 << 26].map(u32::to_be_bytes).concat();
    workspace.write("bars/train-images-idx3-ubyte", header);
    let labels = [0x801u32, 1 << 26].map(u32::to_be_bytes).concat();
    workspace.write("bars/train-labels-idx1-ubyte", labels);
    let (code, said) = limited("plan tiny.toml");
    assert!(code == Some(3) && said.contains("not believable"), "{code:?} {said}");
}
