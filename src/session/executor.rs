//! Where the steps of a plan run: here, or on a cluster.

use crate::slurm::Call;

/// Where steps run. Both take a plan and give what became of each step; they share no more, so this is no
/// trait: the local one walks the plan with threads, the other one leaves the walk to Slurm.
#[derive(Clone, Debug, Default)]
pub enum Executor {
    /// In this process.
    #[default]
    Local,
    /// As jobs of a Slurm cluster.
    Slurm(SlurmJob),
}

/// How a cluster's jobs come about.
#[derive(Clone, Debug)]
pub struct SlurmJob {
    /// How they call takd.
    pub call: Call,
    /// Whether to submit and return.
    pub detach: bool,
}
