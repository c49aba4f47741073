//! Stderr that holds nothing back.
//!
//! A pipe that nobody reads is full after 64 KiB, and whoever writes to it then waits, with every lock
//! that it holds. During a run one thread alone writes, behind a queue: progress that finds too much
//! waiting is dropped and counted, other lines are kept, and the end of the process waits only as
//! long as somebody reads.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// What a line is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// The next one says as much.
    Progress,
    /// A beginning, an end, an error.
    Word,
}

/// Lines that wait at most before progress is dropped.
const WAITING: usize = 1_000;
/// Bytes that wait at most before anything is dropped.
const MOST: usize = 16 << 20;
/// How long the end of a process waits for a reader who takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same where results follow, the user has asked for the end twice, or a panic is told.
const HURRY: Duration = Duration::from_millis(300);
/// Time between two attempts to write to what says that it would block.
const PAUSE: Duration = Duration::from_millis(10);

static QUEUE: OnceLock<Queue> = OnceLock::new();

/// Starts the thread that writes; from now on [`line`] never waits. `dropped` says that so many lines
/// were dropped.
pub(crate) fn start(dropped: fn(usize) -> String) {
    let (go, gone) = mpsc::channel::<&'static Queue>();
    let writer = thread::Builder::new().spawn(move || {
        if let Ok(queue) = gone.recv() {
            queue.drain(&mut *raw());
        }
    });
    if writer.is_err() {
        // Without a thread of its own, what is told is written by whoever tells it.
        return;
    }
    let mut new = false;
    let queue = QUEUE.get_or_init(|| {
        new = true;
        Queue::new(dropped)
    });
    if !new || go.send(queue).is_err() {
        return;
    }
    // The standard hook writes to stderr itself.
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        let captured = trace.status() == BacktraceStatus::Captured;
        let trace = if captured { format!("\n{trace}") } else { String::new() };
        line(format!("{panic}{trace}"), Worth::Word);
        hurry();
    }));
}

/// Writes a line, now or soon. If even that fails there is nobody left to tell.
pub(crate) fn line(line: String, worth: Worth) {
    match QUEUE.get() {
        Some(queue) => queue.push(line, worth),
        None => {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
}

/// Waits until everything is written, as long as somebody reads.
pub(crate) fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(PATIENCE);
    }
}

/// As [`flush`], for who is in a hurry.
pub(crate) fn hurry() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(HURRY);
    }
}

/// Stderr without the standard library's lock, which a thread that waits for a reader would hold.
fn raw() -> Box<dyn Write> {
    #[cfg(unix)]
    if let Ok(own) = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned() {
        return Box::new(std::fs::File::from(own));
    }
    Box::new(io::stderr())
}

struct Queue {
    lines: Mutex<Lines>,
    changed: Condvar,
    notice: fn(usize) -> String,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<String>,
    /// Bytes of those.
    bytes: usize,
    /// Lines dropped since the last one that was taken.
    dropped: usize,
    /// Whether the thread is writing one.
    writing: bool,
    /// Bytes written so far: who waits sees that somebody reads.
    written: u64,
    /// Nobody can read any more.
    closed: bool,
}

impl Queue {
    fn new(notice: fn(usize) -> String) -> Self {
        Self { lines: Mutex::default(), changed: Condvar::new(), notice }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: String, worth: Worth) {
        let mut lines = self.lock();
        let full = worth == Worth::Progress && lines.waiting.len() >= WAITING;
        if lines.closed {
            return;
        }
        if full || lines.bytes + line.len() > MOST {
            lines.dropped += 1;
            return;
        }
        if lines.dropped > 0 {
            let notice = (self.notice)(std::mem::take(&mut lines.dropped));
            lines.add(notice);
        }
        lines.add(line);
        drop(lines);
        self.changed.notify_all();
    }

