//! The trainings of a pipeline, epoch by epoch.

use crate::{
    history::EpochRecord,
    report::{
        NodeResults, Report,
        figure::{Axis, Entry, LEFT, RIGHT, SMALL, WIDTH, legend, mark, name_axes},
        picture::{Anchor, Ink, PALETTE, Pen, Picture, Place, Shape},
    },
};

/// More curves cannot be told apart: each colour comes once whole and once dashed.
const MOST: usize = 2 * PALETTE.len();
const PLOT: f64 = 260.0;

/// A number of an epoch, where it has it.
type Quantity = fn(&EpochRecord) -> Option<f64>;

/// The pictures of accuracy and loss, and how many trainings have no curve there.
pub(super) fn pictures(report: &Report, nodes: &[NodeResults]) -> (Vec<Picture>, usize) {
    let trained = trained(report, nodes);
    let shown = &trained[..trained.len().min(MOST)];
    let panels: [(&str, &str, Quantity); 2] = [
        ("Accuracy by epoch", "top-1 on the eval split (%)", |epoch| {
            epoch.accuracy.map(|share| share * 100.0)
        }),
        ("Loss by epoch", "loss on the training split", |epoch| Some(epoch.loss)),
    ];
    let draw = |(title, unit, quantity)| draw([title, unit], shown, quantity);
    (panels.into_iter().filter_map(draw).collect(), trained.len() - shown.len())
}

/// The networks with a history: those of the tables first, no trials of searches.
fn trained<'a>(report: &Report, nodes: &'a [NodeResults]) -> Vec<&'a NodeResults> {
    let rows = report.tables.iter().flat_map(|table| &table.rows);
    let listed: Vec<&str> = rows.filter_map(|row| Some(&*row.ours.as_ref()?.node)).collect();
    let place = |node: &NodeResults| listed.iter().position(|name| *name == node.name);
    let mut trained: Vec<&NodeResults> =
        nodes.iter().filter(|node| !node.is_trial && histories(node).next().is_some()).collect();
    trained.sort_by_key(|node| place(node).unwrap_or(usize::MAX));
    trained
}

/// The epochs of each seed that has any.
fn histories(node: &NodeResults) -> impl Iterator<Item = &[EpochRecord]> {
    let made = node.tasks.iter().filter_map(|task| task.made.as_ref());
    made.map(|made| &*made.epochs).filter(|epochs| !epochs.is_empty())
}

/// A network's number after each epoch, a mean over the seeds that have it.
fn points(node: &NodeResults, quantity: Quantity) -> Vec<(f64, f64)> {
    let longest = histories(node).map(<[_]>::len).max().unwrap_or(0);
    let mean = |index: usize| {
        let values = histories(node).filter_map(|epochs| quantity(epochs.get(index)?));
        let (count, sum) =
            values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        (count > 0.0).then_some(((index + 1) as f64, sum / count))
    };
    (0..longest).filter_map(mean).collect()
}

fn draw(
    [title, unit]: [&str; 2],
    networks: &[&NodeResults],
    quantity: Quantity,
) -> Option<Picture> {
    let curves: Vec<(&str, Vec<(f64, f64)>)> =
        networks.iter().map(|node| (&*node.name, points(node, quantity))).collect();
    let all = || curves.iter().flat_map(|(_, points)| points);
    let (xs, ys): (Vec<f64>, Vec<f64>) = all().copied().unzip();
    if xs.is_empty() {
        return None;
    }
    let ends = curves.iter().filter_map(|(name, points)| {
        let (first, last) = (points.first()?, points.last()?);
        Some(format!("{name} from {:.3} to {:.3}", first.1, last.1))
    });
    let (description, shapes) = (ends.collect::<Vec<_>>().join("; "), Vec::new());
    let mut picture =
        Picture { width: WIDTH, height: 0.0, title: title.to_owned(), description, shapes };
    picture.text((16.0, 26.0), title, 16.0, Ink::Strong, Anchor::Start);
    picture.text((16.0, 45.0), "mean over the seeds", SMALL, Ink::Soft, Anchor::Start);
    let entries = curves.iter().enumerate().map(|(series, (name, _))| Entry {
        series,
        joined: true,
        hollow: is_dashed(series),
        text: (*name).to_owned(),
    });
    let top = legend(&mut picture, 68.0, entries) + 18.0;
    let bottom = top + PLOT;
    picture.height = bottom + 52.0;
    let (x, y) = (Axis::rounded(&xs, LEFT, RIGHT), Axis::rounded(&ys, bottom, top));
    let pen = y.grid(&mut picture, [LEFT, RIGHT], bottom);
    x.below(&mut picture, bottom, pen);
    let places = [(f64::midpoint(LEFT, RIGHT), bottom + 42.0), (18.0, f64::midpoint(top, bottom))];
    name_axes(&mut picture, places, ["epoch", unit]);
    for (series, (name, points)) in curves.iter().enumerate() {
        let at = |&(epoch, value): &(f64, f64)| (x.pixel(epoch), y.pixel(value));
        let pen = Pen { ink: Ink::Series(series), width: 2.0, dashed: is_dashed(series) };
        let line: Vec<Place> = points.iter().map(at).collect();
        picture.shapes.push(Shape::Line { points: line, pen });
        if let Some(last) = points.last() {
            let note = format!("{name}: {:.3} after epoch {}", last.1, last.0);
            picture.shapes.push(mark(at(last), series, is_dashed(series), note));
        }
    }
    Some(picture)
}

fn is_dashed(series: usize) -> bool {
    series >= PALETTE.len()
}
