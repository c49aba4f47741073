//! Choices, written out as what measures their candidates.

use super::{
    super::{
        diagnostic::Diagnostics,
        names::is_glob,
        search::{Context, Named, group, measure, split},
        tables::{RawLearn, RawPipeline},
        value::Name,
    },
    ask::Ask,
    found::{Choose, Cost, Verdict},
    raw::{Limit, RawChoose, Rule},
    rules::Candidates,
};
use std::collections::HashSet;

/// Names of the candidates: those that are named, and of what globs match the students that teach nobody.
pub(in super::super) fn meant(raw: &RawPipeline, choose: &RawChoose) -> Vec<String> {
    let teachers: HashSet<&str> = raw
        .learns
        .iter()
        .flat_map(|node| node.teacher.iter().flat_map(|teacher| &teacher.names))
        .map(|name| &*name.text)
        .collect();
    let mut found: Vec<String> = Vec::new();
    for name in &choose.from {
        let pattern = glob::Pattern::new(&name.text).ok();
        let is_glob = is_glob(&name.text);
        let matching = raw.learns.iter().filter(|node| match &pattern {
            Some(pattern) if is_glob => {
                pattern.matches(&node.name.text) && !teachers.contains(&*node.name.text)
            }
            _ => node.name.text == name.text,
        });
        for node in matching {
            if !found.contains(&node.name.text) {
                found.push(node.name.text.clone());
            }
        }
    }
    found
}

/// Writes a choice out; `None` where something is wrong with it.
pub(in super::super) fn expand(
    raw: &mut RawPipeline,
    choose: &RawChoose,
    context: Context<'_>,
    errors: &mut Diagnostics,
) -> Option<Choose> {
    let seeds = seeds(raw, choose, context, errors)?;
    let names = meant(raw, choose);
    let named = Named::new(raw);
    let nodes: Vec<&RawLearn> = names.iter().filter_map(|name| named.get(name)).collect();
    check(raw, choose, &named, &nodes, errors)?;
    let split = split(raw, &named, &nodes, &choose.score);
    let group = &*group(split);
    let (told, better) = (context.told, choose.score.metric.better);
    let ask = Ask { told, group, better, seeds: &seeds, asked: Default::default() };
    let candidates = Candidates { named: &named, nodes: nodes.clone() };
    let rule = |ask: &Ask<'_>| match &choose.rule {
        Rule::Mean(student) => candidates.mean_rule(&student.text, ask),
        Rule::BestStudent => candidates.best_student(ask),
        Rule::Dp => candidates.dp(ask),
        Rule::Halving(first) => {
            let epochs = |node: &&RawLearn| raw.recipe_of(node).map_or(0, |r| r.recipe.epochs);
            let epochs = nodes.iter().map(epochs).min().unwrap_or(0);
            candidates.halving(first.unwrap_or(epochs.div_ceil(8).max(1)), epochs, ask)
        }
        Rule::Budget(Limit::Seconds(limit)) => candidates.within_seconds(*limit, ask),
        Rule::Budget(Limit::Footprint(what, limit)) => {
            let small = |node: &&&RawLearn| (context.footprint)(node, *what) <= *limit;
            let fits: Vec<&str> = nodes.iter().filter(small).map(|n| &*n.name.text).collect();
            candidates.of(&fits, ask)
        }
    };
    let (chosen, verdict) = rule(&ask).unwrap_or((None, Verdict::Open));
    // By each seed alone, as far as what is known suffices.
    let by_seed = seeds.iter().map(|&seed| {
        let seeds = &[seed];
        let alone = Ask { told, group, better, seeds, asked: Default::default() };
        (seed, rule(&alone).and_then(|(chosen, _)| chosen))
    });
    let by_seed = by_seed.collect();
    let assumption = candidates.dp_assumption(&ask);
    let is_without_assistant = chosen
        .as_ref()
        .is_some_and(|chosen| named.get(chosen).is_some_and(|node| named.path(node).len() < 2));
    let evidence = ask.evidence();
    let spent = evidence.iter().map(|e| {
        let (node, until) = match e.node.rsplit_once('@') {
            Some((node, epoch)) => (node, epoch.parse().ok()),
            None => (&*e.node, None),
        };
        let asked = ask.asked.borrow();
        let count = asked.iter().find(|a| a.node == e.node).map_or(0, |asked| asked.seeds.len());
        (node.to_owned(), until, count)
    });
    let spent: Vec<_> = spent.collect();
    let all: Vec<_> = names.iter().map(|name| (name.clone(), None, seeds.len())).collect();
    let cost = [cost(raw, &named, &spent), cost(raw, &named, &all)];
    let of = evidence
        .iter()
        .map(|evidence| Name { text: evidence.node.clone(), span: choose.name.span.clone() });
    let of: Vec<Name> = of.collect();
    let asks = ask.asked.into_inner();
    let assistants = nodes.iter().flat_map(|node| named.assistants(node));
    let assistants: Vec<String> = assistants.map(|node| node.name.text.clone()).collect();
    names.iter().chain(&assistants).for_each(|name| raw.start_from(name));
    for asked in asks {
        let eval = format!("{group}/{}", asked.node);
        raw.ask(eval, asked.seeds, choose.score.metric, context.told);
    }
    measure(raw, of, &choose.score, split);
    Some(Choose {
        name: choose.name.text.clone(),
        rule: choose.rule.name(),
        metric: choose.score.metric,
        split,
        candidates: names,
        evidence,
        chosen,
        is_without_assistant,
        verdict,
        by_seed,
        assumption,
        cost,
    })
}

