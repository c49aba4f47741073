//! Stopping a run: once nodes run, the first signal asks them to stop; a second one ends the process.

use super::{exit, progress::LogArgs, stderr};
use crate::shell::word;
#[cfg(unix)]
use nix::sys::signal::{SigSet, Signal};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

/// Which signal has come, if any.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    /// Set by the first.
    pub stop: Arc<AtomicBool>,
    number: Arc<AtomicU8>,
    running: Arc<AtomicBool>,
}

impl Signals {
    /// Listens to Ctrl-C, SIGTERM and SIGUSR1, in threads that are started later too: it must come before any
    /// other thread, since the system hands a signal to any that has not blocked it. SIGHUP is left
    /// alone, as `nohup` wants it.
    pub fn listen(log: LogArgs) -> Self {
        let signals = Self::default();
        #[cfg(unix)]
        if let Err(error) = signals.clone().wait(log) {
            log.note(&format!("note: Ctrl-C will not stop cleanly: {error}"));
        }
        signals
    }

    /// A thread of its own waits for the signals, which every other thread blocks.
    #[cfg(unix)]
    fn wait(self, log: LogArgs) -> std::io::Result<()> {
        let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1];
        let set: SigSet = signals.into_iter().collect();
        set.thread_block()?;
        let waiter = std::thread::Builder::new().spawn(move || {
            let mut noticed = false;
            while let Ok(signal) = set.wait() {
                let before = self.number();
                let code = code(signal as u8);
                if signal == Signal::SIGUSR1 && before.is_some() {
                    continue;
                }
                // What a cluster sends on the heels of its notice is no hurry, even while the process is about to
                // end, whose code says that its time was up.
                if before == Some(Signal::SIGUSR1 as u8) && !std::mem::replace(&mut noticed, true) {
                    continue;
                }
                if before.is_some() || !self.running.load(Ordering::Relaxed) {
                    stderr::hurry();
                    std::process::exit(i32::from(code));
                }
                self.number.store(signal as u8, Ordering::Relaxed);
                self.stop.store(true, Ordering::Relaxed);
                log.note("stopping; once more ends it at once");
            }
        });
        if waiter.is_err() {
            // Nobody hears them: they end the process as they always do.
            set.thread_unblock()?;
        }
        waiter.map(|_| ())
    }

    /// Nodes run from now on, and a first signal leaves them time for a checkpoint.
    pub fn nodes_run(&self) {
        self.running.store(true, Ordering::Relaxed);
    }

    /// All nodes are done: a signal ends the process at once, also one whose results nobody reads.
    pub fn nodes_are_done(&self) {
        self.running.store(false, Ordering::Relaxed);
    }

    /// Its number, once one has come.
    pub fn number(&self) -> Option<u8> {
        Some(self.number.load(Ordering::Relaxed)).filter(|&number| number > 0)
    }
}

/// The exit code of a run that this signal has stopped.
pub(crate) fn code(signal: u8) -> u8 {
    #[cfg(unix)]
    if signal == Signal::SIGUSR1 as u8 {
        return exit::TIME_LIMIT;
    }
    128 + signal
}

/// From now on a file that grows beyond `ulimit -f` is an error of whoever writes it. The signal that
/// the system sends as well would end the process without a word. For threads that are started later too.
#[cfg(unix)]
pub(crate) fn bear_file_limits() {
    let set: SigSet = [Signal::SIGXFSZ].into_iter().collect();
    if let Err(error) = set.thread_block() {
        log::warn!("a limit on the size of files will end takd without a word: {error}");
    }
}

/// The command that the process was called with, as a shell reads it.
pub(crate) fn command_line() -> String {
    let words = std::env::args_os().map(|argument| word(&argument.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}
