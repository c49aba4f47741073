//! A bucket whose operations take time and are counted.

use super::time::Time;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use takd::remote::{self, Object, RemoteError, Version};

/// How often each operation was asked for; a list counts once for each 1,000 names.
pub type Operations = BTreeMap<&'static str, usize>;

/// Names that one operation lists, of S3.
const PAGE: usize = 1000;

#[derive(Clone)]
pub struct Objects {
    time: Arc<Time>,
    latency: f64,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Content by path, with the number of its state.
    objects: BTreeMap<String, (Arc<Vec<u8>>, u64)>,
    next: u64,
    operations: Operations,
    last_entry: f64,
}

impl Objects {
    pub fn new(time: Arc<Time>, latency: f64) -> Self {
        Self { time, latency, state: Arc::default() }
    }

    pub fn operations(&self) -> Operations {
        self.state.lock().unwrap().operations.clone()
    }

    pub fn last_entry(&self) -> f64 {
        self.state.lock().unwrap().last_entry
    }

    /// Takes the time of an operation, and then does it at once.
    fn does<T>(&self, name: &'static str, times: usize, what: impl FnOnce(&mut State) -> T) -> T {
        self.time.sleep(self.latency * times as f64);
        let mut state = self.state.lock().unwrap();
        *state.operations.entry(name).or_default() += times;
        what(&mut state)
    }
}

impl State {
    fn put(&mut self, path: &str, bytes: Vec<u8>) -> Version {
        self.next += 1;
        self.objects.insert(path.to_owned(), (Arc::new(bytes), self.next));
        version(self.next)
    }
}

fn version(number: u64) -> Version {
    Version { e_tag: Some(number.to_string()), version: None }
}

impl remote::Objects for Objects {
    fn list(&self, folder: &str) -> Result<Vec<(String, Version)>, RemoteError> {
        let range = format!("{folder}/")..format!("{folder}0");
        let count = self.state.lock().unwrap().objects.range(range.clone()).count();
        Ok(self.does("list", count / PAGE + 1, |state| {
            let found = state.objects.range(range);
            let name = |path: &str| path[folder.len() + 1..].to_owned();
            found.map(|(path, (_, number))| (name(path), version(*number))).collect()
        }))
    }

    fn read(&self, path: &str, _most: u64) -> Result<Option<Object>, RemoteError> {
        Ok(self.does("get", 1, |state| {
            state
                .objects
                .get(path)
                .map(|(bytes, number)| Object { bytes: bytes.to_vec(), version: version(*number) })
        }))
    }

    fn part(&self, path: &str, from: u64, length: u64) -> Result<Vec<u8>, RemoteError> {
        Ok(self.does("get", 1, |state| {
            state.objects[path].0[from as usize..(from + length) as usize].to_vec()
        }))
    }

    fn length(&self, path: &str) -> Result<Option<u64>, RemoteError> {
        Ok(self
            .does("head", 1, |state| state.objects.get(path).map(|(bytes, _)| bytes.len() as u64)))
    }

    fn write(&self, path: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        self.does("put", 1, |state| state.put(path, bytes));
        Ok(())
    }

    fn create(&self, path: &str, bytes: Vec<u8>) -> Result<Option<Version>, RemoteError> {
        let version = self.does("put", 1, |state| {
            (!state.objects.contains_key(path)).then(|| state.put(path, bytes))
        });
        if version.is_some() && path.starts_with("entries/") {
            self.state.lock().unwrap().last_entry = self.time.seconds();
        }
        Ok(version)
    }

    fn replace(
        &self,
        path: &str,
        bytes: Vec<u8>,
        before: &Version,
    ) -> Result<Option<Version>, RemoteError> {
        Ok(self.does("put", 1, |state| {
            let found =
                state.objects.get(path).is_some_and(|(_, number)| version(*number) == *before);
            found.then(|| state.put(path, bytes))
        }))
    }

    fn remove(&self, path: &str) -> Result<(), RemoteError> {
        self.does("delete", 1, |state| state.objects.remove(path));
        Ok(())
    }
}
