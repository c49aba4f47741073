//! Submitting what a plan lacks.

use super::{
    SlurmError,
    array::{self, Batch, Edge, Item, Need},
    estimate::{estimate, limit},
    queue::Queue,
    record::{Record, Records, Task},
    script::{Call, Script},
    tools::{self, Cluster, Partition},
};
use crate::{
    executor::Costs,
    graph::Graph,
    key::Kind,
    pipeline::{Resources, Slurm, TimeLimit},
    plan::{Plan, Step},
    store::Store,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Submits steps of a plan.
pub struct Submitter<'a> {
    /// The cache.
    pub store: &'a Store,
    /// What the steps mean.
    pub graph: &'a Graph<'a>,
    /// The plan.
    pub plan: &'a Plan,
    /// What steps like these took, on whatever machine.
    pub costs: &'a Costs,
    /// How takd is called.
    pub call: &'a Call,
    /// The pipeline's text, which jobs read whatever becomes of the file.
    pub text: &'a str,
}

/// A script that would be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The script.
    pub text: String,
    /// What it would wait for, `afterok:JOB1`: sbatch's `--dependency`, with `JOB1` for the first script's job.
    pub dependency: Option<String>,
}

/// What became of a submission.
#[derive(Default)]
pub(super) struct Submitted {
    /// The job of each step that has one, submitted now or found in the queue.
    pub jobs: BTreeMap<usize, String>,
    /// Jobs that were submitted now, and how many steps they are.
    pub new: (Vec<String>, usize),
    /// Steps that were found in the queue.
    pub found: usize,
}

/// Sorts of jobs, which ask for different things.
fn sort(step: &Step) -> usize {
    match step.inputs.kind {
        Kind::Train | Kind::Import => 0,
        Kind::Distill | Kind::Logits => 1,
        Kind::Eval => 2,
    }
}

