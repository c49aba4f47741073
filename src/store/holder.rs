//! Who holds a lock, for people who wait for it.

use serde::{Deserialize, Serialize};
use std::{fs, time::SystemTime};

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the machine.
    pub host: String,
    /// Process number there.
    pub pid: u32,
    /// Seconds since 1970 when the lock was taken.
    pub since: u64,
}

impl Holder {
    /// This process, from now on.
    pub(crate) fn this() -> Self {
        Self { host: host(), pid: std::process::id(), since: now() }
    }

    /// Whether it is a thread of this process.
    pub fn is_this_process(&self) -> bool {
        self.pid == std::process::id() && self.host == host()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// This machine's name, as the system tells it.
pub(crate) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or("unknown".to_owned(), |name| name.trim().to_owned())
}
