//! `takd cache gc`.

use super::remove::entry_line;
use crate::{
    console::{
        Given, confirm,
        exit::{self, Problem},
        long, print,
    },
    key::{Key, keys},
    report::plural,
    session::Opening,
    store::{Garbage, Store},
};
use indicatif::HumanBytes;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(clap::Args)]
pub(in crate::commands) struct Args {
    /// Pipelines whose entries are kept
    #[arg(required_unless_present_any = ["keep", "older_than"])]
    files: Vec<PathBuf>,
    /// The same, where another option stands before it
    #[arg(long, value_name = "FILE", num_args = 1..)]
    keep: Vec<PathBuf>,
    /// Only what is older: 30d, 12h, 2weeks
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Remove it without asking; needed where there is no terminal to ask on
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Also remove what other versions of takd have left
    #[arg(long)]
    other_versions: bool,
    #[command(flatten)]
    given: Given,
}

pub(super) fn gc(args: &Args, store: &Store) -> Result<u8, Problem> {
    let files: Vec<&Path> = args.files.iter().chain(&args.keep).map(PathBuf::as_path).collect();
    let mut keep = HashSet::new();
    for file in &files {
        keep.extend(reached(args.given.opening(file), store)?);
    }
    let others = if args.other_versions { Vec::new() } else { store.other_versions()? };
    let left = match others.len() {
        0 => String::new(),
        count => format!("left {count} of other takd versions; --other-versions removes them\n"),
    };
    keep.extend(others);
    if let Some(age) = args.older_than {
        keep.extend(store.younger_than(age)?);
    }
    let garbage = store.gc(&keep, true)?;
    // Whole pipelines are read for that: only where there is something to say.
    let entries = store.root().join("entries");
    let is_entry = |item: &Garbage| item.path.starts_with(&entries);
    let users = match garbage.iter().any(is_entry) {
        true => users(&files, &args.given, store),
        false => HashMap::new(),
    };
    let list = Listing::of(&garbage, &users, store);
    if args.dry_run {
        print(&(list.text(["would remove", "would free"]) + &left))?;
        return Ok(exit::OK);
    }
    let asks = !args.yes && !garbage.is_empty();
    if asks {
        print(&list.text(["would remove", "would free"]))?;
        if !confirm("Remove it?")? {
            return Ok(exit::OK);
        }
    }
    // What has come while the question stood is not what was agreed to.
    let agreed: HashSet<&Path> = garbage.iter().map(|item| item.path.as_path()).collect();
    let new = |key: &Key| !agreed.contains(&*entries.join(key.to_string()));
    keep.extend(store.keys()?.into_iter().filter(new));
    store.gc(&keep, false)?;
    let told = if asks { list.summary("freed") } else { list.text(["removed", "freed"]) };
    print(&(told + &left))?;
    Ok(exit::OK)
}

/// What is removed, in words.
struct Listing {
    /// Without the verb before them.
    lines: Vec<String>,
    bytes: u64,
    /// What it took to make.
    seconds: f64,
}

impl Listing {
    fn of(garbage: &[Garbage], users: &HashMap<Key, Vec<String>>, store: &Store) -> Self {
        let (mut lines, mut seconds) = (Vec::new(), 0.0);
        let entries = store.root().join("entries");
        for Garbage { path, bytes } in garbage {
            let name = path.strip_prefix(&entries).ok().and_then(Path::to_str);
            let key: Option<Key> = name.and_then(|name| name.parse().ok());
            let entry = key.and_then(|key| Some((key, entry_line(store, &key)?)));
            let bytes = HumanBytes(*bytes);
            lines.push(match entry {
                None => format!("{} ({bytes})", path.display()),
                Some((key, (line, took))) => {
                    seconds += took;
                    let used =
                        users.get(&key).map(|files| format!("; {} uses it", files.join(", ")));
                    format!("{line} ({bytes}){}", used.unwrap_or_default())
                }
            });
        }
        Self { lines, bytes: garbage.iter().map(|item| item.bytes).sum(), seconds }
    }

    fn text(&self, [remove, free]: [&str; 2]) -> String {
        let lines = self.lines.iter().map(|line| format!("{remove} {line}\n"));
        lines.collect::<String>() + &self.summary(free)
    }

    fn summary(&self, free: &str) -> String {
        let (bytes, count) = (HumanBytes(self.bytes), self.lines.len());
        let took = match self.seconds {
            0.0 => String::new(),
            seconds => format!(", which took {} to make", long(seconds)),
        };
        format!("{free} {bytes} in {count} folder{}{took}\n", plural(count))
    }
}

/// Which pipelines that are not to be kept use what: those beside the files that are, in this folder, and in
/// `pipelines`. What cannot be read as a pipeline uses nothing.
fn users(kept: &[&Path], given: &Given, store: &Store) -> HashMap<Key, Vec<String>> {
    let beside = kept.iter().filter_map(|file| file.parent());
    let folders: BTreeSet<&Path> = beside.chain([Path::new(""), Path::new("pipelines")]).collect();
    let here =
        |folder: &Path| if folder.as_os_str().is_empty() { ".".into() } else { folder.to_owned() };
    let found = folders.iter().filter_map(|folder| fs::read_dir(here(folder)).ok());
    let files = found.flatten().flatten().map(|file| file.path());
    let files: BTreeSet<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "toml")).collect();
    let same = |file: &Path| {
        kept.iter().any(|kept| fs::canonicalize(kept).ok() == fs::canonicalize(file).ok())
    };
    let mut users = HashMap::<Key, Vec<String>>::new();
    // A file that is kept with changes may use more as it stands.
    for file in files.iter().filter(|file| given.changes_files() || !same(file)) {
        for key in reached(given.other(file), store).unwrap_or_default() {
            let name = file.strip_prefix(".").unwrap_or(file).display().to_string();
            users.entry(key).or_default().push(name);
        }
    }
    users
}

/// The keys that a pipeline reaches: those of all trials that its searches have come to, too.
fn reached(opening: Opening, store: &Store) -> Result<HashSet<Key>, Problem> {
    let mut reached = HashSet::new();
    // The cache is visited while it is read, and no longer: gc wants to be alone.
    let session = opening.session(store.clone())?;
    for (inputs, key) in keys(&session.graph()) {
        reached.insert(key);
        reached.extend(inputs.teacher_logits().iter().map(|logits| logits.key()));
    }
    Ok(reached)
}
