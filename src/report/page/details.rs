//! The nodes' details for browsers without JavaScript. Others take them as one piece of text that
//! they never lay out.

use super::draw::percent;
use crate::report::{NOTHING, NodeResults, escape::xml, nodes::TaskResults, thousands};
use serde_json::Value;
use std::fmt::Write as _;

/// Every node as a part that opens: neighbours, results of each seed, configuration.
pub(super) fn details(nodes: &[NodeResults]) -> String {
    let mut out = "<noscript>\n<h3>Details of each node</h3>\n".to_owned();
    for node in nodes {
        let NodeResults { name, kind, what, .. } = node;
        let mut title = format!("{name}: {kind} {what}");
        if let Some(parameters) = node.parameters {
            title += &format!(", {} parameters", thousands(parameters));
        }
        title += ", ";
        title += node.standing.as_deref().unwrap_or(node.state.words());
        if node.accuracy.is_some() {
            title += &format!(", accuracy {}", percent(node.accuracy));
        }
        let _ = writeln!(out, "<details><summary>{}</summary>", xml(&title));
        let beside = |places: &[usize]| {
            let names: Vec<&str> = places.iter().map(|&place| nodes[place].name.as_str()).collect();
            if names.is_empty() { NOTHING.to_owned() } else { xml(&names.join(", ")) }
        };
        let (parents, children) = (beside(&node.parents), beside(&node.children));
        let _ = writeln!(out, "<p>Needs: {parents}<br>Needed by: {children}</p>");
        out += "<ul>\n";
        for task in &node.tasks {
            let _ = writeln!(out, "<li>{}</li>", xml(&told(task)));
        }
        out += "</ul>\n<pre>";
        fields(&node.config, "", &mut out);
        out += "</pre></details>\n";
    }
    out + "</noscript>\n"
}

/// What there is of a seed, in a line.
fn told(task: &TaskResults) -> String {
    let mut text = format!("seed {}: {}, key {}", task.seed, task.words, task.key);
    let Some(made) = &task.made else { return text };
    if let Some(metrics) = &made.metrics {
        text += &format!(
            "; top-1 {:.2} %, loss {:.4}, ECE {:.2} %",
            metrics.top1 * 100.0,
            metrics.loss,
            metrics.ece * 100.0
        );
    }
    let kept = made.epochs.iter().find(|epoch| made.selected == Some(epoch.epoch));
    if let Some(epoch) = kept {
        text += &format!("; kept epoch {} of {}", epoch.epoch, made.epochs.len());
        text += &format!(", training loss {:.4}", epoch.loss);
        if let Some(accuracy) = epoch.accuracy {
            text += &format!(", accuracy on the judging split {:.2} %", accuracy * 100.0);
        }
    }
    let by = &made.provenance;
    let cpu = by.cpu.as_ref().map(|cpu| format!(" ({cpu})")).unwrap_or_default();
    let (seconds, threads) = (made.seconds, by.threads);
    text += &format!("; {seconds:.1} s on {}{cpu}, {threads} threads of {}", by.device, by.host);
    text + &format!("; takd {}, burn {}, as {}", by.takd, by.burn, by.node)
}

/// Nested fields as lines: `recipe.optimizer.sgd.lr = 0.1`.
fn fields(value: &Value, path: &str, out: &mut String) {
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            for (name, value) in inner {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{name}"), out);
            }
        }
        value => {
            let _ = writeln!(out, "{} = {}", xml(path), xml(&value.to_string()));
        }
    }
}
