//! IDX files as they are distributed are read, and what is none of them is said to be what it is.

use crate::{tiny, workspace::Workspace};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use takd::dataset::{DataError, DataInfo, Format, Idx, Images, Storage};
use tempfile::TempDir;

/// MNIST's names.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// What is done to the files before they are read.
type Change<'a> = &'a dyn Fn(&Path);

fn idx(kind: u8, extents: &[u32], body: &[u8]) -> Vec<u8> {
    let start = [0, 0, kind, extents.len() as u8];
    let extents: Vec<u8> = extents.iter().flat_map(|extent| extent.to_be_bytes()).collect();
    [&start[..], &extents, body].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The four files of a small data set, changed; in a folder.
fn made(change: impl Fn(&Path)) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("set");
    tiny::write_idx(&folder);
    change(&folder);
    (dir, folder)
}

fn found(folder: &Path) -> Result<DataInfo, DataError> {
    Idx(folder.to_owned()).probe()
}

fn rename(folder: &Path, name: impl Fn(&str) -> String) {
    for old in NAMES {
        let new = folder.join(name(old));
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        fs::rename(folder.join(old), new).unwrap();
    }
}

fn pack(file: &Path, to: &Path) {
    let packed = gzip(&fs::read(file).unwrap());
    fs::remove_file(file).unwrap();
    fs::write(to, packed).unwrap();
}

#[test]
fn names_places_and_packings_do_not_matter() {
    let want = found(&made(|_| {}).1).unwrap();
    let changes: [(&str, Change<'_>); 8] = [
        ("gzipped", &|f| NAMES.iter().for_each(|n| pack(&f.join(n), &f.join(format!("{n}.gz"))))),
        ("gzipped under plain names", &|f| NAMES.iter().for_each(|n| pack(&f.join(n), &f.join(n)))),
        ("plain under .gz", &|f| rename(f, |name| format!("{name}.gz"))),
        ("dots", &|f| rename(f, |name| name.replace("-idx", ".idx"))),
        ("test", &|f| rename(f, |name| name.replace("t10k", "test"))),
        ("a prefix", &|f| rename(f, |name| format!("kmnist-{name}"))),
        ("torchvision's layout", &|f| rename(f, |name| format!("FashionMNIST/raw/{name}"))),
        ("both packings", &|f| {
            for name in NAMES {
                let packed = gzip(&fs::read(f.join(name)).unwrap());
                fs::write(f.join(format!("{name}.gz")), packed).unwrap();
            }
        }),
    ];
    for (what, change) in changes {
        let (_dir, folder) = made(change);
        assert_eq!(found(&folder).unwrap(), want, "{what}");
    }
    // Two streams of gzip, one after the other, are one.
    let (_dir, folder) = made(|f| {
        let file = f.join(NAMES[0]);
        let bytes = fs::read(&file).unwrap();
        let (one, other) = bytes.split_at(bytes.len() / 2);
        fs::write(file, [gzip(one), gzip(other)].concat()).unwrap();
    });
    assert_eq!(found(&folder).unwrap(), want);
}

#[test]
fn compressed_or_not_is_one_key() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "--set", "recipe.short.epochs=1"]);
    for name in NAMES {
        let file = workspace.path("bars").join(name);
        pack(&file, &file.with_extension("gz"));
    }
    fs::rename(workspace.path("bars"), workspace.path("packed")).unwrap();
    let set = ["--set", "data.bars.path=packed", "--set", "recipe.short.epochs=1"];
    let plan = workspace.ok(&[&["plan", "tiny.toml"], &set[..]].concat());
    assert!(plan.contains("0 to run"), "{plan}");
}

#[test]
fn several_data_sets_in_one_folder_are_told_apart_by_the_path() {
    let (dir, folder) = made(|f| rename(f, |name| format!("emnist-letters-{name}")));
    let letters = found(&folder).unwrap();
    assert!(letters.notes[0].contains("rows and columns swapped"), "{:?}", letters.notes);
    tiny::write_idx(&folder);
    let labels = idx(8, &[24], &[0; 24]);
    fs::write(folder.join(NAMES[3]), labels).unwrap();
    rename(&folder, |name| format!("emnist-digits-{name}"));
    let said = found(&folder).unwrap_err().to_string();
    for name in ["emnist-digits", "emnist-letters"] {
        let path = format!("path = \"{}\"", folder.join(name).display());
        assert!(said.contains(&path), "{said}");
    }
    assert_eq!(found(&folder.join("emnist-letters")).unwrap(), letters);
    assert_ne!(found(&folder.join("emnist-digits")).unwrap(), letters);
    // As torchvision keeps it.
    fs::create_dir_all(dir.path().join("EMNIST")).unwrap();
    fs::rename(&folder, dir.path().join("EMNIST/raw")).unwrap();
    assert_eq!(found(&dir.path().join("EMNIST/raw/emnist-letters")).unwrap(), letters);
    assert!(found(&dir.path().join("EMNIST")).unwrap_err().to_string().contains("more than one"));
}

