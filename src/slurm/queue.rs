//! What Slurm has of a cache's nodes.

use super::{
    SlurmError,
    record::{Found, Records},
    script::MARK,
    tools::{self, Line},
};
use crate::{key::Key, store::Store};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A job, or a task of a job array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `12`, or `12_3`.
    pub id: String,
    /// Where it stands.
    pub state: JobState,
    /// Why it waits, or how it ended, as Slurm says it.
    pub reason: String,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits.
    Pending,
    /// It runs, or will again.
    Running,
    /// It is over, in this state of Slurm's: `COMPLETED`, `TIMEOUT`.
    Ended(String),
}

/// Slurm's states of jobs that are over.
const OVER: [&str; 10] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
];

impl JobState {
    fn of(state: &str) -> Self {
        match state {
            "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "SPECIAL_EXIT" => Self::Pending,
            state if OVER.contains(&state) => Self::Ended(state.to_owned()),
            _ => Self::Running,
        }
    }
}

impl Job {
    /// Whether it waits or runs.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, JobState::Ended(_))
    }
}

/// The jobs that make a cache's keys, as far as the controller knows them.
#[derive(Default)]
pub struct Queue {
    /// The job of a key: one that waits or runs if there is one, else the last.
    pub of_key: HashMap<Key, Job>,
    by_id: HashMap<String, Job>,
    /// Records of this cluster without any job.
    pub stale: Vec<String>,
}

impl Queue {
    /// Asks Slurm about everything that the cache has records of, on the cluster of this name.
    ///
    /// # Errors
    /// [`SlurmError`] if the cache cannot be read or Slurm does not answer: that says nothing of the jobs.
    pub fn read(store: &Store, cluster: &str) -> Result<Self, SlurmError> {
        let mut records = Records::new(store).all()?;
        records.retain(|found| found.record.cluster == cluster);
        if records.is_empty() {
            return Ok(Self::default());
        }
        let users: BTreeSet<u32> = records.iter().map(|found| found.user).collect();
        Ok(Self::new(&records, tools::queue(&users)?))
    }

    fn new(records: &[Found], lines: Vec<Line>) -> Self {
        let known: HashMap<&str, &Found> =
            records.iter().map(|found| (&*found.token, found)).collect();
        let (mut queue, mut seen) = (Self::default(), HashSet::new());
        for Line { id, state, reason, comment } in lines {
            let Some(found) = comment.strip_prefix(MARK).and_then(|token| known.get(token)) else {
                continue;
            };
            seen.insert(&*found.token);
            let index = id.split_once('_').map_or(Some(0), |(_, index)| index.parse().ok());
            let job = Job { id: id.clone(), state: JobState::of(&state), reason };
            let task = found.record.tasks.iter().find(|task| Some(task.index) == index);
            if let Some(task) = task {
                let old = queue.of_key.get(&task.key);
                if old.is_none_or(|old| {
                    (job.is_live(), number(&job.id)) > (old.is_live(), number(&old.id))
                }) {
                    queue.of_key.insert(task.key, job.clone());
                }
            }
            queue.by_id.insert(id, job);
        }
        let stale = records.iter().filter(|found| !seen.contains(&*found.token));
        queue.stale = stale.map(|found| found.token.clone()).collect();
        queue
    }

    /// The job that waits or runs for a key.
    pub fn live(&self, key: &Key) -> Option<&Job> {
        self.of_key.get(key).filter(|job| job.is_live())
    }

    /// A job by its number.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.by_id.get(id)
    }
}

fn number(id: &str) -> u64 {
    id.split('_').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Job, JobState, Queue};
    use crate::slurm::{
        record::{Found, Record, Task},
        tools::Line,
    };

    #[test]
    fn jobs_are_recognised_by_their_records() {
        let key = |digit: &str| digit.repeat(64).parse().unwrap();
        let task = |index, digit| Task { index, key: key(digit), node: String::new() };
        let found = |token: &str, tasks| {
            let record = Record::new("here", "p", tasks);
            Found { token: token.to_owned(), user: 0, record }
        };
        // A single job's index is not looked for in its number; `b` has been submitted twice.
        let records = [
            found("a", vec![task(0, "a"), task(3, "b")]),
            found("b", vec![task(0, "b")]),
            found("c", vec![task(0, "c")]),
        ];
        let line = |id: &str, state: &str, token: &str| {
            let [id, state, reason] = [id, state, "None"].map(str::to_owned);
            Line { id, state, reason, comment: format!("takd:{token}") }
        };
        let lines = vec![
            line("9", "RUNNING", "b"),
            line("12_0", "PENDING", "a"),
            line("12_3", "CANCELLED", "a"),
            line("12_4", "PENDING", "a"),
            line("13", "PENDING", "unknown"),
        ];
        let queue = Queue::new(&records, lines);
        let live = |digit| queue.live(&key(digit)).map(|job| &*job.id);
        assert_eq!([live("a"), live("b"), live("c")], [Some("12_0"), Some("9"), None]);
        assert_eq!(queue.stale, ["c"]);
        let reason = "None".to_owned();
        let ended =
            Job { id: "12_3".to_owned(), state: JobState::Ended("CANCELLED".to_owned()), reason };
        assert_eq!(queue.job("12_3"), Some(&ended));
        assert!(queue.job("13").is_none());
    }
}
