//! Searches, written out as the nodes that they stand for: trials, what scores them, and winners.

use super::super::{
    diagnostic::Diagnostics,
    hyper::RawRecipe,
    tables::{RawLearn, RawPipeline, Role},
    value::{Kind, Name},
};
use super::{
    above::Named,
    context::Context,
    evals::{group, measure, split},
    found::{Method, Search, Trial},
    raw::{Budget, RawSearch},
    space::space,
    start::{base, check, seeds},
    vary::{Base, Varied},
};
use crate::{
    dataset::Split,
    recipe::Select,
    search::{Cost, Course, Failed, Point, Surroundings, Told, TrialState},
};
use std::sync::Arc;

/// What is added to a pipeline.
#[derive(Default)]
struct Added {
    nodes: Vec<RawLearn>,
    recipes: Vec<(Name, Option<RawRecipe>)>,
    scored: Vec<Name>,
    /// Trials that are over and not written out.
    left_out: Vec<String>,
    /// Evals, and with which seeds they are asked for.
    asked: Vec<(String, Vec<u64>)>,
}

/// Writes a search out; `None` where something is wrong with it.
pub(in super::super) fn expand(
    raw: &mut RawPipeline,
    search: &RawSearch,
    context: Context<'_>,
    errors: &mut Diagnostics,
) -> Option<Search> {
    let seeds = seeds(raw, search, context, errors)?;
    let named = Named::new(raw);
    let mut bases = Vec::new();
    for (node, dimensions) in &search.methods {
        bases.push((base(raw, &named, node, errors)?, dimensions));
    }
    let starts: Vec<&RawLearn> = bases.iter().map(|(node, _)| *node).collect();
    let scored_on = split(raw, &named, &starts, &search.score);
    let mut problems = Diagnostics::none();
    for (node, dimensions) in &bases {
        let base = Base { raw, root: context.root, kinds: context.kinds, node, dimensions };
        check(&base, dimensions, &mut problems);
    }
    if !problems.list().is_empty() {
        errors.append(problems);
        return None;
    }
    let epochs = |node: &RawLearn| {
        let recipe = raw.recipe_of(node);
        recipe.map_or(0, |recipe| (recipe.recipe.epochs * seeds.len()) as u64)
    };
    let budget = match search.budget {
        Budget::Epochs(epochs) => epochs,
        Budget::Trials(trials) => {
            trials as u64 * bases.iter().map(|(node, _)| epochs(node)).max().unwrap_or(0)
        }
    };
    let most = match search.budget {
        Budget::Trials(trials) => trials,
        Budget::Epochs(_) => usize::MAX,
    };
    let (mut methods, mut added) = (Vec::new(), Added::default());
    let reuses_images = bases.iter().any(|(node, _)| {
        let select = raw.recipe_of(node).is_none_or(|recipe| {
            recipe.select.is_none() || recipe.recipe.select == Select::BestValidation
        });
        select && scored_on == Split::Validation
    });
    for (node, dimensions) in bases {
        let above = named.above(node);
        let assistants: Vec<&RawLearn> =
            above.into_iter().filter(|node| node.teacher.is_some()).collect();
        let beside: u64 = assistants.iter().map(|node| epochs(node)).sum();
        let base = Base { raw, root: context.root, kinds: context.kinds, node, dimensions };
        let charged = if search.assistants { 0 } else { beside };
        let course = Course {
            space: space(dimensions),
            sampler: search.sampler.clone(),
            seed: search.sampler_seed,
            trials: most,
            budget,
            charged,
            batch: search.batch,
            rungs: search.rungs.clone(),
            stop: search.stop,
        };
        let around = Around {
            search,
            base: &base,
            seeds: &seeds,
            beside: beside - charged,
            split: scored_on,
            told: context.told,
            open_only: context.open_only,
        };
        let method = around.method(&course, charged, &assistants, &mut added)?;
        if method.trials.is_empty() {
            let message = format!(
                "the budget of {budget} epochs is less than one trial of `{}` takes",
                method.node
            );
            let help = match charged {
                0 => "raise `trials` or `epochs`".to_owned(),
                _ => {
                    format!("its assistants alone train for {charged}: raise `trials` or `epochs`")
                }
            };
            errors.push_help(&node.name.span, message, help);
            return None;
        }
        methods.push(method);
    }
    add(raw, search, added, (context.told, scored_on));
    Some(Search {
        name: search.name.text.clone(),
        metric: search.score.metric,
        split: scored_on,
        reuses_images,
        seeds,
        sampler: search.sampler_name,
        trials: most,
        budget,
        rungs: search.rungs.clone(),
        methods,
    })
}

fn add(raw: &mut RawPipeline, search: &RawSearch, added: Added, (told, split): (&Told, Split)) {
    let Added { nodes, recipes, scored, left_out, asked } = added;
    raw.pending.extend(left_out);
    for (eval, seeds) in asked {
        raw.ask(eval, seeds, search.score.metric, told);
    }
    for (node, _) in &search.methods {
        raw.start_from(&node.text);
    }
    raw.learns.extend(nodes);
    raw.recipes.extend(recipes);
    measure(raw, scored, &search.score, split);
}

/// What one method's trials are made in.
struct Around<'a> {
    search: &'a RawSearch,
    base: &'a Base<'a>,
    seeds: &'a [u64],
    /// Epochs of the assistants that each trial trains.
    beside: u64,
    split: Split,
    told: &'a Told,
    open_only: bool,
}

