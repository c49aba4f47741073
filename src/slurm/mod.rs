//! Running a plan on a Slurm cluster: each step is a job, or a task of a job array, that calls takd for its node.
//!
//! Slurm holds what waits for what, and the cache holds what is done: a job's state is believed of nothing
//! but its failure. So whoever submits may die, and another machine picks the jobs up (`record`).

mod array;
mod estimate;
mod events;
mod follow;
mod problem;
mod queue;
mod record;
mod script;
mod submit;
mod tools;
mod verdict;

pub use follow::Follower;
pub use problem::SlurmError;
pub use queue::{Job, JobState, Queue};
pub use script::Call;
pub use submit::{Printed, Submitter};

use crate::store::Store;

/// The jobs of a cache's nodes; nothing where none was ever submitted from it.
///
/// # Errors
/// [`SlurmError`] if the cache cannot be read or Slurm does not answer.
pub fn queue(store: &Store) -> Result<Option<Queue>, SlurmError> {
    if record::Records::new(store).all()?.is_empty() {
        return Ok(None);
    }
    Queue::read(store, &tools::cluster()?.name).map(Some)
}
