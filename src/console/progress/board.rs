//! Where a run stands: each step's state, and the time left.

use super::{
    groups::Groups,
    states::{Counts, Course, StepState},
};
use crate::{
    executor::{Costs, Done, Event, Pass, Profile, Rest, Status, makespan},
    key::Kind,
    plan::{Action, Plan, Step},
    recipe::Select,
};
use std::{collections::BTreeSet, sync::Arc};

/// A run's steps as people see them. All times are seconds since the run began.
pub(super) struct Board {
    names: Vec<String>,
    kinds: Vec<Kind>,
    profiles: Vec<Profile>,
    parents: Vec<Vec<usize>>,
    states: Vec<StepState>,
    /// How many of `states` are what.
    counts: Counts,
    running: BTreeSet<usize>,
    /// Top-1 of each: of a training that of the epoch whose weights it keeps, on its eval split.
    accuracies: Vec<Option<f64>>,
    /// Whether a training keeps the weights of its last epoch.
    last: Vec<bool>,
    groups: Groups,
    jobs: usize,
    costs: Costs,
    /// When the time left was worked out last, and what came out.
    walked: Option<(f64, Option<Left>)>,
    /// Steps that were looked at for it, so far.
    #[cfg(test)]
    visits: usize,
}

/// Seconds for which an estimate of the time left is good at least, and for each step of the plan. Each
/// estimate walks the whole plan: one per event, or one a second in a run that takes longer the more
/// steps it has, would make a log's cost quadratic in their number.
const ESTIMATE_EVERY: f64 = 1.0;
const ESTIMATE_EVERY_PER_STEP: f64 = 1e-3;

/// The time left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Left {
    /// Seconds.
    pub seconds: f64,
    /// Whether trainings are left of which nothing is known: it will be more.
    pub at_least: bool,
}

impl Board {
    pub fn new(plan: &Plan, names: Vec<String>, jobs: usize, costs: Costs) -> Self {
        let state = |action: &Action| match action {
            Action::Reuse => StepState::Reused,
            Action::Skip => StepState::NotNeeded,
            Action::Run(_) => StepState::Waiting,
        };
        let states: Vec<StepState> = plan.steps.iter().map(|step| state(&step.action)).collect();
        let mut counts = Counts::default();
        for state in &states {
            counts.add(*state);
        }
        Self {
            names,
            kinds: plan.steps.iter().map(|step| step.inputs.kind).collect(),
            profiles: plan.steps.iter().map(Profile::of).collect(),
            parents: plan.steps.iter().map(|step| step.parents.clone()).collect(),
            accuracies: vec![None; states.len()],
            last: plan.steps.iter().map(keeps_last).collect(),
            groups: Groups::default(),
            states,
            counts,
            running: BTreeSet::new(),
            jobs,
            costs,
            walked: None,
            #[cfg(test)]
            visits: 0,
        }
    }

    /// With what each step shares with others of its matrix, chain or search.
    pub fn grouped(mut self, globs: Vec<Option<Arc<str>>>) -> Self {
        let runs =
            |step: usize| self.is_training(step) && matches!(self.states[step], StepState::Waiting);
        let globs = globs.into_iter().enumerate();
        let globs: Vec<_> = globs.map(|(step, glob)| glob.filter(|_| runs(step))).collect();
        self.groups = Groups::new(&globs);
        self
    }

    /// The group of a step, the share of it that has ended, and that in words.
    pub fn group(&self, step: usize) -> Option<(usize, f64, String)> {
        let group = self.groups.of(step)?;
        Some((group, self.groups.share(group), self.groups.line(group, &self.names)))
    }

    /// Top-1 of what a step has made, as far as is known.
    pub fn accuracy(&self, step: usize) -> Option<f64> {
        self.accuracies[step]
    }

    fn set(&mut self, step: usize, state: StepState) {
        let old = std::mem::replace(&mut self.states[step], state);
        self.counts.remove(old);
        self.counts.add(state);
        if matches!(state, StepState::Running(_)) {
            self.running.insert(step);
        } else {
            self.running.remove(&step);
        }
    }

    /// `teacher@20`.
    pub fn name(&self, step: usize) -> &str {
        &self.names[step]
    }

    /// `train teacher@20`.
    pub fn title(&self, step: usize) -> String {
        format!("{} {}", self.kind(step), self.names[step])
    }

    pub fn kind(&self, step: usize) -> Kind {
        self.kinds[step]
    }

    /// Whether it is a step that takes its time.
    pub fn is_training(&self, step: usize) -> bool {
        matches!(self.kinds[step], Kind::Train | Kind::Distill)
    }

