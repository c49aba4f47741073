//! How long a plan will take.

use super::{Session, Survey};
use crate::{
    executor::Profile,
    key::{Key, Kind},
    plan::Plan,
};
use std::collections::HashMap;

/// What the steps of a plan take on this host, by what like ones took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// Seconds of each that will run.
    pub seconds: HashMap<Key, f64>,
    /// Trainings that will run and are like none that have.
    pub unknown: usize,
}

impl Expected {
    /// Seconds of all, one after another; nothing if nothing is known of any training.
    pub fn total(&self) -> Option<f64> {
        Some(self.seconds.values().sum()).filter(|&seconds: &f64| seconds > 0.0)
    }
}

impl Session {
    /// What the steps of `plan` that will run take here.
    pub fn expected(&self, survey: &Survey, plan: &Plan) -> Expected {
        let mut expected = Expected::default();
        if plan.running().next().is_none() {
            return expected;
        }
        // It reads the networks of all entries there are.
        let costs = survey.costs_here(&self.graph());
        for step in plan.running() {
            match costs.expect(&Profile::of(step)) {
                Some(seconds) => {
                    expected.seconds.insert(step.key, seconds);
                }
                None if step.inputs.kind == Kind::Import => {}
                None => expected.unknown += 1,
            }
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_alone_say_nothing_of_a_plan() {
        assert_eq!(Expected::default().total(), None);
        let key: Key =
            "8ad3f47d1c9d1ac6a0f4d9d3b1a1e2f3c4b5a69788796a5b4c3d2e1f0a1b2c3d".parse().unwrap();
        let of = |seconds| Expected { seconds: HashMap::from([(key, seconds)]), unknown: 1 };
        assert_eq!((of(0.0).total(), of(2.5).total()), (None, Some(2.5)));
    }
}
