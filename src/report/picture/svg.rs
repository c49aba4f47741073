//! Pictures as SVG.

use super::{Anchor, Ink, Mark, Pen, Picture, Shape, Text};
use crate::report::escape::xml;
use std::fmt::Write as _;

/// Verdana has the widths of the font that PNGs are painted with.
const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

impl Picture {
    /// A document of its own, on a white ground.
    pub fn svg(&self) -> String {
        let ground =
            format!("<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n", hex(Ink::Ground));
        let space = " xmlns=\"http://www.w3.org/2000/svg\"";
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.element(space, "", &ground))
    }

    /// An element of a page, on the page's ground; `id` is the page's only one of this name.
    pub(in crate::report) fn inline(&self, id: &str) -> String {
        self.element("", &format!("{id}-"), "")
    }

    fn element(&self, space: &str, id: &str, ground: &str) -> String {
        let (w, h) = (self.width, self.height);
        let (title, description) = (xml(&self.title), xml(&self.description));
        let mut text = format!(
            "<svg{space} viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" font-family=\"{FONTS}\" role=\"img\" \
             aria-labelledby=\"{id}title {id}desc\">\n<title id=\"{id}title\">{title}</title>\n\
             <desc id=\"{id}desc\">{description}</desc>\n{ground}"
        );
        for shape in &self.shapes {
            write(shape, &mut text);
        }
        text + "</svg>\n"
    }
}

fn write(shape: &Shape, out: &mut String) {
    match shape {
        Shape::Line { points, pen } => {
            let points: Vec<String> =
                points.iter().map(|(x, y)| format!("{},{}", round(*x), round(*y))).collect();
            let (points, stroke) = (points.join(" "), stroke(*pen));
            let _ = writeln!(out, "<polyline points=\"{points}\" fill=\"none\" {stroke}/>");
        }
        Shape::Point { at, radius, mark, ink, hollow, note } => {
            let inside = if *hollow { Ink::Ground } else { *ink };
            let pen = Pen { ink: *ink, width: 1.6, dashed: false };
            let style = format!(
                "class=\"f-{} {}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"{}\"",
                class(inside),
                class(*ink),
                hex(inside),
                hex(*ink),
                pen.width
            );
            let note = if note.is_empty() {
                String::new()
            } else {
                format!("<title>{}</title>", xml(note))
            };
            let _ = match mark {
                Mark::Circle => {
                    let (x, y, r) = (round(at.0), round(at.1), radius);
                    writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {style}>{note}</circle>")
                }
                mark => {
                    let corners = mark.corners(*at, *radius);
                    let corners: Vec<String> = corners
                        .iter()
                        .map(|(x, y)| format!("{},{}", round(*x), round(*y)))
                        .collect();
                    let points = corners.join(" ");
                    writeln!(out, "<polygon points=\"{points}\" {style}>{note}</polygon>")
                }
            };
        }
        Shape::Text(Text { at, text, size, ink, anchor, upright }) => {
            let (x, y) = (round(at.0), round(at.1));
            let turn = if *upright {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let (class, fill, text) = (class(*ink), hex(*ink), xml(text));
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
                 class=\"f-{class}\" fill=\"{fill}\"{turn}>{text}</text>"
            );
        }
    }
}

fn stroke(pen: Pen) -> String {
    let dash = if pen.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
    let (class, hex, width) = (class(pen.ink), hex(pen.ink), pen.width);
    format!(
        "class=\"{class}\" stroke=\"{hex}\" stroke-width=\"{width}\"{dash} \
         stroke-linejoin=\"round\""
    )
}

/// Class of a stroke in an ink; a fill's has `f-` before it.
fn class(ink: Ink) -> String {
    match ink {
        Ink::Strong => "strong".to_owned(),
        Ink::Soft => "soft".to_owned(),
        Ink::Faint => "faint".to_owned(),
        Ink::Ground => "ground".to_owned(),
        Ink::Series(number) => format!("s{}", number % super::PALETTE.len()),
    }
}

fn hex(ink: Ink) -> String {
    format!("#{:06x}", ink.rgb())
}

/// Two digits after the point are finer than anyone sees.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}
