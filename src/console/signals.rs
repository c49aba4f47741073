//! Stopping a run: once nodes run, the first signal asks them to stop; a second one ends the process.

use super::{progress::LogArgs, stderr};
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
    /// Listens to Ctrl-C and SIGTERM, in threads that are started later too: it must come before any
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
        let set: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        set.thread_block()?;
        let waiter = std::thread::Builder::new().spawn(move || {
            while let Ok(signal) = set.wait() {
                let number = signal as u8;
                let again = self.number.swap(number, Ordering::Relaxed) > 0;
                if again || !self.running.load(Ordering::Relaxed) {
                    stderr::hurry();
                    std::process::exit(128 + i32::from(number));
                }
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
    let words = std::env::args_os().map(|word| quote(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("recipe.plain.epochs=5", "recipe.plain.epochs=5"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("a*", "'a*'"),
            ("", "''"),
            ("päth", "päth"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