fn seeds(
    raw: &RawPipeline,
    choose: &RawChoose,
    context: Context<'_>,
    errors: &mut Diagnostics,
) -> Option<Vec<u64>> {
    context.may_score(&choose.score, "a choice", errors)?;
    let Some((seeds, span)) = &choose.seeds else { return Some(raw.seeds.clone()) };
    if let Some(seed) = seeds.iter().find(|seed| !raw.seeds.contains(seed)) {
        let message = format!("seed {seed} is none of the pipeline's");
        errors.push(span, message);
        return None;
    }
    Some(seeds.clone())
}

fn check(
    raw: &RawPipeline,
    choose: &RawChoose,
    named: &Named<'_>,
    nodes: &[&RawLearn],
    errors: &mut Diagnostics,
) -> Option<()> {
    let before = errors.list().len();
    let known = |name: &&Name| named.get(&name.text).is_some();
    let student = choose.student();
    let given = choose.from.iter().filter(|name| !is_glob(&name.text)).chain(student);
    given.filter(|name| !known(name)).for_each(|name| raw.report_unknown(name, errors));
    if student.is_some() {
        for node in nodes.iter().filter(|node| named.path(node).len() > 2) {
            let message = format!("`{}` has more than one assistant", node.name.text);
            let help = "the mean rule chooses one: name the students of single assistants";
            errors.push_help(&choose.from[0].span, message, help);
        }
    }
    if nodes.is_empty() && raw.broken.is_empty() && raw.pending.is_empty() {
        let help = "of what a glob matches those count that teach nobody";
        errors.push_help(&choose.from[0].span, "there is no candidate to choose from", help);
    }
    let by_size = matches!(choose.rule, Rule::Budget(_));
    if let Some(other) = nodes.iter().find(|node| !by_size && node.net.text != nodes[0].net.text) {
        let (first, net) = (&nodes[0].name.text, &nodes[0].net.text);
        let message = format!(
            "candidates are one student with several teachers: `{first}` trains `{net}`, `{}` trains `{}`",
            other.name.text, other.net.text
        );
        errors.push(&choose.from[0].span, message);
    }
    for node in nodes.iter().filter(|node| node.weights.is_some() || node.peers.is_some()) {
        let message = format!("`{}` is not trained by itself", node.name.text);
        errors.push(&choose.from[0].span, message);
    }
    (errors.list().len() == before && !nodes.is_empty()).then_some(())
}

/// What it takes to train these nodes, to an epoch or whole, with so many seeds, and all that they learn from.
fn cost(raw: &RawPipeline, named: &Named<'_>, of: &[(String, Option<usize>, usize)]) -> Cost {
    // The most epochs of each training, and the most seeds.
    let mut all: Vec<(&str, usize, usize)> = Vec::new();
    for (name, until, seeds) in of {
        let Some(node) = named.get(name) else { continue };
        for at in std::iter::once(node).chain(named.above(node)) {
            let whole = raw.recipe_of(at).map_or(0, |recipe| recipe.recipe.epochs);
            let epochs = if at.name.text == *name { until.unwrap_or(whole) } else { whole };
            match all.iter_mut().find(|(known, ..)| *known == at.name.text) {
                Some((_, most, with)) => {
                    (*most, *with) = ((*most).max(epochs), (*with).max(*seeds));
                }
                None => all.push((&at.name.text, epochs, *seeds)),
            }
        }
    }
    let trained = all.iter().filter(|(_, epochs, _)| *epochs > 0);
    trained.fold(Cost::default(), |sum, (_, epochs, seeds)| Cost {
        trainings: sum.trainings + seeds,
        epochs: sum.epochs + (epochs * seeds) as u64,
    })
}
