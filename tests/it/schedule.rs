//! Plans are walked as promised, whatever the nodes do: a mock stands in for training.

use crate::{keys::parse, workspace::PIPELINE};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use takd::{
    executor::{
        Attempt, Costs, Done, Event, Limits, Observer, PATIENCE, Pause, Runner, Share, Status,
        StepError, StepErrorKind, execute,
    },
    graph::Graph,
    key::{Key, keys},
    pipeline::Pipeline,
    plan::{Known, Plan, Step},
};

/// Notes what runs; fails, panics or stops where it is told to.
struct Mock<'a> {
    names: Vec<String>,
    acts: BTreeMap<&'a str, &'a str>,
    order: Mutex<Vec<String>>,
    running: AtomicUsize,
    most: AtomicUsize,
    /// Of the step that is busy.
    tries: AtomicUsize,
    threads: Mutex<Vec<usize>>,
    stop: AtomicBool,
}

impl Runner for Mock<'_> {
    fn run(
        &self,
        place: usize,
        _: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        let name = self.names[place].as_str();
        if self.acts.get(name) == Some(&"busy") && self.tries.fetch_add(1, Ordering::SeqCst) < 2 {
            return Ok(Attempt::Busy(PATIENCE.into()));
        }
        let share = begin();
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        self.threads.lock().unwrap().push(share.threads());
        self.order.lock().unwrap().push(self.names[place].clone());
        self.running.fetch_sub(1, Ordering::SeqCst);
        match self.acts.get(self.names[place].as_str()) {
            Some(&"fail") => Err(StepError::new(StepErrorKind::Data, "no luck")),
            Some(&"panic") => panic!("a bug"),
            Some(&"stop") => {
                self.stop.store(true, Ordering::SeqCst);
                Err(StepError::interrupted())
            }
            _ => Ok(Attempt::Done(Done::Here(0.0))),
        }
    }
}

struct Nobody;

impl Observer for Nobody {
    fn event(&self, _: &Event) {}
}

struct Walked {
    /// Names in the order in which they ended.
    order: Vec<String>,
    statuses: BTreeMap<String, Status>,
    most: usize,
    threads: Vec<usize>,
}

fn pipeline() -> Pipeline {
    parse(&PIPELINE.replace("seeds = [20, 31]", "seeds = [1]"))
}

fn walk(acts: &[(&'static str, &'static str)], jobs: usize, keep_going: bool) -> Walked {
    let pipeline = pipeline();
    let graph = Graph::new(&pipeline);
    let all: Vec<usize> = (0..graph.tasks.len()).collect();
    let plan = Plan::new(&graph, keys(&graph), &Known::default(), &all, &[]);
    let names: Vec<String> =
        plan.steps.iter().map(|step| graph.name(step.tasks[0]).replace("@1", "")).collect();
    let mock = Mock {
        names: names.clone(),
        acts: acts.iter().copied().collect(),
        order: Mutex::default(),
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        tries: AtomicUsize::new(0),
        threads: Mutex::default(),
        stop: AtomicBool::new(false),
    };
    let limits = Limits { jobs, width: None, threads: 8, keep_going, salt: None };
    let statuses = execute(&plan, &mock, &Nobody, limits, Costs::default(), &mock.stop);
    Walked {
        order: mock.order.into_inner().unwrap(),
        statuses: names.into_iter().zip(statuses).collect(),
        most: mock.most.into_inner(),
        threads: mock.threads.into_inner().unwrap(),
    }
}

fn before(walked: &Walked, first: &str, second: &str) -> bool {
    let place = |name: &str| walked.order.iter().position(|ran| ran == name).unwrap();
    place(first) < place(second)
}

#[test]
fn parents_come_first_and_jobs_are_a_limit() {
    for jobs in [1, 3] {
        let walked = walk(&[], jobs, false);
        assert_eq!(walked.order.len(), 10);
        for (parent, child) in [
            ("teacher", "assistant"),
            ("assistant", "takd"),
            ("takd", "test/takd"),
            ("nokd", "test/nokd"),
        ] {
            assert!(before(&walked, parent, child), "{parent} {child}");
        }
        assert!(walked.most <= jobs, "{} in parallel", walked.most);
        assert!(walked.statuses.values().all(|status| *status == Status::Done(Done::Here(0.0))));
    }
}

#[test]
fn threads_are_shared_out_not_oversubscribed() {
    assert!(walk(&[], 1, false).threads.iter().all(|&threads| threads == 8));
    assert!(walk(&[], 4, false).threads.iter().all(|&threads| (1..=8).contains(&threads)));
    let two = walk(&[], 2, false).threads;
    assert!(
        two.iter().any(|&threads| threads < 8) && two.contains(&8),
        "all for one alone: {two:?}"
    );
}