#[test]
fn labels_from_1_are_read_as_classes_from_0() {
    let (_dir, folder) = made(|f| {
        for (name, count) in [(NAMES[1], 72), (NAMES[3], 24)] {
            let labels: Vec<u8> = (0..count).map(|place| place as u8 % 3 + 1).collect();
            fs::write(f.join(name), idx(8, &[count], &labels)).unwrap();
        }
    });
    let format = Format::from(Idx(folder.clone()));
    let info = found(&folder).unwrap();
    assert_eq!(
        (info.classes, info.notes[0].as_str()),
        (3, "labels 1 to 3 are read as classes 0 to 2")
    );
    let dataset = format.load().unwrap();
    assert_eq!(
        (&dataset.train.labels[..4], &dataset.test.labels[..4]),
        (&[0, 1, 2, 0][..], &[0, 1, 2, 0][..])
    );
    // A test label that no training image has is an error, below the lowest too.
    for label in [0, 4] {
        let labels: Vec<u8> = std::iter::repeat_n(label, 24).collect();
        fs::write(folder.join(NAMES[3]), idx(8, &[24], &labels)).unwrap();
        let said = found(&folder).unwrap_err().to_string();
        assert!(said.contains(&format!("record 0: label {label}, but")), "{said}");
        assert!(said.contains("training labels are 1 to 3"), "{said}");
    }
}

#[test]
fn colours_are_read_in_both_orders() {
    let planes: Vec<u8> = (0..12).collect();
    let pixels = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11];
    for (extents, image) in [([3, 2, 2], &planes[..]), ([2, 2, 3], &pixels)] {
        let (_dir, folder) = made(|f| {
            for (name, count) in [(NAMES[0], 72), (NAMES[2], 24u32)] {
                let extents = [&[count][..], &extents].concat();
                fs::remove_file(f.join(name)).unwrap();
                let name = name.replace("idx3", "idx4");
                fs::write(f.join(name), idx(8, &extents, &image.repeat(count as usize))).unwrap();
            }
        });
        let dataset = Idx(folder).load().unwrap();
        assert_eq!(dataset.shape.to_string(), "3×2×2");
        let Images::Bytes(images) = dataset.test.images else { panic!("they are in memory") };
        assert_eq!(images[12..24], planes);
    }
}

#[test]
fn what_is_none_of_the_files_is_said_to_be_what_it_is() {
    let body = |f: &Path| fs::read(f.join(NAMES[0])).unwrap()[16..].to_vec();
    let cases: [(Change<'_>, &[&str]); 8] = [
        (
            &|f| fs::write(f.join(NAMES[0]), "<!DOCTYPE html>\n<html><title>404").unwrap(),
            &[NAMES[0], "HTML, not data", "download it again"],
        ),
        (
            &|f| fs::write(f.join(NAMES[3]), gzip(b"  <html>login")).unwrap(),
            &[NAMES[3], "HTML, not data"],
        ),
        (
            &|f| fs::write(f.join(NAMES[2]), idx(13, &[24, 8, 8], &[0; 24 * 64 * 4])).unwrap(),
            &[NAMES[2], "32-bit floats (type 0x0d)", "(x * 255).round().astype('uint8')"],
        ),
        (
            &|f| fs::write(f.join(NAMES[1]), idx(12, &[72], &[0; 288])).unwrap(),
            &[NAMES[1], "labels as 32-bit integers"],
        ),
        (
            &|f| {
                let bytes = fs::read(f.join(NAMES[2])).unwrap();
                fs::write(f.join(NAMES[2]), gzip(&bytes[..bytes.len() - 9])).unwrap();
            },
            &[NAMES[2], "truncated: the header promises"],
        ),
        (
            &|f| fs::write(f.join(NAMES[0]), idx(8, &[71, 8, 8], &body(f))).unwrap(),
            &[NAMES[0], "longer than"],
        ),
        (&|f| fs::remove_file(f.join(NAMES[2])).unwrap(), &["no file t10k-images-idx3-ubyte"]),
        (
            &|f| {
                fs::copy(f.join(NAMES[2]), f.join("test-images.idx3-ubyte")).unwrap();
            },
            &["t10k-images-idx3-ubyte and", "test-images.idx3-ubyte", "remove one"],
        ),
    ];
    for (change, says) in cases {
        let (_dir, folder) = made(change);
        let said = found(&folder).unwrap_err().to_string();
        assert!(says.iter().all(|part| said.contains(part)), "{says:?}: {said}");
    }
    let dir = tempfile::tempdir().unwrap();
    let said = found(dir.path()).unwrap_err();
    assert!(matches!(said, DataError::Missing { .. }), "{said}");
}

#[test]
fn check_and_init_know_them() {
    let workspace = Workspace::new();
    rename(&workspace.path("bars"), |name| {
        format!("raw/emnist-letters-{name}").replace("-idx", ".idx")
    });
    for name in ["bars", "bars/raw", "bars/raw/emnist-letters"] {
        let checked = workspace.ok(&["data", "check", name]);
        assert!(checked.contains("72 training and 24 test images"), "{name}: {checked}");
        assert!(checked.contains("rows and columns swapped"), "{name}: {checked}");
        let file = format!("{}.toml", name.replace('/', "-"));
        workspace.ok(&["init", name, "-o", &file]);
        assert!(workspace.ok(&["check", &file]).contains("no errors"));
    }
    let missing = workspace.takd(&["init", "bars/raw/emnist-digits"]);
    assert!(missing.stderr.contains("there is no folder"), "{missing:?}");
}
