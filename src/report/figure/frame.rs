//! What all plots of lines have: their width, marks, and a legend above.

use super::axes::NORMAL;
use crate::report::picture::{Anchor, Ink, Mark, Pen, Picture, Place, Shape, width};

/// Width of a figure, and where its plot begins and ends.
pub(in crate::report) const WIDTH: f64 = 680.0;
pub(in crate::report) const LEFT: f64 = 66.0;
pub(in crate::report) const RIGHT: f64 = WIDTH - 24.0;
/// Radius of a point.
const RADIUS: f64 = 4.5;

/// A point of a series.
pub(in crate::report) fn mark(at: Place, series: usize, hollow: bool, note: String) -> Shape {
    let (mark, ink) = (Mark::of(series), Ink::Series(series));
    Shape::Point { at, radius: RADIUS, mark, ink, hollow, note }
}

/// Where the middle of a text stands so that all of it is between the plot's sides; a text wider than the plot
/// starts at its left.
pub(in crate::report) fn inside(x: f64, text_width: f64, [left, right]: [f64; 2]) -> f64 {
    let half = text_width / 2.0;
    x.min(right - half).max(left + half)
}

/// What a legend says of a series.
pub(in crate::report) struct Entry {
    pub series: usize,
    /// Whether its points are joined.
    pub joined: bool,
    /// Whether it is quoted.
    pub hollow: bool,
    pub text: String,
}

/// Lines of entries from `top` on; where the next line would stand.
pub(in crate::report) fn legend(
    picture: &mut Picture,
    top: f64,
    entries: impl IntoIterator<Item = Entry>,
) -> f64 {
    let (mut x, mut y) = (16.0, top);
    for Entry { series, joined, hollow, text } in entries {
        let length = 42.0 + width(&text, NORMAL) + 20.0;
        if x + length > WIDTH - 8.0 && x > 16.0 {
            (x, y) = (16.0, y + 20.0);
        }
        let middle = y - NORMAL * 0.35;
        if joined {
            let pen = Pen { ink: Ink::Series(series), width: 2.0, dashed: hollow };
            picture.line((x, middle), (x + 34.0, middle), pen);
        }
        picture.shapes.push(mark((x + 17.0, middle), series, hollow, String::new()));
        picture.text((x + 42.0, y), &text, NORMAL, Ink::Strong, Anchor::Start);
        x += length;
    }
    y
}
