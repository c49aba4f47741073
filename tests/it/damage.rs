//! Damage of any kind to an entry of any kind is found, never used, set aside, and made again.

use crate::workspace::{PIPELINE, Workspace};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};
use takd::{
    key::{Key, Kind},
    store::{Depth, Lookup, Store},
};

/// One entry of each kind: train, import, distill, logits and eval.
fn kinds() -> Workspace {
    let workspace = Workspace::new();
    let head = PIPELINE.split("[train.teacher]").next().unwrap().replace("[20, 31]", "[20]");
    let nodes = "[train.trained]\nnet = \"small\"\ndata = \"bars\"\nrecipe = \"short\"\n";
    workspace.write("first.toml", format!("{head}{nodes}"));
    workspace.run(&["first.toml", "--cache", "other"]);
    workspace.ok(&[
        "export",
        "first.toml",
        "trained",
        "-o",
        "known.safetensors",
        "--cache",
        "other",
    ]);
    let more = "[train.known]\nnet = \"small\"\ndata = \"bars\"\nweights = \"known.safetensors\"\n\
        [distill.student]\nnet = \"small\"\nteacher = \"known\"\nrecipe = \"short\"\n\
        objective = { kd = { temperature = 5.0, lambda = 0.5 } }\n\
        [eval.test]\nof = [\"student\"]\nsplit = \"test\"\n";
    workspace.write("kinds.toml", format!("{head}{nodes}{more}"));
    workspace.run(&["kinds.toml"]);
    workspace
}

struct Entries {
    workspace: Workspace,
    store: Store,
    keys: BTreeMap<Kind, Key>,
}

impl Entries {
    fn new() -> Self {
        let workspace = kinds();
        let store = Store::new(workspace.path("cache"));
        let kind = |key: &Key| match store.find(key, Depth::Content).unwrap() {
            Lookup::Whole(entry) => entry.manifest.inputs.kind,
            other => panic!("{other:?}"),
        };
        let keys = store.keys().unwrap();
        let keys: BTreeMap<Kind, Key> = keys.iter().map(|key| (kind(key), *key)).collect();
        assert_eq!(keys.len(), 5, "{keys:?}");
        Self { workspace, store, keys }
    }

    fn folder(&self, kind: Kind) -> PathBuf {
        self.workspace.path("cache/entries").join(self.keys[&kind].to_string())
    }

    fn files(&self, kind: Kind) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder(kind)).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 2, "{files:?}");
        files
    }

    fn is_damaged(&self, kind: Kind) -> bool {
        matches!(self.store.find(&self.keys[&kind], Depth::Content).unwrap(), Lookup::Damaged(_))
    }
}

/// Bytes to flip: all of a small file, some of a big one; with `TAKD_EVERY_BYTE`, all.
fn places(length: usize) -> impl Iterator<Item = usize> {
    let most = if std::env::var_os("TAKD_EVERY_BYTE").is_some() { length } else { 512 };
    (0..length).step_by(length.div_ceil(most.max(1)).max(1))
}

#[test]
fn every_flipped_byte_of_every_kind_is_found() {
    let entries = Entries::new();
    let mut flips = 0;
    for &kind in entries.keys.keys() {
        for file in entries.files(kind) {
            let whole = fs::read(&file).unwrap();
            // In place: to write a file anew costs an extent on the disk.
            let open = fs::OpenOptions::new().write(true).open(&file).unwrap();
            for place in places(whole.len()) {
                let flipped = whole[place] ^ (1 << (place % 8));
                open.write_all_at(&[flipped], place as u64).unwrap();
                assert!(entries.is_damaged(kind), "{kind} {} at {place}", file.display());
                open.write_all_at(&whole[place..=place], place as u64).unwrap();
                flips += 1;
            }
            assert!(!entries.is_damaged(kind), "{kind} {}", file.display());
        }
    }
    println!("{flips} flips, each found");
    assert!(flips > 3000, "{flips}");
}

/// Spoils a file whose whole content is known.
type Spoil = fn(&Path, &[u8]);

