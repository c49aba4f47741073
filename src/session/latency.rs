//! What tables ask of this machine: how long networks take for an image.

use super::{Selection, Session, Watcher, run::RunOptions};
use crate::{architecture::Architecture, key::NetInputs, node::latency, processor, report::plural};
use std::{collections::HashSet, sync::atomic::Ordering};

/// Ratio of the quartiles: at rest passes lie close together.
const BUSY: f64 = 1.25;

impl Session {
    /// Measures the latencies that tables and figures ask for and the cache does not have from a CPU like this
    /// one, of the networks among `selection` and what it needs: after everything else, one at a time. Results
    /// do not depend on it, so that a problem is told and fails nothing.
    pub(super) fn time(&self, selection: &Selection, options: &RunOptions, watcher: &dyn Watcher) {
        let asked = self.pipeline.timed();
        if asked.is_empty() {
            return;
        }
        let graph = self.graph();
        let Ok((targets, _)) = self.targets(&graph, selection) else { return };
        let needed = graph.dag.closure(&targets).into_iter();
        let meant: HashSet<usize> = needed.map(|task| graph.tasks[task].node).collect();
        let mut nets: Vec<(&str, &Architecture)> = Vec::new();
        for node in asked.into_iter().filter(|node| meant.contains(node)) {
            let learn = self.pipeline.learn(node);
            let known = self.store.latency(&NetInputs::from(&learn.net), processor::model());
            let is_new = nets.iter().all(|(_, net)| **net != learn.net);
            if is_new && matches!(known, Ok(None)) {
                nets.push((&learn.net_name, &learn.net));
            }
        }
        if nets.is_empty() || options.stop.load(Ordering::Relaxed) {
            return;
        }
        let (count, cpu) = (nets.len(), processor::model());
        watcher.note(&format!(
            "measuring the latency of {count} network{} on one thread of {cpu}",
            plural(count)
        ));
        for (name, net) in nets {
            let found = match latency(net, &options.stop) {
                Ok(Some(found)) => found,
                Ok(None) => return,
                Err(error) => return watcher.note(&format!("warning: no latency: {error}")),
            };
            let ([first, third], passes) = (found.quartiles, found.passes);
            watcher.note(&format!(
                "{name}: {:.3} ms an image (quartiles {first:.3} and {third:.3}, {passes} passes)",
                found.median
            ));
            if third > BUSY * first {
                watcher.note(&format!(
                    "warning: other work shares this machine, and half of the passes differ by more than a quarter: \
                     when it rests, remove {} and run again",
                    self.store.latencies().display()
                ));
            }
            if let Err(error) = self.store.keep_latency(&found) {
                return watcher.note(&format!("warning: the latency is not kept: {error}"));
            }
        }
    }
}
