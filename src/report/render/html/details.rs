//! The nodes' details for browsers without JavaScript. Others take them as one piece of text that
//! they never lay out.

use super::draw::about;
use crate::{
    metric::Unit,
    report::{NOTHING, NodeResults, escape::plain, nodes::TaskResults},
};
use maud::{Markup, html};
use serde_json::Value;

/// Every node as a part that opens: neighbours, results of each seed, configuration.
pub(super) fn details(nodes: &[NodeResults]) -> Markup {
    html! {
        noscript {
            h3 { "Details of each node" }
            @for node in nodes {
                details id=(anchor(&node.name)) {
                    summary { (plain(&format!("{}: {}", node.name, about(node)))) }
                    p {
                        "Needs: " (beside(nodes, &node.parents))
                        @if let Some(file) = &node.file { br; "Learns from the file: " (plain(file)) }
                        br;
                        "Needed by: " (beside(nodes, &node.children))
                    }
                    ul {
                        @for task in &node.tasks { li { (plain(&told(task))) } }
                    }
                    pre { (fields(&node.config, "")) }
                }
            }
        }
    }
}

/// Where a node's details are to be found: an address in the page that can be kept and sent.
pub(super) fn anchor(node: &str) -> String {
    format!("node-{}", plain(node))
}

/// Names of nodes.
fn beside(nodes: &[NodeResults], indices: &[usize]) -> String {
    let names: Vec<&str> = indices.iter().map(|&index| nodes[index].name.as_str()).collect();
    if names.is_empty() { NOTHING.to_owned() } else { plain(&names.join(", ")) }
}

/// What there is of a seed, in a line.
fn told(task: &TaskResults) -> String {
    let mut text = format!("seed {}: {}, key {}", task.seed, task.words, task.key);
    let Some(made) = &task.made else { return text };
    if let Some(metrics) = &made.metrics {
        for (metric, value) in metrics.iter() {
            text += &match metric.unit {
                Unit::Share => format!("; {} {:.2} %", metric.title, value * 100.0),
                Unit::Nats => format!("; {} {value:.4}", metric.title),
                Unit::Number => format!("; {} {value:.4e}", metric.title),
            };
        }
    }
    let kept = made.epochs.iter().find(|epoch| made.selected == Some(epoch.epoch));
    if let Some(epoch) = kept {
        text += &format!("; kept epoch {} of {}", epoch.epoch, made.epochs.len());
        text += &format!(", training loss {:.4}", epoch.loss);
        if let Some(accuracy) = epoch.accuracy {
            text += &format!(", accuracy on the eval split {:.2} %", accuracy * 100.0);
        }
    }
    let by = &made.provenance;
    let cpu = by.cpu.as_ref().map(|cpu| format!(" ({cpu})")).unwrap_or_default();
    let (seconds, threads) = (made.seconds, by.threads);
    text += &format!("; {seconds:.1} s on {}{cpu}, {threads} threads of {}", by.device, by.host);
    text + &format!("; takd {}, burn {}, as {}", by.takd, by.burn, by.node)
}

/// Nested fields as lines: `recipe.optimizer.sgd.lr = 0.1`.
fn fields(value: &Value, path: &str) -> String {
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            inner.iter().map(|(name, value)| fields(value, &format!("{path}{dot}{name}"))).collect()
        }
        value => format!("{} = {}\n", plain(path), plain(&value.to_string())),
    }
}