impl Submitter<'_> {
    fn slurm(&self) -> &Slurm {
        &self.graph.pipeline.slurm
    }

    fn resources(&self, sort: usize) -> &Resources {
        let Slurm { train, distill, eval, .. } = self.slurm();
        [train, distill, eval][sort]
    }

    /// The scripts of these steps, were nothing of them submitted; Slurm is not asked.
    ///
    /// # Errors
    /// [`SlurmError`] if they ask for what cannot be.
    pub fn print(&self, steps: &[usize]) -> Result<Vec<Printed>, SlurmError> {
        let batches =
            array::batches(&self.items(steps, &Queue::default()), self.slurm().array_size);
        let records = Records::new(self.store);
        let logs = records.logs()?.to_string_lossy().into_owned();
        let mut printed = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let time = self.time(batch, None)?;
            let text =
                self.script(batch, &format!("script-{}", number + 1), &logs, time, self.call);
            let id = |batch: usize| format!("JOB{}", batch + 1);
            let dependency = dependency(&batch.edges, id, |batch| batches[batch].is_array());
            printed.push(Printed { text, dependency });
        }
        Ok(printed)
    }

    /// Submits those of these steps, parents first, that are not in the queue. One process does so at a time;
    /// `patient` is asked whether to go on waiting for another, and nothing is done if it says no.
    pub(super) fn submit(
        &self,
        steps: &[usize],
        cluster: &Cluster,
        patient: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Submitted>, SlurmError> {
        let partitions = tools::partitions()?;
        let Some(_lock) = self.store.lock_submission(patient)? else { return Ok(None) };
        let queue = Queue::read(self.store, &cluster.name)?;
        let records = Records::new(self.store);
        queue.stale.iter().for_each(|token| records.forget(token));
        let mut submitted = Submitted::default();
        let mut lacking = Vec::new();
        for &step in steps {
            let key = &self.plan.steps[step].key;
            if let Some(job) = queue.live(key) {
                submitted.jobs.insert(step, job.id.clone());
                submitted.found += 1;
            // What has ended since the plan was made is not in the queue any more, but here.
            } else if self.store.outcome(key)?.is_none() {
                lacking.push(step);
            }
        }
        let most = self.slurm().array_size.min(cluster.max_array.unwrap_or(usize::MAX));
        let batches = array::batches(&self.items(&lacking, &queue), most);
        // What cannot be is said before anything is submitted.
        let times = batches.iter().map(|batch| self.time(batch, Some(&partitions)));
        let times: Vec<Option<TimeLimit>> = times.collect::<Result<_, _>>()?;
        if batches.is_empty() {
            return Ok(Some(submitted));
        }
        let mut call = self.call.clone();
        let copy = records.keep_text(self.text)?.to_string_lossy().into_owned();
        call.words.extend(["--submitted".to_owned(), copy]);
        let logs = records.logs()?.to_string_lossy().into_owned();
        let mut ids: Vec<String> = Vec::new();
        for (batch, time) in batches.iter().zip(times) {
            let token = Records::token();
            let script = self.script(batch, &token, &logs, time, &call);
            let task = |&(index, step): &(usize, usize)| {
                let index = if batch.is_array() { index } else { 0 };
                Task { index, key: self.plan.steps[step].key, node: self.name(step) }
            };
            let tasks = batch.tasks.iter().map(task).collect();
            let record = Record::new(&cluster.name, &self.graph.pipeline.name, tasks);
            let path = records.write(&token, &record, &script)?;
            let id = |batch: usize| ids[batch].clone();
            let dependency = dependency(&batch.edges, id, |batch| batches[batch].is_array());
            let id = tools::submit(&path, dependency.as_deref()).map_err(|error| {
                records.forget(&token);
                let (error, jobs, all) = (Box::new(error), ids.len(), batches.len());
                if jobs == 0 { *error } else { SlurmError::Partly { error, jobs, all } }
            })?;
            for &(index, step) in &batch.tasks {
                let job = if batch.is_array() { format!("{id}_{index}") } else { id.clone() };
                submitted.jobs.insert(step, job);
            }
            submitted.new.0.push(id.clone());
            submitted.new.1 += batch.tasks.len();
            ids.push(id);
        }
        Ok(Some(submitted))
    }

    /// `teacher@20`.
    pub(super) fn name(&self, step: usize) -> String {
        self.graph.name(self.plan.steps[step].tasks[0])
    }

    /// What is to be submitted, and what it waits for: jobs of this submission, or of earlier ones.
    fn items(&self, steps: &[usize], queue: &Queue) -> Vec<Item> {
        let new: BTreeSet<usize> = steps.iter().copied().collect();
        let item = |&index: &usize| {
            let step = &self.plan.steps[index];
            let task = self.graph.tasks[step.tasks[0]];
            let need = |&parent: &usize| {
                let above = &self.plan.steps[parent];
                // What a training leaves on its way is there when that training is.
                let maker = above.left_by.filter(|_| !new.contains(&parent)).unwrap_or(parent);
                match queue.live(&self.plan.steps[maker].key) {
                    _ if maker == index => None,
                    _ if new.contains(&maker) => Some(Need::Step(maker)),
                    Some(job) => Some(Need::Job(job.id.clone())),
                    None => None,
                }
            };
            let needs = step.parents.iter().filter_map(need).collect();
            Item { step: index, sort: sort(step), node: task.node, seed: task.seed, needs }
        };
        steps.iter().map(item).collect()
    }

    /// A batch's time limit. Without the cluster's partitions, its bounds are not known.
    fn time(
        &self,
        batch: &Batch,
        partitions: Option<&[Partition]>,
    ) -> Result<Option<TimeLimit>, SlurmError> {
        let steps = || batch.tasks.iter().map(|&(_, step)| &self.plan.steps[step]);
        let each: Option<Vec<TimeLimit>> = steps().map(|step| estimate(step, self.costs)).collect();
        let longest = each.and_then(|each| each.into_iter().max());
        let (_, first) = batch.tasks[0];
        let resources = self.resources(sort(&self.plan.steps[first]));
        match partitions {
            Some(partitions) => limit(resources, longest, partitions, self.slurm().notice),
            None => Ok(resources.time.or(longest)),
        }
    }

    fn script(
        &self,
        batch: &Batch,
        token: &str,
        logs: &str,
        time: Option<TimeLimit>,
        call: &Call,
    ) -> String {
        let tasks: Vec<(usize, String)> =
            batch.tasks.iter().map(|&(index, step)| (index, self.name(step))).collect();
        let first = &self.plan.steps[batch.tasks[0].1];
        let nodes: BTreeSet<&str> = tasks.iter().map(|(_, name)| node(name)).collect();
        // Of an array of several nodes, what they are.
        let name = match nodes.len() {
            1 => node(&tasks[0].1).to_owned(),
            _ => format!("{} {}s", nodes.len(), first.inputs.kind),
        };
        let name = if batch.is_array() { name } else { tasks[0].1.clone() };
        let script = Script {
            name: &name,
            token,
            logs,
            tasks: &tasks,
            resumes: first.inputs.recipe.is_some() && first.inputs.kind != Kind::Eval,
            resources: self.resources(sort(first)),
            time,
            at_a_time: self.slurm().at_a_time,
            notice: self.slurm().notice,
            call,
        };
        script.text()
    }
}

fn node(task: &str) -> &str {
    task.rsplit_once('@').map_or(task, |(node, _)| node)
}

/// sbatch's `--dependency`.
fn dependency(
    edges: &[Edge],
    id: impl Fn(usize) -> String,
    is_array: impl Fn(usize) -> bool,
) -> Option<String> {
    let (mut ok, mut each) = (String::new(), String::new());
    for edge in edges {
        let _ = match edge {
            Edge::Each(batch) => write!(each, ":{}", id(*batch)),
            Edge::One(batch, index) if is_array(*batch) => write!(ok, ":{}_{index}", id(*batch)),
            Edge::One(batch, _) => write!(ok, ":{}", id(*batch)),
            Edge::Job(job) => write!(ok, ":{job}"),
        };
    }
    let named = [("afterok", ok), ("aftercorr", each)];
    let parts = named.into_iter().filter(|(_, jobs)| !jobs.is_empty());
    let parts: Vec<String> = parts.map(|(kind, jobs)| format!("{kind}{jobs}")).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}
