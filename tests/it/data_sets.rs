//! Data sets in all their packings, and what is said when one is not whole.

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
};
use takd::{
    architecture::Architecture,
    dataset::{Cifar, CifarKind, Data, Format, Images, Normalisation, Split, Storage, View},
    fetch::{Source, fetch, unpack},
    kinds::Kinds,
    metric::metrics,
    network::{Network, builtin},
    pytorch::read_state_dict,
    shape::Shape,
    training::infer,
};
use tempfile::TempDir;

/// `count` records whose pixels and labels depend on their place.
fn records(count: usize, labels: usize, classes: usize) -> Vec<u8> {
    let record = |place: usize| {
        let label = std::iter::repeat_n((place % classes) as u8, labels);
        label.chain((0..3072).map(move |pixel| (pixel * 7 + place * 31) as u8))
    };
    (0..count).flat_map(record).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn cifar10(path: &Path) -> Format {
    let train = vec!["a.bin".to_owned(), "b.bin".to_owned()];
    Format::from(Cifar {
        kind: CifarKind::Ten,
        path: path.to_owned(),
        train,
        test: vec!["t.bin".to_owned()],
    })
}

fn members() -> [(&'static str, Vec<u8>); 3] {
    [("a.bin", records(4, 1, 10)), ("b.bin", records(3, 1, 10)), ("t.bin", records(2, 1, 10))]
}

fn folder(write: impl Fn(&Path)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    folder
}

fn archive(path: &Path) {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in members() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let name = format!("cifar-10-batches-bin/{name}");
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
}

#[test]
fn cifar_is_the_same_in_every_packing() {
    let plain = folder(|f| members().iter().for_each(|(n, b)| fs::write(f.join(n), b).unwrap()));
    let gzipped = folder(|f| {
        members().iter().for_each(|(n, b)| fs::write(f.join(format!("{n}.gz")), gzip(b)).unwrap());
    });
    let packed = folder(|f| archive(&f.join("cifar-10-binary.tar.gz")));
    let want = cifar10(plain.path()).probe().unwrap();
    assert_eq!((want.classes, want.train, want.test), (10, 7, 2));
    let paths = [
        gzipped.path().to_owned(),
        packed.path().to_owned(),
        packed.path().join("cifar-10-binary.tar.gz"),
    ];
    for path in paths {
        assert_eq!(cifar10(&path).probe().unwrap(), want, "{path:?}");
    }
    let dataset = cifar10(plain.path()).load().unwrap();
    assert_eq!(dataset.train.labels, [0, 1, 2, 3, 0, 1, 2]);
    let Images::Bytes(images) = dataset.train.images else { panic!("CIFAR is held in memory") };
    assert_eq!(images[3072..3075], [31, 38, 45]);
}

#[test]
fn cifar100_takes_the_fine_label() {
    let mut bytes = records(2, 2, 20);
    (bytes[0], bytes[1]) = (19, 99);
    let folder =
        folder(|f| ["train", "test"].iter().for_each(|n| fs::write(f.join(n), &bytes).unwrap()));
    let (train, test) = (vec!["train".to_owned()], vec!["test".to_owned()]);
    let path = folder.path().to_owned();
    let dataset = Cifar { kind: CifarKind::Hundred, path, train, test }.load().unwrap();
    assert_eq!((dataset.classes, dataset.train.labels[0]), (100, 99));
}

#[test]
fn what_is_wrong_with_cifar_is_said() {
    let said = |write: &dyn Fn(&Path)| {
        let folder = folder(|f| {
            members().iter().for_each(|(n, b)| fs::write(f.join(n), b).unwrap());
            write(f);
        });
        cifar10(folder.path()).probe().unwrap_err().to_string()
    };
    let cut = said(&|f| fs::write(f.join("b.bin"), &records(3, 1, 10)[..7000]).unwrap());
    assert!(cut.contains("b.bin") && cut.contains("record 2 is cut short"), "{cut}");
    let label = said(&|f| {
        let mut bytes = records(3, 1, 10);
        bytes[3073] = 10;
        fs::write(f.join("t.bin"), bytes).unwrap();
    });
    assert!(label.contains("record 1: label 10, but there are 10 classes"), "{label}");
    let missing = said(&|f| fs::remove_file(f.join("a.bin")).unwrap());
    assert!(missing.contains("a.bin") && missing.contains("takd data fetch cifar10"), "{missing}");
    let gz = said(&|f| {
        fs::remove_file(f.join("a.bin")).unwrap();
        let packed = gzip(&records(4, 1, 10));
        fs::write(f.join("a.bin.gz"), &packed[..packed.len() / 2]).unwrap();
    });
    assert!(gz.contains("a.bin.gz") && gz.contains("its gzip cannot be unpacked"), "{gz}");
    let archive_cut = said(&|f| {
        fs::remove_file(f.join("a.bin")).unwrap();
        let place = f.join("cifar-10-binary.tar.gz");
        archive(&place);
        let bytes = fs::read(&place).unwrap();
        fs::write(&place, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(archive_cut.contains("not a whole .tar.gz archive"), "{archive_cut}");
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A site with one file. It breaks the first answer off after `first` bytes, and knows ranges.
fn site(content: Vec<u8>, first: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut from = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
                    from = range.trim_end().trim_end_matches('-').parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            let length = content.len() - from;
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let end = if number == 0 { first.min(content.len()) } else { content.len() };
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&content[from..end]));
        }
    });
    format!("http://{address}/file")
}

#[test]
fn a_download_that_broke_off_goes_on_and_is_verified() {
    let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let source = |url: String| Source {
        name: "x".to_owned(),
        url,
        sha256: hex(&content),
        file: "x.tar.gz".to_owned(),
    };
    let whole = source(site(content.clone(), 500_000));
    let broken = fetch(&whole, &data, &mut |_, _| {}).unwrap_err().to_string();
    assert!(broken.contains("the same command resumes it"), "{broken}");
    assert_eq!(fs::metadata(data.join("x.tar.gz.part")).unwrap().len(), 500_000);
    assert!(!data.join("x.tar.gz").exists());
    let mut least = u64::MAX;
    let place = fetch(&whole, &data, &mut |done, _| least = least.min(done)).unwrap();
    assert_eq!(fs::read(&place).unwrap(), content);
    assert!(least > 500_000, "it goes on from where it was: {least}");
    // Nothing is downloaded where the file is there.
    let nowhere = source("http://127.0.0.1:1/file".to_owned());
    assert_eq!(fetch(&nowhere, &data, &mut |_, _| {}).unwrap(), place);

    let mut other = content.clone();
    other[77] ^= 1;
    let wrong = source(site(other, usize::MAX));
    fs::remove_file(&place).unwrap();
    let refused = fetch(&wrong, &data, &mut |_, _| {}).unwrap_err().to_string();
    assert!(refused.contains("SHA-256"), "{refused}");
    let left = fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name != ".x.tar.gz.lock").collect();
    assert!(left.is_empty(), "nothing wrong is left in the way: {left:?}");
}