/// Every other way to spoil a file.
const SPOIL: [(&str, Spoil); 6] = [
    ("emptied", |file, _| fs::write(file, "").unwrap()),
    ("cut in half", |file, whole| fs::write(file, &whole[..whole.len() / 2]).unwrap()),
    ("cut by a byte", |file, whole| fs::write(file, &whole[..whole.len() - 1]).unwrap()),
    ("longer by a byte", |file, whole| fs::write(file, [whole, b"\n"].concat()).unwrap()),
    ("gone", |file, _| fs::remove_file(file).unwrap()),
    ("a folder", |file, _| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
];

#[test]
fn files_cut_emptied_gone_or_replaced_are_found() {
    let entries = Entries::new();
    for &kind in entries.keys.keys() {
        for file in entries.files(kind) {
            let whole = fs::read(&file).unwrap();
            for (how, spoil) in SPOIL {
                spoil(&file, &whole);
                assert!(entries.is_damaged(kind), "{kind} {} {how}", file.display());
                if file.is_dir() {
                    fs::remove_dir(&file).unwrap();
                }
                fs::write(&file, &whole).unwrap();
            }
        }
        // The whole folder emptied, or a file in its place.
        let (folder, aside) = (entries.folder(kind), entries.workspace.path("aside"));
        fs::rename(&folder, &aside).unwrap();
        fs::create_dir(&folder).unwrap();
        assert!(entries.is_damaged(kind), "{kind} emptied");
        fs::remove_dir(&folder).unwrap();
        fs::write(&folder, "x").unwrap();
        assert!(entries.is_damaged(kind), "{kind} a file");
        fs::remove_file(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
        assert!(!entries.is_damaged(kind));
    }
}

#[test]
fn any_two_swapped_entries_are_found() {
    let entries = Entries::new();
    let kinds: Vec<Kind> = entries.keys.keys().copied().collect();
    for (place, &one) in kinds.iter().enumerate() {
        for &two in &kinds[place + 1..] {
            let swap = || {
                let aside = entries.workspace.path("aside");
                fs::rename(entries.folder(one), &aside).unwrap();
                fs::rename(entries.folder(two), entries.folder(one)).unwrap();
                fs::rename(&aside, entries.folder(two)).unwrap();
            };
            swap();
            assert!(entries.is_damaged(one) && entries.is_damaged(two), "{one} and {two}");
            swap();
            assert!(!entries.is_damaged(one) && !entries.is_damaged(two));
        }
    }
}

/// What reaches a user: `verify` names it, a run sets it aside and rebuilds it, bit for bit.
#[test]
fn each_kind_is_set_aside_and_made_again() {
    let entries = Entries::new();
    let workspace = &entries.workspace;
    let whole = workspace.entry_files("cache");
    let mut aside = 0;
    for (&kind, key) in &entries.keys {
        let files = entries.files(kind);
        let last = files.last().unwrap();
        for (spoil, file) in
            [(SPOIL[0].1, entries.folder(kind).join("manifest.json")), (SPOIL[1].1, last.clone())]
        {
            spoil(&file, &fs::read(&file).unwrap());
            let verified = workspace.takd(&["cache", "verify"]);
            assert_eq!(verified.code, 1, "{kind}: {verified:?}");
            assert!(verified.stdout.contains(&format!("{key} is damaged")), "{kind}: {verified:?}");
            // Only a student asks for logits.
            let force: &[&str] = if kind == Kind::Logits { &["--force", "student"] } else { &[] };
            let output = workspace.takd(&[&["run", "kinds.toml"], force].concat());
            assert_eq!(output.code, 0, "{kind}: {output:?}");
            assert!(output.stderr.contains("it is set aside in"), "{kind}: {output:?}");
            assert_eq!(workspace.takd(&["cache", "verify"]).code, 0, "{kind}");
            assert!(whole == workspace.entry_files("cache"), "{kind}: other bits");
            aside += 1;
            let there = fs::read_dir(workspace.path("cache/damaged")).unwrap().count();
            assert_eq!(there, aside, "{kind}: set aside, not deleted");
        }
    }
}

/// A manifest that is whole but names a file elsewhere is no way out of the entry's folder.
#[test]
fn a_manifest_names_files_of_its_own_folder_only() {
    let entries = Entries::new();
    let file = entries.folder(Kind::Train).join("manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    for name in ["../x", "/etc/hostname", "a/b", "..", ""] {
        let text = text.replace("\"metrics.jsonl\"", &format!("{name:?}"));
        fs::write(&file, &text).unwrap();
        let digest = format!("{}\n", blake3::hash(text.as_bytes()).to_hex());
        fs::write(file.with_file_name("manifest.blake3"), digest).unwrap();
        let found = entries.store.find(&entries.keys[&Kind::Train], Depth::Content).unwrap();
        let Lookup::Damaged(problem) = found else { panic!("{name}: {found:?}") };
        assert!(problem.contains("is not a file name"), "{problem}");
    }
}
