//! Where `takd run` runs its nodes: here, or as jobs of a cluster.

use super::Args;
use crate::{
    console::{exit::Problem, print},
    node::Choice,
    session::{Executor, Selection, Session, SlurmJob},
    slurm::{Call, Printed},
    store::Store,
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct ClusterArgs {
    /// Where nodes run: in this process, or as jobs of a Slurm cluster
    #[arg(long, value_enum, default_value = "local", value_name = "WHERE")]
    executor: Where,
    /// With --executor slurm: submit the jobs and return
    #[arg(long)]
    pub detach: bool,
    /// With --executor slurm: print the batch scripts and submit nothing
    #[arg(long)]
    print: bool,
    /// The pipeline's text as it was when this job was submitted
    #[arg(long, hide = true, value_name = "FILE")]
    pub submitted: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Where {
    /// In this process
    Local,
    /// As jobs of a Slurm cluster; docs/clusters.md explains it
    Slurm,
}

impl ClusterArgs {
    /// Where nodes run.
    pub fn executor(&self, args: &Args, store: &Store) -> Result<Executor, Problem> {
        match self.executor {
            Where::Local if self.detach || self.print => {
                Err(Problem::Usage("`--detach` and `--print` belong to `--executor slurm`"))
            }
            Where::Local => Ok(Executor::Local),
            Where::Slurm if args.jobs.0.is_some() => Err(Problem::Usage(
                "`--jobs` is for nodes that run here; `at_a_time` in [executor.slurm] bounds a cluster's jobs",
            )),
            Where::Slurm if !args.force.is_empty() => Err(Problem::Usage(
                "`--force` is for nodes that run here; `takd cache rm` removes what jobs should make again",
            )),
            Where::Slurm if args.watch => {
                Err(Problem::Usage("`--watch` is for nodes that run here"))
            }
            Where::Slurm => {
                Ok(Executor::Slurm(SlurmJob { call: call(args, store)?, detach: self.detach }))
            }
        }
    }

    /// Prints the scripts, if that is all that is asked for; whether it was.
    pub fn printed(
        &self,
        session: &Session,
        selection: &Selection,
        executor: &Executor,
    ) -> Result<bool, Problem> {
        let (true, Executor::Slurm(job)) = (self.print, executor) else { return Ok(false) };
        let scripts = session.scripts(selection, &job.call)?;
        let count = scripts.len();
        let script = |(number, Printed { text, dependency }): (usize, Printed)| {
            let dependency = dependency
                .map(|dependency| format!(" --dependency={dependency} --kill-on-invalid-dep=yes"));
            let dependency = dependency.unwrap_or_default();
            format!("# JOB{} of {count}: sbatch{dependency}\n{text}\n", number + 1)
        };
        print(&scripts.into_iter().enumerate().map(script).collect::<String>())?;
        Ok(true)
    }
}

/// The call of a job: this one's, for one node, on the node that Slurm gives it.
fn call(args: &Args, store: &Store) -> Result<Call, Problem> {
    let here = PathBuf::from(".");
    let unknown = |path: PathBuf| move |error| Problem::Read { path, error };
    let folder = std::env::current_dir().map_err(unknown(here))?;
    let takd = std::env::current_exe().map_err(unknown(PathBuf::from("takd")))?;
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let mut words = args.pipeline.words();
    words.extend(["--cache".to_owned(), text(store.root())]);
    if args.device != Choice::Auto.into() {
        words.extend(["--device".to_owned(), args.device.to_string()]);
    }
    if args.burn_ops {
        words.push("--burn-ops".to_owned());
    }
    words.extend(["--checkpoint-every".to_owned(), args.checkpoint_every.to_string()]);
    Ok(Call { takd: text(&takd), folder: text(&folder), file: text(args.pipeline.path()), words })
}
