//! The pipeline as a picture: a box a network, its measurements below it, lines from teachers to
//! whom they teach.

use super::layout::{Spot, layout};
use crate::{
    dag::Dag,
    report::{NodeResults, Spread, escape::xml, picture::width, plural, state::State, thousands},
};
use std::fmt::Write as _;

const WIDTH: f64 = 216.0;
/// Height of a network's box, of one more line in it, and of a measurement's box.
const NETWORK: f64 = 44.0;
const LINE: f64 = 16.0;
const EVAL: f64 = 22.0;
/// Between boxes of one network, for the outline of a selected one.
const SEAM: f64 = 2.0;
const GAP: f64 = 14.0;
/// Between two columns.
const BETWEEN: f64 = 56.0;
/// Left of text in a box, and room for the mark at its right.
const INSET: f64 = 12.0;
const MARK: f64 = 20.0;
const MARGIN: f64 = 4.0;

/// The picture, as an element of a page. Every node is a button; the first one takes Tab.
pub(super) fn dag(dag: &Dag, nodes: &[NodeResults]) -> String {
    let networks: Vec<usize> = (0..nodes.len()).filter(|&n| nodes[n].kind != "eval").collect();
    let evals = |network: usize| {
        let children = nodes[network].children.iter().copied();
        children.filter(|&child| nodes[child].kind == "eval")
    };
    let tall = |network: usize| NETWORK + nodes[network].standing.as_ref().map_or(0.0, |_| LINE);
    let height = |network: usize| tall(network) + (SEAM + EVAL) * evals(network).count() as f64;
    let (spots, total) = layout(dag, &networks, &height, GAP);
    let columns = networks.iter().map(|&network| spots[network].column + 1).max().unwrap_or(0);
    let wide = columns as f64 * (WIDTH + BETWEEN) - BETWEEN + 2.0 * MARGIN;
    let high = total + 2.0 * MARGIN;
    let mut out = format!(
        "<svg id=\"dag\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
         role=\"group\" aria-label=\"The nodes: each teacher stands left of whom it teaches\">\n\
         <g aria-hidden=\"true\">\n"
    );
    for &network in &networks {
        for &parent in &nodes[network].parents {
            edge(&mut out, spots[parent], spots[network]);
        }
    }
    out += "</g>\n";
    let mut first = true;
    for &network in &networks {
        let (left, top) = corner(spots[network]);
        let node = &nodes[network];
        let parameters = node.parameters.map_or(String::new(), |p| format!(" · {}", thousands(p)));
        let about = format!("{} {}{parameters}", node.kind, node.what);
        open(&mut out, network, node, &mut first);
        frame(&mut out, node.state, (left, top), tall(network));
        line(&mut out, "name", (left + INSET, top + 18.0), &node.name, 12.5);
        line(&mut out, "about", (left + INSET, top + 35.0), &about, 11.5);
        if let Some(standing) = &node.standing {
            line(&mut out, "standing", (left + INSET, top + 51.0), standing, 11.5);
        }
        out += "</g>\n";
        for (number, child) in evals(network).enumerate() {
            let eval = &nodes[child];
            let top = top + tall(network) + SEAM + (EVAL + SEAM) * number as f64;
            let group = eval.name.strip_suffix(&format!("/{}", node.name)).unwrap_or(&eval.name);
            let accuracy = eval.accuracy.map(|_| percent(eval.accuracy));
            let shown: Vec<String> = accuracy.into_iter().chain(eval.standing.clone()).collect();
            let shown = if shown.is_empty() { percent(None) } else { shown.join(", ") };
            let text = format!("{group}  {shown}");
            open(&mut out, child, eval, &mut first);
            frame(&mut out, eval.state, (left, top), EVAL);
            line(&mut out, "accuracy", (left + INSET, top + 15.0), &text, 11.5);
            out += "</g>\n";
        }
    }
    out + "</svg>\n"
}

/// A top-1 accuracy for people.
pub(super) fn percent(accuracy: Option<Spread>) -> String {
    accuracy.map_or_else(|| "–".to_owned(), |spread| format!("{} %", spread.percent()))
}

/// What the marks and colours in the picture mean, and how many nodes have each.
pub(super) fn legend(nodes: &[NodeResults]) -> String {
    let mut out = "<ul class=\"legend\" aria-label=\"States of the nodes\">\n".to_owned();
    for state in State::ALL {
        let count = nodes.iter().filter(|node| node.state == state).count();
        if count > 0 {
            let (class, mark, words) = (state.class(), state.mark(), state.words());
            let _ = writeln!(
                out,
                "<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\">{mark}</span> \
                 {words}: {count} node{}</li>",
                plural(count)
            );
        }
    }
    out + "</ul>\n"
}

fn corner(spot: Spot) -> (f64, f64) {
    (MARGIN + spot.column as f64 * (WIDTH + BETWEEN), MARGIN + spot.top)
}

fn edge(out: &mut String, from: Spot, to: Spot) {
    let ((x1, y1), (x2, y2)) = (corner(from), corner(to));
    let (x1, y1, y2) = (x1 + WIDTH, y1 + NETWORK / 2.0, y2 + NETWORK / 2.0);
    let bend = BETWEEN / 2.0;
    let (a, b) = (x2 - bend, x2 - bend);
    let _ = writeln!(
        out,
        "<path class=\"edge\" d=\"M{x1} {y1}H{}C{a} {y1} {b} {y2} {x2} {y2}\"/>",
        x2 - BETWEEN
    );
}

fn open(out: &mut String, place: usize, node: &NodeResults, first: &mut bool) {
    let class = node.state.class();
    let mut label = format!("{}, {} {}", node.name, node.kind, node.what);
    if let Some(parameters) = node.parameters {
        label += &format!(", {} parameters", thousands(parameters));
    }
    label += ", ";
    label += node.standing.as_deref().unwrap_or(node.state.words());
    if node.accuracy.is_some() {
        label += &format!(", accuracy {}", percent(node.accuracy));
    }
    let label = xml(&label);
    let stop = if std::mem::take(first) { 0 } else { -1 };
    let _ = writeln!(
        out,
        "<g class=\"node {class}\" data-node=\"{place}\" role=\"button\" tabindex=\"{stop}\" \
         aria-pressed=\"false\" aria-label=\"{label}\"><title>{label}</title>"
    );
}

fn frame(out: &mut String, of: State, (x, y): (f64, f64), height: f64) {
    let mark = of.mark();
    let (right, middle) = (x + WIDTH - MARK + 4.0, y + height / 2.0 + 4.0);
    let _ = writeln!(
        out,
        "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\" rx=\"3\"/>\
         <rect class=\"bar\" x=\"{x}\" y=\"{y}\" width=\"4\" height=\"{height}\"/>\
         <text class=\"mark\" x=\"{right}\" y=\"{middle}\">{mark}</text>"
    );
}

/// A line of text in a box, cut where it would leave it.
fn line(out: &mut String, class: &str, (x, y): (f64, f64), text: &str, size: f64) {
    // The mark stands beside the lines in the middle, above the last one.
    let room = WIDTH - INSET - if class == "standing" { MARGIN } else { MARK };
    let mut shown = text.to_owned();
    if width(&shown, size) > room {
        while width(&shown, size) + width("…", size) > room && shown.pop().is_some() {}
        shown.push('…');
    }
    let shown = xml(&shown);
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{shown}</text>");
}
