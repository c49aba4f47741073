//! How sharp and how well calibrated teachers, assistants and students are.

use crate::report::{
    NodeResults, Spread,
    figure::{Axis, NORMAL, SMALL, inside, label, name_axes},
    picture::{Anchor, Ink, Mark, Picture, Place, Shape, width},
};

/// What a network is in its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It teaches and was not taught.
    Teacher,
    /// It was taught and teaches.
    Assistant,
    /// It was taught.
    Student,
    /// Neither.
    Alone,
}

impl Role {
    const ALL: [Self; 4] = [Self::Teacher, Self::Assistant, Self::Student, Self::Alone];

    pub fn name(self) -> &'static str {
        match self {
            Self::Teacher => "teacher",
            Self::Assistant => "assistant",
            Self::Student => "student",
            Self::Alone => "no teacher",
        }
    }
}

/// One measured network, over the seeds that are measured.
pub(super) struct Row<'a> {
    /// The eval node.
    pub name: &'a str,
    pub role: Role,
    pub top1: Spread,
    pub loss: Spread,
    pub ece: Spread,
    pub entropy: Spread,
    pub entropy_at_temperature: Spread,
}

/// The measurements of all eval nodes that have any; those of trials are in their search's part of the page.
pub(super) fn rows(nodes: &[NodeResults]) -> Vec<Row<'_>> {
    let evals = nodes.iter().filter(|node| node.kind == "eval" && !node.is_trial);
    evals.filter_map(|node| row(nodes, node)).collect()
}

fn row<'a>(nodes: &'a [NodeResults], node: &'a NodeResults) -> Option<Row<'a>> {
    let of = |name: &str| {
        let metrics = node.tasks.iter().filter_map(|task| task.made.as_ref()?.metrics.as_ref());
        Spread::of(&metrics.filter_map(|metrics| metrics.get(name)).collect::<Vec<_>>())
    };
    let network = &nodes[*node.parents.first()?];
    let teaches = network.children.iter().any(|&child| nodes[child].kind != "eval");
    Some(Row {
        name: &node.name,
        // Of a teacher in a file there is no node.
        role: match (network.kind != "distill", teaches) {
            (true, true) => Role::Teacher,
            (false, true) => Role::Assistant,
            (false, false) => Role::Student,
            (true, false) => Role::Alone,
        },
        top1: of("top1")?,
        loss: of("loss")?,
        ece: of("ece")?,
        entropy: of("entropy")?,
        entropy_at_temperature: of("entropy_at_temperature")?,
    })
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 390.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 540.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 338.0;
/// More names than these would cover one another.
const NAMED: usize = 16;

/// Each measurement as a point: entropy to the right, calibration error upwards, its role by form and
/// colour.
pub(super) fn picture(rows: &[Row<'_>]) -> Picture {
    let title = "Calibration against sharpness".to_owned();
    let ece = |row: &Row<'_>| row.ece.mean * 100.0;
    let words = |row: &Row<'_>| {
        let (name, role) = (row.name, row.role.name());
        format!("{name} ({role}): entropy {:.3}, ECE {:.2} %", row.entropy.mean, ece(row))
    };
    let description = rows.iter().map(words).collect::<Vec<_>>().join("; ");
    let mut picture = Picture { width: WIDTH, height: HEIGHT, title, description, shapes: vec![] };
    picture.text((16.0, 26.0), "Calibration against sharpness", 16.0, Ink::Strong, Anchor::Start);
    let mut next = 16.0;
    for (number, role) in Role::ALL.into_iter().enumerate() {
        if rows.iter().any(|row| row.role == role) {
            picture.shapes.push(point((next + 6.0, 45.0), number, String::new()));
            picture.text((next + 18.0, 49.0), role.name(), NORMAL, Ink::Strong, Anchor::Start);
            next += 42.0 + width(role.name(), NORMAL);
        }
    }
    let x = Axis::rounded(&rows.iter().map(|r| r.entropy.mean).collect::<Vec<_>>(), LEFT, RIGHT);
    let y = Axis::rounded(&rows.iter().map(ece).collect::<Vec<_>>(), BOTTOM, TOP);
    frame(&mut picture, &x, &y);
    let place = |row: &Row<'_>| (x.pixel(row.entropy.mean), y.pixel(ece(row)));
    for row in rows {
        picture.shapes.push(point(place(row), row.role as usize, words(row)));
    }
    if rows.len() <= NAMED {
        for row in rows {
            let ((px, py), half) = (place(row), width(row.name, SMALL) / 2.0);
            let places: [Place; 4] = [
                (px + 10.0 + half, py + 4.0),
                (px - 10.0 - half, py + 4.0),
                (px, py - 10.0),
                (px, py + 18.0),
            ];
            let places = places.map(|(x, y)| (inside(x, 2.0 * half, [LEFT, RIGHT]), y));
            if let Some(at) = picture.clearest(row.name, SMALL, &places) {
                picture.text(at, row.name, SMALL, Ink::Soft, Anchor::Middle);
            }
        }
    }
    picture
}

fn point(at: Place, role: usize, note: String) -> Shape {
    let (mark, ink) = (Mark::of(role), Ink::Series(role));
    Shape::Point { at, radius: 5.0, mark, ink, hollow: false, note }
}

fn frame(picture: &mut Picture, x: &Axis, y: &Axis) {
    y.grid(picture, [LEFT, RIGHT], BOTTOM);
    for &tick in &x.ticks {
        let at = (x.pixel(tick), BOTTOM + 18.0);
        picture.text(at, &label(tick), SMALL, Ink::Strong, Anchor::Middle);
    }
    let places = [((LEFT + RIGHT) / 2.0, BOTTOM + 42.0), (18.0, (TOP + BOTTOM) / 2.0)];
    let entropy = "mean entropy of the softmax (nats): sharper to the left";
    name_axes(picture, places, [entropy, "calibration error (points)"]);
}
