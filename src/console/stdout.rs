//! Results on stdout.

use super::{exit::Problem, stderr};
use crate::report::printable;
use std::io::{self, Write};

/// Writes a result for people to stdout.
pub(crate) fn print(text: &str) -> Result<(), Problem> {
    print_data(&printable(text, false))
}

/// Writes a result for programs to stdout, as it is.
pub(crate) fn print_data(text: &str) -> Result<(), Problem> {
    // Where both go to one place, what was told before stands before.
    stderr::hurry();
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read us has seen enough, `head` say.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(Problem::Output),
    }
}

/// Writes a value to stdout as indented JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value);
    print_data(&(text.expect("plain data with string keys is always JSON") + "\n"))
}
