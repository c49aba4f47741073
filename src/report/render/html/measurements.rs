//! How sharp and how well calibrated networks are, as a picture and a table.

use super::{calibration, figures::framed};
use crate::report::escape::plain;
use maud::{Markup, html};

/// Columns of words; those after them are numbers.
const WORDS: usize = 2;

const HEADS: [&str; 7] =
    ["measurement", "role", "top-1 %", "loss", "ECE %", "entropy", "entropy at τ"];

pub(super) fn measurements(rows: &[calibration::Row<'_>]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section #calibration aria-labelledby="calibration-title" {
                h2 #calibration-title { "Sharpness and calibration" }
                p.note {
                    "Sharpness is the mean entropy of the softmax, in nats: a sharp teacher, with a low \
                     one, says little of how classes resemble one another. The calibration error (ECE) \
                     is by how much confidence and accuracy differ."
                }
                div.figures {
                    (framed(&calibration::picture(rows), "calibration-picture", None))
                    div.wide { (table(rows)) }
                }
            }
        }
    }
}

fn table(rows: &[calibration::Row<'_>]) -> Markup {
    html! {
        table {
            caption { "Mean ± std over seeds" }
            thead {
                tr {
                    @for (index, head) in HEADS.iter().enumerate() {
                        th scope="col" .word[index < WORDS] { (head) }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" { (plain(row.name)) }
                        td.word { (row.role.name()) }
                        td { (row.top1.percent()) }
                        td { (row.loss.scaled(1.0, 4)) }
                        td { (row.ece.percent()) }
                        td { (row.entropy.scaled(1.0, 3)) }
                        td { (row.entropy_at_temperature.scaled(1.0, 3)) }
                    }
                }
            }
        }
    }
}
