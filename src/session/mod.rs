//! A pipeline with its cache: open → survey → plan → run → report. What `takd` types, examples, tests,
//! benches and fuzz targets do alike.
//!
//! ```no_run
//! use takd::session::{RunOptions, Selection, Session, Silent};
//!
//! let mut session = Session::open("pipelines/quickstart.toml")?;
//! let outcome = session.run(&Selection::default(), &RunOptions::default(), &Silent)?;
//! println!("trained {}, reused {}", outcome.trained(), outcome.reused());
//! println!("{:?}", session.report()?.tables[0].rows);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod absent;
mod exchange;
mod executor;
mod expected;
mod export;
mod forecast;
mod inspect;
mod latency;
mod model;
mod opening;
mod predict;
mod rounds;
mod run;
mod selection;
mod submit;
mod survey;
mod watcher;
mod why;

pub use absent::absent_data;
pub use executor::{Executor, SlurmJob};
pub use expected::Expected;
pub use export::{Card, Exported};
pub use forecast::Forecast;
pub use model::predict_with;
pub use opening::{Absent, OpenError, Opening};
pub use predict::{Likely, PredictError, Prediction};
pub use run::{RunError, RunOptions, RunOutcome};
pub use selection::Selection;
pub use survey::Survey;
pub use watcher::{Outlook, Silent, Watcher};

use rounds::Source;

use crate::{
    graph::{Graph, SelectError},
    key::{Key, keys},
    node::read_checkpoint,
    pipeline::Pipeline,
    plan::Plan,
    report::{
        Entries, NodeResults, Report,
        render::{Contents, ReportFormat},
    },
    store::{CacheUse, Depth, Store, StoreError, StoredCheckpoint},
};
use std::{collections::HashMap, path::PathBuf};

/// A pipeline with the cache of its results. While it lives, gc leaves the cache alone.
pub struct Session {
    /// What is described.
    pub pipeline: Pipeline,
    /// Where results are.
    pub store: Store,
    /// What its file says, if it was read from one.
    text: Option<String>,
    /// What its searches are decided by, if it has any.
    source: Option<Source>,
    _use: CacheUse,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A NODE that names nothing.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Session {
    /// The pipeline in `file`, its results in `cache/`. [`Opening`] has everything that may differ.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read, or with every error in it.
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Opening::new(file).session(Store::new("cache"))
    }

    /// A resolved pipeline and where its results are. Its searches do not go on: they are decided by
    /// reading the file again.
    pub fn new(pipeline: Pipeline, store: Store) -> Self {
        let _use = store.visit();
        Self { pipeline, store, text: None, source: None, _use }
    }

    /// The pipeline's tasks.
    pub fn graph(&self) -> Graph<'_> {
        Graph::new(&self.pipeline)
    }

    /// What the cache holds; of present entries only the manifest is read.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read.
    pub fn survey(&self) -> Result<Survey, StoreError> {
        Survey::new(&self.graph(), &self.store, Depth::Manifest)
    }

    /// What a run of these nodes would do, as far as its searches are decided.
    ///
    /// # Errors
    /// [`PlanError`] if a node is not there, or the cache cannot be read.
    pub fn plan(&self, selection: &Selection) -> Result<Plan, PlanError> {
        self.plan_of(&self.survey()?, selection)
    }

    /// The same, with what the cache is known to hold.
    ///
    /// # Errors
    /// [`PlanError::Select`] if a node is not there.
    pub fn plan_of(&self, survey: &Survey, selection: &Selection) -> Result<Plan, PlanError> {
        let graph = self.graph();
        let (targets, forced) = self.targets(&graph, selection)?;
        Ok(survey.plan(&graph, &targets, &forced))
    }

    /// The epochs, counted from 1, at which steps of a plan will resume: those that have a checkpoint.
    /// One that is damaged, or another version's, counts as none, as it does in a run.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read.
    pub fn resumes(&self, plan: &Plan) -> Result<HashMap<Key, usize>, StoreError> {
        let mut found = HashMap::new();
        let there = self.store.checkpoint_keys()?;
        for step in plan.running().filter(|step| there.contains(&step.key)) {
            if let StoredCheckpoint::Whole(bytes) = self.store.read_checkpoint(&step.key)?
                && let Ok(checkpoint) = read_checkpoint(&bytes)
            {
                found.insert(step.key, checkpoint.state.history.len() + 1);
            }
        }
        Ok(found)
    }

    /// The tables and figures, from the cache alone.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry counts as missing.
    pub fn report(&self) -> Result<Report, StoreError> {
        let graph = self.graph();
        Report::gather(&graph, &keys(&graph), &mut Entries::new(&self.store))
    }

    /// Every node's results, curves and provenance, from the cache alone.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read.
    pub fn nodes(&self) -> Result<Vec<NodeResults>, StoreError> {
        let graph = self.graph();
        NodeResults::gather(&graph, &keys(&graph), &mut Entries::new(&self.store))
    }

    /// The report in one of [`FORMATS`](crate::report::render::FORMATS), from the cache alone.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read.
    pub fn render(&self, format: &ReportFormat) -> Result<String, StoreError> {
        let graph = self.graph();
        let (keys, mut entries) = (keys(&graph), Entries::new(&self.store));
        let report = Report::gather(&graph, &keys, &mut entries)?;
        let nodes = match format.shows_nodes {
            true => NodeResults::gather(&graph, &keys, &mut entries)?,
            false => Vec::new(),
        };
        Ok(format.render(&Contents { graph: &graph, report: &report, nodes: &nodes }))
    }
}
