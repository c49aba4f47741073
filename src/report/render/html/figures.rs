//! The pipeline's figures.

use crate::report::{FigureResults, Picture, escape::plain};
use maud::{Markup, PreEscaped, html};

pub(super) fn figures(figures: &[FigureResults]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section #figures aria-labelledby="figures-title" {
                h2 #figures-title { "Figures" }
                div.figures {
                    @for (number, figure) in figures.iter().enumerate() {
                        (framed(
                            &figure.picture(),
                            &format!("figure{number}"),
                            figure.told_beside(),
                        ))
                    }
                }
            }
        }
    }
}

/// A picture with a caption below it.
pub(super) fn framed(picture: &Picture, id: &str, caption: Option<String>) -> Markup {
    html! {
        figure {
            (PreEscaped(picture.inline(id)))
            @if let Some(caption) = caption { figcaption { (plain(&caption)) } }
        }
    }
}
