//! Time that passes only when everybody sleeps.

use std::{
    cell::Cell,
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

thread_local! {
    /// The number of the machine whose thread this is.
    static MACHINE: Cell<usize> = const { Cell::new(0) };
}

/// While a machine's thread has it, others wait for that thread to sleep. A thread that panics lets them go on.
pub struct Presence<'a>(&'a Time);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.wake(&mut self.0.state.lock().unwrap());
    }
}

/// One clock for all machines, of which one at a time is awake.
pub struct Time {
    state: Mutex<State>,
    wakes: Vec<Condvar>,
    begun: Condvar,
    start: Instant,
}

#[derive(Default)]
struct State {
    /// Microseconds since the beginning.
    now: u64,
    /// When who wakes, in the order in which they went to sleep.
    asleep: BinaryHeap<Reverse<(u64, u64, usize)>>,
    turns: u64,
    awake: Option<usize>,
    entered: usize,
}

impl Time {
    pub fn new(machines: usize) -> Self {
        let wakes = (0..machines).map(|_| Condvar::new()).collect();
        Self { state: Mutex::default(), wakes, begun: Condvar::new(), start: Instant::now() }
    }

    /// A machine's thread begins; it goes on once time has been started.
    pub fn enter(&self, machine: usize) -> Presence<'_> {
        MACHINE.set(machine);
        let mut state = self.state.lock().unwrap();
        state.entered += 1;
        state.asleep.push(Reverse((0, machine as u64, machine)));
        self.begun.notify_all();
        while state.awake != Some(machine) {
            state = self.wakes[machine].wait(state).unwrap();
        }
        Presence(self)
    }

    /// Starts once all have entered.
    pub fn start(&self) {
        let mut state = self.state.lock().unwrap();
        while state.entered < self.wakes.len() {
            state = self.begun.wait(state).unwrap();
        }
        state.turns = self.wakes.len() as u64;
        self.wake(&mut state);
    }

    fn wake(&self, state: &mut State) {
        state.awake = state.asleep.pop().map(|Reverse((at, _, machine))| {
            state.now = at;
            machine
        });
        if let Some(machine) = state.awake {
            self.wakes[machine].notify_one();
        }
    }

    /// The machine whose thread this is sleeps for so many seconds.
    pub fn sleep(&self, seconds: f64) {
        let machine = MACHINE.get();
        let mut state = self.state.lock().unwrap();
        let at = state.now + (seconds.max(0.0) * 1e6) as u64;
        let turn = state.turns;
        state.turns += 1;
        state.asleep.push(Reverse((at, turn, machine)));
        self.wake(&mut state);
        while state.awake != Some(machine) {
            state = self.wakes[machine].wait(state).unwrap();
        }
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.state.lock().unwrap().now as f64 / 1e6
    }

    /// The same, as what takd takes for a clock.
    pub fn now(&self) -> Instant {
        self.start + Duration::from_secs_f64(self.seconds())
    }
}
