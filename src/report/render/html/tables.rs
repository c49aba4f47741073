//! The pipeline's tables.

use super::strip::strips;
use crate::report::{
    Results,
    escape::plain,
    render::{
        grid::{Grid, caption, grid},
        notes::{footnotes, notes},
    },
};
use maud::{Markup, html};

pub(super) fn tables(tables: &[Results]) -> Markup {
    html! {
        @if !tables.is_empty() {
            section #tables aria-labelledby="tables-title" {
                h2 #tables-title { "Tables" }
                @for results in tables { (table(results)) }
            }
        }
    }
}

fn table(results: &Results) -> Markup {
    let Grid { heads, rows } = grid(results);
    html! {
        div.wide {
            table {
                caption { (plain(&caption(results))) }
                thead {
                    tr {
                        @for head in &heads {
                            th scope="col" .word[head.is_words] { (head.text) }
                        }
                        th scope="col" { span aria-hidden="true" { "ours ●, paper ○" } }
                    }
                }
                tbody {
                    @for (row, strip) in rows.iter().zip(strips(results)) {
                        tr {
                            th scope="row" { (plain(&row[0])) }
                            @for (cell, head) in row.iter().zip(&heads).skip(1) {
                                td .word[head.is_words] { (plain(cell)) }
                            }
                            td.strip { (strip) }
                        }
                    }
                }
            }
        }
        @for note in footnotes(results).into_iter().chain(notes(results)) {
            p.note { (plain(&note)) }
        }
    }
}
