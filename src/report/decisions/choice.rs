//! A choice: what it looked at, and what it comes to.

use super::search::title;
use crate::{
    dataset::Split,
    metric::Metric,
    pipeline::{Choose, Cost, Verdict},
    report::{plural, split_name},
    statistics::{Spread, signed},
};
use serde::Serialize;

/// A choice as far as it has come.
#[derive(Clone, Debug, Serialize)]
pub struct ChoiceResults {
    /// As its table is called.
    pub name: String,
    /// The rule.
    pub rule: &'static str,
    /// What was compared.
    pub metric: &'static str,
    /// What its values are multiplied by where people read them.
    #[serde(skip)]
    pub scale: f64,
    /// On which images.
    pub split: Split,
    /// What it chose among.
    pub candidates: Vec<String>,
    /// The chosen node.
    pub chosen: Option<String>,
    /// Whether that learns from the first teacher itself.
    pub no_assistant: bool,
    /// What is to be said of it.
    pub verdict: String,
    /// What it has looked at.
    pub evidence: Vec<EvidenceResults>,
    /// What the rule would choose by one seed alone.
    pub by_seed: Vec<(u64, Option<String>)>,
    /// In how many cases the most accurate of several assistants of one size taught best, out of how many.
    pub assumption: (usize, usize),
    /// Trainings and epochs that it took, and that trying all would take.
    pub cost: [(usize, u64); 2],
}

/// A network that a choice has looked at.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceResults {
    /// Its node.
    pub node: String,
    /// Over the seeds that are known.
    pub score: Option<Spread>,
    /// Whether it has diverged.
    pub failed: bool,
    /// What the rule has made of it.
    pub note: String,
}

impl ChoiceResults {
    pub(in crate::report) fn of(choose: &Choose) -> Self {
        let evidence = choose.evidence.iter().map(|evidence| {
            let scores: Vec<f64> = evidence.scores.iter().map(|(_, score)| *score).collect();
            EvidenceResults {
                node: evidence.node.clone(),
                score: Spread::of(&scores),
                failed: evidence.failed,
                note: evidence.note.clone(),
            }
        });
        Self {
            name: choose.name.clone(),
            rule: choose.rule,
            metric: title(choose.metric),
            scale: choose.metric.unit.scale(),
            split: choose.split,
            candidates: choose.candidates.clone(),
            chosen: choose.chosen.clone(),
            no_assistant: choose.is_without_assistant,
            verdict: verdict(&choose.verdict, choose.metric),
            evidence: evidence.collect(),
            by_seed: choose.by_seed.clone(),
            assumption: choose.assumption,
            cost: choose.cost.map(|Cost { trainings, epochs }| (trainings, epochs)),
        }
    }

    /// What it comes to, in words.
    pub fn sentence(&self) -> String {
        let (name, rule, metric) = (&self.name, self.rule, self.metric);
        let split = split_name(self.split);
        let mut text = format!("choice {name} ({rule}, by {metric} on the {split} split): ");
        if let Some(chosen) = &self.chosen {
            text += chosen;
            text += if self.no_assistant { ", which is no assistant; " } else { "; " };
        }
        text += &self.verdict;
        let [(trainings, epochs), (all, all_epochs)] = self.cost;
        let plural = plural(trainings);
        text += &format!(
            "; {trainings} training{plural} ({epochs} epochs), all would take {all} ({all_epochs})"
        );
        text
    }
}

fn verdict(verdict: &Verdict, metric: &Metric) -> String {
    let scale = metric.unit.scale();
    let unit = metric.unit.of_difference();
    match verdict {
        Verdict::Open => "it waits for results".to_owned(),
        Verdict::Chosen => "by the rule".to_owned(),
        Verdict::Nothing => "no candidate is left".to_owned(),
        Verdict::Clear { second, mean, interval: [low, high] } => {
            let (mean, low, high) =
                (signed(mean * scale), signed(low * scale), signed(high * scale));
            format!("{mean}{unit} over {second}, 95 % interval [{low}, {high}]")
        }
        Verdict::CannotTell { second, mean, seeds } => {
            let mean = signed(mean * scale);
            let more = match seeds {
                Some(seeds) => format!("about {seeds} more seed{} would decide", plural(*seeds)),
                None => "more seeds would give an interval".to_owned(),
            };
            format!("cannot tell it from {second} ({mean}{unit}): {more}")
        }
    }
}

/// How often the rules choose as the best student of each seed does, where a pipeline has both: a line for
/// each other choice among the same candidates.
pub(in crate::report) fn trials(choices: &[ChoiceResults]) -> Vec<String> {
    let same = |a: &ChoiceResults, b: &ChoiceResults| {
        let mut both = [a.candidates.clone(), b.candidates.clone()];
        both.iter_mut().for_each(|names| names.sort_unstable());
        both[0] == both[1]
    };
    let mut lines = Vec::new();
    for best in choices.iter().filter(|choice| choice.rule == "best-student") {
        for other in choices.iter().filter(|c| c.rule != "best-student" && same(c, best)) {
            let pairs = best.by_seed.iter().zip(&other.by_seed);
            let known: Vec<bool> =
                pairs.filter_map(|((_, a), (_, b))| Some(a.as_ref()? == b.as_ref()?)).collect();
            let hits = known.iter().filter(|hit| **hit).count();
            if !known.is_empty() {
                let (rule, seeds) = (other.rule, known.len());
                lines.push(format!(
                    "{rule} chooses the best of {} with {hits} of {seeds} seed{}",
                    best.candidates.len(),
                    plural(seeds)
                ));
            }
        }
        let (held, cases) = best.assumption;
        if cases > 0 {
            lines.push(format!(
                "the most accurate of several assistants of one size taught the best student in {held} of \
                 {cases} case{}, which dynamic programming assumes",
                plural(cases)
            ));
        }
    }
    lines
}
