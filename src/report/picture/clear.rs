//! Where a label covers least of what is drawn already.

use super::{Anchor, Ink, Picture, Place, Shape, Text, width};

/// Pixels between two samples of a drawn line.
const SAMPLE: f64 = 3.0;
/// Room around a label.
const ROOM: f64 = 2.0;

impl Picture {
    /// Of `candidates` for the middle of a line of text, the one where it covers least; of equal ones
    /// the first. Grid lines do not count.
    pub(in crate::report) fn clearest(
        &self,
        text: &str,
        size: f64,
        candidates: &[Place],
    ) -> Option<Place> {
        let drawn: Vec<Place> = self.shapes.iter().flat_map(samples).collect();
        let half = width(text, size) / 2.0 + ROOM;
        let covered = |&(x, y): &Place| {
            let is_under = |&&(px, py): &&Place| {
                (px - x).abs() < half && py > y - size * 0.8 - ROOM && py < y + size * 0.25 + ROOM
            };
            drawn.iter().filter(is_under).count()
        };
        candidates.iter().copied().min_by_key(covered)
    }
}

/// Places that a shape takes.
fn samples(shape: &Shape) -> Vec<Place> {
    match shape {
        Shape::Line { pen, .. } if pen.ink == Ink::Faint => Vec::new(),
        Shape::Line { points, .. } => {
            points.windows(2).flat_map(|ends| along(ends[0], ends[1])).collect()
        }
        Shape::Point { at: (x, y), radius, .. } => {
            along((x - radius, y - radius), (x + radius, y + radius)).collect()
        }
        Shape::Text(Text { upright: true, .. }) => Vec::new(),
        Shape::Text(Text { at: (x, y), text, size, anchor, .. }) => {
            let width = width(text, *size);
            let start = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            let middle = y - size * 0.3;
            along((start, middle), (start + width, middle)).collect()
        }
    }
}

fn along((ax, ay): Place, (bx, by): Place) -> impl Iterator<Item = Place> {
    let count = ((bx - ax).hypot(by - ay) / SAMPLE).ceil().max(1.0);
    (0..=count as usize).map(move |step| {
        let share = step as f64 / count;
        (ax + (bx - ax) * share, ay + (by - ay) * share)
    })
}