impl Around<'_> {
    fn winner(&self) -> String {
        format!("{}/{}", self.search.name.text, self.base.node.name.text)
    }

    fn trial(&self, trial: usize) -> String {
        format!("{}/{trial}", self.winner())
    }

    /// The node whose measurement is a trial's score at a level.
    fn scored(&self, trial: usize, level: usize) -> String {
        match self.search.rungs.get(level) {
            Some(rung) => format!("{}@{rung}", self.trial(trial)),
            None => self.trial(trial),
        }
    }

    fn eval(&self, trial: usize, level: usize) -> String {
        format!("{}/{}", group(self.split), self.scored(trial, level))
    }

    fn sign(&self) -> f64 {
        self.search.score.metric.better.sign()
    }

    fn method(
        &self,
        course: &Course,
        charged: u64,
        assistants: &[&RawLearn],
        added: &mut Added,
    ) -> Option<Method> {
        let standing = course.standing(self);
        let mut trials = Vec::with_capacity(standing.trials.len());
        for (index, trial) in standing.trials.iter().enumerate() {
            let evals: Vec<String> =
                (0..trial.levels).map(|level| self.eval(index, level)).collect();
            if self.open_only && trial.state != TrialState::Open {
                added.left_out.push(self.trial(index));
            } else {
                let own = (Some(Arc::from(self.seeds)), Role::Trial);
                self.add(&trial.point, &self.trial(index), own, assistants, added)?;
                let span = || self.search.name.span.clone();
                let scored = (0..trial.levels).map(|level| self.scored(index, level));
                added.scored.extend(scored.map(|text| Name { text, span: span() }));
            }
            if let Some(eval) = evals.last().filter(|_| trial.state == TrialState::Open) {
                let own = self.seed_at(&trial.point);
                added
                    .asked
                    .push((eval.clone(), own.map_or(self.seeds.to_vec(), |seed| vec![seed])));
            }
            let values = self.base.dimensions.iter().zip(&trial.point);
            let values = values
                .map(|(dimension, at)| dimension.value(at).map(|v| super::put::written(&v)))
                .collect();
            let scores = trial.scores.iter().map(|score| score * self.sign()).collect();
            let (name, point, state) = (self.trial(index), trial.point.clone(), trial.state);
            trials.push(Trial { name, values, point, evals, state, scores, epochs: trial.epochs });
        }
        let best = standing.best.filter(|_| !standing.is_open);
        if let Some(best) = best {
            let point = &standing.trials[best].point;
            self.add(point, &self.winner(), (None, Role::Plain), assistants, added)?;
        }
        Some(Method {
            node: self.base.node.name.text.clone(),
            winner: self.winner(),
            fields: self.base.dimensions.iter().map(|d| d.field.text.clone()).collect(),
            space: course.space.clone(),
            trials,
            best,
            is_open: standing.is_open,
            epochs: standing.epochs,
            charged,
        })
    }

    /// The node at a point, and where they vary with it, its assistants.
    fn add(
        &self,
        point: &Point,
        name: &str,
        (seeds, role): (Option<Arc<[u64]>>, Role),
        assistants: &[&RawLearn],
        added: &mut Added,
    ) -> Option<()> {
        let own = if self.search.assistants { assistants } else { &[] };
        let own_name = |node: &RawLearn| format!("{name}/{}", node.name.text);
        for node in own.iter().copied().chain([self.base.node]) {
            let is_student = node.name.text == self.base.node.name.text;
            let text = if is_student { name.to_owned() } else { own_name(node) };
            let base = Base { node, ..*self.base };
            // Whether it can be read with these values has been tried.
            let Varied { mut node, recipe } = base.at(point, &text, &mut Diagnostics::none())?;
            for teacher in node.teacher.iter_mut().flat_map(|teacher| &mut teacher.names) {
                if let Some(varied) = own.iter().find(|node| node.name.text == teacher.text) {
                    teacher.text = own_name(varied);
                }
            }
            if node.seeds.is_none() {
                node.seeds = seeds.clone();
            }
            node.role = role;
            added.recipes.extend(recipe);
            added.nodes.push(node);
        }
        Some(())
    }
}

impl Surroundings for Around<'_> {
    fn epochs(&self, point: &Point) -> Cost {
        let seeds = if self.searches_seeds() { 1 } else { self.seeds.len() };
        Cost { epochs: self.base.epochs(point), seeds, beside: self.beside }
    }

    fn point(&self, trial: usize, draw: &dyn Fn() -> Option<Point>) -> Option<Point> {
        self.told.point(&self.winner(), trial, draw)
    }

    fn score(&self, trial: usize, level: usize, point: &Point) -> Option<Result<f64, Failed>> {
        let eval = self.eval(trial, level);
        let own = self.seed_at(point);
        let seeds = own.as_ref().map_or(self.seeds, std::slice::from_ref);
        self.told.mean(&eval, seeds).map(|score| score.map(|score| score * self.sign()))
    }
}

impl Around<'_> {
    fn searches_seeds(&self) -> bool {
        self.base.dimensions.iter().any(|dimension| dimension.path == ["seed"])
    }

    /// The seed at a point, where seeds are searched.
    fn seed_at(&self, point: &Point) -> Option<u64> {
        let mut all = self.base.dimensions.iter().zip(point);
        let (dimension, at) = all.find(|(dimension, _)| dimension.path == ["seed"])?;
        match dimension.value(at)?.kind {
            Kind::Integer(seed) => u64::try_from(seed).ok(),
            _ => None,
        }
    }
}
