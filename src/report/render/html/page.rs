//! The page. What comes from a pipeline or the cache goes in as text, which maud escapes, or into the
//! data, which the script puts into the page as text only.

use super::{
    calibration, curves,
    decisions::{choices, searches},
    details::details,
    draw::{dag, legend},
    figures::{figures, framed},
    gain,
    measurements::measurements,
    tables::tables,
};
use crate::{
    dataset,
    graph::Graph,
    pipeline::Work,
    report::{NodeResults, escape::plain, plural, render::Contents, state::NodeState},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("answers.js"), include_str!("page.js"));
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    nodes: &'a [NodeResults],
    /// Lists of names of classes.
    classes: Vec<Vec<String>>,
    /// Which of them each node with answers has.
    #[serde(rename = "classesOf")]
    classes_of: BTreeMap<usize, usize>,
}

impl<'a> Data<'a> {
    /// Names are asked for where answers are drawn alone: a data set of folders lists them for it.
    fn new(graph: &Graph<'_>, nodes: &'a [NodeResults]) -> Self {
        let mut asked: Vec<(*const dataset::Data, Option<usize>)> = Vec::new();
        let (mut classes, mut classes_of) = (Vec::new(), BTreeMap::new());
        for (index, node) in graph.pipeline.nodes.iter().enumerate() {
            let Work::Eval(eval) = &node.work else { continue };
            if nodes.get(index).is_none_or(|node| node.answers.is_none()) {
                continue;
            }
            let data = &graph.pipeline.learn(eval.of).data;
            let known = asked.iter().find(|(known, _)| *known == Arc::as_ptr(data));
            let list = known.map(|(_, list)| *list).unwrap_or_else(|| {
                let list = data.format.class_labels().map(|labels| {
                    classes.push(labels);
                    classes.len() - 1
                });
                asked.push((Arc::as_ptr(data), list));
                list
            });
            classes_of.extend(list.map(|list| (index, list)));
        }
        Self { nodes, classes, classes_of }
    }
}

/// The page as a file. The same pipeline and cache give the same bytes.
pub(super) fn render(contents: &Contents<'_>) -> String {
    let Contents { graph, report, nodes } = *contents;
    let measured = calibration::rows(nodes);
    let (gain, (curves, undrawn)) = (gain::picture(report), curves::pictures(report, nodes));
    let title = plain(&report.pipeline);
    let sections = [
        ("#tables", "Tables", !report.tables.is_empty()),
        ("#gain", "Gain", gain.is_some()),
        ("#figures", "Figures", !report.figures.is_empty()),
        ("#curves", "Learning curves", !curves.is_empty()),
        ("#searches", "Searches", !report.searches.is_empty()),
        ("#choices", "Choices", !report.choices.is_empty()),
        ("#nodes", "Nodes", true),
        ("#calibration", "Sharpness and calibration", !measured.is_empty()),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) " – takd" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#nodes" { "Skip to the nodes" }
                header {
                    h1 { (title) }
                    p.note { (summary(contents)) }
                    nav aria-label="Sections" {
                        @for (link, name, _) in sections.iter().filter(|(_, _, there)| *there) {
                            a href=(link) { (name) } " "
                        }
                    }
                }
                main {
                    (tables(&report.tables))
                    @if let Some(gain) = &gain {
                        section #gain aria-labelledby="gain-heading" {
                            h2 #gain-heading { "Gain" }
                            (framed(gain, "gain-picture", None))
                        }
                    }
                    (figures(&report.figures))
                    @if !curves.is_empty() {
                        section #curves aria-labelledby="curves-title" {
                            h2 #curves-title { "Learning curves" }
                            div.figures.pair {
                                @for (number, curve) in curves.iter().enumerate() {
                                    (framed(curve, &format!("curve{number}"), None))
                                }
                            }
                            @if undrawn > 0 {
                                p.note {
                                    (undrawn) " more: select their nodes below to see them."
                                }
                            }
                        }
                    }
                    (searches(report))
                    (choices(report))
                    section #nodes aria-labelledby="nodes-title" {
                        h2 #nodes-title { "Nodes" }
                        (hint())
                        (legend(nodes))
                        div.explore {
                            (dag(&graph.pipeline.dag, nodes))
                            section #panel aria-label="Selected nodes" aria-live="polite" tabindex="-1" {
                                p.note {
                                    "A click shows details only with JavaScript; they stand below for \
                                     each node."
                                }
                            }
                        }
                        (details(nodes))
                    }
                    (measurements(&measured))
                }
                script #data type="application/json" { (data(&Data::new(graph, nodes))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

fn hint() -> Markup {
    html! {
        p.note.hint {
            "Click a node, or move to it with Tab and the arrow keys and press Enter, to see its \
             curves, configuration, key and provenance. "
            label {
                input #keep type="checkbox";
                " Keep what is selected, to lay curves over one another"
            }
            " (or hold Ctrl or Shift)."
        }
    }
}

fn summary(contents: &Contents<'_>) -> String {
    let tasks = || contents.nodes.iter().flat_map(|node| &node.tasks);
    let count = |state| tasks().filter(|task| task.state == state).count();
    let (nodes, seeds, all) =
        (contents.nodes.len(), contents.graph.pipeline.seeds.len(), tasks().count());
    let done = tasks().filter(|task| task.made.is_some()).count();
    let mut text = format!(
        "{nodes} node{}, {seeds} seed{}: {done} of {all} results are in the cache",
        plural(nodes),
        plural(seeds)
    );
    for state in NodeState::ALARMING {
        if count(state) > 0 {
            text += &format!(", {} {}", count(state), state.words());
        }
    }
    if done < all {
        text += "; takd run computes what is missing";
    }
    text + &format!(". Written by takd {}.", env!("CARGO_PKG_VERSION"))
}

/// JSON inside a script element, which only `</script` or `<!--` could end or change.
fn data(data: &Data<'_>) -> PreEscaped<String> {
    let json = serde_json::to_string(data).expect("plain data with string keys is always JSON");
    PreEscaped(json.replace('<', "\\u003c"))
}
