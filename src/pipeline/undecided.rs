//! Nodes that searches and choices decide on, while they are not decided and when they are.

use super::{
    diagnostic::Diagnostics,
    measure::Ask,
    names::suggestion,
    tables::{RawPipeline, Role},
    value::Name,
};
use crate::{metric::Metric, search::Told};

impl RawPipeline {
    /// Takes out the nodes that learn from what is not decided yet.
    pub fn leave_out_pending(&mut self) {
        let mut grown = !self.pending.is_empty();
        while grown {
            let before = self.pending.len();
            let (pending, learns) = (&mut self.pending, &mut self.learns);
            learns.retain(|node| {
                let mut teachers = node.teacher.iter().flat_map(|teacher| &teacher.names);
                let waits = teachers.any(|name| pending.contains(&name.text));
                if waits {
                    pending.insert(node.name.text.clone());
                }
                !waits
            });
            grown = self.pending.len() > before;
        }
    }

    /// From now on `name` means the node `chosen`.
    pub fn call(&mut self, name: &Name, chosen: String) {
        for node in &mut self.learns {
            for teacher in node.teacher.iter_mut().flat_map(|teacher| &mut teacher.names) {
                if teacher.text == name.text {
                    teacher.text.clone_from(&chosen);
                }
            }
        }
        self.aliases.push((name.text.clone(), chosen));
    }

    /// Asks for a measurement, unless what it gives is known.
    pub fn ask(&mut self, eval: String, seeds: Vec<u64>, metric: &'static Metric, told: &Told) {
        if told.scores(&eval, &seeds).is_none() {
            self.asks.push(Ask { eval, seeds, metric });
        }
    }

    /// The node called `name` runs from now on only where something needs it, unless it is measured.
    pub fn start_from(&mut self, name: &str) {
        let means = |written: &str| {
            let pattern = glob::Pattern::new(written);
            written == name || pattern.is_ok_and(|pattern| pattern.matches(name))
        };
        let measured = self.evals.iter().filter(|eval| !eval.scores);
        let measured = measured.flat_map(|eval| &eval.of).any(|of| means(&of.text));
        let node = self.learns.iter_mut().find(|node| node.name.text == name);
        if let Some(node) = node.filter(|node| node.role == Role::Plain && !measured) {
            node.role = Role::Start;
        }
    }

    /// Reports that no train or distill node is called `name`, unless it is known why.
    pub fn report_unknown(&self, name: &Name, errors: &mut Diagnostics) {
        if !self.is_broken(&name.text) {
            let help = suggestion(&name.text, self.learns.iter().map(|node| &*node.name.text));
            errors.push_help(&name.span, format!("no node is named `{}`", name.text), help);
        }
    }

    /// Whether `name` belongs to a table that has been reported already, or is not decided yet.
    pub fn is_broken(&self, name: &str) -> bool {
        let (table, _) = name.split_once('/').unwrap_or((name, ""));
        let whole = name.rsplit_once('@').map_or(name, |(node, _)| node);
        let waits = self.pending.contains(name) || self.pending.contains(whole);
        waits || self.broken.contains(name) || self.broken.contains(table)
    }
}
