//! A bucket in memory, for tests.

use super::{Object, Objects, RemoteError, Version};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Objects that several remotes may share.
#[derive(Clone, Default)]
pub(super) struct Memory {
    objects: Arc<Mutex<BTreeMap<String, Numbered>>>,
    next: Arc<AtomicU64>,
    /// Whether nothing may be changed.
    pub is_read_only: Arc<AtomicBool>,
}

/// Content, and the number of its state.
type Numbered = (Vec<u8>, u64);

impl Memory {
    fn put(&self, path: &str, bytes: Vec<u8>) -> Version {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.objects.lock().unwrap().insert(path.to_owned(), (bytes, number));
        Version { e_tag: Some(number.to_string()), version: None }
    }

    fn allow(&self, path: &str) -> Result<(), RemoteError> {
        let (object, problem) = (path.to_owned(), "403".to_owned());
        match self.is_read_only.load(Ordering::Relaxed) {
            true => Err(RemoteError::Refused { action: "written", object, problem }),
            false => Ok(()),
        }
    }
}

impl Objects for Memory {
    fn list(&self, folder: &str) -> Result<Vec<(String, Version)>, RemoteError> {
        let objects = self.objects.lock().unwrap();
        let named = objects.iter().filter_map(|(path, (_, number))| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?.to_owned();
            Some((name, Version { e_tag: Some(number.to_string()), version: None }))
        });
        Ok(named.collect())
    }

    fn read(&self, path: &str, _most: u64) -> Result<Option<Object>, RemoteError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(path).map(|(bytes, number)| Object {
            bytes: bytes.clone(),
            version: Version { e_tag: Some(number.to_string()), version: None },
        }))
    }

    fn part(&self, path: &str, from: u64, length: u64) -> Result<Vec<u8>, RemoteError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects[path].0[from as usize..(from + length) as usize].to_vec())
    }

    fn length(&self, path: &str) -> Result<Option<u64>, RemoteError> {
        Ok(self.objects.lock().unwrap().get(path).map(|(bytes, _)| bytes.len() as u64))
    }

    fn write(&self, path: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        self.allow(path).map(|()| drop(self.put(path, bytes)))
    }

    fn create(&self, path: &str, bytes: Vec<u8>) -> Result<Option<Version>, RemoteError> {
        self.allow(path)?;
        let is_there = self.objects.lock().unwrap().contains_key(path);
        Ok((!is_there).then(|| self.put(path, bytes)))
    }

    fn replace(
        &self,
        path: &str,
        bytes: Vec<u8>,
        version: &Version,
    ) -> Result<Option<Version>, RemoteError> {
        self.allow(path)?;
        let found = self.read(path, u64::MAX)?.is_some_and(|found| found.version == *version);
        Ok(found.then(|| self.put(path, bytes)))
    }

    fn remove(&self, path: &str) -> Result<(), RemoteError> {
        self.allow(path).map(|()| drop(self.objects.lock().unwrap().remove(path)))
    }
}
