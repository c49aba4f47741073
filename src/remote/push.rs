//! An entry from the cache into a remote.

use super::{Remote, RemoteError, file_path, manifest_path};
use crate::{
    key::Key,
    store::{Depth, Entry, Lookup, Manifest, Outcome, Provenance, Store},
};

/// What became of an entry that was to be pushed.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed {
    /// It is there now: so many bytes went.
    New(u64),
    /// The remote had it, with the same bits.
    Equal,
    /// The remote had it with other bits, which stay there: which files or numbers differ, and where both were made.
    Other(Box<Differing>),
    /// The cache has no whole entry.
    Gone,
}

/// Two entries of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Files that differ; `metrics` for numbers in the manifest.
    pub what: Vec<String>,
    /// Of the cache's.
    pub ours: Provenance,
    /// Of the remote's.
    pub theirs: Provenance,
}

impl Differing {
    /// As a sentence without its subject: `differ (weights.safetensors): …`.
    pub fn sentence(&self) -> String {
        let made = |by: &Provenance| {
            let cpu = by.cpu.as_ref().map(|cpu| format!(" ({cpu})")).unwrap_or_default();
            format!("{} on {}{cpu} by takd {}", by.host, by.device, by.takd)
        };
        format!(
            "differs in {}: ours was made by {}, the remote's by {}; each machine keeps its own",
            self.what.join(", "),
            made(&self.ours),
            made(&self.theirs)
        )
    }
}

impl Remote {
    /// Puts the entry of `key` into the remote, unless it has it. Its manifest goes last.
    ///
    /// # Errors
    /// [`RemoteError`]; no other machine sees anything of the entry then.
    pub fn push(&self, store: &Store, key: &Key) -> Result<Pushed, RemoteError> {
        let Lookup::Whole(entry) = store.find(key, Depth::Content)? else {
            return Ok(Pushed::Gone);
        };
        let files = &entry.manifest.files;
        let is_rotten = files.values().any(|file| self.rotten().contains(&file.blake3));
        if !is_rotten && let Some((_, theirs)) = self.manifest(key)? {
            return Ok(compare(&entry.manifest, theirs));
        }
        let went = self.put_files(&entry)?;
        self.unusable().remove(key);
        let text = entry.text()?;
        let length = text.len() as u64;
        if self.objects.create(&manifest_path(key), text)?.is_some() {
            return Ok(Pushed::New(went + length));
        }
        Ok(match self.manifest(key)? {
            Some((_, theirs)) => compare(&entry.manifest, theirs),
            // Somebody removes it: theirs to say why.
            None => Pushed::Gone,
        })
    }

    /// Puts the files of an entry that are not there; how many bytes went.
    fn put_files(&self, entry: &Entry) -> Result<u64, RemoteError> {
        let mut went = 0;
        for (name, file) in &entry.manifest.files {
            let path = file_path(&file.blake3);
            let is_rotten = self.rotten().contains(&file.blake3);
            if is_rotten || self.objects.length(&path)? != Some(file.bytes) {
                self.objects.write(&path, entry.read(name)?)?;
                self.rotten().remove(&file.blake3);
                went += file.bytes;
            }
        }
        Ok(went)
    }
}

/// Whether two entries of one key are equal: what is hashed is, times and hosts need not be.
fn compare(ours: &Manifest, theirs: Manifest) -> Pushed {
    let names =
        ours.files.keys().chain(theirs.files.keys().filter(|name| !ours.files.contains_key(*name)));
    let mut what: Vec<String> =
        names.filter(|name| ours.files.get(*name) != theirs.files.get(*name)).cloned().collect();
    if let (Outcome::Metrics { metrics, .. }, Outcome::Metrics { metrics: other, .. }) =
        (&ours.outcome, &theirs.outcome)
        && metrics != other
    {
        what.push("metrics".to_owned());
    }
    if what.is_empty() {
        return Pushed::Equal;
    }
    let (ours, theirs) = (ours.provenance.clone(), theirs.provenance);
    Pushed::Other(Box::new(Differing { what, ours, theirs }))
}
