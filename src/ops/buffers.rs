//! Buffers that go round: what one step is done with, the next one writes over.
//!
//! A step makes and drops an activation and a gradient or two of each layer, megabytes each. Asked
//! for anew, they come from the kernel page by page, filled with zeros that nobody reads.

use std::cell::RefCell;

thread_local! {
    // A training's layers run one after another on one thread; when it ends, so does this.
    static FREE: RefCell<Free> = RefCell::default();
}

#[derive(Default)]
struct Free {
    buffers: Vec<Vec<f32>>,
    /// Bytes in `buffers`.
    held: usize,
    /// Bytes that were asked for and not here.
    missed: usize,
}

/// A buffer may be this many times as large as what it is used for.
const SLACK: usize = 2;

impl Free {
    fn take(&mut self, length: usize) -> Vec<f32> {
        let fits = |buffer: &Vec<f32>| (length..=length * SLACK).contains(&buffer.capacity());
        let places = (0..self.buffers.len()).filter(|&place| fits(&self.buffers[place]));
        match places.min_by_key(|&place| self.buffers[place].capacity()) {
            Some(place) => {
                let mut buffer = self.buffers.swap_remove(place);
                self.held -= bytes(&buffer);
                buffer.resize(length, 0.0);
                buffer
            }
            None => {
                self.missed += length * size_of::<f32>();
                vec![0.0; length]
            }
        }
    }

    fn give(&mut self, buffer: Vec<f32>) {
        // Buffers come from elsewhere too; no more is held than was once needed.
        if self.held + bytes(&buffer) <= self.missed {
            self.held += bytes(&buffer);
            self.buffers.push(buffer);
        }
    }
}

fn bytes(buffer: &Vec<f32>) -> usize {
    buffer.capacity() * size_of::<f32>()
}

/// `length` floats of any value, for one who writes them all.
pub(crate) fn take(length: usize) -> Vec<f32> {
    FREE.with_borrow_mut(|free| free.take(length))
}

/// Leaves a buffer to the next who asks on this thread.
pub(crate) fn give(buffer: Vec<f32>) {
    // While a thread ends, there is nobody to leave it to.
    let _ = FREE.try_with(|free| free.borrow_mut().give(buffer));
}

#[cfg(test)]
mod tests {
    use super::Free;

    #[test]
    fn a_buffer_is_used_again_for_its_length_or_a_little_less() {
        let mut free = Free::default();
        let buffer = free.take(100);
        let place = buffer.as_ptr();
        free.give(buffer);
        let smaller = free.take(60);
        assert_eq!((smaller.as_ptr(), smaller.len()), (place, 60));
        free.give(smaller);
        let again = free.take(100);
        assert_eq!((again.as_ptr(), again.len()), (place, 100));
        free.give(again);
        let half = free.take(49);
        assert_ne!(half.as_ptr(), place);
    }

    #[test]
    fn no_more_is_held_than_was_once_needed() {
        let mut free = Free::default();
        let needed = [free.take(10), free.take(20)];
        for foreign in 0..50 {
            free.give(vec![0.0; 1 + foreign % 7]);
            assert!(free.held <= 30 * 4, "{}", free.held);
        }
        needed.into_iter().for_each(|buffer| free.give(buffer));
        assert_eq!(free.held, free.buffers.iter().map(super::bytes).sum::<usize>());
        assert!(free.held <= 30 * 4);
    }
}
