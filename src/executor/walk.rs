//! Which step runs next, and on how many threads. Pure: the caller tells the time.

use super::{Costs, Done, Limits, Pause, Profile, Share, Status, crowds::Crowds, remaining};
use crate::plan::{Action, Plan};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A plan on its way.
///
/// Of the steps that are ready the one comes first that the longest path of others waits for, by what
/// like steps took; of those for which that is as long, the plan's first, or one by [`Limits::salt`].
/// Threads are dealt anew whenever a step begins or ends.
#[derive(Clone)]
pub struct Walk {
    limits: Limits,
    costs: Costs,
    profiles: Arc<Vec<Profile>>,
    children: Arc<Vec<Vec<usize>>>,
    /// How many parents of each step have not ended.
    missing: Vec<u32>,
    /// Seconds from each step's start to the end of all that waits for it.
    paths: Arc<Vec<f64>>,
    statuses: Vec<Option<Status>>,
    ready: BTreeSet<(Reverse<Turn>, u64, usize)>,
    /// Steps that were held by others, by when to try them again.
    busy: BTreeSet<(Turn, usize)>,
    /// Of those, who is tried again for others.
    crowds: Crowds,
    /// Steps that have been given out; those that have begun have a share.
    running: BTreeMap<usize, Option<Arc<Share>>>,
    halted: bool,
    /// How many steps have been made here, and at how many the paths are worked out anew.
    made: usize,
    weigh_at: usize,
}

/// Seconds in an order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Turn(f64);

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What a worker does now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Runs the step at this index.
    Run(usize),
    /// Waits until another step ends, or for so many seconds if there is something to try again.
    Wait(Option<f64>),
    /// Nothing more will be ready.
    End,
}

/// SplitMix64's finish, after its increment (Steele, Lea and Flood 2014, figure 16): numbers side by side become far
/// apart.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Seconds after which a worker looks again whether more steps may run side by side.
const LOOK: f64 = 1.0;

impl Walk {
    /// At the beginning of `plan`. `costs` is what steps like its have taken.
    pub fn new(plan: &Plan, limits: Limits, costs: Costs) -> Self {
        let steps = &plan.steps;
        let runs = |index: usize| matches!(steps[index].action, Action::Run(_));
        let mut children = vec![Vec::new(); steps.len()];
        let mut missing = vec![0; steps.len()];
        for index in (0..steps.len()).filter(|&index| runs(index)) {
            for &parent in steps[index].parents.iter().filter(|&&parent| runs(parent)) {
                children[parent].push(index);
                missing[index] += 1;
            }
        }
        let statuses = steps.iter().map(|step| match step.action {
            Action::Reuse => Some(Status::Reused),
            Action::Skip => Some(Status::Skipped),
            Action::Run(_) => None,
        });
        let mut walk = Self {
            limits,
            costs,
            profiles: Arc::new(steps.iter().map(Profile::of).collect()),
            children: Arc::new(children),
            missing,
            paths: Arc::default(),
            statuses: statuses.collect(),
            ready: BTreeSet::new(),
            busy: BTreeSet::new(),
            crowds: Crowds::default(),
            running: BTreeMap::new(),
            halted: false,
            made: 0,
            weigh_at: 1,
        };
        walk.costs.calibrate(&walk.profiles);
        walk.weigh();
        for index in (0..steps.len()).filter(|&index| runs(index)) {
            if walk.missing[index] == 0 {
                walk.queue(index);
            }
        }
        walk
    }

    /// Works the paths out, and brings what is ready into their order.
    fn weigh(&mut self) {
        let seconds = self.profiles.iter().map(|profile| self.costs.guess(profile));
        self.paths = Arc::new(remaining(&seconds.collect::<Vec<_>>(), &self.children));
        self.order();
    }

    /// The same walk by another number.
    #[must_use]
    pub fn salted(mut self, salt: u64) -> Self {
        self.limits.salt = Some(salt);
        self.order();
        self
    }

    /// Brings what is ready into its order.
    fn order(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        ready.into_iter().for_each(|(.., index)| self.queue(index));
    }

    fn queue(&mut self, index: usize) {
        let among = self.limits.salt.map_or(0, |salt| mixed(salt ^ mixed(index as u64)));
        self.ready.insert((Reverse(Turn(self.paths[index])), among, index));
    }

