//! How much memory this process may use, and what of it is promised.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

/// Bytes that this process may use: the machine's, or its control group's if that is less. `None`
/// where the system does not tell.
pub fn limit() -> Option<u128> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    // The root group has no such file, and the others say `max` or a number.
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min()
}

fn total(meminfo: &str) -> Option<u128> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u128 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// What may be kept where the system tells no limit.
const UNKNOWN: u128 = 1 << 30;

/// Bytes that all trainings of this process together may keep of what could be made again: half of
/// [`limit`].
pub fn spare() -> u128 {
    limit().map_or(UNKNOWN, |limit| limit / 2)
}

static PROMISED: AtomicU64 = AtomicU64::new(0);

/// A part of [`spare`], until it is dropped.
#[derive(Debug)]
pub struct Promise(u64);

impl Promise {
    /// So many bytes, if they are left.
    pub fn of(bytes: u128) -> Option<Self> {
        let bytes = u64::try_from(bytes).ok()?;
        let most = u64::try_from(spare()).unwrap_or(u64::MAX);
        let more = |promised: u64| promised.checked_add(bytes).filter(|&all| all <= most);
        let taken = PROMISED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Self(bytes))
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        PROMISED.fetch_sub(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_a_limit() {
        assert_eq!(total("MemTotal:        2048 kB\nMemFree: 1 kB\n"), Some(2 << 20));
        assert!(limit().is_none_or(|limit| limit > 1 << 20));
    }

    #[test]
    fn more_than_there_is_is_promised_to_nobody() {
        let most = spare() / 3 * 2;
        let first = Promise::of(most).unwrap();
        assert!(Promise::of(most).is_none());
        drop(first);
        assert!(Promise::of(most).is_some());
        assert!(Promise::of(u128::MAX).is_none());
    }
}
