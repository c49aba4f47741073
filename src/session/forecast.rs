//! What searches and choices may still cost.

use super::{Session, Survey};
use crate::{
    executor::Profile,
    graph::Graph,
    pipeline::{Method, Search},
    search::TrialState,
};

/// What a search or a choice costs at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// `search fair`, `choice best`.
    pub name: String,
    /// Trainings, each seed its own.
    pub trainings: usize,
    /// Their epochs.
    pub epochs: u64,
    /// Trainings that are decided so far.
    pub decided: usize,
    /// Those of them that are over.
    pub over: usize,
    /// Seconds that the rest takes at most, one after another, by what like trainings took on this host;
    /// nothing while there is none like it.
    pub seconds: Option<f64>,
}

impl Session {
    /// Of each search and each choice.
    pub fn forecasts(&self, survey: &Survey) -> Vec<Forecast> {
        let graph = self.graph();
        let searches =
            self.pipeline.searches.iter().map(|search| of_search(&graph, survey, search));
        let choices = self.pipeline.choices.iter().map(|choice| {
            let [asked, all] = choice.cost;
            let scored = choice.evidence.iter().map(|evidence| evidence.scores.len());
            Forecast {
                name: format!("choice {}", choice.name),
                trainings: all.trainings,
                epochs: all.epochs,
                decided: asked.trainings,
                over: scored.sum::<usize>().min(asked.trainings),
                seconds: None,
            }
        });
        searches.chain(choices).collect()
    }
}

fn of_search(graph: &Graph<'_>, survey: &Survey, search: &Search) -> Forecast {
    let seeds = search.seeds.len();
    let trials = |method: &Method| method.trials.len();
    let over = |method: &Method| {
        method.trials.iter().filter(|trial| trial.state != TrialState::Open).count()
    };
    // A method whose trials are all decided makes no more.
    let most = |method: &Method| {
        let each = method.trials.first().map_or(1, |trial| trial.epochs.max(1));
        let left = (search.budget - method.charged.min(search.budget)) / each;
        match method.is_open {
            true => {
                search.trials.min(usize::try_from(left).unwrap_or(usize::MAX)).max(trials(method))
            }
            false => trials(method),
        }
    };
    let methods = || search.methods.iter();
    let costs = survey.costs_here(graph);
    let left = |method: &Method| {
        let done = method.trials.iter().filter(|trial| trial.state != TrialState::Open);
        let done: u64 = method.charged + done.map(|trial| trial.epochs).sum::<u64>();
        if method.is_open { search.budget.saturating_sub(done) } else { 0 }
    };
    let seconds = methods().map(|method| {
        let left = left(method);
        if left == 0 {
            return Some(0.0);
        }
        let first = &method.trials.first()?.name;
        let node = graph.pipeline.nodes.iter().position(|node| node.name == *first)?;
        let inputs = &survey.keys[graph.of_node(node).start].0;
        let nets = graph.pipeline.learn(node).trained().iter();
        let forward = nets.map(|net| net.multiply_adds() as f64).sum();
        let epochs = inputs.recipe.as_ref()?.epochs as f64;
        let whole = costs.expect(&Profile::new(inputs, forward))?;
        Some(whole / epochs * left as f64)
    });
    Forecast {
        name: format!("search {}", search.name),
        trainings: methods().map(most).sum::<usize>() * seeds,
        epochs: search.budget * search.methods.len() as u64,
        decided: methods().map(trials).sum::<usize>() * seeds,
        over: methods().map(over).sum::<usize>() * seeds,
        seconds: seconds.sum(),
    }
}
