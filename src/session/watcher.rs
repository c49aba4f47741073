//! Who hears of a run.

use crate::{
    executor::{Costs, Event, Observer},
    graph::Graph,
    plan::Plan,
};

/// What is known when the first step of a run is about to begin.
pub struct Outlook<'a> {
    /// What the steps mean.
    pub graph: &'a Graph<'a>,
    /// What runs.
    pub plan: &'a Plan,
    /// Most steps at a time.
    pub jobs: usize,
    /// What steps like these have cost on the same device.
    pub costs: &'a Costs,
}

/// Hears of a run as it happens. Every method has a default, which is silent.
pub trait Watcher {
    /// The plan stands. Nothing runs yet.
    fn planned(&self, _graph: &Graph<'_>, _plan: &Plan) {}

    /// A sentence that belongs to no step.
    fn note(&self, _text: &str) {}

    /// So many images of a data set are about to be decoded; the result is called once for each, from
    /// several threads, and dropped at the end.
    fn decoding<'a>(&'a self, _data: &str, _images: usize) -> Box<dyn Fn() + Sync + 'a> {
        Box::new(|| {})
    }

    /// Steps are about to run: who hears of each. Dropped when all have ended.
    fn begin<'a>(&'a self, _outlook: &Outlook<'_>) -> Box<dyn Observer + 'a> {
        Box::new(Silent)
    }

    /// All steps have ended.
    fn end(&self) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watcher for Silent {}

impl Observer for Silent {
    fn event(&self, _event: &Event) {}
}