    /// What a worker does at `now`, in seconds. A step that it gets must [`begin`](Self::begin) and
    /// [`end`](Self::end), or be [`busy`](Self::busy).
    pub fn next(&mut self, now: f64) -> Next {
        if self.halted {
            return Next::End;
        }
        while let Some((Turn(at), index)) = self.busy.first().copied()
            && at <= now
        {
            self.busy.pop_first();
            self.queue(index);
        }
        if let Some(width) = &self.limits.width
            && !self.running.is_empty()
            && self.running.len() >= width.now()
        {
            return Next::Wait(Some(LOOK));
        }
        if let Some((.., index)) = self.ready.pop_first() {
            self.running.insert(index, None);
            return Next::Run(index);
        }
        match self.busy.first() {
            Some((Turn(at), _)) => Next::Wait(Some(at - now)),
            None if self.running.is_empty() => Next::End,
            None => Next::Wait(None),
        }
    }

    /// A step that was given out begins: its share of the threads.
    pub fn begin(&mut self, index: usize) -> Arc<Share> {
        let share = Arc::new(Share::new(1));
        self.running.insert(index, Some(share.clone()));
        self.disperse(index);
        if let Some(width) = &self.limits.width {
            width.begin(index);
        }
        self.deal();
        share
    }

    /// A step that was given out is held by others, or by what they make.
    pub fn busy(&mut self, index: usize, now: f64, pause: Pause) {
        self.running.remove(&index);
        if self.crowds.behind(index) != pause.behind {
            self.disperse(index);
        }
        if pause.behind.is_none_or(|key| self.crowds.join(index, key)) {
            self.busy.insert((Turn(now + pause.time.as_secs_f64()), index));
        }
        self.deal();
    }

    /// Those who wait with a step have their turn.
    fn disperse(&mut self, index: usize) {
        self.crowds.disperse(index).into_iter().for_each(|index| self.queue(index));
    }

    /// A step has ended so; what has ended with it, the step itself first.
    pub fn end(&mut self, index: usize, status: Status) -> Vec<(usize, Status)> {
        self.running.remove(&index);
        self.disperse(index);
        if let Some(width) = &self.limits.width {
            width.end(index);
        }
        let mut ended = vec![(index, status.clone())];
        if let Status::Done(made) = status {
            if let Done::Here(seconds) = made {
                self.learn(index, seconds);
            }
            let children = self.children.clone();
            for &child in &children[index] {
                self.missing[child] -= 1;
                if self.missing[child] == 0 {
                    self.queue(child);
                }
            }
        } else {
            self.halted |= !self.limits.keep_going;
            if matches!(status, Status::Failed(_)) {
                ended.extend(self.block(index));
            }
        }
        for (index, status) in &ended {
            self.statuses[*index] = Some(status.clone());
        }
        self.deal();
        ended
    }

    /// Takes a step's time down. Weighing looks at every step: it is done after the first, the second,
    /// the fourth, the eighth, so that a walk's cost stays near linear.
    fn learn(&mut self, index: usize, seconds: f64) {
        self.costs.add(&self.profiles[index], seconds);
        self.made += 1;
        if self.made >= self.weigh_at {
            self.weigh_at *= 2;
            self.weigh();
        }
    }

    /// Gives each step a thread, and each thread more to the step whose path is longest for the threads
    /// that it has.
    fn deal(&mut self) {
        let begun: Vec<(usize, &Arc<Share>)> = self
            .running
            .iter()
            .filter_map(|(&index, share)| Some((index, share.as_ref()?)))
            .collect();
        if begun.is_empty() {
            return;
        }
        let mut threads = vec![1; begun.len()];
        for _ in begun.len()..self.limits.threads {
            let longest = |turn: &usize| Turn(self.paths[begun[*turn].0] / threads[*turn] as f64);
            let turn = (0..begun.len()).rev().max_by_key(longest).unwrap_or(0);
            threads[turn] += 1;
        }
        for ((_, share), threads) in begun.iter().zip(threads) {
            share.set(threads);
        }
    }

    /// Everything that cannot run because `root` failed.
    fn block(&self, root: usize) -> Vec<(usize, Status)> {
        let mut blocked = BTreeSet::new();
        let mut open = self.children[root].clone();
        while let Some(index) = open.pop() {
            if self.statuses[index].is_none() && blocked.insert(index) {
                open.extend(&self.children[index]);
            }
        }
        blocked.into_iter().map(|index| (index, Status::Blocked(root))).collect()
    }

    /// What became of each step, in the plan's order.
    pub fn statuses(self) -> Vec<Status> {
        let statuses = self.statuses.into_iter();
        statuses.map(|status| status.unwrap_or(Status::NotStarted)).collect()
    }
}
