//! Buffers that go round: what one step is done with, the next one writes over.
//!
//! A step makes and drops an activation and a gradient or two of each layer, megabytes each. Asked
//! for anew, they come from the kernel page by page, filled with zeros that nobody reads.
//!
//! burn frees some of what was taken here, and what is given back is sometimes burn's own. So a pool
//! knows the buffers that it lent by their address, keeps those alone, and never more bytes of them
//! than were in use at one time in this step or the one before; what lay idle for longest goes first.
//! [`settle`] tells it where a step ends.

use std::{cell::RefCell, collections::HashMap};

thread_local! {
    // A training's layers run one after another on one thread; when it ends, so does this.
    static POOL: RefCell<Pool> = RefCell::default();
}

#[derive(Default)]
struct Pool {
    /// The one that lay here for longest comes first.
    free: Vec<Vec<f32>>,
    /// Bytes in `free`.
    held: usize,
    /// Bytes of each buffer that was taken and is not back, by its address.
    lent: HashMap<usize, usize>,
    /// Bytes in `lent`.
    in_use: usize,
    /// The most that was in use at a time: in this step, and in the one before.
    peaks: [usize; 2],
}

/// A buffer may be this many times as large as what it is used for.
const SLACK: usize = 2;

impl Pool {
    fn take(&mut self, length: usize) -> Vec<f32> {
        if length == 0 {
            return Vec::new();
        }
        let fits = |buffer: &Vec<f32>| (length..=length * SLACK).contains(&buffer.capacity());
        let indices = (0..self.free.len()).filter(|&index| fits(&self.free[index]));
        let buffer = match indices.min_by_key(|&index| self.free[index].capacity()) {
            Some(index) => {
                let mut buffer = self.free.remove(index);
                self.held -= bytes(&buffer);
                buffer.resize(length, 0.0);
                buffer
            }
            None => vec![0.0; length],
        };
        // Nothing else can lie where this one does: what burn has freed there is not in use.
        let before = self.lent.insert(address(&buffer), bytes(&buffer));
        self.in_use = self.in_use + bytes(&buffer) - before.unwrap_or(0);
        self.peaks[0] = self.peaks[0].max(self.in_use);
        buffer
    }

    fn give(&mut self, buffer: Vec<f32>) {
        let size = bytes(&buffer);
        if self.lent.get(&address(&buffer)) == Some(&size) {
            self.lent.remove(&address(&buffer));
            self.in_use -= size;
            self.held += size;
            self.free.push(buffer);
            self.trim();
        }
    }

    fn settle(&mut self) {
        self.lent.clear();
        self.in_use = 0;
        self.peaks = [0, self.peaks[0]];
        self.trim();
    }

    fn trim(&mut self) {
        let most = self.peaks[0].max(self.peaks[1]);
        let mut idle = 0;
        while self.held > most {
            self.held -= bytes(&self.free[idle]);
            idle += 1;
        }
        self.free.drain(..idle);
    }
}

fn address(buffer: &[f32]) -> usize {
    buffer.as_ptr().addr()
}

fn bytes(buffer: &Vec<f32>) -> usize {
    buffer.capacity() * size_of::<f32>()
}

/// Bytes that this thread's pool holds.
#[cfg(test)]
pub(crate) fn held() -> usize {
    POOL.with_borrow(|pool| pool.held)
}

/// `length` floats of any value, for one who writes them all.
pub(crate) fn take(length: usize) -> Vec<f32> {
    POOL.with_borrow_mut(|pool| pool.take(length))
}

/// Leaves a buffer to the next who asks on this thread, if it was taken here; frees any other.
pub(crate) fn give(buffer: Vec<f32>) {
    // While a thread ends, there is nobody to leave it to.
    let _ = POOL.try_with(|pool| pool.borrow_mut().give(buffer));
}

/// Ends a step: what this thread has taken and not given back, burn has freed, or will.
///
/// Without it no number is wrong, but all that burn has freed counts as in use, and so more is kept.
pub fn settle() {
    POOL.with_borrow_mut(Pool::settle);
}

#[cfg(test)]
mod tests {
    use super::{Pool, bytes};

    #[test]
    fn a_buffer_is_used_again_for_its_length_or_a_little_less() {
        let mut pool = Pool::default();
        let buffer = pool.take(100);
        let address = buffer.as_ptr();
        pool.give(buffer);
        let smaller = pool.take(60);
        assert_eq!((smaller.as_ptr(), smaller.len()), (address, 60));
        pool.give(smaller);
        let again = pool.take(100);
        assert_eq!((again.as_ptr(), again.len()), (address, 100));
        pool.give(again);
        let half = pool.take(49);
        assert_ne!(half.as_ptr(), address);
    }

    #[test]
    fn only_what_was_taken_here_is_kept() {
        let mut pool = Pool::default();
        let taken = [pool.take(10), pool.take(20)];
        let foreign: Vec<_> = (1..50).map(|length| vec![0.0; length]).collect();
        foreign.into_iter().for_each(|buffer| pool.give(buffer));
        pool.give(pool_of_another(10));
        assert_eq!(pool.held, 0);
        taken.into_iter().for_each(|buffer| pool.give(buffer));
        assert_eq!((pool.held, pool.in_use), (30 * 4, 0));
    }

    fn pool_of_another(length: usize) -> Vec<f32> {
        Pool::default().take(length)
    }

    #[test]
    fn no_more_is_held_than_was_in_use_at_a_time() {
        let mut pool = Pool::default();
        for step in 0..200 {
            // At most 107 floats at a time, of sizes that do not fit each other's buffers.
            let large = pool.take(100 + step % 7);
            pool.give(large);
            let [kept, lost] = [pool.take(40), pool.take(10 + step % 30)];
            pool.give(kept);
            // As burn does, but so that no other buffer ever lies there.
            std::mem::forget(lost);
            assert!(pool.held <= 107 * 4, "step {step}: {}", pool.held);
            pool.settle();
            assert_eq!(pool.held, pool.free.iter().map(bytes).sum::<usize>());
            assert!(pool.held <= 107 * 4, "step {step}: {}", pool.held);
            assert!(pool.lent.is_empty());
        }
    }

    #[test]
    fn what_lay_idle_for_longest_goes_first() {
        let mut pool = Pool::default();
        let [old, new] = [pool.take(10), pool.take(30)];
        let address = new.as_ptr();
        pool.give(old);
        pool.give(new);
        // 40 floats were in use at a time: to hold these four as well, the ten have to go.
        let third = pool.take(4);
        pool.give(third);
        assert_eq!(pool.held, 34 * 4);
        let again = pool.take(30);
        assert_eq!(again.as_ptr(), address);
    }

    #[test]
    fn what_a_large_step_needed_is_not_kept_beyond_the_next() {
        let mut pool = Pool::default();
        let mut step = |lengths: [usize; 2]| {
            let buffers = lengths.map(|length| pool.take(length));
            buffers.into_iter().for_each(|buffer| pool.give(buffer));
            pool.settle();
            pool.held / 4
        };
        assert_eq!([step([1000, 500]), step([10, 5]), step([10, 5])], [1500, 15, 15]);
    }
}
