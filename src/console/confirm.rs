//! A question to whoever sits at the terminal.

use super::{exit::Problem, say::say};
use std::io::{self, IsTerminal, Write};

/// Whether the answer is yes. Without a terminal nobody can answer: then it is no, and says what to type.
pub(crate) fn confirm(question: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        say("nothing is removed: --yes removes it");
        return Ok(false);
    }
    super::stderr::flush();
    let mut terminal = io::stderr();
    write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .map_err(Problem::Output)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Problem::Output)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
