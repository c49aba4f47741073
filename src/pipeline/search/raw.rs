//! Reading `[search.NAME]`.

use super::{
    super::{
        diagnostic::{Diagnostics, Span},
        fields::Fields,
        seeds::seeds,
        value::{Kind, Name, Table},
    },
    space::{self, RawDimension},
};
use crate::{
    dataset::Split,
    metric::{Better, METRICS, Metric, Setting},
    search::{Sampler, Stop, Tpe},
};

/// Trials drawn at once, where each looks at those before it.
const BATCH: u64 = 4;

/// Most trials of one method.
const MOST: u64 = 10_000;

/// Most epochs of a budget.
const MOST_EPOCHS: u64 = 1_000_000_000;

/// A search as it is written.
pub(in super::super) struct RawSearch {
    pub name: Name,
    /// The node that each method starts from, and what varies of it.
    pub methods: Vec<(Name, Vec<RawDimension>)>,
    pub sampler: Sampler,
    /// As it is written.
    pub sampler_name: &'static str,
    pub sampler_seed: u64,
    pub budget: Budget,
    pub batch: usize,
    /// Where it is not said: one that the pipeline does not have.
    pub seeds: Option<(Vec<u64>, Span)>,
    pub score: RawScore,
    pub rungs: Vec<usize>,
    pub stop: Stop,
    /// Whether the assistants on the way vary with their student.
    pub assistants: bool,
}

/// What every method may spend.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Budget {
    /// So many trials, were nothing trained beside them.
    Trials(usize),
    /// So many epochs.
    Epochs(u64),
}

/// What decides which of several networks is best.
pub(in super::super) struct RawScore {
    pub metric: &'static Metric,
    /// Where it is not said: what is held out to score by, or else for validation.
    pub split: Option<Split>,
    pub split_span: Span,
}

/// `metric = "top1"`, `split = "validation"`.
pub(in super::super) fn score(fields: &mut Fields<'_, '_>, own: &Span) -> RawScore {
    // What every measurement has, and what says which of two networks is better.
    let (classes, temperature, fit) = (10, 1.0, None);
    let [has_teacher, softness, has_scratch, has_int8] = [false; 4];
    let usual = Setting { classes, temperature, has_teacher, softness, has_scratch, has_int8, fit };
    let judges = METRICS
        .iter()
        .filter(|metric| metric.better != Better::Neither && (metric.measure)(usual).is_some());
    let words: Vec<(&'static str, &'static Metric)> = judges.map(|m| (m.name, *m)).collect();
    let metric = fields.take("metric").and_then(|value| fields.word(value, &words));
    let split_value = fields.take("split");
    let split = split_value.and_then(|value| fields.word(value, &Split::WORDS));
    RawScore {
        metric: metric.unwrap_or(METRICS[0]),
        split,
        split_span: split_value.map_or(own, |value| &value.span).clone(),
    }
}

