//! The Pareto front of accuracy against what networks take of a device.

use super::axes::brief;
use crate::{footprint::Footprint, report::plural};
use serde::{Serialize, Serializer};

/// The networks that no other one beats: none takes as little and answers more rightly, or takes less and
/// answers as rightly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Front {
    /// What they take.
    #[serde(serialize_with = "name")]
    pub takes: Footprint,
    /// From the smallest on.
    pub networks: Vec<OnFront>,
    /// Networks whose accuracy is measured, and what they take is not.
    pub untimed: usize,
}

/// A network on the front.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnFront {
    /// Its node.
    pub node: String,
    /// What it takes, in the unit of the footprint.
    pub x: f64,
    /// Its accuracy in percent: the mean over the seeds.
    pub accuracy: f64,
}

fn name<S: Serializer>(what: &Footprint, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(what.name())
}

impl Front {
    /// Of networks whose accuracy is measured: node, what it takes, where that is known, and accuracy.
    pub fn of(
        takes: Footprint,
        measured: impl IntoIterator<Item = (String, Option<f64>, f64)>,
    ) -> Self {
        let (mut networks, mut untimed) = (Vec::<OnFront>::new(), 0);
        for (node, x, accuracy) in measured {
            // The same node may stand in several lines.
            match x {
                Some(x) if networks.iter().all(|known| known.node != node) => {
                    networks.push(OnFront { node, x, accuracy });
                }
                Some(_) => {}
                None => untimed += 1,
            }
        }
        networks.sort_by(|a, b| a.x.total_cmp(&b.x).then(b.accuracy.total_cmp(&a.accuracy)));
        let mut best: Option<(f64, f64)> = None;
        networks.retain(|network| {
            let own = (network.x, network.accuracy);
            // Of two that are alike in both neither beats the other.
            let stays = best.is_none_or(|best| own.1 > best.1 || own == best);
            if stays {
                best = Some(own);
            }
            stays
        });
        Self { takes, networks, untimed }
    }

    /// Whether a node's network is on it.
    pub fn has(&self, node: Option<&String>) -> bool {
        self.networks.iter().any(|network| Some(&network.node) == node)
    }

    /// What it says: `front of accuracy against parameters: small (1.2 k, 61.40 %), large (80 k, 75.10 %)`.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut told = Vec::new();
        if !self.networks.is_empty() {
            let shown = |OnFront { node, x, accuracy }: &OnFront| {
                format!("{node} ({}, {accuracy:.2} %)", brief(self.takes.shown(*x)))
            };
            let shown: Vec<String> = self.networks.iter().map(shown).collect();
            let what = self.takes.axis();
            told.push(format!("Pareto front of accuracy against {what}: {}", shown.join(", ")));
        }
        if self.untimed > 0 {
            let (count, plural) = (self.untimed, plural(self.untimed));
            let what = self.takes.title();
            told.push(format!(
                "{count} network{plural} without a {what} on this machine's CPU: `takd run` measures it"
            ));
        }
        told
    }
}
