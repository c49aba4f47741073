//! Hearing how far steps are, for [`Width`], on the way to whoever shows it.

use super::{Event, Observer, Width};
use std::{sync::Arc, time::Instant};

/// An observer that tells a width what steps do.
pub struct Measuring<'a> {
    observer: &'a dyn Observer,
    width: Option<Arc<Width>>,
    started: Instant,
}

impl<'a> Measuring<'a> {
    /// On the way to `observer`.
    pub fn new(observer: &'a dyn Observer, width: Option<Arc<Width>>) -> Self {
        Self { observer, width, started: Instant::now() }
    }
}

impl Observer for Measuring<'_> {
    fn event(&self, event: &Event) {
        self.observer.event(event);
        if let (Some(width), Event::Samples { step, epoch, epochs, share, .. }) =
            (&self.width, event)
        {
            let share = (*epoch as f64 - 1.0 + share) / *epochs as f64;
            let told = width.progress(*step, share, self.started.elapsed().as_secs_f64());
            if let Some(text) = told {
                self.observer.event(&Event::Note(text));
            }
        }
    }
}