pub(in super::super) fn read(
    name: &Name,
    table: &Table,
    errors: &mut Diagnostics,
) -> Option<RawSearch> {
    let mut fields = Fields::new(table, &name.span, format!("search.{}", name.text), errors);
    let methods = methods(name, &mut fields);
    let words = [
        ("tpe", Sampler::Tpe(Tpe::optuna())),
        ("tpe-nni", Sampler::Tpe(Tpe::nni())),
        ("sobol", Sampler::Sobol),
        ("random", Sampler::Random),
        ("grid", Sampler::Grid),
    ];
    let sampler_value = fields.take("sampler");
    let places: Vec<(&'static str, usize)> = words.iter().map(|(word, _)| *word).zip(0..).collect();
    let place = match sampler_value {
        None => Some(0),
        Some(value) => fields.word(value, &places),
    };
    let startup_value = fields.take("startup");
    let startup = startup_value.and_then(|value| fields.whole(value, 1, MOST));
    let sampler_seed = fields.take("sampler_seed");
    let sampler_seed = sampler_seed.and_then(|v| fields.whole(v, 0, i64::MAX as u64)).unwrap_or(0);
    let budget = budget(name, &mut fields);
    let batch_value = fields.take("batch");
    let batch = batch_value.and_then(|value| fields.whole(value, 1, MOST));
    let seeds = seeds(&mut fields);
    let score = score(&mut fields, &name.span);
    let rungs_value = fields.take("rungs");
    let rungs = rungs_value.map(|value| {
        let items = fields.array(value, "epochs");
        let rungs: Vec<usize> = items
            .iter()
            .filter_map(|item| fields.whole(item, 1, 1_000_000).map(|epoch| epoch as usize))
            .collect();
        if rungs.windows(2).any(|pair| pair[0] >= pair[1]) {
            fields.errors.push(&value.span, "expected epochs that ascend");
        }
        rungs
    });
    let rungs = rungs.unwrap_or_default();
    let stop_value = fields.take("stop");
    let stop = match stop_value {
        None => Some(Stop::Halving(0.5)),
        Some(value) => stop(value, &mut fields),
    };
    if let Some(value) = stop_value.filter(|_| rungs.is_empty()) {
        let help = "rungs = [10, 20] compares trials after 10 and after 20 epochs";
        fields.errors.push_help(&value.span, "`stop` needs `rungs`", help);
    }
    let assistants = fields.take("assistants");
    let assistants = assistants.and_then(|value| fields.flag(value)).unwrap_or_default();
    let (sampler_name, mut sampler) = words[place.unwrap_or(0)].clone();
    match (&mut sampler, startup, startup_value) {
        (Sampler::Tpe(tpe), Some(startup), _) => tpe.startup = startup as usize,
        (Sampler::Sobol | Sampler::Random | Sampler::Grid, _, Some(value)) => {
            let message =
                format!("`startup` belongs to \"tpe\": \"{sampler_name}\" learns nothing");
            fields.errors.push(&value.span, message);
        }
        _ => {}
    }
    let grid = matches!(sampler, Sampler::Grid);
    for (_, dimensions) in methods.iter().flatten().filter(|_| grid) {
        for endless in dimensions.iter().filter(|d| d.dimension.domain.grid().is_none()) {
            let help = "give it a `step`, or list its values";
            let message = format!("a grid cannot cover the numbers of `{}`", endless.field.text);
            fields.errors.push_help(&endless.field.span, message, help);
        }
    }
    // What learns from its own results draws few at once; the others have no reason to wait.
    let waits = matches!(sampler, Sampler::Tpe(_));
    let batch = batch.unwrap_or(if waits { BATCH } else { MOST }) as usize;
    fields.finish();
    let (name, methods) = (name.clone(), methods?);
    Some(RawSearch {
        name,
        methods,
        sampler,
        sampler_name,
        sampler_seed,
        budget: budget?,
        batch,
        seeds,
        score,
        rungs,
        stop: stop?,
        assistants,
    })
}

/// `trials = 40`, or `epochs = 2400`.
fn budget(name: &Name, fields: &mut Fields<'_, '_>) -> Option<Budget> {
    let (trials, epochs) = (fields.take("trials"), fields.take("epochs"));
    match (trials, epochs) {
        (Some(_), Some(epochs)) => {
            fields.errors.push(&epochs.span, "`trials` and `epochs` exclude one another");
            None
        }
        (Some(value), None) => {
            fields.whole(value, 1, MOST).map(|trials| Budget::Trials(trials as usize))
        }
        (None, Some(value)) => fields.whole(value, 1, MOST_EPOCHS).map(Budget::Epochs),
        (None, None) => {
            let message = format!("`search.{}` needs `trials` or `epochs`", name.text);
            let help = "what each method may spend: trials = 40";
            fields.errors.push_help(&name.span, message, help);
            None
        }
    }
}

fn methods(name: &Name, fields: &mut Fields<'_, '_>) -> Option<Vec<(Name, Vec<RawDimension>)>> {
    let value = fields.require("space")?;
    let Kind::Table(Table(entries)) = &value.kind else {
        fields.wrong_type(value, "a table for each node: [search.NAME.space.NODE]");
        return None;
    };
    if entries.is_empty() {
        let help = "[search.NAME.space.NODE] says what varies of a node";
        let message = format!("`search.{}` searches nothing", name.text);
        fields.errors.push_help(&value.span, message, help);
    }
    let mut methods = Vec::new();
    for (node, value) in entries {
        let Kind::Table(table) = &value.kind else {
            fields.wrong_type(value, "a table of fields");
            continue;
        };
        let mut dimensions = Vec::new();
        space::read(table, &[], fields, &mut dimensions);
        if table.0.is_empty() {
            let help = "objective.kd.temperature = [1, 2, 5]";
            let message = format!("nothing varies of `{}`", node.text);
            fields.errors.push_help(&node.span, message, help);
        }
        methods.push((node.clone(), dimensions));
    }
    Some(methods)
}

/// `{ halving = { keep = 0.5 } }`, `{ median = { at_least = 4 } }`, `{ patience = { rungs = 2 } }`.
fn stop(value: &super::super::value::Value, fields: &mut Fields<'_, '_>) -> Option<Stop> {
    let (word, table, span) = fields.choice(value, &["halving", "median", "patience"])?;
    let mut inner = Fields::new(table, span, word, fields.errors);
    let stop = match word {
        "halving" => {
            let keep = inner.take("keep");
            let share = |value| inner.number(value, "a share in (0, 1)", |s| s > 0.0 && s < 1.0);
            Some(Stop::Halving(keep.map_or(Some(0.5), share)?))
        }
        "median" => {
            let least = inner.take("at_least");
            let least = least.map_or(Some(4), |value| inner.whole(value, 1, MOST))?;
            Some(Stop::Median(least as usize))
        }
        _ => {
            let rungs = inner.take("rungs");
            let rungs = rungs.map_or(Some(1), |value| inner.whole(value, 1, MOST))?;
            Some(Stop::Patience(rungs as usize))
        }
    };
    inner.finish();
    stop
}
