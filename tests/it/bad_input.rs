//! No bytes from outside make takd panic, hang, or take more memory than a few times their length.
//!
//! The same functions are fuzzed without end by `cargo fuzz`, see `fuzz/README.md`.

use crate::{
    pictures::picture,
    tiny,
    workspace::{PIPELINE, Workspace},
};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof},
    sample::Index,
    test_runner::{TestCaseError, TestRunner},
};
use std::{
    fs,
    io::Write as _,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::OnceLock,
};

#[path = "../../fuzz/src/lib.rs"]
mod entry;

/// Changed files that each reader gets; `TAKD_CASES` says otherwise.
fn cases() -> u32 {
    std::env::var("TAKD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200)
}

/// One change of a file.
#[derive(Clone, Debug)]
enum Edit {
    Byte(Index, u8),
    Number(Index, u64),
    Cut(Index),
    Copy(Index, Index, usize),
    Insert(Index, Vec<u8>),
}

fn edit() -> impl Strategy<Value = Edit> {
    let number = prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1 << 31),
        Just(0x7fff_ffff_ffff_ffff),
        Just(0xffff_ffff),
        any::<u64>()
    ];
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        2 => (any::<Index>(), number).prop_map(|(at, number)| Edit::Number(at, number)),
        1 => any::<Index>().prop_map(Edit::Cut),
        2 => (any::<Index>(), any::<Index>(), 1..40usize).prop_map(|(a, b, n)| Edit::Copy(a, b, n)),
        2 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..12))
            .prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: Edit) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match edit {
        Edit::Byte(at, byte) => bytes[at.index(length)] = byte,
        Edit::Number(at, number) => {
            let at = at.index(length);
            let end = (at + 8).min(length);
            bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
        }
        Edit::Cut(at) => bytes.truncate(at.index(length)),
        Edit::Copy(from, to, count) => {
            let (from, to) = (from.index(length), to.index(length));
            let piece = bytes[from..(from + count).min(length)].to_vec();
            bytes.splice(to..to, piece);
        }
        Edit::Insert(at, new) => {
            let at = at.index(length);
            bytes.splice(at..at, new);
        }
    }
}

/// Feeds `read` with changed copies of whole files. It may take `times` the file's length, and some
/// pages that any reading takes.
fn feed(starts: &[Vec<u8>], times: u64, read: impl Fn(&[u8])) {
    let config =
        ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() };
    let strategy = (prop::sample::select(starts.to_vec()), prop::collection::vec(edit(), 0..6));
    let result = TestRunner::new(config).run(&strategy, |(mut bytes, edits)| {
        edits.into_iter().for_each(|edit| apply(&mut bytes, edit));
        let mut outcome = Ok(());
        // A panic may not pass through `measure`, which would count one level more from then on.
        let reading = || outcome = panic::catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        let taken = allocation_counter::measure(reading).bytes_max;
        if outcome.is_err() {
            return Err(TestCaseError::fail("it panics, see above"));
        }
        let allowed = times * bytes.len() as u64 + (1 << 18);
        if taken > allowed {
            return Err(TestCaseError::fail(format!("{taken} bytes for {}", bytes.len())));
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// A workspace in which everything was made once.
fn made() -> &'static Workspace {
    static MADE: OnceLock<Workspace> = OnceLock::new();
    MADE.get_or_init(|| {
        let workspace = Workspace::new();
        workspace.run(&["tiny.toml", "takd@20", "test/takd@20"]);
        workspace
    })
}

/// Every file with this name in the entries.
fn made_files(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(made().path("cache/entries")).unwrap();
    let files = entries.filter_map(|entry| fs::read(entry.unwrap().path().join(name)).ok());
    let files: Vec<Vec<u8>> = files.collect();
    assert!(!files.is_empty(), "{name}");
    files
}

#[test]
fn pipelines() {
    let readme = include_str!("../../README.md").split("```toml\n").nth(1).unwrap();
    let readme = readme.split("```").next().unwrap();
    let starts = [PIPELINE, readme, include_str!("../../pipelines/multistep.toml")];
    feed(&starts.map(|text| text.as_bytes().to_vec()), 5000, entry::pipeline);
}

#[test]
fn settings() {
    let starts = [
        "recipe.r.epochs=5",
        "train.t.net=plain8",
        "train.t.matrix={a=[1,2],b=['{a}{a}',3]}",
        "net.n.layers=['conv4','maxpool','fc10']",
        "recipe.r.schedule={step={milestones=[1,2],gamma=0.1}}",
    ];
    // A file lies below every setting.
    feed(&starts.map(|text| text.as_bytes().to_vec()), 20_000, entry::set);
}

#[test]
fn manifests() {
    feed(&made_files("manifest.json"), 60, entry::manifest);
}

#[test]
fn checkpoints() {
    use takd::{
        history::EpochRecord,
        network::NamedTensor,
        node::write_checkpoint,
        training::{Checkpoint, TrainingState, Within},
    };
    let tensor = |name: &str| {
        let (name, shape, values) = (name.to_owned(), vec![2, 3], vec![0.5; 6]);
        NamedTensor { name, shape, values }
    };
    let record = EpochRecord {
        epoch: 1,
        lr: 0.1,
        loss: 1.0,
        accuracy: Some(0.5),
        train_accuracy: Some(0.25),
        temperature: Some(4.0),
        constant: false,
    };
    let within =
        Some(Within { step: 3, loss_sum: 1.5, last: Some(0.5), correct: 2, constant: false });
    let state = TrainingState {
        steps: 9,
        best: Some((0.5, 1)),
        seconds: 1.5,
        history: vec![record],
        within,
    };
    let (weights, optimizer) = (vec![tensor("a.weight")], vec![tensor("a.weight/0")]);
    let (best, learned) = (weights.clone(), vec![tensor("objective.theta")]);
    let whole = Checkpoint { weights, optimizer, learned, best, state, peers: Vec::new() };
    let whole = write_checkpoint(&whole).unwrap();
    let history = b"{\"epoch\":1,\"lr\":0.1,\"loss\":1.0}\n".to_vec();
    feed(&[whole, history], 60, entry::checkpoint);
}

#[test]
fn safetensors() {
    let starts = [made_files("weights.safetensors"), made_files("logits.safetensors")].concat();
    feed(&starts, 60, entry::safetensors);
}

#[test]
fn pytorch_files() {
    let starts = [
        include_bytes!("../golden/zip.pt").to_vec(),
        include_bytes!("../golden/legacy.th").to_vec(),
    ];
    feed(&starts, 100, entry::pytorch);
}

#[test]
fn idx_files() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_idx(folder.path());
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let (images, labels) = (read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte"));
    // Two images; one in a gzip; one of a size that no file holds.
    let small = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 12]].concat();
    let pair = |images: &[u8], labels: &[u8]| [&[images.len() as u8], images, labels].concat();
    let two = pair(&small, &[0, 0, 8, 1, 0, 0, 0, 2, 0, 1]);
    let packed = pair(&gzip(&small), &[0, 0, 8, 1, 0, 0, 0, 2, 0, 1]);
    let vast = pair(&[&small[..4], &[3, 255, 255, 255].repeat(3)].concat(), &labels[..8]);
    let one = [&[255], &images[..], &labels].concat();
    let work = tempfile::tempdir().unwrap();
    // A gzip of zeros unpacks to a thousand times its length.
    feed(&[two, packed, vast, one], 5000, |bytes| entry::idx(bytes, work.path()));
}

