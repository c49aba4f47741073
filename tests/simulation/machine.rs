//! A machine: `takd run --remote` without its trainings.

use super::{World, seconds};
use std::{
    cell::RefCell,
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};
use takd::{
    executor::{Attempt, Done, Event, Next, Observer, Runner, Share, Status, StepError, Walk},
    key::{KeyInputs, Kind},
    plan::Step,
    remote::{LeaseTimes, Remote, SharedRunner, Sharing, stored_logits},
    store::{Depth, Lock, Lookup, Outcome, Provenance, Staging, Store},
};

/// A machine, and how often it was replaced.
pub struct Machine<'a> {
    world: &'a World<'a>,
    store: Store,
    sharing: Sharing,
    /// What decides when it dies.
    life: u64,
}

/// The end of a machine, as a panic that nothing on the way cleans up after.
struct Death;

struct Nobody;

impl Observer for Nobody {
    fn event(&self, _: &Event) {}
}

impl<'a> Machine<'a> {
    /// Runs the plan; when the machine dies, another with an empty cache does.
    pub fn live(world: &'a World<'a>, walk: &Walk, number: usize, folder: &Path) {
        for life in 0.. {
            let store = Store::new(folder.join(life.to_string()));
            let objects = Box::new(world.objects.clone());
            let time = world.time.clone();
            let clock = Arc::new(move || -> Instant { time.now() });
            let remote = Arc::new(Remote::with(objects, "simulation"));
            let sharing = Sharing::by_hand(remote, &store, LeaseTimes::default(), clock);
            let life = (number as u64) << 16 | life;
            let machine = Self { world, store, sharing, life };
            match catch_unwind(AssertUnwindSafe(|| machine.work(walk.clone().salted(life)))) {
                Ok(()) => return,
                Err(panic) if panic.is::<Death>() => {}
                Err(panic) => resume_unwind(panic),
            }
            world.deaths.fetch_add(1, Ordering::Relaxed);
            let _ = fs::remove_dir_all(machine.store.root());
            drop(machine);
            world.time.sleep(world.setting.replaced_after);
        }
    }

    fn work(&self, walk: Walk) {
        let World { graph, plan, beside, time, .. } = self.world;
        let what = (*graph, *beside);
        let shared = SharedRunner::new(&self.sharing, self, &self.store, what, &Nobody);
        let walk = RefCell::new(walk);
        loop {
            let next = walk.borrow_mut().next(time.seconds());
            match next {
                Next::End => return,
                Next::Wait(pause) => time.sleep(pause.expect("one node at a time").max(1e-3)),
                Next::Run(index) => {
                    let step = &plan.steps[index];
                    match shared.run(index, step, &|| walk.borrow_mut().begin(index)) {
                        Ok(Attempt::Busy(pause)) => {
                            walk.borrow_mut().busy(index, time.seconds(), pause);
                        }
                        Ok(Attempt::Done(done)) => {
                            self.sharing.push_open();
                            walk.borrow_mut().end(index, Status::Done(done));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
    }

    /// Whether the machine dies over a step, and after which share of it.
    fn dies(&self, step: &Step) -> Option<f64> {
        let text = format!("{} {}", self.life, step.key);
        let bytes = blake3::hash(text.as_bytes());
        let drawn = |at: usize| f64::from(bytes.as_bytes()[at]) / 256.0;
        let drawn_fine = drawn(0) + drawn(1) / 256.0;
        (drawn_fine < self.world.setting.deaths).then(|| drawn(2))
    }

    /// Passes time as a training does that renews its leases.
    fn train(&self, step: &Step) {
        let total = seconds(step.inputs.kind, &step.key);
        let end = self.dies(step).filter(|_| step.inputs.kind != Kind::Eval);
        let lasts = end.map_or(total, |share| share * total);
        let mut left = lasts;
        while left > 0.0 {
            let slice = left.min(LeaseTimes::default().renewal.as_secs_f64());
            self.world.time.sleep(slice);
            self.sharing.renew();
            left -= slice;
        }
        if end.is_some() {
            *self.world.lost.lock().unwrap() += lasts;
            resume_unwind(Box::new(Death));
        }
    }

    /// Writes an entry of a few bytes.
    fn keep(&self, inputs: &KeyInputs) -> Result<(), StepError> {
        let key = inputs.key();
        let Lock::Taken(lock) = self.store.try_lock(&key)? else { panic!("{key} is locked") };
        let mut staging = Staging::new(&self.store, &lock)?;
        staging.write("weights.safetensors", key.to_string().as_bytes())?;
        let outcome = Outcome::Network {
            parameters: 1,
            selected_epoch: None,
            collapsed_epoch: None,
            seconds: 1.0,
        };
        let [takd, burn, device, host, node] = [const { String::new() }; 5];
        let (cpu, threads, finished, on_collapse) = (None, 1, 0, None);
        let provenance =
            Provenance { takd, burn, device, cpu, threads, host, finished, node, on_collapse };
        staging.commit(inputs.clone(), outcome, provenance)?;
        *self.world.made.lock().unwrap().entry(key).or_default() += 1;
        Ok(())
    }

    fn is_here(&self, inputs: &KeyInputs) -> bool {
        let found = self.store.find(&inputs.key(), Depth::Manifest).unwrap();
        matches!(found, Lookup::Whole(_))
    }
}

impl Runner for Machine<'_> {
    fn run(
        &self,
        _index: usize,
        step: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        begin();
        let stored = stored_logits(self.world.graph, step);
        for inputs in step.inputs.teacher_logits() {
            if stored.contains(&inputs.key()) && !self.is_here(&inputs) {
                assert!(inputs.parents.iter().all(|parent| {
                    let found = self.store.find(parent, Depth::Content).unwrap();
                    matches!(found, Lookup::Whole(_))
                }));
                self.world.time.sleep(seconds(Kind::Logits, &inputs.key()));
                self.sharing.renew();
                self.keep(&inputs)?;
            }
        }
        self.train(step);
        self.keep(&step.inputs)?;
        Ok(Attempt::Done(Done::Here(seconds(step.inputs.kind, &step.key))))
    }
}
