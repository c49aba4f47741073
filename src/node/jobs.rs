//! How many nodes run side by side.

use std::num::NonZeroUsize;

/// How many nodes run side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jobs {
    /// On a CPU as many as do most work, on GPUs one on each.
    #[default]
    Auto,
    /// So many in all.
    InAll(NonZeroUsize),
    /// So many on each device.
    PerDevice(NonZeroUsize),
    /// On each GPU as many as its memory holds, by what they are estimated to take; one where it does not say how much
    /// it has. On a CPU as [`Auto`](Self::Auto).
    ByMemory,
}

impl Jobs {
    /// Nodes in all at a time, on so many devices of which one may be a CPU with so many cores.
    pub fn most(self, devices: usize, is_cpu: bool, cores: usize) -> usize {
        match self {
            Self::InAll(count) => count.get(),
            Self::PerDevice(count) => count.get().saturating_mul(devices),
            Self::Auto if !is_cpu => devices,
            // A thread of the host's for each keeps a GPU busy.
            Self::Auto | Self::ByMemory => cores.max(devices),
        }
    }

    /// Whether measuring decides, up to that many.
    pub fn is_measured(self, is_cpu: bool) -> bool {
        is_cpu && matches!(self, Self::Auto | Self::ByMemory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted() {
        let three = NonZeroUsize::new(3).unwrap();
        let most = |jobs: Jobs| [jobs.most(1, true, 8), jobs.most(2, false, 8)];
        assert_eq!(most(Jobs::Auto), [8, 2]);
        assert_eq!(most(Jobs::InAll(three)), [3, 3]);
        assert_eq!(most(Jobs::PerDevice(three)), [3, 6]);
        assert_eq!(most(Jobs::ByMemory), [8, 8]);
        assert!(Jobs::ByMemory.is_measured(true) && !Jobs::ByMemory.is_measured(false));
        assert!(!Jobs::PerDevice(three).is_measured(true));
    }
}