    /// Takes in what has happened at `time`.
    pub fn event(&mut self, event: &Event, time: f64) {
        match event {
            Event::Started { step } => {
                let course = Course { since: time, first: None, last: (time, 0.0) };
                self.set(*step, StepState::Running(course));
            }
            Event::Samples { step, epoch, epochs, share, .. } => {
                self.reach(*step, time, (*epoch as f64 - 1.0 + share) / *epochs as f64);
            }
            Event::Epoch { step, epochs, record, .. } => {
                self.reach(*step, time, record.epoch as f64 / *epochs as f64);
                let best = self.accuracies[*step].filter(|_| !self.last[*step]);
                self.accuracies[*step] =
                    record.accuracy.map(|now| best.map_or(now, |b| b.max(now)));
            }
            // A student's course begins with its epochs.
            Event::Passed { what: Pass::TeacherLogits, .. } => {}
            Event::Passed { step, share, .. } => self.reach(*step, time, *share),
            Event::Measured { step, accuracy } => self.accuracies[*step] = Some(*accuracy),
            Event::Ended { step, status } => {
                if let Status::Done(Done::Here(seconds)) = status {
                    self.costs.add(&self.profiles[*step], *seconds);
                }
                let state = match status {
                    Status::Done(_) => StepState::Done,
                    Status::Reused => StepState::Reused,
                    Status::Skipped => StepState::NotNeeded,
                    Status::Failed(_) | Status::Blocked(_) => StepState::Failed,
                    Status::NotStarted => StepState::Waiting,
                };
                self.groups.end(*step, self.accuracies[*step]);
                self.set(*step, state);
            }
            Event::Note(_) => {}
        }
    }

