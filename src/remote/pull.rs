//! An entry from a remote into the cache.

use super::{
    Remote, RemoteError,
    arriving::{MOST_MANIFEST, manifest},
    file_path, manifest_path,
};
use crate::{
    key::{Key, Kind},
    store::{Depth, FileDigest, KeyLock, Lock, Lookup, Manifest, Staging, Store},
};

/// What became of an entry that was to be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// It is in the cache now: so many bytes came.
    Whole(u64),
    /// Its outline is.
    Outline(u64),
    /// The cache had it.
    Here,
    /// Another process has its lock.
    Busy,
    /// The remote has none.
    Absent,
}

impl Pulled {
    /// Whether the remote, or the cache, has it.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Whole(_) | Self::Outline(_) | Self::Here)
    }
}

/// Bytes that are asked for at a time: a connection that breaks loses no more.
const PART: u64 = 8 << 20;

impl Remote {
    /// The manifest of `key` and its text, if there is one.
    ///
    /// # Errors
    /// [`RemoteError::Wrong`] if it is not what it must be.
    pub fn manifest(&self, key: &Key) -> Result<Option<(Vec<u8>, Manifest)>, RemoteError> {
        let path = manifest_path(key);
        let Some(object) = self.objects.read(&path, MOST_MANIFEST)? else { return Ok(None) };
        match manifest(key, &object.bytes) {
            Ok(manifest) => Ok(Some((object.bytes, manifest))),
            Err(problem) => Err(RemoteError::Wrong { object: self.object(&path), problem }),
        }
    }

    /// Gets the entry of `key`, unless the cache has it.
    ///
    /// # Errors
    /// [`RemoteError`]; the cache is then as before.
    pub fn pull(&self, store: &Store, key: &Key) -> Result<Pulled, RemoteError> {
        self.noting(key, self.pull_whole(store, key))
    }

    /// Takes down that an entry is not whole.
    fn noting(
        &self,
        key: &Key,
        pulled: Result<Pulled, RemoteError>,
    ) -> Result<Pulled, RemoteError> {
        if let Err(RemoteError::Wrong { .. }) = pulled {
            self.unusable().insert(*key);
        }
        pulled
    }

    fn pull_whole(&self, store: &Store, key: &Key) -> Result<Pulled, RemoteError> {
        let Lock::Taken(lock) = store.try_lock(key)? else { return Ok(Pulled::Busy) };
        match store.find(key, Depth::Content)? {
            // What another version has left there is not to be replaced.
            Lookup::Whole(_) | Lookup::OtherVersion(_) => return Ok(Pulled::Here),
            Lookup::Missing | Lookup::Damaged(_) => {}
        }
        let Some((text, manifest)) = self.manifest(key)? else { return Ok(Pulled::Absent) };
        let mut staging = Staging::new(store, &lock)?;
        let mut came = text.len() as u64;
        for (name, file) in &manifest.files {
            staging.write(name, &self.file(file)?)?;
            came += file.bytes;
        }
        if let Lookup::Damaged(_) = store.find(key, Depth::Content)? {
            store.set_aside(key)?;
        }
        staging.adopt(&text)?;
        Ok(Pulled::Whole(came))
    }

    /// Gets what a table needs of `key`: of a measurement all, of a training what is small. One that is known not to be
    /// whole is none.
    ///
    /// # Errors
    /// As [`pull`](Self::pull).
    pub fn pull_outline(&self, store: &Store, key: &Key) -> Result<Pulled, RemoteError> {
        if self.unusable().contains(key) {
            return Ok(Pulled::Absent);
        }
        self.noting(key, self.pull_small(store, key))
    }

    fn pull_small(&self, store: &Store, key: &Key) -> Result<Pulled, RemoteError> {
        let Some((text, manifest)) = self.manifest(key)? else { return Ok(Pulled::Absent) };
        if manifest.inputs.kind == Kind::Eval {
            return self.pull(store, key);
        }
        let Lock::Taken(lock) = store.try_lock(key)? else { return Ok(Pulled::Busy) };
        self.outline(store, &lock, &text, &manifest)
    }

    fn outline(
        &self,
        store: &Store,
        lock: &KeyLock,
        text: &[u8],
        manifest: &Manifest,
    ) -> Result<Pulled, RemoteError> {
        let (mut files, mut came) = (Vec::new(), text.len() as u64);
        for (name, file) in manifest.for_tables() {
            files.push((name.clone(), self.file(file)?));
            came += file.bytes;
        }
        store.keep_outline(lock, text, &files)?;
        Ok(Pulled::Outline(came))
    }

    /// The content of a file in a manifest.
    fn file(&self, file: &FileDigest) -> Result<Vec<u8>, RemoteError> {
        let path = file_path(&file.blake3);
        let wrong = |problem: String| {
            self.rotten().insert(file.blake3.clone());
            RemoteError::Wrong { object: self.object(&path), problem }
        };
        let length = self.objects.length(&path)?;
        let length =
            length.ok_or_else(|| wrong("is not there, though an entry names it".to_owned()))?;
        if length != file.bytes {
            return Err(wrong(format!("has {length} bytes, not the {} of its entry", file.bytes)));
        }
        // It grows as bytes come: what a manifest promises is no reason to take memory.
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            let from = bytes.len() as u64;
            bytes.extend(self.objects.part(&path, from, PART.min(length - from))?);
        }
        if blake3::hash(&bytes).to_hex().as_str() != file.blake3 {
            return Err(wrong("is corrupt: its content does not match its name".to_owned()));
        }
        Ok(bytes)
    }
}
