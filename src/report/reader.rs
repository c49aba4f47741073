//! Reads results out of the cache.

use super::{Entries, MeasuredRow, SeedResult, Takes, decisions::SearchResults, rows::Searched};
use crate::{
    footprint::Footprint,
    graph::Graph,
    key::{Key, KeyInputs, NetInputs},
    metric::Answers,
    pipeline::{Measured, Search, Work},
    processor,
    store::{Lookup, Maker, Outcome, StoreError},
};

/// Reads what came out of a pipeline's tasks.
pub(super) struct Reader<'a, 'e> {
    pub graph: &'a Graph<'a>,
    pub keys: &'a [(KeyInputs, Key)],
    pub entries: &'a mut Entries<'e>,
}

impl Reader<'_, '_> {
    /// What the pipeline's quoted values are.
    pub fn paper_note(&self) -> Option<String> {
        self.graph.pipeline.paper_note.clone()
    }

    /// A network and its results, and `asked` of what it takes of a device.
    pub fn row_with(
        &mut self,
        ours: Measured,
        asked: impl IntoIterator<Item = Footprint>,
    ) -> Result<MeasuredRow, StoreError> {
        let mut row = self.row(ours)?;
        let net = &self.graph.pipeline.learn(ours.node).net;
        for what in asked {
            match what {
                Footprint::Parameters | Footprint::MultiplyAdds => {}
                Footprint::Size => row.takes.size = Some(net.size()),
                Footprint::SizeInt8 => row.takes.size_int8 = net.size_int8(),
                Footprint::Latency => {
                    let store = self.entries.store();
                    row.takes.latency = store.latency(&NetInputs::from(net), processor::model())?;
                }
            }
        }
        Ok(row)
    }

    /// Adds to a row which class was taken for which.
    pub fn count_answers(&mut self, row: &mut MeasuredRow) -> Result<(), StoreError> {
        for seed in &mut row.seeds {
            let Lookup::Whole(entry) = self.entries.find(&seed.eval_key)? else { continue };
            // Entries of early versions have no such file; a damaged one counts as none.
            let file = entry.manifest.files.contains_key(Answers::FILE);
            let bytes = file.then(|| entry.read(Answers::FILE).ok()).flatten();
            seed.answers = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if let Some(answers) = &seed.answers {
                row.answers.get_or_insert_default().add(answers);
            }
        }
        Ok(())
    }

    /// Seeds of the pipeline.
    pub fn seeds(&self) -> usize {
        self.graph.pipeline.seeds.len()
    }

    fn outcome(&mut self, key: &Key) -> Result<Option<&Outcome>, StoreError> {
        Ok(match self.entries.find(key)? {
            Lookup::Whole(entry) => Some(&entry.manifest.outcome),
            Lookup::Missing | Lookup::Damaged(_) | Lookup::OtherVersion(_) => None,
        })
    }

    /// Whether the last process that made a task, or something that it needs, has given up.
    fn failed(&mut self, task: usize) -> Result<bool, StoreError> {
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            let key = self.keys[task].1;
            if matches!(self.entries.find(&key)?, Lookup::Whole(_)) {
                continue;
            }
            if let Some((_, Maker::Failed)) = self.entries.store().progress(&key)? {
                return Ok(true);
            }
            open.extend(self.graph.dag.parents(task));
        }
        Ok(false)
    }

    /// A network and its results.
    pub fn row(&mut self, ours: Measured) -> Result<MeasuredRow, StoreError> {
        let graph = self.graph;
        let learn = graph.pipeline.learn(ours.node);
        let mut seeds = Vec::with_capacity(self.seeds());
        for (trained, measured) in graph.of_node(ours.node).zip(graph.of_node(ours.eval)) {
            let (key, eval_key) = (self.keys[trained].1, self.keys[measured].1);
            let (seconds, selected_epoch) = match self.outcome(&key)? {
                Some(Outcome::Network { seconds, selected_epoch, .. }) => {
                    (Some(*seconds), *selected_epoch)
                }
                _ => (None, None),
            };
            let metrics = match self.outcome(&eval_key)? {
                Some(Outcome::Metrics { metrics, .. }) => Some(metrics.clone()),
                _ => None,
            };
            let failed = metrics.is_none() && self.failed(measured)?;
            let seed = graph.tasks[trained].seed;
            seeds.push(SeedResult {
                seed,
                key,
                eval_key,
                metrics,
                seconds,
                selected_epoch,
                answers: None,
                failed,
            });
        }
        let (nodes, children) = (&graph.pipeline.nodes, graph.pipeline.dag.children(ours.node));
        Ok(MeasuredRow {
            node: nodes[ours.node].name.clone(),
            net: learn.net_name.clone(),
            parameters: learn.net.parameters(),
            multiply_adds: learn.net.multiply_adds(),
            takes: Takes::default(),
            classes: learn.net.classes(),
            teaches: children.iter().any(|&child| matches!(nodes[child].work, Work::Learn(_))),
            steps: learn.steps(),
            objective: learn.teacher().map(|teacher| teacher.objective.chosen().kind.clone()),
            select: learn.recipe().map(|recipe| recipe.select),
            searched: searched(&graph.pipeline.searches, &nodes[ours.node].name),
            answers: None,
            seeds,
        })
    }
}

/// How the winner of a search was found, if the node `name` is one.
fn searched(searches: &[Search], name: &str) -> Option<Searched> {
    let search = searches.iter().find(|search| search.method(name).is_some())?;
    let counts = search.methods.iter().map(|method| method.trials.len());
    let (least, most) = (counts.clone().min()?, counts.max()?);
    let trials = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let by = SearchResults::of(search).by();
    let (name, budget) = (&search.name, search.budget);
    let how = format!("{name}: the best of {trials} trials ({budget} epochs a method) {by}");
    let as_published = search.is_as_published();
    let again = if as_published { "" } else { ", and trained again" };
    Some(Searched { how: how + again, as_published })
}
