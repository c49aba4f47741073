//! Few cores for the threads that feed a device: whoever is ahead of the next one sleeps.

use burn::backend::{Cube, tensor::FloatTensor};
use std::{sync::LazyLock, thread::available_parallelism};

/// Threads that feed a device: this one, burn's fusion's and the device's own.
const THREADS: usize = 3;

static FEW: LazyLock<bool> =
    LazyLock::new(|| available_parallelism().is_ok_and(|cores| cores.get() < THREADS));

/// Waits until burn's fusion has taken what this thread has given it, where there are fewer cores than threads.
///
/// A thread that finds the next one's queue full spins for some 20 ms (`SPIN_BUDGET_CLIENT` of cubecl-common 0.11.3), and
/// two that spin on two cores keep the third from running, for which they wait: two cores then issue a sixth of the
/// steps of plain2 (docs/gpu.md). One that waits here sleeps. With a core for each it would only be in the way of
/// working ahead.
pub(super) fn keep_pace(with: &FloatTensor<Cube>) {
    if *FEW {
        // A device that fails says so where a number is read.
        let _ = with.client.run(|| ());
    }
}
