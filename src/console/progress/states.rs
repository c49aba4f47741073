//! What is known of each step of a run, and how many are in which state.

#[derive(Clone, Copy)]
pub(super) enum StepState {
    Reused,
    NotNeeded,
    Waiting,
    Running(Course),
    Done,
    Failed,
}

/// How a running step gets on.
#[derive(Clone, Copy)]
pub(super) struct Course {
    pub since: f64,
    /// The first word of its progress: when, and the share that was done.
    pub first: Option<(f64, f64)>,
    pub last: (f64, f64),
}

impl Course {
    /// Seconds that the whole step takes at its pace, once there is one.
    pub fn whole(&self) -> Option<f64> {
        let ((begun, start), (now, share)) = (self.first?, self.last);
        (share > start).then(|| (now - begun) / (share - start))
    }
}

/// How many steps are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub done: usize,
    pub reused: usize,
    pub running: usize,
    pub waiting: usize,
    /// Those included that cannot run because another has failed.
    pub failed: usize,
}

impl Counts {
    pub fn add(&mut self, state: StepState) {
        if let Some(count) = self.of(state) {
            *count += 1;
        }
    }

    pub fn remove(&mut self, state: StepState) {
        if let Some(count) = self.of(state) {
            *count -= 1;
        }
    }

    /// The number of those that are in `state`, where it is counted.
    fn of(&mut self, state: StepState) -> Option<&mut usize> {
        Some(match state {
            StepState::Reused => &mut self.reused,
            StepState::NotNeeded => return None,
            StepState::Waiting => &mut self.waiting,
            StepState::Running(_) => &mut self.running,
            StepState::Done => &mut self.done,
            StepState::Failed => &mut self.failed,
        })
    }
}
