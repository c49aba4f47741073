//! Running a plan as the jobs of a cluster.

use super::{Outlook, RunError, Selection, Session, SlurmJob, Survey, Watcher};
use crate::{
    executor::Status,
    graph::Graph,
    plan::{Action, Plan},
    slurm::{Call, Follower, Printed, Submitter},
    store::Depth,
};
use std::sync::atomic::AtomicBool;

impl Session {
    /// The scripts that would be submitted for these nodes and what they need, were nothing of it in the
    /// queue. Slurm is not asked.
    ///
    /// # Errors
    /// [`RunError`] if there is no plan, or a script cannot be.
    pub fn scripts(&self, selection: &Selection, call: &Call) -> Result<Vec<Printed>, RunError> {
        let graph = self.graph();
        let (targets, forced) = self.targets(&graph, selection)?;
        let survey = Survey::new(&graph, &self.store, Depth::Manifest)?;
        let plan = survey.plan(&graph, &targets, &forced);
        let runs = |&step: &usize| {
            let step = &plan.steps[step];
            matches!(step.action, Action::Run(_)) && !step.is_left_behind()
        };
        let steps: Vec<usize> = (0..plan.steps.len()).filter(runs).collect();
        let costs = survey.costs_anywhere(&graph);
        let text = self.text.as_deref().unwrap_or_default();
        let (store, graph, plan) = (&self.store, &graph, &plan);
        Ok(Submitter { store, graph, plan, costs: &costs, call, text }.print(&steps)?)
    }

    pub(super) fn submit(
        &self,
        graph: &Graph<'_>,
        plan: &Plan,
        survey: &Survey,
        job: &SlurmJob,
        stop: &AtomicBool,
        watcher: &dyn Watcher,
    ) -> Result<Vec<Status>, RunError> {
        let costs = survey.costs_anywhere(graph);
        let text = self.text.as_deref().unwrap_or_default();
        let submitter =
            Submitter { store: &self.store, graph, plan, costs: &costs, call: &job.call, text };
        let jobs = plan.running().count();
        let observer = watcher.begin(&Outlook { graph, plan, jobs, costs: &costs });
        let follower = Follower::new(&submitter, &*observer, stop)?;
        let statuses = if job.detach { follower.detach()? } else { follower.follow()? };
        watcher.end();
        Ok(statuses)
    }
}
