//! A cache that machines share: a bucket with the entries of many.
//!
//! ```text
//! PREFIX/entries/KEY.json  an entry's manifest as its maker wrote it: put last, and never over another
//! PREFIX/files/DIGEST      a file of entries, by the blake3 of its content
//! PREFIX/leases/KEY        who makes an entry at this moment, renewed while it is made
//! ```
//!
//! What comes from there comes from strangers. Before anything of it is written here, the manifest's inputs must
//! hash to the key, its names be plain and of kinds that entries hold, and each file have the manifest's length
//! and digest. Nothing asynchronous leaves this room, and only [`Remote::open`] knows what kind of bucket it is.

mod address;
mod arriving;
mod beside;
#[cfg(feature = "remote")]
mod bucket;
mod lease;
#[cfg(test)]
mod memory;
mod objects;
mod others;
mod problem;
#[cfg(feature = "remote")]
mod profile;
#[cfg(feature = "remote")]
mod provider;
mod pull;
mod push;
mod pusher;
mod seen;
mod shared;
mod sharing;
mod shipped;
mod transfer;

pub use address::{Address, Scheme};
pub use beside::{Beside, reads, stored_logits};
pub use lease::{Clock, LeaseTimes, Leases, Taken};
pub use objects::{Object, Objects, Version};
pub use problem::RemoteError;
pub use pull::Pulled;
pub use push::{Differing, Pushed};
pub use shared::SharedRunner;
pub use sharing::Sharing;
pub use shipped::Shipped;
pub use transfer::{Transfer, transfer};

use crate::{key::Key, mutex::lock};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Mutex, MutexGuard},
};

/// A bucket of entries.
pub struct Remote {
    objects: Box<dyn Objects>,
    name: String,
    /// Digests of files that were found not to be what they must be: who has them puts them again.
    rotten: Mutex<HashSet<String>>,
    /// Keys of entries that were found not to be whole.
    unusable: Mutex<HashSet<Key>>,
}

/// The folder of leases.
const LEASES: &str = "leases";
/// The folder of manifests, and the end of their names.
const ENTRIES: &str = "entries";
const JSON: &str = ".json";

impl Remote {
    /// The remote at an address: `s3://bucket/prefix`, `gs://`, `az://`, `file:///folder`. Credentials come from
    /// the environment and the provider's own files.
    ///
    /// # Errors
    /// [`RemoteError`] if the address is none, or what the environment says of it does not fit.
    pub fn open(url: &str) -> Result<Self, RemoteError> {
        let address: Address = url.parse()?;
        #[cfg(feature = "remote")]
        {
            Ok(Self::with(Box::new(bucket::Bucket::open(&address)?), address.to_string()))
        }
        #[cfg(not(feature = "remote"))]
        {
            Err(RemoteError::NotBuilt(address.to_string()))
        }
    }

    /// A remote of these objects, called `name`.
    pub fn with(objects: Box<dyn Objects>, name: impl Into<String>) -> Self {
        Self { objects, name: name.into(), rotten: Mutex::default(), unusable: Mutex::default() }
    }

    /// Its address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys of its entries, by one listing. Whether they are whole is not looked at; those are left out of which it
    /// is known that they are not.
    ///
    /// # Errors
    /// [`RemoteError`] if it cannot be listed.
    pub fn keys(&self) -> Result<HashSet<Key>, RemoteError> {
        let names = self.objects.list(ENTRIES)?;
        let keys = names.iter().filter_map(|(name, _)| name.strip_suffix(JSON)?.parse().ok());
        let unusable = self.unusable();
        Ok(keys.filter(|key| !unusable.contains(key)).collect())
    }

    /// The keys that some machine makes at this moment, or made when it died, and in which state each lease is.
    ///
    /// # Errors
    /// [`RemoteError`] if it cannot be listed.
    pub fn leased(&self) -> Result<HashMap<Key, Version>, RemoteError> {
        let names = self.objects.list(LEASES)?;
        Ok(names
            .into_iter()
            .filter_map(|(name, version)| Some((name.parse().ok()?, version)))
            .collect())
    }

    fn unusable(&self) -> MutexGuard<'_, HashSet<Key>> {
        lock(&self.unusable)
    }

    fn rotten(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.rotten)
    }

    /// An object as people find it in the bucket.
    fn object(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Where an entry's manifest is.
fn manifest_path(key: &Key) -> String {
    format!("{ENTRIES}/{key}{JSON}")
}

/// Where a file with this digest is.
fn file_path(digest: &str) -> String {
    format!("files/{digest}")
}
