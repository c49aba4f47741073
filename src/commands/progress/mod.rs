//! What people see while nodes run: bars on a terminal, plain lines elsewhere.

mod bars;
mod lines;

use crate::execute::{Fate, Made, Observer};
use bars::Bars;
use lines::Lines;
use std::io::IsTerminal;

/// A view that fits where stderr goes. `names` are the steps', `running` how many of them run.
pub(super) fn progress(names: Vec<String>, running: usize) -> Box<dyn Observer> {
    if std::io::stderr().is_terminal() {
        Box::new(Bars::new(names, running))
    } else {
        Box::new(Lines::new(names))
    }
}

/// How a step ended, as a line; nothing where there is nothing to tell.
fn ending(names: &[String], step: usize, fate: &Fate) -> Option<String> {
    let name = &names[step];
    match fate {
        Fate::Made(Made::Here(seconds)) => Some(format!("{name}: done in {seconds:.1} s")),
        Fate::Made(Made::Elsewhere) => Some(format!("{name}: made by another process")),
        Fate::Failed(problem) => Some(format!("{name}: failed: {problem}")),
        Fate::Blocked(root) => Some(format!("{name}: not run, because {} failed", names[*root])),
        Fate::Reused | Fate::Skipped | Fate::NotStarted => None,
    }
}

/// `loss 0.4213, accuracy 84.10 %, 2310 images/s`.
fn epoch_text(loss: f64, accuracy: Option<f64>, samples_per_second: f64) -> String {
    let accuracy = accuracy.map(|share| format!("accuracy {:.2} %, ", share * 100.0));
    format!("loss {loss:.4}, {}{samples_per_second:.0} images/s", accuracy.unwrap_or_default())
}
