//! A view that may wait, behind those whom it shows.

use crate::executor::{Event, Observer};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

/// Events that wait at most before progress is dropped.
const WAITING: usize = 1_000;
/// How long the end of a run waits for a view that does not get on: a terminal held by Ctrl-S, say.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hands events to a view in a thread of its own. Of progress the view sees what it has time for; of
/// beginnings, ends and notes all.
pub(super) struct Behind {
    events: Option<Sender<Event>>,
    waiting: Arc<AtomicUsize>,
    /// Closed when the view is gone.
    gone: Mutex<Receiver<()>>,
}

impl Behind {
    /// In front of the view that `make` makes, in its thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new<O: Observer>(make: impl FnOnce() -> O + Send + 'static) -> io::Result<Self> {
        let (events, heard) = channel::<Event>();
        let (leaving, gone) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = waiting.clone();
        thread::Builder::new().spawn(move || {
            let view = make();
            for event in heard {
                taken.fetch_sub(1, Ordering::Relaxed);
                view.event(&event);
            }
            drop(view);
            drop(leaving);
        })?;
        Ok(Self { events: Some(events), waiting, gone: Mutex::new(gone) })
    }
}

impl Observer for Behind {
    fn event(&self, event: &Event) {
        let progress =
            matches!(event, Event::Samples { .. } | Event::Epoch { .. } | Event::Passed { .. });
        if progress && self.waiting.load(Ordering::Relaxed) >= WAITING {
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A view that has panicked shows nothing more; the run continues without it.
        let _ = self.events.as_ref().map(|events| events.send(event.clone()));
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.events = None;
        let gone = self.gone.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = gone.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::{Done, Status};
    use std::sync::mpsc::sync_channel;

    /// Waits for a word before it takes its first event.
    struct Slow {
        go: Mutex<Option<Receiver<()>>>,
        seen: Sender<&'static str>,
    }

    impl Observer for Slow {
        fn event(&self, event: &Event) {
            if let Some(go) = self.go.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = go.recv();
            }
            let kind = match event {
                Event::Samples { .. } => "samples",
                Event::Ended { .. } => "ended",
                _ => "other",
            };
            let _ = self.seen.send(kind);
        }
    }

    #[test]
    fn a_view_that_waits_holds_nobody_back_and_sees_every_end() {
        let (say_go, go) = sync_channel(1);
        let (seen, told) = channel();
        let behind = Behind::new(move || Slow { go: Mutex::new(Some(go)), seen }).unwrap();
        let samples =
            Event::Samples { step: 0, epoch: 1, epochs: 2, share: 0.5, samples_per_second: 1.0 };
        for step in 0..10_000 {
            behind.event(&samples);
            if step % 1_000 == 0 {
                behind.event(&Event::Ended { step, status: Status::Done(Done::Elsewhere) });
            }
        }
        say_go.send(()).unwrap();
        drop(behind);
        let seen: Vec<&str> = told.iter().collect();
        let count = |kind| seen.iter().filter(|seen| **seen == kind).count();
        assert_eq!(count("ended"), 10);
        assert!((1..=WAITING + 1).contains(&count("samples")), "{}", count("samples"));
    }

    #[test]
    fn a_view_that_never_gets_on_is_left_behind() {
        let (_keep, go) = sync_channel(1);
        let (seen, _told) = channel();
        let behind = Behind::new(move || Slow { go: Mutex::new(Some(go)), seen }).unwrap();
        behind.event(&Event::Note("one".to_owned()));
        drop(behind);
    }
}
