//! The threads of one step: as many as its share, which changes while it runs.
//!
//! burn's CPU kernels and ours run in the rayon pool that calls them. A pool cannot shrink, but its
//! threads can be kept away: those beyond the share stand aside, asleep, until it grows. They do so
//! between two batches, when all but the thread that works through the step are idle; a thread that
//! waits for others' work within a batch might otherwise be the one that stands aside.

use super::failure::memory;
use crate::executor::{Share, StepError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Threads that work through one step.
pub(super) struct Crew {
    pool: rayon::ThreadPool,
    size: usize,
    share: Arc<Share>,
    bench: Arc<Bench>,
}

/// Where threads stand aside.
#[derive(Default)]
struct Bench {
    seats: Mutex<Seats>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Seats {
    wanted: usize,
    taken: usize,
}

impl Bench {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'a>(&self, seats: MutexGuard<'a, Seats>) -> MutexGuard<'a, Seats> {
        self.changed.wait(seats).unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands aside for as long as wanted.
    fn sit(&self) {
        let mut seats = self.seats();
        seats.taken += 1;
        self.changed.notify_all();
        while seats.taken <= seats.wanted {
            seats = self.sleep(seats);
        }
        seats.taken -= 1;
        self.changed.notify_all();
    }

    fn want(&self, wanted: usize) {
        self.seats().wanted = wanted;
        self.changed.notify_all();
    }
}

impl Crew {
    /// At most `size` threads, of which `share` work.
    ///
    /// # Errors
    /// [`StepError`] if the system gives no threads.
    pub fn new(size: usize, share: Arc<Share>) -> Result<Self, StepError> {
        let size = size.max(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(size).build();
        let pool = pool.map_err(|error| {
            memory(format!("cannot start {size} threads: {error}; `ulimit -u` may be too small"))
        })?;
        Ok(Self { pool, size, share, bench: Arc::default() })
    }

    /// How many threads work now.
    pub fn threads(&self) -> usize {
        self.share.threads().clamp(1, self.size)
    }

    /// Runs `work` in the crew.
    pub fn work<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(|| {
            self.settle();
            work()
        })
    }

    /// Takes on or lets go of threads, as the share has it. To be called by the thread that
    /// [`work`](Self::work) runs on, while nothing else runs in the crew.
    pub fn settle(&self) {
        let wanted = self.size - self.threads();
        let mut seats = self.bench.seats();
        if seats.wanted == wanted && seats.taken == wanted {
            return;
        }
        let missing = wanted.saturating_sub(seats.taken);
        seats.wanted = wanted;
        self.bench.changed.notify_all();
        for _ in 0..missing {
            let bench = self.bench.clone();
            rayon::spawn(move || bench.sit());
        }
        // This thread works off nothing of the pool while it waits here, so it never sits down.
        while seats.taken != seats.wanted {
            seats = self.bench.sleep(seats);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.bench.want(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, thread, time::Duration};

    /// Names of the threads that many small pieces of work run on.
    fn workers() -> HashSet<thread::ThreadId> {
        let seen = Mutex::new(HashSet::new());
        rayon::scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|_| {
                    thread::sleep(Duration::from_micros(200));
                    seen.lock().unwrap().insert(thread::current().id());
                });
            }
        });
        seen.into_inner().unwrap()
    }

    #[test]
    fn as_many_threads_work_as_the_share_says() {
        let share = Arc::new(Share::new(2));
        let crew = Crew::new(4, share.clone()).unwrap();
        crew.work(|| {
            assert_eq!(workers().len(), 2);
            for threads in [1, 4, 3, 1, 2, 9, 1] {
                share.set(threads);
                crew.settle();
                assert_eq!(workers().len(), threads.min(4), "{threads}");
                crew.settle();
            }
        });
    }

    #[test]
    fn a_share_that_changes_at_every_batch_stops_nothing() {
        let share = Arc::new(Share::new(1));
        let crew = Crew::new(3, share.clone()).unwrap();
        crew.work(|| {
            for batch in 0..2000 {
                share.set(1 + batch * 7 % 3);
                crew.settle();
                let (left, right) = rayon::join(|| batch, || batch + 1);
                assert_eq!(left + 1, right);
            }
        });
    }
}
