//! The pipeline's tables.

use super::strip::strips;
use crate::report::{
    Results,
    escape::plain,
    render::{
        grid::{WORDS, caption, grid},
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
    let (heads, rows) = grid(results);
    html! {
        div.wide {
            table {
                caption { (plain(&caption(results))) }
                thead {
                    tr {
                        @for (index, head) in heads.iter().enumerate() {
                            th scope="col" .word[index < WORDS] { (head) }
                        }
                        th scope="col" { span aria-hidden="true" { "ours ●, paper ○" } }
                    }
                }
                tbody {
                    @for (row, strip) in rows.iter().zip(strips(results)) {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" { (plain(cell)) }
                                } @else {
                                    td .word[index < WORDS] { (plain(cell)) }
                                }
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