    /// Writes what is pushed, until nobody can read it any more.
    fn drain(&self, out: &mut dyn Write) {
        loop {
            let Some(mut line) = self.next() else { return };
            line.push('\n');
            let mut rest = line.as_bytes();
            let mut closed = false;
            while !rest.is_empty() && !closed {
                match out.write(rest) {
                    Ok(0) => closed = true,
                    Ok(count) => {
                        rest = &rest[count..];
                        self.lock().written += count as u64;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // Whoever gave us stderr has made it so for all that share it.
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
                    // A full disk may have room again; a reader who has gone stays away.
                    Err(error) => {
                        closed = error.kind() == ErrorKind::BrokenPipe;
                        break;
                    }
                }
            }
            let mut lines = self.lock();
            lines.writing = false;
            if closed {
                *lines = Lines { closed, ..Lines::default() };
            }
            drop(lines);
            self.changed.notify_all();
        }
    }

    /// The next line, once there is one; nothing if nobody can read.
    fn next(&self) -> Option<String> {
        let mut lines = self.lock();
        loop {
            if lines.closed {
                return None;
            }
            if lines.waiting.is_empty() && lines.dropped > 0 {
                let notice = (self.notice)(std::mem::take(&mut lines.dropped));
                lines.add(notice);
            }
            if let Some(line) = lines.waiting.pop_front() {
                lines.bytes -= line.len();
                lines.writing = true;
                return Some(line);
            }
            lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until nothing waits, but no longer than `patience` without a byte's being taken.
    fn flush(&self, patience: Duration) {
        let mut lines = self.lock();
        let (mut last, mut since) = (lines.written, Instant::now());
        while !lines.closed && (lines.writing || !lines.waiting.is_empty() || lines.dropped > 0) {
            if lines.written != last {
                (last, since) = (lines.written, Instant::now());
            }
            let Some(left) = patience.checked_sub(since.elapsed()) else { return };
            // Bytes are taken without a word.
            let turn = left.min(PAUSE);
            let waited = self.changed.wait_timeout(lines, turn);
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Lines {
    fn add(&mut self, line: String) {
        self.bytes += line.len();
        self.waiting.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, pipe};

    fn notice(count: usize) -> String {
        format!("{count} dropped")
    }

    fn start() -> (&'static Queue, io::PipeReader) {
        let queue: &'static Queue = Box::leak(Box::new(Queue::new(notice)));
        let (reader, mut writer) = pipe().unwrap();
        thread::spawn(move || queue.drain(&mut writer));
        (queue, reader)
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nothing_back_and_loses_no_word() {
        let (queue, reader) = start();
        for number in 0..20_000 {
            // Far more than a pipe holds.
            queue.push(format!("epoch {number} {}", "x".repeat(100)), Worth::Progress);
            if number % 1_000 == 0 {
                queue.push(format!("word {number}"), Worth::Word);
            }
        }
        assert!(queue.lock().waiting.len() < WAITING + 100, "progress does not pile up");
        // Nobody reads: the end does not wait for ever.
        queue.flush(Duration::from_millis(20));
        queue.push("the end".to_owned(), Worth::Word);
        let (mut words, mut epochs, mut dropped) = (Vec::new(), 0, 0);
        for line in BufReader::new(reader).lines().map(Result::unwrap) {
            match line.split_once(' ').unwrap() {
                ("epoch", _) => epochs += 1,
                ("word", number) => words.push(number.parse::<usize>().unwrap()),
                (count, "dropped") => dropped += count.parse::<usize>().unwrap(),
                other => {
                    assert_eq!(other, ("the", "end"));
                    break;
                }
            }
        }
        assert!(words.into_iter().eq((0..20_000).step_by(1_000)), "each word, in order");
        assert!(dropped > 0 && epochs + dropped == 20_000, "{epochs} and {dropped}");
    }

    #[test]
    fn the_end_waits_for_who_reads_slowly() {
        let (queue, reader) = start();
        for number in 0..900 {
            queue.push(format!("{number} {}", "x".repeat(1_000)), Worth::Word);
        }
        let reading = thread::spawn(move || {
            let mut count = 0;
            for line in BufReader::with_capacity(4096, reader).lines() {
                line.unwrap();
                count += 1;
                thread::sleep(Duration::from_micros(100));
                if count == 900 {
                    break;
                }
            }
            count
        });
        queue.flush(Duration::from_secs(60));
        let lines = queue.lock();
        assert!(lines.waiting.is_empty() && !lines.writing);
        drop(lines);
        assert_eq!(reading.join().unwrap(), 900);
    }

    #[test]
    fn who_has_gone_is_not_waited_for() {
        let (queue, reader) = start();
        drop(reader);
        queue.push("one".to_owned(), Worth::Word);
        queue.flush(Duration::from_secs(60));
        assert!(queue.lock().closed);
        queue.push("two".to_owned(), Worth::Word);
        assert!(queue.lock().waiting.is_empty(), "nothing piles up");
    }

    /// No pipe takes more than this holds: the bytes that wait are bounded too.
    #[test]
    fn words_are_bounded_as_well() {
        let queue = Queue::new(notice);
        for _ in 0..40 {
            queue.push("x".repeat(1 << 20), Worth::Word);
        }
        let lines = queue.lock();
        assert!(lines.bytes <= MOST && lines.waiting.len() + lines.dropped == 40);
    }
}
