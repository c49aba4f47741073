//! What was submitted, in the cache: which task of which submission makes which key.
//!
//! A record is written before its job is submitted, and the job's comment names it. So a job is recognised
//! from any machine, also one whose submitter died before it heard the job's number.

use super::SlurmError;
use crate::{
    key::Key,
    store::{Store, create, for_group, host, now},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher,
    io,
    path::{Path, PathBuf},
};

/// One submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the cluster.
    pub cluster: String,
    /// Machine that it was submitted on, for people.
    pub host: String,
    /// Seconds since 1970.
    pub submitted: u64,
    /// Name of the pipeline, for people.
    pub pipeline: String,
    /// What its tasks make.
    pub tasks: Vec<Task>,
}

/// A task of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its index in the array; 0 of a single job.
    pub index: usize,
    /// What it makes.
    pub key: Key,
    /// The node's name, for people.
    pub node: String,
}

impl Record {
    /// Of a submission that is about to be made here.
    pub fn new(cluster: &str, pipeline: &str, tasks: Vec<Task>) -> Self {
        let (cluster, pipeline) = (cluster.to_owned(), pipeline.to_owned());
        Self { cluster, host: host(), submitted: now(), pipeline, tasks }
    }
}

/// The folder of records in a cache, and of what goes with them.
pub struct Records(PathBuf);

/// A record that was found.
pub struct Found {
    /// Its name.
    pub token: String,
    /// Number of the user who wrote it, whose jobs they are.
    pub user: u32,
    /// What it says.
    pub record: Record,
}

impl Records {
    /// Of a cache.
    pub fn new(store: &Store) -> Self {
        Self(store.root().join("slurm"))
    }

    /// A name that no other submission has.
    pub fn token() -> String {
        format!("{:016x}", RandomState::new().hash_one(std::process::id()))
    }

    /// Folder of the jobs' logs, absolute.
    pub fn logs(&self) -> Result<PathBuf, SlurmError> {
        let path = self.0.join("logs");
        std::path::absolute(&path).map_err(SlurmError::io("find", &path))
    }

    fn jobs(&self) -> PathBuf {
        self.0.join("jobs")
    }

    /// Writes a script and its record; the script's path.
    pub fn write(&self, token: &str, record: &Record, script: &str) -> Result<PathBuf, SlurmError> {
        for folder in [self.jobs(), self.logs()?] {
            create(&folder)?;
        }
        let text = serde_json::to_string(record).expect("plain data is always JSON");
        let path = self.jobs().join(format!("{token}.sh"));
        replace(&path, script)?;
        replace(&self.jobs().join(format!("{token}.json")), &text)?;
        Ok(path)
    }

    /// Keeps a pipeline's text as it is submitted, under its digest; where.
    pub fn keep_text(&self, text: &str) -> Result<PathBuf, SlurmError> {
        let folder = self.0.join("pipelines");
        create(&folder)?;
        let path = folder.join(format!("{}.toml", &blake3::hash(text.as_bytes()).to_hex()[..16]));
        replace(&path, text)?;
        std::path::absolute(&path).map_err(SlurmError::io("find", &path))
    }

    /// All records. What cannot be read any more is gone, or another version's.
    pub fn all(&self) -> Result<Vec<Found>, SlurmError> {
        let folder = self.jobs();
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(SlurmError::io("read", &folder)(error)),
        };
        let mut found = Vec::new();
        for file in files {
            let path = file.map_err(SlurmError::io("read", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                found.extend(read(&path));
            }
        }
        found.sort_by(|a: &Found, b| {
            (a.record.submitted, &a.token).cmp(&(b.record.submitted, &b.token))
        });
        Ok(found)
    }

    /// Forgets a submission whose jobs have gone. One that cannot be removed, another user's perhaps, costs
    /// a look.
    pub fn forget(&self, token: &str) {
        for ending in ["json", "sh"] {
            let path = self.jobs().join(format!("{token}.{ending}"));
            if let Err(error) = fs::remove_file(&path) {
                log::debug!("cannot remove {}: {error}", path.display());
            }
        }
    }
}

fn read(path: &Path) -> Option<Found> {
    let token = path.file_stem()?.to_str()?.to_owned();
    let user = owner(path)?;
    let record = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(Found { token, user, record })
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).ok()?))
}

#[cfg(not(unix))]
fn owner(_path: &Path) -> Option<u32> {
    None
}

/// Writes a file whole or not at all.
fn replace(path: &Path, text: &str) -> Result<(), SlurmError> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::write(&new, text).and_then(|()| for_group(&new));
    let written = written.and_then(|()| fs::rename(&new, path));
    written.map_err(SlurmError::io("write", path))
}
