//! Searches and choices: curves, values, trials, evidence.

use super::figures::framed;
use crate::report::{
    ChoiceResults, MethodResults, Report, SearchResults, decisions::trials, escape::plain,
};
use maud::{Markup, html};

/// Of all searches of a report.
pub(super) fn searches(report: &Report) -> Markup {
    html! {
        @if !report.searches.is_empty() {
            section #searches aria-labelledby="searches-title" {
                h2 #searches-title { "Searches" }
                @for (number, search) in report.searches.iter().enumerate() {
                    (of_search(number, search))
                }
            }
        }
    }
}

fn of_search(number: usize, search: &SearchResults) -> Markup {
    let scale = search.metric.unit.scale();
    let mut sentences = search.sentences().into_iter();
    html! {
        h3 { (plain(&search.name)) }
        @if let Some(first) = sentences.next() { p.note { (plain(&first)) } }
        div.figures {
            @if let Some(curves) = search.curves() {
                (framed(&curves, &format!("search{number}"), None))
            }
            @for (place, method) in search.methods.iter().enumerate() {
                @if let Some(slices) = method.slices(search.metric.title, scale) {
                    (framed(&slices, &format!("search{number}-{place}"), None))
                }
            }
        }
        @for sentence in sentences { p.note { (plain(sentence.trim())) } }
        @for method in &search.methods { (of_method(method, scale)) }
    }
}

fn of_method(method: &MethodResults, scale: f64) -> Markup {
    html! {
        details {
            summary { (plain(&method.winner)) ": all " (method.trials.len()) " trials" }
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "trial" }
                            @for field in &method.fields { th scope="col" { (plain(field)) } }
                            th scope="col" { "scores" }
                            th scope="col" { "epochs" }
                            th.word scope="col" { "state" }
                        }
                    }
                    tbody {
                        @for (number, trial) in method.trials.iter().enumerate() {
                            tr {
                                th scope="row" { (number) }
                                @for value in &trial.values {
                                    td { (plain(value.as_deref().unwrap_or("–"))) }
                                }
                                td {
                                    (trial.scores.iter().map(|score| format!("{:.2}", score * scale))
                                        .collect::<Vec<_>>().join(" → "))
                                }
                                td { (trial.epochs) }
                                td.word {
                                    (trial.state)
                                    @if method.best == Some(number) { ", the best" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Of all choices of a report.
pub(super) fn choices(report: &Report) -> Markup {
    html! {
        @if !report.choices.is_empty() {
            section #choices aria-labelledby="choices-title" {
                h2 #choices-title { "Choices" }
                @for choice in &report.choices { (of_choice(choice)) }
                @for line in trials(&report.choices) { p.note { (plain(&line)) } }
            }
        }
    }
}

fn of_choice(choice: &ChoiceResults) -> Markup {
    html! {
        h3 { (plain(&choice.name)) }
        p { (plain(&choice.sentence())) }
        details {
            summary { "What it has looked at" }
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "network" }
                            th scope="col" { (choice.metric) }
                            th scope="col" { "seeds" }
                            th.word scope="col" { "" }
                        }
                    }
                    tbody {
                        @for evidence in &choice.evidence {
                            tr {
                                th scope="row" { (plain(&evidence.node)) }
                                td {
                                    @match &evidence.score {
                                        Some(score) => (score.scaled(choice.scale, 2)),
                                        None => "–",
                                    }
                                }
                                td { (evidence.score.map_or(0, |score| score.n)) }
                                td.word {
                                    (plain(&evidence.note))
                                    @if evidence.failed { " failed" }
                                    @if choice.chosen.as_ref() == Some(&evidence.node) { " chosen" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