#[test]
fn cifar_files() {
    let record = [&[3][..], &[9; 3072]].concat();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(record.len() as u64);
    archive.append_data(&mut header, "cifar-10-batches-bin/data.bin", &record[..]).unwrap();
    let archive = gzip(&archive.into_inner().unwrap());
    let work = tempfile::tempdir().unwrap();
    feed(&[record, archive], 5000, |bytes| entry::cifar(bytes, work.path()));
}

#[test]
fn images() {
    let encoded = |format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::from(picture(11, 9, 0, 1)).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let starts = [
        [vec![0], encoded(image::ImageFormat::Png)].concat(),
        [vec![1], encoded(image::ImageFormat::Jpeg)].concat(),
    ];
    let work = tempfile::tempdir().unwrap();
    // Images are decoded by other threads: `no_panic_data` bounds what they take.
    feed(&starts, 5000, |bytes| entry::image(bytes, work.path()));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A short file that stands for more than any machine holds is refused at once.
#[test]
fn small_files_do_not_grow_without_end() {
    let axes: String = (b'a'..b'm')
        .map(|axis| {
            format!(
                "{} = [\"{}\"]\n",
                axis as char,
                format!("{{{}}}", (axis + 1) as char).repeat(20)
            )
        })
        .collect();
    let bomb = format!("[train.\"x{{a}}\"]\nnet = \"{{a}}\"\n[train.\"x{{a}}\".matrix]\n{axes}");
    let numbers: Vec<String> = (0..140).map(|number| number.to_string()).collect();
    let wide = format!("matrix = {{ a = [{0}], b = [{0}] }}\nnets = [\"1\"]\n", numbers.join(","));
    let many: String = (0..50).map(|chain| format!("[chain.c{chain}]\n{wide}")).collect();
    let seeds: Vec<String> = (0..30_000).map(|seed| seed.to_string()).collect();
    let seeds =
        format!("seeds = [{}]\n{PIPELINE}", seeds.join(",")).replace("seeds = [20, 31]", "");
    for text in [bomb, many, seeds] {
        let taken = allocation_counter::measure(|| entry::pipeline(text.as_bytes())).bytes_max;
        assert!(taken < 200 << 20, "{taken} bytes for {}", text.len());
    }
}

/// What an archive or a pipeline names is never written outside its folder.
#[test]
fn nothing_is_written_outside() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner/data");
    fs::create_dir_all(&folder).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["../evil", "a/../../evil", "/evil", "good"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, &b"x"[..]).unwrap();
    }
    for (name, to) in [("way", "../.."), ("file", "../../evil")] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, name, to).unwrap();
    }
    for name in ["way/evil", "file"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        archive.append_data(&mut header, name, &b"x"[..]).unwrap();
    }
    let packed = outer.path().join("inner/archive.tar.gz");
    fs::write(&packed, gzip(&archive.into_inner().unwrap())).unwrap();
    // It may refuse the archive, whole; it may not follow it.
    let unpacked = takd::fetch::unpack(&packed, &folder);
    assert!(unpacked.is_err() || folder.join("good").exists());
    assert_eq!(listing(outer.path()), ["inner"]);
    assert_eq!(listing(&outer.path().join("inner")), ["archive.tar.gz", "data"]);

    let workspace = Workspace::new();
    let text = PIPELINE.replace("name  = \"tiny\"", "name = \"../../evil\"");
    workspace.write("evil.toml", text.replace("[20, 31]", "[20]"));
    let before = listing(&workspace.path(""));
    workspace.run(&["evil.toml", "nokd", "test/nokd", "--cache", "cache"]);
    let mut after = listing(&workspace.path(""));
    after.retain(|name| !before.contains(name));
    assert_eq!(after, ["cache"]);
    for name in ["../x", "a/../../x", "/x", "..", "."] {
        let text = PIPELINE.replace("[train.nokd]", &format!("[train.{name:?}]"));
        workspace.write("evil.toml", text);
        assert_eq!(workspace.takd(&["check", "evil.toml"]).code, 3, "{name}");
    }
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
