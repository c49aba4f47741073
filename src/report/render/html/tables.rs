//! The pipeline's tables.

use super::{details::anchor, strip::strips};
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
    let quotes = results.rows.iter().any(|row| row.paper.is_some());
    let key = if quotes { "ours ●, paper ○" } else { "mean ± std" };
    let nodes = results.rows.iter().map(|row| row.ours.as_ref().map(|ours| &ours.node));
    html! {
        div.wide {
            table {
                caption { (plain(&caption(results))) }
                thead {
                    tr {
                        @for head in &heads {
                            th scope="col" .word[head.is_words] { (head.text) }
                        }
                        th scope="col" { span aria-hidden="true" { (key) } }
                    }
                }
                tbody {
                    @for ((row, strip), node) in rows.iter().zip(strips(results)).zip(nodes) {
                        tr {
                            th scope="row" {
                                @match node {
                                    Some(node) => a href={ "#" (anchor(node)) } { (plain(&row[0])) },
                                    None => (plain(&row[0])),
                                }
                            }
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
