//! Pictures as a list of shapes, which `svg` writes as text and `png` paints: one layout gives both,
//! and the text of an SVG stays text.

mod clear;
mod font;
mod png;
mod svg;

pub(super) use font::{cut, width};
pub use png::PaintError;

/// A place, in pixels from the left and from the top.
pub(super) type Place = (f64, f64);

/// A drawing.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Width in pixels.
    pub(super) width: f64,
    /// Height in pixels.
    pub(super) height: f64,
    /// What it is, in a line.
    pub(super) title: String,
    /// What it shows, for who cannot see it.
    pub(super) description: String,
    /// From back to front.
    pub(super) shapes: Vec<Shape>,
}

/// A colour by its meaning, so that a page in the dark can choose others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Text and axes.
    Strong,
    /// Notes.
    Soft,
    /// Grid lines.
    Faint,
    /// The ground, to lift a label off lines.
    Ground,
    /// One of the lines, counted from 0.
    Series(usize),
}

/// Okabe and Ito's colours, which differ for colour-blind eyes too (<https://jfly.uni-koeln.de/color>),
/// without the yellow, which is not to be seen on white.
pub(super) const PALETTE: [u32; 7] =
    [0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000];

impl Ink {
    /// On a white ground, as 0xRRGGBB.
    fn rgb(self) -> u32 {
        match self {
            Self::Strong => 0x1b1f24,
            Self::Soft => 0x57606a,
            Self::Faint => 0xd8dee4,
            Self::Ground => 0xffffff,
            Self::Series(number) => PALETTE[number % PALETTE.len()],
        }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub ink: Ink,
    pub width: f64,
    pub dashed: bool,
}

/// The form of a point, so that lines are told apart without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Mark {
    /// The form of a series.
    pub fn of(series: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond][series % 4]
    }

    /// Corners of the form around `(x, y)`; a circle has none.
    fn corners(self, (x, y): Place, r: f64) -> Vec<Place> {
        match self {
            Self::Circle => Vec::new(),
            Self::Square => {
                let r = r * 0.9;
                vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
            }
            Self::Triangle => {
                let (w, up, down) = (r * 1.1, r * 1.2, r * 0.8);
                vec![(x, y - up), (x + w, y + down), (x - w, y + down)]
            }
            Self::Diamond => {
                let r = r * 1.25;
                vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
            }
        }
    }
}

/// Where a text's place lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text; its place is on the base line.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub at: Place,
    pub text: String,
    pub size: f64,
    pub ink: Ink,
    pub anchor: Anchor,
    /// Turned to be read from below.
    pub upright: bool,
}

/// Something in a picture.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Straight pieces from place to place.
    Line { points: Vec<Place>, pen: Pen },
    /// A point of a series; hollow ones have the ground's colour inside.
    Point { at: Place, radius: f64, mark: Mark, ink: Ink, hollow: bool, note: String },
    /// Text.
    Text(Text),
}

impl Picture {
    /// A straight line.
    pub(super) fn line(&mut self, from: Place, to: Place, pen: Pen) {
        self.shapes.push(Shape::Line { points: vec![from, to], pen });
    }

    /// Text of `size` pixels.
    pub(super) fn text(&mut self, at: Place, text: &str, size: f64, ink: Ink, anchor: Anchor) {
        let text = text.to_owned();
        self.shapes.push(Shape::Text(Text { at, text, size, ink, anchor, upright: false }));
    }
}
