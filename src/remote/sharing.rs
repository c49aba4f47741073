//! What a run has to do with a remote while it lasts: threads that push and that renew leases.

use super::{
    Clock, LeaseTimes, Leases, Pulled, Remote, Shipped,
    pusher::{Desk, Parcel},
};
use crate::{key::Key, store::Store};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A run's share in a remote. Its threads end with [`end`](Self::end), or with the process.
pub struct Sharing {
    pub(super) desk: Arc<Desk>,
}

/// Longest time after the end for which a thread that renews leases lives on.
const TICK: Duration = Duration::from_millis(500);

impl Sharing {
    /// Begins to push and to renew leases.
    ///
    /// # Errors
    /// The system's, if there is no thread for it.
    pub fn begin(remote: Arc<Remote>, store: &Store, times: LeaseTimes) -> io::Result<Self> {
        let sharing = Self::by_hand(remote, store, times, Arc::new(Instant::now));
        let desk = &sharing.desk;
        let pusher = desk.clone();
        thread::Builder::new().spawn(move || pusher.push_all())?;
        let renewer = Arc::downgrade(desk);
        thread::Builder::new().spawn(move || {
            let mut last = Instant::now();
            loop {
                thread::sleep(TICK);
                let Some(desk) = renewer.upgrade() else { return };
                if last.elapsed() < desk.leases.renewal() {
                    continue;
                }
                last = Instant::now();
                for key in desk.leases.renew(last) {
                    let key = key.short();
                    desk.note(format!(
                        "note: another machine took over the lease of {key}, which was not renewed in time: it is \
                         made twice"
                    ));
                }
            }
        })?;
        Ok(sharing)
    }

    /// Without threads: [`push_open`](Self::push_open) and [`renew`](Self::renew) are called by hand, by the time that
    /// `clock` tells.
    pub fn by_hand(remote: Arc<Remote>, store: &Store, times: LeaseTimes, clock: Clock) -> Self {
        let leases = Leases::new(remote.clone(), times);
        Self { desk: Arc::new(Desk::new(remote, store.clone(), leases, clock)) }
    }

    /// Pushes what waits to be pushed.
    pub fn push_open(&self) {
        self.desk.push_open();
    }

    /// Renews all leases that are held; the keys of those that another machine has taken over.
    pub fn renew(&self) -> Vec<Key> {
        self.desk.leases.renew(self.now())
    }

    pub(super) fn now(&self) -> Instant {
        (self.desk.clock)()
    }

    /// The remote.
    pub fn remote(&self) -> &Remote {
        &self.desk.remote
    }

    /// Pushes entries that the cache has, in the background; `name` is told where they cannot be.
    pub fn push(&self, name: String, keys: Vec<Key>) {
        self.desk.send(Parcel { name, keys, leases: Vec::new() });
    }

    /// Counts an entry that was pulled.
    pub fn count(&self, key: &Key, pulled: &Pulled) {
        match pulled {
            Pulled::Whole(bytes) => self.desk.pulled(Some(*key), *bytes),
            Pulled::Outline(bytes) => self.desk.pulled(None, *bytes),
            Pulled::Here | Pulled::Busy | Pulled::Absent => {}
        }
    }

    /// Lines for people that nobody has been told yet.
    pub fn notes(&self) -> Vec<String> {
        self.desk.notes()
    }

    /// Parcels that are not pushed yet.
    pub fn pending(&self) -> usize {
        self.desk.pending()
    }

    /// Waits until everything is pushed or cannot be, unless `stop` is set; `tell` hears what there is to say.
    pub fn end(self, stop: &AtomicBool, tell: &mut dyn FnMut(&str)) -> Shipped {
        let is_stopped = || stop.load(Ordering::Relaxed);
        self.desk.close(is_stopped());
        while !self.desk.wait(TICK) && !is_stopped() {
            self.desk.notes().iter().for_each(|note| tell(note));
        }
        if is_stopped() {
            self.desk.close(true);
        }
        self.desk.notes().iter().for_each(|note| tell(note));
        self.desk.leases.release_all(self.now());
        self.desk.shipped()
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        // A run that has ended early leaves no thread that waits for it.
        self.desk.close(true);
    }
}
