//! Objects in a bucket or a folder, by the crate `object_store`. Its calls are asynchronous: here they are waited for.

use super::{
    Address, Object, Objects, RemoteError, Scheme, Version,
    provider::{self, patience},
};
use futures_util::TryStreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, path::Path,
};
use std::{
    error::Error as _,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::runtime::{self, Runtime};

/// A bucket, or a folder.
pub(super) struct Bucket {
    runtime: Runtime,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    name: String,
    /// Whether it is a folder, which knows no conditions but that of creation.
    is_folder: bool,
}

/// Length from which a file goes up in parts: what breaks is then repeated by the part.
const LARGE: usize = 16 << 20;
/// Length of such a part. Buckets want 5 MiB at least, and take 10,000 parts at most.
const PART: usize = 8 << 20;

impl Bucket {
    /// The bucket at an address; nothing is asked of it yet.
    pub fn open(address: &Address) -> Result<Self, RemoteError> {
        let name = address.to_string();
        let setup = |problem: String| RemoteError::Setup { name: name.clone(), problem };
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("takd-remote")
            .enable_all()
            .build()
            .map_err(|error| setup(error.to_string()))?;
        let prefix = match address.scheme {
            Scheme::File => "",
            Scheme::S3 | Scheme::Gs | Scheme::Az => &address.prefix,
        };
        let prefix = Path::parse(prefix).map_err(|error| setup(error.to_string()))?;
        let store = {
            let _within = runtime.enter();
            provider::store(address)?
        };
        let is_folder = address.scheme == Scheme::File;
        Ok(Self { runtime, store, prefix, name, is_folder })
    }

    fn path(&self, path: &str) -> Path {
        path.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn problem(&self, action: &'static str, path: &str, error: &Error) -> RemoteError {
        let (name, object) = (self.name.clone(), format!("{}/{path}", self.name));
        let problem = told(error);
        // Of listings the crate keeps the status in words only.
        let says = |words: &[&str]| words.iter().any(|word| problem.contains(word));
        let denied =
            matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. });
        if denied || says(&["403 Forbidden", "401 Unauthorized"]) {
            RemoteError::Refused { action, object, problem }
        } else if matches!(error, Error::NotFound { .. })
            || says(&["NoSuchBucket", "404 Not Found"])
        {
            RemoteError::NoBucket { name, problem }
        } else {
            RemoteError::Failed { action, object, problem }
        }
    }

    /// Whether an error is of a connection or a server, not of what was asked.
    fn may_pass(&self, error: &Error) -> bool {
        let is_answer = || told(error).contains("status code: 4");
        matches!(error, Error::Generic { .. }) && !self.is_folder && !is_answer()
    }

    /// Puts an object under a condition. If a connection breaks before the answer, the same again may find what the
    /// first has put: that is for the caller to see.
    fn put_if(
        &self,
        path: &str,
        bytes: Vec<u8>,
        mode: &PutMode,
    ) -> Result<Option<Version>, RemoteError> {
        let (started, location) = (Instant::now(), self.path(path));
        let payload = PutPayload::from(bytes);
        loop {
            let put = self.store.put_opts(&location, payload.clone(), mode.clone().into());
            match self.runtime.block_on(put) {
                Ok(put) => return Ok(Some(Version { e_tag: put.e_tag, version: put.version })),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => return Ok(None),
                Err(Error::NotFound { .. }) if matches!(mode, PutMode::Update(_)) => {
                    return Ok(None);
                }
                Err(error) if self.may_pass(&error) && started.elapsed() < patience() => {
                    log::debug!("{path}: {}", told(&error));
                    sleep(Duration::from_secs(1));
                }
                Err(error) => return Err(self.problem("written", path, &error)),
            }
        }
    }

    async fn put_parts(&self, location: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut upload = self.store.put_multipart(location).await?;
        for part in bytes.chunks(PART) {
            if let Err(error) = upload.put_part(PutPayload::from(part.to_vec())).await {
                // The first error counts; buckets drop what was begun and never ended, if they are told to.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        upload.complete().await.map(|_| ())
    }
}

impl Objects for Bucket {
    fn list(&self, folder: &str) -> Result<Vec<(String, Version)>, RemoteError> {
        let location = self.path(folder);
        let listed =
            self.runtime.block_on(self.store.list(Some(&location)).try_collect::<Vec<_>>());
        let listed = listed.map_err(|error| self.problem("listed", folder, &error))?;
        let named = listed.into_iter().filter_map(|found| {
            let name = found.location.filename()?.to_owned();
            Some((name, Version { e_tag: found.e_tag, version: found.version }))
        });
        Ok(named.collect())
    }

    fn read(&self, path: &str, most: u64) -> Result<Option<Object>, RemoteError> {
        let location = self.path(path);
        let read = async {
            let found = self.store.get(&location).await?;
            let version =
                Version { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            if found.meta.size > most {
                return Ok(Err(found.meta.size));
            }
            Ok(Ok(Object { bytes: found.bytes().await?.to_vec(), version }))
        };
        match self.runtime.block_on(read) {
            Ok(Ok(object)) => Ok(Some(object)),
            Ok(Err(size)) => Err(RemoteError::Wrong {
                object: format!("{}/{path}", self.name),
                problem: format!("has {size} bytes, of which {most} are the most"),
            }),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.problem("read", path, &error)),
        }
    }

    fn part(&self, path: &str, from: u64, length: u64) -> Result<Vec<u8>, RemoteError> {
        let (location, range) = (self.path(path), from..from + length);
        let read = self.runtime.block_on(self.store.get_range(&location, range));
        let bytes = read.map_err(|error| self.problem("read", path, &error))?;
        if bytes.len() as u64 != length {
            let (object, problem) = (format!("{}/{path}", self.name), "became shorter".to_owned());
            return Err(RemoteError::Wrong { object, problem });
        }
        Ok(bytes.to_vec())
    }

    fn length(&self, path: &str) -> Result<Option<u64>, RemoteError> {
        match self.runtime.block_on(self.store.head(&self.path(path))) {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.problem("read", path, &error)),
        }
    }

    fn write(&self, path: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        let location = self.path(path);
        let written = match bytes.len() < LARGE {
            true => self.runtime.block_on(self.store.put(&location, bytes.into())).map(|_| ()),
            false => self.runtime.block_on(self.put_parts(&location, &bytes)),
        };
        written.map_err(|error| self.problem("written", path, &error))
    }

    fn create(&self, path: &str, bytes: Vec<u8>) -> Result<Option<Version>, RemoteError> {
        self.put_if(path, bytes, &PutMode::Create)
    }

    fn replace(
        &self,
        path: &str,
        bytes: Vec<u8>,
        version: &Version,
    ) -> Result<Option<Version>, RemoteError> {
        let Version { e_tag, version } = version.clone();
        let location = self.path(path);
        if self.is_folder {
            // A folder knows no condition: whoever looks and replaces leaves a moment between.
            let unchanged = match self.runtime.block_on(self.store.head(&location)) {
                Ok(found) => found.e_tag == e_tag,
                Err(Error::NotFound { .. }) => false,
                Err(error) => return Err(self.problem("read", path, &error)),
            };
            if !unchanged {
                return Ok(None);
            }
            let put = self.runtime.block_on(self.store.put(&location, bytes.into()));
            let put = put.map_err(|error| self.problem("written", path, &error))?;
            return Ok(Some(Version { e_tag: put.e_tag, version: put.version }));
        }
        self.put_if(path, bytes, &PutMode::Update(UpdateVersion { e_tag, version }))
    }

    fn remove(&self, path: &str) -> Result<(), RemoteError> {
        match self.runtime.block_on(self.store.delete(&self.path(path))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.problem("removed", path, &error)),
        }
    }
}

/// What an error says, and what it follows from, as far as that says more.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        let said = below.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        source = below.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
