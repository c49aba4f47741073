//! The pipeline as a picture: a box a network, its measurements below it, lines from teachers to
//! whom they teach.

use super::layout::{Spot, layout};
use crate::{
    dag::Dag,
    report::{
        NodeResults, Spread,
        escape::plain,
        picture::{cut, width},
        plural,
        state::NodeState,
        thousands,
    },
};
use maud::{Markup, html};

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
/// How far the picture shrinks to fit the page before it is scrolled.
const SMALLEST: f64 = 0.7;
/// Left and right of it on the page, with its frame.
const PADDING: f64 = 26.0;

/// The picture, as an element of a page. Every node is a button; the first one takes Tab.
pub(super) fn dag(dag: &Dag, nodes: &[NodeResults]) -> Markup {
    let drawn = |node: &NodeResults| node.kind != "eval" && !node.is_trial;
    let networks: Vec<usize> = (0..nodes.len()).filter(|&n| drawn(&nodes[n])).collect();
    let height = |network: usize| {
        let evals = evals(nodes, network).count();
        tall(&nodes[network]) + (SEAM + EVAL) * evals as f64
    };
    let (spots, total) = layout(dag, &networks, &height, GAP);
    let columns = networks.iter().map(|&network| spots[network].column + 1).max().unwrap_or(0);
    let wide = columns as f64 * (WIDTH + BETWEEN) - BETWEEN + 2.0 * MARGIN;
    let high = total + 2.0 * MARGIN;
    let smallest = (wide * SMALLEST).round();
    let parents =
        |network: usize| nodes[network].parents.iter().map(move |&parent| (parent, network));
    // What passes a column is drawn over its boxes: behind them it would seem to come out of one.
    let lines = networks.iter().copied().flat_map(parents);
    let (far, near): (Vec<_>, Vec<_>) =
        lines.partition(|&(parent, network)| spots[network].column > spots[parent].column + 1);
    html! {
        div.canvas style={ "flex-basis: " (smallest + PADDING) "px" } {
            svg #dag viewBox={ "0 0 " (wide) " " (high) } width=(wide) height=(high) role="group"
                style={ "min-width: " (smallest) "px" }
                aria-label="The nodes: each teacher stands left of whom it teaches" {
                g aria-hidden="true" {
                    @for (parent, network) in near {
                        path.edge d=(edge(spots[parent], spots[network])) {}
                    }
                }
                @for (number, &network) in networks.iter().enumerate() {
                    (boxes(nodes, network, corner(spots[network]), number == 0))
                }
                @if !far.is_empty() {
                    g aria-hidden="true" {
                        @for (parent, network) in far {
                            path.edge.far d=(edge(spots[parent], spots[network])) {}
                        }
                    }
                }
            }
        }
    }
}

/// The measurements of a network.
fn evals(nodes: &[NodeResults], network: usize) -> impl Iterator<Item = usize> + '_ {
    let children = nodes[network].children.iter().copied();
    children.filter(move |&child| nodes[child].measures(network))
}

/// Height of a network's own box.
fn tall(node: &NodeResults) -> f64 {
    NETWORK + node.standing.as_ref().map_or(0.0, |_| LINE)
}

/// A network's box and those of its measurements below it.
fn boxes(nodes: &[NodeResults], network: usize, (left, top): (f64, f64), first: bool) -> Markup {
    let node = &nodes[network];
    let parameters = node.parameters.map_or(String::new(), |p| format!(" · {}", thousands(p)));
    let about = format!("{} {}{parameters}", node.kind, node.what);
    let below = top + tall(node) + SEAM;
    html! {
        (button(network, node, first, html! {
            (frame(node.state, (left, top), tall(node)))
            (line("name", (left + INSET, top + 18.0), &node.name, 12.5))
            (line("about", (left + INSET, top + 35.0), &about, 11.5))
            @if let Some(standing) = &node.standing {
                (line("standing", (left + INSET, top + 51.0), standing, 11.5))
            }
        }))
        @for (number, child) in evals(nodes, network).enumerate() {
            @let top = below + (EVAL + SEAM) * number as f64;
            (button(child, &nodes[child], false, html! {
                (frame(nodes[child].state, (left, top), EVAL))
                (line("accuracy", (left + INSET, top + 15.0), &measured(&nodes[child], node), 11.5))
            }))
        }
    }
}

