//! The threads that walk a plan.

use super::{
    Attempt, Costs, Event, Limits, Next, Observer, Runner, Share, Status, StepError, StepErrorKind,
    Walk,
};
use crate::plan::{Plan, Step};
use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Runs `plan`; what became of each step, in its order. `costs` is what steps like its have taken.
pub fn execute(
    plan: &Plan,
    runner: &dyn Runner,
    observer: &dyn Observer,
    limits: Limits,
    costs: Costs,
    stop: &AtomicBool,
) -> Vec<Status> {
    let jobs = limits.jobs.max(1).min(plan.running().count());
    let walk = Mutex::new(Walk::new(plan, limits, costs));
    let workers = Workers { walk, changed: Condvar::new(), started: Instant::now(), stop };
    thread::scope(|scope| {
        for _ in 1..jobs {
            let work = || workers.work(&plan.steps, runner, observer);
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, work) {
                observer.event(&Event::Note(format!("fewer nodes run in parallel: {error}")));
                break;
            }
        }
        // This thread is one of them, so that there always is one.
        workers.work(&plan.steps, runner, observer);
    });
    workers.walk.into_inner().unwrap_or_else(PoisonError::into_inner).statuses()
}

struct Workers<'a> {
    walk: Mutex<Walk>,
    changed: Condvar,
    started: Instant,
    stop: &'a AtomicBool,
}

impl Workers<'_> {
    fn work(&self, steps: &[Step], runner: &dyn Runner, observer: &dyn Observer) {
        while let Some(index) = self.next() {
            let begun = Cell::new(false);
            let begin = || {
                begun.set(true);
                observer.event(&Event::Started { step: index });
                self.begin(index)
            };
            // A panic in one step must not take the others' work with it.
            let run = || runner.run(index, &steps[index], &begin);
            let status = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Ok(Attempt::Busy(pause))) => {
                    self.walk().busy(index, self.now(), pause);
                    self.changed.notify_all();
                    continue;
                }
                Ok(Ok(Attempt::Done(done))) => Status::Done(done),
                Ok(Err(error)) if error.kind == StepErrorKind::Interrupted => Status::NotStarted,
                Ok(Err(error)) => Status::Failed(Box::new(error)),
                Err(panic) => {
                    let message = format!("internal error: {}", message(&*panic));
                    Status::Failed(Box::new(StepError::new(StepErrorKind::Bug, message)))
                }
            };
            if !begun.get() {
                observer.event(&Event::Started { step: index });
            }
            let ended = self.walk().end(index, status);
            self.changed.notify_all();
            for (step, status) in ended {
                observer.event(&Event::Ended { step, status });
            }
        }
    }

    /// The next step to run, once there is one; `None` at the end.
    fn next(&self) -> Option<usize> {
        let mut walk = self.walk();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                self.changed.notify_all();
                return None;
            }
            walk = match walk.next(self.now()) {
                Next::Run(index) => return Some(index),
                Next::End => {
                    self.changed.notify_all();
                    return None;
                }
                Next::Wait(None) => self.changed.wait(walk).unwrap_or_else(PoisonError::into_inner),
                Next::Wait(Some(seconds)) => {
                    let time = Duration::from_secs_f64(seconds.max(0.001));
                    let waited = self.changed.wait_timeout(walk, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn begin(&self, index: usize) -> Arc<Share> {
        let share = self.walk().begin(index);
        // Those who waited with it may be ready now.
        self.changed.notify_all();
        share
    }

    fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        // Runners run outside the lock, so a poisoned walk is still a whole one.
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
