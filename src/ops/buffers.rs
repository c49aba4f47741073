//! Buffers that go round: what one step is done with, the next one writes over.
//!
//! A step makes and drops an activation and a gradient or two of each layer, megabytes each. Asked
//! for anew, they come from the kernel page by page, filled with zeros that nobody reads.

use std::{cell::RefCell, collections::HashMap};

thread_local! {
    // A training's layers run one after another on one thread; when it ends, so does this.
    static FREE: RefCell<Free> = RefCell::default();
}

#[derive(Default)]
struct Free {
    /// Buffers that wait, each with the number of the take before which it came back: oldest first.
    buffers: Vec<(Vec<f32>, u64)>,
    /// Capacity in floats of every buffer that is out, by address. One that is dropped elsewhere stays
    /// listed until its address is handed out again.
    lent: HashMap<usize, usize>,
    /// Bytes in `buffers`.
    held: usize,
    /// Takes so far.
    takes: u64,
}

/// A buffer may be this many times as large as what it is used for.
const SLACK: usize = 2;

/// A buffer that so many takes did not want is dropped: sizes have changed, as they do between training,
/// evaluation and the next node. A step of ResNet-110 takes some 2,500.
const OLDEST: u64 = 1 << 13;

/// Most addresses that are remembered; several steps of the deepest network have fewer.
const MOST_LENT: usize = 1 << 16;

impl Free {
    fn take(&mut self, length: usize) -> Vec<f32> {
        if length == 0 {
            return Vec::new();
        }
        self.takes += 1;
        self.drop_old();
        let fits =
            |buffer: &Vec<f32>| (length..=marked(length) * SLACK).contains(&buffer.capacity());
        let places = (0..self.buffers.len()).filter(|&place| fits(&self.buffers[place].0));
        let buffer = match places.min_by_key(|&place| self.buffers[place].0.capacity()) {
            Some(place) => {
                // The order stays, so that the oldest are in front.
                let (mut buffer, _) = self.buffers.remove(place);
                self.held -= bytes(&buffer);
                buffer.resize(length, 0.0);
                buffer
            }
            None => {
                let mut buffer = Vec::with_capacity(marked(length));
                buffer.resize(length, 0.0);
                buffer
            }
        };
        if self.lent.len() >= MOST_LENT {
            self.lent.clear();
        }
        self.lent.insert(buffer.as_ptr().addr(), buffer.capacity());
        buffer
    }

    /// Keeps a buffer that `take` has handed out. Others come too, such as each batch of images: kept,
    /// they would add up, since nobody ever asks for as many as are given.
    fn give(&mut self, buffer: Vec<f32>) {
        let lent = self.lent.remove(&buffer.as_ptr().addr());
        if lent == Some(buffer.capacity()) && is_marked(buffer.capacity()) {
            self.held += bytes(&buffer);
            self.buffers.push((buffer, self.takes));
        }
    }

    fn drop_old(&mut self) {
        let old = self.buffers.partition_point(|(_, given)| given + OLDEST < self.takes);
        self.held -= self.buffers.drain(..old).map(|(buffer, _)| bytes(&buffer)).sum::<usize>();
    }
}

/// What a buffer's capacity leaves when it is divided by [`MARK`]: foreign tensors, whose capacity is
/// their length, seldom do, so that one at an address that was ours before is told apart.
const REST: usize = 13;
const MARK: usize = 32;

/// The capacity to ask for.
fn marked(length: usize) -> usize {
    length.next_multiple_of(MARK) + REST
}

fn is_marked(capacity: usize) -> bool {
    capacity % MARK == REST
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

/// Bytes that wait on this thread.
#[cfg(test)]
pub(super) fn held() -> usize {
    FREE.with_borrow(|free| free.held)
}

#[cfg(test)]
mod tests {
    use super::{Free, OLDEST, marked};

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
        let third = free.take(30);
        assert_ne!(third.as_ptr(), place);
    }

    #[test]
    fn only_what_was_handed_out_is_kept() {
        let mut free = Free::default();
        let needed = [free.take(10), free.take(20)];
        for foreign in 0..50 {
            free.give(vec![0.0; 1 + foreign % 7]);
        }
        assert_eq!((free.held, free.buffers.len()), (0, 0));
        needed.into_iter().for_each(|buffer| free.give(buffer));
        assert_eq!((free.held, free.buffers.len()), ((marked(10) + marked(20)) * 4, 2));
    }

    /// A step of 3-channel images gives back its batch, which it never took, and keeps one buffer of its
    /// own, as the loss does with the logits.
    #[test]
    fn what_is_held_does_not_grow_with_steps() {
        let mut free = Free::default();
        let mut step = |batch: usize| {
            let buffers = [16, 64, 32].map(|size| free.take(size * batch));
            free.give(vec![0.0; 48 * batch]);
            let [first, second, _dropped_elsewhere] = buffers;
            free.give(first);
            free.give(second);
            free.held
        };
        let early = (0..100).map(|_| step(128)).max();
        assert_eq!((0..3_000).map(|_| step(128)).max(), early);
        let other = (0..OLDEST as usize).map(|_| step(50)).last();
        assert_eq!(
            other,
            Some((marked(16 * 50) + marked(64 * 50)) * 4),
            "the other batch size's buffers have gone"
        );
    }
}
