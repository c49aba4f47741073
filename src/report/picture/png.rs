//! Pictures as PNG, painted by tiny-skia.

use super::{Anchor, Ink, Mark, Picture, Shape, Text, font};
use ab_glyph::{Font, Glyph, OutlineCurve, Point, ScaleFont};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash,
    Transform,
};

/// Pixels of a PNG to a pixel of the picture: sharp in print too.
const SCALE: f32 = 2.0;

/// A picture that cannot be painted.
#[derive(Debug, thiserror::Error)]
pub enum PaintError {
    /// Nothing, or too large.
    #[error("a picture of {0} by {1} pixels cannot be painted")]
    Size(f64, f64),
    /// The encoder.
    #[error("cannot write a PNG: {0}")]
    Encode(String),
}

impl Picture {
    /// A PNG on a white ground.
    ///
    /// # Errors
    /// [`PaintError`] if it is too large.
    pub fn png(&self) -> Result<Vec<u8>, PaintError> {
        let size = |length: f64| (length as f32 * SCALE).ceil() as u32;
        let mut map = Pixmap::new(size(self.width), size(self.height))
            .ok_or(PaintError::Size(self.width, self.height))?;
        map.fill(colour(Ink::Ground));
        for shape in &self.shapes {
            draw(shape, &mut map);
        }
        map.encode_png().map_err(|error| PaintError::Encode(error.to_string()))
    }
}

fn colour(ink: Ink) -> Color {
    let [_, r, g, b] = ink.rgb().to_be_bytes();
    Color::from_rgba8(r, g, b, 255)
}

fn paint(ink: Ink) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(colour(ink));
    paint
}

fn draw(shape: &Shape, map: &mut Pixmap) {
    let scale = Transform::from_scale(SCALE, SCALE);
    match shape {
        Shape::Line { points, pen } => {
            let stroke = Stroke {
                width: pen.width as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                dash: if pen.dashed { StrokeDash::new(vec![6.0, 4.0], 0.0) } else { None },
                ..Stroke::default()
            };
            if let Some(path) = polygon(points, false) {
                map.stroke_path(&path, &paint(pen.ink), &stroke, scale, None);
            }
        }
        Shape::Point { at, radius, mark, ink, hollow, note: _ } => {
            let path = match mark {
                Mark::Circle => PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32),
                mark => polygon(&mark.corners(*at, *radius), true),
            };
            let Some(path) = path else { return };
            let inside = paint(if *hollow { Ink::Ground } else { *ink });
            map.fill_path(&path, &inside, FillRule::Winding, scale, None);
            let stroke = Stroke { width: 1.6, ..Stroke::default() };
            map.stroke_path(&path, &paint(*ink), &stroke, scale, None);
        }
        Shape::Text(text) => {
            if let Some(path) = outline(text) {
                let turn = if text.upright { -90.0 } else { 0.0 };
                let at = scale
                    .pre_translate(text.at.0 as f32, text.at.1 as f32)
                    .pre_concat(Transform::from_rotate(turn));
                map.fill_path(&path, &paint(text.ink), FillRule::Winding, at, None);
            }
        }
    }
}

fn polygon(points: &[super::Place], close: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let (x, y) = (*x as f32, *y as f32);
        if index == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
    }
    if close {
        builder.close();
    }
    builder.finish()
}

/// A text's outlines, its place at the origin.
fn outline(text: &Text) -> Option<Path> {
    let (sans, scale) = font::sans(text.size);
    let scaled = sans.as_scaled(scale);
    let length = font::width(&text.text, text.size);
    let mut x = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -length / 2.0,
        Anchor::End => -length,
    } as f32;
    let unit = scale.y / sans.height_unscaled();
    let mut builder = PathBuilder::new();
    for c in text.text.chars() {
        let glyph: Glyph = scaled.scaled_glyph(c);
        let to = |p: Point| (x + p.x * unit, -p.y * unit);
        let mut end = None;
        for curve in sans.outline(glyph.id).into_iter().flat_map(|outline| outline.curves) {
            let (start, last) = match curve {
                OutlineCurve::Line(a, b)
                | OutlineCurve::Quad(a, _, b)
                | OutlineCurve::Cubic(a, _, _, b) => (a, b),
            };
            if end != Some(start) {
                let (x, y) = to(start);
                builder.move_to(x, y);
            }
            let (bx, by) = to(last);
            match curve {
                OutlineCurve::Line(..) => builder.line_to(bx, by),
                OutlineCurve::Quad(_, c, _) => {
                    let (cx, cy) = to(c);
                    builder.quad_to(cx, cy, bx, by);
                }
                OutlineCurve::Cubic(_, c, d, _) => {
                    let ((cx, cy), (dx, dy)) = (to(c), to(d));
                    builder.cubic_to(cx, cy, dx, dy, bx, by);
                }
            }
            end = Some(last);
        }
        x += scaled.h_advance(glyph.id);
    }
    builder.finish()
}