    fn reach(&mut self, step: usize, time: f64, share: f64) {
        if let StepState::Running(course) = &mut self.states[step] {
            course.first.get_or_insert((time, share));
            course.last = (time, share);
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Seconds that a running step still needs: by its own pace, or by what like ones took.
    pub fn step_left(&self, step: usize, time: f64) -> Option<f64> {
        let StepState::Running(course) = self.states[step] else { return None };
        let Course { since, last: (last_time, share), .. } = course;
        let left = match course.whole() {
            Some(whole) => (1.0 - share) * whole - (time - last_time),
            None => self.costs.expect(&self.profiles[step])? * (1.0 - share) - (time - since),
        };
        Some(left.max(0.0))
    }

    /// As [`left`](Self::left), from an estimate that is up to a second old, or a millisecond for each
    /// step if that is more.
    pub fn left_lately(&mut self, time: f64) -> Option<Left> {
        let every = ESTIMATE_EVERY.max(ESTIMATE_EVERY_PER_STEP * self.states.len() as f64);
        let (since, left) = match self.walked {
            Some(walked) if time - walked.0 < every => walked,
            _ => {
                #[cfg(test)]
                {
                    self.visits += self.states.len();
                }
                *self.walked.insert((time, self.left(time)))
            }
        };
        left.map(|left| Left { seconds: (left.seconds - (time - since)).max(0.0), ..left })
    }

    /// The time until the run ends; nothing while nothing is known of any training.
    pub fn left(&self, time: f64) -> Option<Left> {
        // What runs tells, by its pace, what others of its kind will take.
        let mut paces = Costs::default();
        for &step in &self.running {
            if let StepState::Running(course) = self.states[step]
                && let Some(whole) = course.whole()
            {
                paces.add(&self.profiles[step], whole);
            }
        }
        let (mut known, mut unknown) = (false, false);
        let mut rest = Vec::with_capacity(self.states.len());
        for (step, state) in self.states.iter().enumerate() {
            let seconds = match state {
                StepState::Running(_) => self.step_left(step, time),
                StepState::Waiting => {
                    let profile = &self.profiles[step];
                    self.costs.expect(profile).or_else(|| paces.expect(profile))
                }
                StepState::Reused | StepState::NotNeeded | StepState::Done | StepState::Failed => {
                    rest.push(Rest::Nothing);
                    continue;
                }
            };
            match seconds {
                Some(_) => known |= self.is_training(step),
                None => unknown = true,
            }
            let seconds = seconds.unwrap_or(0.0);
            rest.push(match state {
                StepState::Running(_) => Rest::Running(seconds),
                _ => Rest::Waiting(seconds),
            });
        }
        let seconds = makespan(&rest, &self.parents, self.jobs);
        (known || !unknown).then_some(Left { seconds, at_least: unknown })
    }
}

fn keeps_last(step: &Step) -> bool {
    let recipe = step.inputs.recipe.as_ref();
    step.inputs.epoch.is_some() || recipe.is_some_and(|recipe| recipe.select == Select::Last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        executor::{StepError, StepErrorKind},
        key::{Key, KeyInputs},
        plan::Reason,
    };

    fn step(parents: Vec<usize>, action: Action) -> Step {
        let text = r#"{"version":1,"kind":"train",
            "net":{"layers":["fc10"],"input":{"channels":1,"height":2,"width":2},"classes":10},
            "recipe":{"epochs":4,"batch_size":8,"optimizer":{"adam":{"lr":0.1}},"select":"last"},
            "data":{"train":""}}"#;
        let inputs: KeyInputs = serde_json::from_str(text).unwrap();
        let key = "00".repeat(32).parse::<Key>().unwrap();
        let (tasks, left_by) = (vec![0], None);
        let (forward, multiply_adds) = (50.0, 1e6);
        Step { key, inputs, tasks, parents, left_by, forward, multiply_adds, action }
    }

    fn new() -> Action {
        Action::Run(Reason::New)
    }

    /// Three steps, each after the one before it; the first is in the cache, and a last one is not
    /// needed.
    fn board(costs: Costs) -> Board {
        let steps = vec![
            step(vec![], Action::Reuse),
            step(vec![0], new()),
            step(vec![1], new()),
            step(vec![2], Action::Skip),
        ];
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        Board::new(&Plan { steps }, names, 2, costs)
    }

    /// Steps that a whole run of `count` of them looks at, two epochs each, half a second an event.
    fn visits(count: usize) -> usize {
        let steps = (0..count).map(|_| step(vec![], new())).collect();
        let names = (0..count).map(|index| format!("n{index}")).collect();
        let mut board = Board::new(&Plan { steps }, names, 2, Costs::default());
        let mut time = 0.0;
        for step in 0..count {
            let epoch = |epoch| {
                let line = format!("{{\"epoch\":{epoch},\"lr\":0.1,\"loss\":1.0}}");
                let record = crate::history::read(line.as_bytes()).unwrap()[0];
                Event::Epoch { step, epochs: 2, record, samples_per_second: 1.0 }
            };
            let ended = Event::Ended { step, status: Status::Done(Done::Here(1.5)) };
            for event in [Event::Started { step }, epoch(1), epoch(2), ended] {
                time += 0.5;
                board.event(&event, time);
                board.left_lately(time);
                board.counts();
            }
        }
        assert_eq!(board.counts(), Counts { done: count, ..Counts::default() });
        board.visits
    }

    #[test]
    fn twice_the_steps_are_twice_the_work() {
        let (some, many) = (visits(10_000), visits(20_000));
        assert!(some > 0 && many <= 2 * some + 2 * 20_000, "{some} and {many}");
    }

    #[test]
    fn states_are_counted() {
        let mut board = board(Costs::default());
        board.event(&Event::Started { step: 1 }, 0.0);
        let counts = Counts { reused: 1, running: 1, waiting: 1, ..Counts::default() };
        assert_eq!(board.counts(), counts);
        board.event(
            &Event::Ended {
                step: 1,
                status: Status::Failed(Box::new(StepError::new(StepErrorKind::Data, "no"))),
            },
            1.0,
        );
        board.event(&Event::Ended { step: 2, status: Status::Blocked(1) }, 1.0);
        assert_eq!(board.counts(), Counts { reused: 1, failed: 2, ..Counts::default() });
    }

    #[test]
    fn time_left_comes_from_the_own_pace_and_from_what_like_nodes_took() {
        let mut board = board(Costs::default());
        board.event(&Event::Started { step: 1 }, 0.0);
        assert_eq!(board.left(1.0), None, "nothing like it is known, nor its pace");
        let samples_per_second = 1.0;
        let samples =
            |share| Event::Samples { step: 1, epoch: 1, epochs: 4, share, samples_per_second };
        board.event(&samples(0.0), 2.0);
        board.event(&samples(0.5), 3.0);
        // An eighth of the training took a second; seven are left, and one has gone by.
        assert_eq!(board.step_left(1, 4.0), Some(6.0));
        // The one after it is like it, and takes eight.
        assert_eq!(board.left(4.0), Some(Left { seconds: 14.0, at_least: false }));
        board.event(&Event::Ended { step: 1, status: Status::Done(Done::Here(10.0)) }, 10.0);
        assert_eq!(board.left(10.0), Some(Left { seconds: 10.0, at_least: false }));
        board.event(&Event::Started { step: 2 }, 10.0);
        assert_eq!(board.left(14.0), Some(Left { seconds: 6.0, at_least: false }));
    }

    #[test]
    fn the_plan_is_walked_once_a_second_however_many_events_there_are() {
        let mut costs = Costs::default();
        costs.add(&board(Costs::default()).profiles[0], 3.0);
        let mut board = board(costs);
        let left = |seconds| Some(Left { seconds, at_least: false });
        assert_eq!(board.left_lately(0.0), left(6.0));
        let mut walks = std::collections::BTreeSet::new();
        for event in 1..=10_000 {
            let time = f64::from(event) / 1_000.0;
            board.left_lately(time);
            walks.extend(board.walked.map(|(at, _)| (at * 1_000.0) as u64));
        }
        assert!((10..=11).contains(&walks.len()), "{}", walks.len());
        // Nothing has begun: an estimate ages between two walks, and the next one is whole again.
        assert_eq!(board.left_lately(20.0), left(6.0));
        assert_eq!(board.left_lately(20.5), left(5.5));
    }

    #[test]
    fn a_cache_knows_the_time_before_anything_has_run() {
        let mut costs = Costs::default();
        costs.add(&board(Costs::default()).profiles[0], 3.0);
        assert_eq!(board(costs).left(0.0), Some(Left { seconds: 6.0, at_least: false }));
    }
}
