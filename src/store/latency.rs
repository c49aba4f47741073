//! How long a network takes for an image on a kind of CPU: measured on this machine, and so no part of an entry.
//! It vouches for nothing that is hashed, so it is not synced; a file that cannot be read is measured again.

use super::{
    Store, StoreError,
    disk::{create, for_group, read, writer},
};
use crate::key::NetInputs;
use serde::{Deserialize, Serialize};
use std::{fs, path::PathBuf};

/// One measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The network; whatever its weights are, it takes as long.
    pub net: NetInputs,
    /// Model of the CPU.
    pub cpu: String,
    /// Version of takd, whose kernels did the arithmetic.
    pub takd: String,
    /// Milliseconds of a forward pass over one image on one thread: the median of all passes.
    pub median: f64,
    /// Of the same passes, the first and the third quartile.
    pub quartiles: [f64; 2],
    /// How many passes, after the warm-up.
    pub passes: usize,
    /// Name of the machine.
    pub host: String,
    /// Seconds since 1970 when it was measured.
    pub measured: u64,
}

impl Store {
    fn latency_path(&self, net: &NetInputs, cpu: &str, takd: &str) -> PathBuf {
        let whose = serde_json::to_vec(&(net, cpu, takd)).expect("plain data is always JSON");
        let name = blake3::hash(&whose).to_hex();
        self.latencies().join(format!("{name}.json"))
    }

    /// The folder of all that were measured.
    pub fn latencies(&self) -> PathBuf {
        self.root().join("latency")
    }

    /// What was measured of `net` on the CPU called `cpu` by this version of takd.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system refuses to read it.
    pub fn latency(&self, net: &NetInputs, cpu: &str) -> Result<Option<Latency>, StoreError> {
        let path = self.latency_path(net, cpu, env!("CARGO_PKG_VERSION"));
        let Some(text) = read(&path)? else { return Ok(None) };
        let found = serde_json::from_slice(&text).ok();
        let is_one = |found: &Latency| {
            found.net == *net && found.cpu == cpu && found.median.is_finite() && found.median > 0.0
        };
        Ok(found.filter(is_one))
    }

    /// Keeps a measurement.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be written.
    pub fn keep_latency(&self, latency: &Latency) -> Result<(), StoreError> {
        let path = self.latency_path(&latency.net, &latency.cpu, &latency.takd);
        let folder = self.latencies();
        create(&folder)?;
        let text = serde_json::to_vec_pretty(latency).expect("plain data is always JSON");
        let new = folder.join(format!("{}.new", writer()));
        let written = fs::write(&new, text).and_then(|()| for_group(&new));
        written.map_err(StoreError::io("write", &new))?;
        fs::rename(&new, &path).map_err(StoreError::io("write", &path))
    }
}
