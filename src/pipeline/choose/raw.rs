//! Reading `[choose.NAME]`.

use super::super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    search::{RawScore, score},
    seeds::seeds,
    value::{Name, Table},
};
use crate::footprint::Footprint;

/// A choice as it is written.
pub(in super::super) struct RawChoose {
    pub name: Name,
    /// Nodes and globs.
    pub from: Vec<Name>,
    pub rule: Rule,
    pub seeds: Option<(Vec<u64>, Span)>,
    pub score: RawScore,
}

/// How it is chosen.
#[derive(Clone, Debug)]
pub(in super::super) enum Rule {
    /// The paper's: the assistant whose accuracy is nearest to the mean of the teacher's and of the
    /// student's own, which this node has.
    Mean(Name),
    /// The one whose student is best.
    BestStudent,
    /// Dynamic programming over paths, of the paper's first version.
    Dp,
    /// Students trained for a while, half of them longer, and so on; from so many epochs on.
    Halving(Option<usize>),
    /// The best of those that a budget allows.
    Budget(Limit),
}

/// What a budget limits.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Limit {
    /// Seconds to train the student and its assistants.
    Seconds(f64),
    /// What the student's network takes of a device.
    Footprint(Footprint, f64),
}

impl RawChoose {
    /// The student without a teacher, where the rule asks for it.
    pub fn student(&self) -> Option<&Name> {
        match &self.rule {
            Rule::Mean(student) => Some(student),
            Rule::BestStudent | Rule::Dp | Rule::Halving(_) | Rule::Budget(_) => None,
        }
    }

    /// Whether it asks how large networks are.
    pub fn is_by_size(&self) -> bool {
        matches!(self.rule, Rule::Budget(Limit::Footprint(..)))
    }
}

impl Rule {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mean(_) => "mean-rule",
            Self::BestStudent => "best-student",
            Self::Dp => "dp",
            Self::Halving(_) => "halving",
            Self::Budget(_) => "budget",
        }
    }
}

pub(in super::super) fn read(
    name: &Name,
    table: &Table,
    errors: &mut Diagnostics,
) -> Option<RawChoose> {
    let mut fields = Fields::new(table, &name.span, format!("choose.{}", name.text), errors);
    let from_value = fields.require("from");
    let from = from_value.map(|value| fields.strings(value)).unwrap_or_default();
    if let Some(value) = from_value.filter(|_| from.is_empty()) {
        let help = "from = [\"blkd\", \"ta/*\"]: students that differ in whom they learn from";
        fields.errors.push_help(&value.span, "there is nothing to choose from", help);
    }
    let words = ["mean-rule", "best-student", "dp", "halving", "budget"];
    let rule_value = fields.require("rule");
    let rule = rule_value.and_then(|value| fields.word(value, &words.map(|word| (word, word))));
    let student_value = fields.take("student");
    let student = student_value.and_then(|value| fields.string(value));
    let epochs_value = fields.take("epochs");
    let epochs = epochs_value.and_then(|value| fields.whole(value, 1, 1_000_000));
    let want = "a number above 0";
    let seconds_value = fields.take("seconds");
    let seconds = seconds_value.and_then(|value| fields.number(value, want, |n| n > 0.0));
    let own = Footprint::ALL.into_iter().filter(|what| what.is_of_network());
    let own: Vec<_> = own.map(|what| (what, fields.take(what.name()))).collect();
    let limits = std::iter::once((seconds_value, seconds.map(Limit::Seconds)));
    let limits = limits.chain(own.iter().map(|&(what, value)| {
        let limit = value.and_then(|value| fields.number(value, want, |n| n > 0.0));
        (value, limit.map(|limit| Limit::Footprint(what, limit)))
    }));
    let limits: Vec<Option<Limit>> =
        limits.filter_map(|(value, limit)| value.map(|_| limit)).collect();
    let refused = fields.refuse(
        "latency",
        "a choice by latency would depend on the machine that reads the pipeline",
        "limit `multiply_adds`, `parameters` or `size`; tables and figures may show `latency`",
    );
    let given = [
        (student_value, "student", "mean-rule"),
        (epochs_value, "epochs", "halving"),
        (seconds_value, "seconds", "budget"),
    ];
    let own = own.iter().map(|(what, value)| (*value, what.name(), "budget"));
    for (value, field, owner) in given.into_iter().chain(own) {
        if let Some(value) = value.filter(|_| rule.is_some_and(|rule| rule != owner)) {
            let message = format!("`{field}` belongs to rule = \"{owner}\"");
            fields.errors.push(&value.span, message);
        }
    }
    let mut missing = |message: &str, help: &str| {
        let span = rule_value.map_or(&name.span, |value| &value.span);
        fields.errors.push_help(span, message, help);
        None
    };
    let rule = match (rule, student) {
        (None, _) => None,
        (Some("mean-rule"), Some(student)) => Some(Rule::Mean(student)),
        (Some("mean-rule"), None) if student_value.is_none() => missing(
            "the mean rule needs `student`",
            "the node of the student without a teacher: student = \"nokd\"",
        ),
        (Some("mean-rule"), None) => None,
        (Some("best-student"), _) => Some(Rule::BestStudent),
        (Some("dp"), _) => Some(Rule::Dp),
        (Some("halving"), _) => Some(Rule::Halving(epochs.map(|epochs| epochs as usize))),
        (Some(_), _) => match limits[..] {
            [limit] => limit.map(Rule::Budget),
            _ if refused => None,
            _ => missing(
                "a budget is one of `seconds`, `parameters`, `multiply_adds`, `size` and `size_int8`",
                "seconds = 600, or multiply_adds = 1e6, or size = 20000",
            ),
        },
    };
    let seeds = seeds(&mut fields);
    let score = score(&mut fields, &name.span);
    fields.finish();
    let (name, from) = (name.clone(), from);
    (!from.is_empty()).then_some(())?;
    Some(RawChoose { name, from, rule: rule?, seeds, score })
}
