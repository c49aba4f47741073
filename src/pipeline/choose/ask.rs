//! What a rule asks: scores of nodes, which are known or are to be measured.

use super::found::Evidence;
use crate::{
    metric::Better,
    search::{Score, Told},
};
use std::cell::RefCell;

/// Scores, and a list of what was asked for.
pub(super) struct Ask<'a> {
    pub told: &'a Told,
    /// The eval that scores.
    pub group: &'a str,
    pub better: Better,
    pub seeds: &'a [u64],
    pub asked: RefCell<Vec<Asked>>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// A node, or one at an epoch.
    pub node: String,
    pub seeds: Vec<u64>,
    pub note: String,
}

impl Ask<'_> {
    /// A node's scores with the first `seeds` seeds, higher is better: none of them if it has diverged;
    /// `None` while they are not known.
    pub fn values(&self, node: &str, seeds: usize) -> Option<Option<Vec<f64>>> {
        let seeds = &self.seeds[..seeds.clamp(1, self.seeds.len())];
        let mut asked = self.asked.borrow_mut();
        match asked.iter_mut().find(|asked| asked.node == node) {
            Some(known) if known.seeds.len() < seeds.len() => known.seeds = seeds.to_vec(),
            Some(_) => {}
            None => asked.push(Asked {
                node: node.to_owned(),
                seeds: seeds.to_vec(),
                note: String::new(),
            }),
        }
        let scores = self.told.scores(&self.eval(node), seeds)?;
        let sign = self.sign();
        Some(scores.iter().map(|score| Some(score.value()? * sign)).collect())
    }

    /// The mean over all seeds; the worst if it has diverged.
    pub fn mean(&self, node: &str) -> Option<f64> {
        let values = self.values(node, self.seeds.len())?;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Some(values.map_or(f64::NEG_INFINITY, mean))
    }

    /// Asks for all of them, with all seeds, before the first is waited for.
    pub fn want(&self, nodes: &[&str]) {
        for node in nodes {
            self.values(node, self.seeds.len());
        }
    }

    /// Seconds that its training took, mean over all seeds.
    pub fn seconds(&self, node: &str) -> Option<f64> {
        self.values(node, self.seeds.len())?;
        let scores = self.told.scores(&self.eval(node), self.seeds)?;
        let seconds = scores.iter().map(|score| match score {
            Score::Is(_, seconds) => *seconds,
            Score::Failed => f64::INFINITY,
        });
        Some(seconds.sum::<f64>() / scores.len() as f64)
    }

    /// What the rule makes of a node.
    pub fn note(&self, node: &str, note: impl Into<String>) {
        let mut asked = self.asked.borrow_mut();
        if let Some(known) = asked.iter_mut().find(|asked| asked.node == node) {
            known.note = note.into();
        }
    }

    pub fn sign(&self) -> f64 {
        self.better.sign()
    }

    pub fn eval(&self, node: &str) -> String {
        format!("{}/{node}", self.group)
    }

    /// What was asked for, with what is known of it.
    pub fn evidence(&self) -> Vec<Evidence> {
        let asked = self.asked.borrow();
        let evidence = asked.iter().map(|Asked { node, seeds, note }| {
            let known = seeds.iter().map(|&seed| (seed, self.told.score(&self.eval(node), seed)));
            let known: Vec<_> = known.filter_map(|(seed, score)| Some((seed, score?))).collect();
            let scores = known.iter().filter_map(|(seed, score)| Some((*seed, score.value()?)));
            let failed = known.iter().any(|(_, score)| *score == Score::Failed);
            let (node, note) = (node.clone(), note.clone());
            Evidence { node, scores: scores.collect(), failed, note }
        });
        evidence.collect()
    }
}