#[test]
fn a_failure_blocks_what_depends_on_it_and_the_rest_goes_on_if_asked() {
    let walked = walk(&[("assistant", "fail")], 2, true);
    assert_eq!(
        walked.statuses["assistant"],
        Status::Failed(Box::new(StepError::new(StepErrorKind::Data, "no luck")))
    );
    assert!(matches!(walked.statuses["takd"], Status::Blocked(_)));
    assert!(matches!(walked.statuses["test/takd"], Status::Blocked(_)));
    assert_eq!(walked.statuses["test/blkd"], Status::Done(Done::Here(0.0)));
    assert_eq!(walked.statuses["test/nokd"], Status::Done(Done::Here(0.0)));
}

#[test]
fn without_keep_going_a_failure_is_the_end() {
    let walked = walk(&[("teacher", "fail")], 1, false);
    assert_eq!(walked.order, ["teacher"]);
    assert!(matches!(walked.statuses["blkd"], Status::Blocked(_)));
    assert_eq!(walked.statuses["nokd"], Status::NotStarted);
}

#[test]
fn a_panic_is_a_failure_of_its_step_alone() {
    let walked = walk(&[("blkd", "panic")], 1, true);
    assert_eq!(
        walked.statuses["blkd"],
        Status::Failed(Box::new(StepError::new(StepErrorKind::Bug, "internal error: a bug")))
    );
    assert_eq!(walked.statuses["test/takd"], Status::Done(Done::Here(0.0)));
}

#[test]
fn a_stop_ends_the_walk_and_fails_nothing() {
    let walked = walk(&[("nokd", "stop")], 1, true);
    assert_eq!(walked.order, ["teacher", "nokd"]);
    assert_eq!(walked.statuses["nokd"], Status::NotStarted);
    assert!(
        !walked
            .statuses
            .values()
            .any(|status| matches!(status, Status::Failed(_) | Status::Blocked(_)))
    );
}

#[test]
fn a_step_that_others_make_comes_again_when_the_rest_had_its_turn() {
    for jobs in [1, 3] {
        let walked = walk(&[("assistant", "busy")], jobs, false);
        assert_eq!(walked.order.len(), 10);
        for other in ["blkd", "nokd", "test/blkd", "test/nokd", "test/teacher"] {
            assert!(before(&walked, other, "assistant"), "{other}: {:?}", walked.order);
        }
        assert!(walked.statuses.values().all(|status| *status == Status::Done(Done::Here(0.0))));
    }
    // The last ones of all: the walk waits for them.
    let walked = walk(&[("test/takd", "busy")], 2, false);
    assert_eq!(walked.statuses["test/takd"], Status::Done(Done::Here(0.0)));
}

/// Each step waits behind one key when it is tried first; then it holds on until another is running too.
struct Crowd {
    behind: Key,
    tried: Mutex<BTreeSet<usize>>,
    running: AtomicUsize,
    together: AtomicBool,
    /// Whether one has waited in vain.
    alone: AtomicBool,
}

impl Runner for Crowd {
    fn run(
        &self,
        place: usize,
        _: &Step,
        begin: &dyn Fn() -> Arc<Share>,
    ) -> Result<Attempt, StepError> {
        if self.tried.lock().unwrap().insert(place) {
            return Ok(Attempt::Busy(Pause { time: PATIENCE, behind: Some(self.behind) }));
        }
        // The other worker finds nothing to do meanwhile.
        std::thread::sleep(Duration::from_millis(50));
        begin();
        self.running.fetch_add(1, Ordering::SeqCst);
        for _ in 0..500 {
            if self.running.load(Ordering::SeqCst) > 1 {
                self.together.store(true, Ordering::SeqCst);
            }
            if self.together.load(Ordering::SeqCst) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !self.together.load(Ordering::SeqCst) {
            self.alone.store(true, Ordering::SeqCst);
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(Attempt::Done(Done::Here(0.0)))
    }
}

#[test]
fn who_waited_with_a_step_runs_beside_it() {
    let pipeline = parse(PIPELINE);
    let graph = Graph::new(&pipeline);
    let all: Vec<usize> = (0..graph.tasks.len()).collect();
    let plan = Plan::new(&graph, keys(&graph), &Known::default(), &all, &[]);
    let crowd = Crowd {
        behind: plan.steps[0].key,
        tried: Mutex::default(),
        running: AtomicUsize::new(0),
        together: AtomicBool::new(false),
        alone: AtomicBool::new(false),
    };
    let limits = Limits { jobs: 2, width: None, threads: 2, keep_going: false, salt: None };
    let stop = AtomicBool::new(false);
    execute(&plan, &crowd, &Nobody, limits, Costs::default(), &stop);
    assert!(!crowd.alone.load(Ordering::SeqCst), "one after the other");
}