#[test]
fn an_unpacked_archive_is_read_from_its_files() {
    let packed = folder(|f| archive(&f.join("cifar-10-binary.tar.gz")));
    let place = packed.path().join("cifar-10-binary.tar.gz");
    let want = cifar10(packed.path()).probe().unwrap();
    unpack(&place, packed.path()).unwrap();
    fs::remove_file(place).unwrap();
    assert_eq!(cifar10(packed.path()).probe().unwrap(), want);
}

/// The folder of real data beside the repository, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

/// He et al.'s ResNet-20 with option-A shortcuts, trained by Y. Idelbayev, on the first images of
/// data_batch_1: 99.85 % of 2,000 are right (PyTorch says the same).
#[test]
fn a_public_resnet20_scores_what_it_scores_in_pytorch() {
    let (Some(images), Some(file)) = (shared("cifar10"), shared("weights/resnet20-12fca82f.th"))
    else {
        return;
    };
    let bytes = fs::read(&file).unwrap();
    // The start of the digest is in the file's name, as torch.hub has it.
    let digest = hex(&bytes);
    if !digest.starts_with("12fca82f") {
        println!("skipped: {} is not the file that its name says ({digest})", file.display());
        return;
    }
    let names = vec!["lossless4000.bin".to_owned()];
    let cifar = Cifar { kind: CifarKind::Ten, path: images, train: names.clone(), test: names };
    let format = Format::from(cifar);
    let dataset = format.load().unwrap();
    let info = format.probe().unwrap();
    let device = burn::tensor::Device::flex();
    let mut layers = builtin("resnet20", 10).unwrap();
    for layer in &mut layers {
        if layer.starts_with("basic") {
            *layer = format!("pad{layer}");
        }
    }
    let shape = Shape { channels: 3, height: 32, width: 32 };
    let mut net = Network::init(
        &Architecture::read(&layers, shape, 10, &Kinds::default()).unwrap(),
        0,
        &device,
    );
    net.load(read_state_dict(&bytes).unwrap()).unwrap();
    // ImageNet's mean and deviation, as its training script has them.
    let (mean, std) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
    let normalisation = Normalisation::Given { mean, std };
    let data = Data { format, validation: 0, scoring: 0, normalisation, info };
    let view = View::new(&dataset, &data, Split::Test, &device).unwrap();
    let logits = infer(&net, &view).unwrap();
    let score = metrics(&logits[..2000 * 10], &view.labels[..2000], 10, 1.0).top1();
    assert_eq!(score, 0.9985);
}