/// What an eval node has measured of its network.
fn measured(eval: &NodeResults, network: &NodeResults) -> String {
    let group = eval.name.strip_suffix(&format!("/{}", network.name)).unwrap_or(&eval.name);
    let accuracy = eval.accuracy.map(|_| percent(eval.accuracy));
    // There is no room for whole sentences; the node's title has them.
    let standing = eval.standing.as_deref().map(|text| text.replace(" seeds in the cache", ""));
    let shown: Vec<String> = accuracy.into_iter().chain(standing).collect();
    let shown = if shown.is_empty() { percent(None) } else { shown.join(", ") };
    // A long name is cut, not the number.
    let room = WIDTH - INSET - MARK - width(&format!("  {shown}"), 11.5);
    format!("{}  {shown}", cut(group, 11.5, room))
}

/// A top-1 accuracy for people.
fn percent(accuracy: Option<Spread>) -> String {
    accuracy.map_or_else(|| "–".to_owned(), |spread| format!("{} %", spread.percent()))
}

/// What there is to say of a node beside its name.
pub(super) fn about(node: &NodeResults) -> String {
    let mut about = format!("{} {}", node.kind, node.what);
    if let Some(parameters) = node.parameters {
        about += &format!(", {} parameters", thousands(parameters));
    }
    about += ", ";
    about += node.standing.as_deref().unwrap_or(node.state.words());
    if node.accuracy.is_some() {
        about += &format!(", accuracy {}", percent(node.accuracy));
    }
    about
}

/// What the marks and colours in the picture mean, and how many nodes have each.
pub(super) fn legend(nodes: &[NodeResults]) -> Markup {
    let count = |state| nodes.iter().filter(|node| node.state == state).count();
    let counted = NodeState::ALL.into_iter().map(|state| (state, count(state)));
    html! {
        ul.legend aria-label="States of the nodes" {
            @for (state, count) in counted.filter(|(_, count)| *count > 0) {
                li.(state.class()) {
                    span.mark aria-hidden="true" { (state.mark()) }
                    " " (state.words()) ": " (count) " node" (plural(count))
                }
            }
        }
    }
}

fn corner(spot: Spot) -> (f64, f64) {
    (MARGIN + spot.column as f64 * (WIDTH + BETWEEN), MARGIN + spot.top)
}

/// The path of a line from a box to another.
fn edge(from: Spot, to: Spot) -> String {
    let ((x1, y1), (x2, y2)) = (corner(from), corner(to));
    let (x1, y1, y2) = (x1 + WIDTH, y1 + NETWORK / 2.0, y2 + NETWORK / 2.0);
    let bend = if to.column > from.column + 1 { BETWEEN } else { BETWEEN / 2.0 };
    let (leave, reach) = (x1 + bend, x2 - bend);
    format!("M{x1} {y1}H{x1}C{leave} {y1} {reach} {y2} {x2} {y2}")
}

/// A node's box, which can be pressed.
fn button(index: usize, node: &NodeResults, takes_tab: bool, content: Markup) -> Markup {
    let label = plain(&format!("{}, {}", node.name, about(node)));
    html! {
        g.node.(node.state.class()) data-node=(index) role="button"
            tabindex=(if takes_tab { 0 } else { -1 }) aria-pressed="false" aria-label=(label) {
            title { (label) }
            (content)
        }
    }
}

fn frame(of: NodeState, (x, y): (f64, f64), height: f64) -> Markup {
    let (right, middle) = (x + WIDTH - MARK + 4.0, y + height / 2.0 + 4.0);
    html! {
        rect.box x=(x) y=(y) width=(WIDTH) height=(height) rx="3" {}
        rect.bar x=(x) y=(y) width="4" height=(height) {}
        text.mark x=(right) y=(middle) { (of.mark()) }
    }
}

/// A line of text in a box, cut where it would leave it.
fn line(class: &str, (x, y): (f64, f64), text: &str, size: f64) -> Markup {
    // The mark stands beside the lines in the middle, above the last one.
    let room = WIDTH - INSET - if class == "standing" { MARGIN } else { MARK };
    html! { text.(class) x=(x) y=(y) { (plain(&cut(text, size, room))) } }
}
