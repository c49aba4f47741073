//! The trainings of one matrix, chain or search, told together.

use std::{collections::HashMap, sync::Arc};

/// Fewer trainings need no line of their own.
const FEWEST: usize = 3;

/// Which trainings of a run belong together, and how far they are.
#[derive(Default)]
pub(super) struct Groups {
    /// Of each step.
    of: Vec<Option<usize>>,
    all: Vec<Group>,
}

struct Group {
    glob: Arc<str>,
    steps: usize,
    ended: usize,
    /// The most accurate so far.
    best: Option<(f64, usize)>,
}

impl Groups {
    /// Of steps with these globs; of one that is not trained now it is nothing.
    pub fn new(globs: &[Option<Arc<str>>]) -> Self {
        let mut counts = HashMap::<&Arc<str>, usize>::new();
        globs.iter().flatten().for_each(|glob| *counts.entry(glob).or_default() += 1);
        let (mut groups, mut places) = (Self::default(), HashMap::<&Arc<str>, usize>::new());
        for glob in globs {
            let glob = glob.as_ref().filter(|glob| counts[glob] >= FEWEST);
            let place = glob.map(|glob| {
                *places.entry(glob).or_insert_with(|| {
                    let steps = counts[glob];
                    groups.all.push(Group { glob: glob.clone(), steps, ended: 0, best: None });
                    groups.all.len() - 1
                })
            });
            groups.of.push(place);
        }
        groups
    }

    /// The group of a step.
    pub fn of(&self, step: usize) -> Option<usize> {
        self.of.get(step).copied().flatten()
    }

    /// A step has ended, with this accuracy.
    pub fn end(&mut self, step: usize, accuracy: Option<f64>) {
        let Some(group) = self.of(step).map(|group| &mut self.all[group]) else { return };
        group.ended += 1;
        if let Some(accuracy) =
            accuracy.filter(|new| group.best.is_none_or(|(best, _)| *new > best))
        {
            group.best = Some((accuracy, step));
        }
    }

    /// Share of a group that has ended.
    pub fn share(&self, group: usize) -> f64 {
        let group = &self.all[group];
        group.ended as f64 / group.steps as f64
    }

    /// `sweep/*: 12 of 40 trained, best 84.10 % by sweep/2-0.1@20`.
    pub fn line(&self, group: usize, names: &[String]) -> String {
        let Group { glob, steps, ended, best } = &self.all[group];
        let best = best
            .map(|(accuracy, step)| format!(", best {:.2} % by {}", accuracy * 100.0, names[step]));
        format!("{glob}: {ended} of {steps} trained{}", best.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_tells_how_many_have_ended_and_which_is_best() {
        let glob = |text: &str| Some(Arc::from(text));
        let globs = [None, glob("a/*"), glob("a/*"), glob("b/*"), glob("a/*"), glob("b/*")];
        let mut groups = Groups::new(&globs);
        let names: Vec<String> = (0..6).map(|step| format!("n{step}")).collect();
        assert_eq!((groups.of(0), groups.of(3), groups.of(9)), (None, None, None), "two are few");
        let group = groups.of(1).unwrap();
        assert_eq!(
            (groups.of(4), groups.line(group, &names)),
            (Some(group), "a/*: 0 of 3 trained".into())
        );
        for (step, accuracy) in [(1, Some(0.5)), (4, Some(0.75)), (3, Some(0.9)), (2, None)] {
            groups.end(step, accuracy);
        }
        assert_eq!(groups.line(group, &names), "a/*: 3 of 3 trained, best 75.00 % by n4");
        assert_eq!(groups.share(group), 1.0);
    }
}
