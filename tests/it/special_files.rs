//! What is no file is never opened, and what is too large is refused before it is read.

use crate::{running::Running, workspace::Workspace};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::{fs::symlink, net::UnixListener},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use takd::dataset::{Cifar, CifarKind, Storage};

/// Named pipe, device, socket and folder, under names that begin with `name`.
fn specials(workspace: &Workspace, name: &str) -> [(String, &'static str); 4] {
    let names = ["pipe", "zero", "socket", "folder"].map(|kind| format!("{name}-{kind}"));
    let path = |place: usize| workspace.path(&names[place]);
    assert!(Command::new("mkfifo").arg(path(0)).status().unwrap().success());
    symlink("/dev/zero", path(1)).unwrap();
    // The name stays when the listener is closed.
    drop(UnixListener::bind(path(2)).unwrap());
    fs::create_dir(path(3)).unwrap();
    let mut kinds = ["named pipe", "device", "socket", "folder"].into_iter();
    names.map(|name| (name, kinds.next().unwrap()))
}

/// What `takd` says, which must end by itself; a test that waits for ever tells nothing.
fn said(workspace: &Workspace, args: &[&str]) -> String {
    let mut command = workspace.command(args);
    let mut child = Running::new(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "takd {args:?} does not end");
        sleep(Duration::from_millis(5));
    }
    String::from_utf8(child.output().unwrap().stderr).unwrap()
}

#[test]
fn pipelines_weights_and_data_are_files() {
    let workspace = Workspace::new();
    for (name, kind) in specials(&workspace, "pipeline") {
        let told = said(&workspace, &["check", &name]);
        assert!(told.contains(&format!("{name}: it is a {kind}, not a file")), "{told}");
    }
    for (name, kind) in specials(&workspace, "weights") {
        let set = format!("train.nokd={{net=\"small\",data=\"bars\",weights=\"{name}\"}}");
        let told = said(&workspace, &["check", "tiny.toml", "--set", &set]);
        assert!(told.contains(&format!("{name}: it is a {kind}, not a file")), "{told}");
    }
    for (name, kind) in specials(&workspace, "data") {
        let images = workspace.path("bars/t10k-images-idx3-ubyte");
        fs::rename(&images, workspace.path("aside")).unwrap();
        symlink(workspace.path(&name), &images).unwrap();
        let told = said(&workspace, &["check", "tiny.toml"]);
        let what = format!("it is a {kind}, not a file");
        let none = "no file t10k-images-idx3-ubyte";
        assert!(told.contains(if kind == "folder" { none } else { &what }), "{told}");
        fs::remove_file(&images).unwrap();
        fs::rename(workspace.path("aside"), &images).unwrap();
        for path in ["cifar-10-binary.tar.gz", "cifar-10-batches-bin/data_batch_1.bin"] {
            let place = workspace.path("data").join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            symlink(workspace.path(&name), &place).unwrap();
            assert!(said(&workspace, &["data", "check", "cifar10"]).contains("cannot read"));
            fs::remove_dir_all(workspace.path("data")).unwrap();
        }
    }
}

#[test]
fn files_that_are_too_large_are_refused_before_they_are_read() {
    let workspace = Workspace::new();
    // No block of it is on the disk.
    let vast = workspace.path("vast");
    File::create(&vast).unwrap().set_len(1 << 43).unwrap();
    assert!(said(&workspace, &["check", "vast"]).contains("too large: 8796.1 GB"));
    let set = "train.nokd={net=\"small\",data=\"bars\",weights=\"vast\"}";
    assert!(said(&workspace, &["check", "tiny.toml", "--set", set]).contains("too large"));
    fs::create_dir_all(workspace.path("data/cifar-10-batches-bin")).unwrap();
    symlink(&vast, workspace.path("data/cifar-10-batches-bin/data_batch_1.bin")).unwrap();
    assert!(said(&workspace, &["data", "check", "cifar10"]).contains("too large"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives_that_unpack_without_end_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let said = |name: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_path(format!("cifar-10-batches-bin/{name}")).unwrap();
        header.set_size(13_000_000_000);
        header.set_cksum();
        let zeros = gzip(&vec![0; 1 << 20]);
        // A mebibyte each, and few bytes in the file.
        let bytes = [gzip(header.as_bytes()), zeros.repeat(1100)].concat();
        let path = dir.path().join("cifar-10-binary.tar.gz");
        fs::write(&path, bytes).unwrap();
        let names = || vec!["test_batch.bin".to_owned()];
        let cifar = Cifar { kind: CifarKind::Ten, path, train: names(), test: names() };
        cifar.probe().unwrap_err().to_string()
    };
    let wanted = said("test_batch.bin");
    assert!(wanted.contains("test_batch.bin in it claims 13.0 GB"), "{wanted}");
    let other = said("readme.html");
    assert!(other.contains("unpacks to more than 1.1 GB"), "{other}");
}
