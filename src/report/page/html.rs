//! The page's text. Whatever comes from a pipeline or the cache is escaped here or goes into the
//! data, which the script puts into the page as text only.

use super::{
    Page, calibration,
    details::details,
    draw::{dag, legend},
};
use crate::report::{
    FigureResults, NodeResults, Results, WORDS, caption, escape::xml, footnotes, grid, notes,
    picture::Picture, plural, state::State,
};
use serde::Serialize;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    nodes: &'a [NodeResults],
}

impl Page<'_> {
    /// The page as a file. The same pipeline and cache give the same bytes.
    pub fn html(&self) -> String {
        let report = self.report;
        let measured = calibration::rows(self.nodes);
        let mut sections: Vec<&str> = Vec::new();
        let mut section = |there: bool, link| sections.extend(there.then_some(link));
        section(!report.tables.is_empty(), "<a href=\"#tables\">Tables</a>");
        section(!report.figures.is_empty(), "<a href=\"#figures\">Figures</a>");
        section(true, "<a href=\"#nodes\">Nodes</a>");
        section(!measured.is_empty(), "<a href=\"#calibration\">Sharpness and calibration</a>");
        fill(TEMPLATE, &|name| match name {
            "title" => xml(&report.pipeline),
            "style" => STYLE.to_owned(),
            "summary" => xml(&self.summary()),
            "sections" => sections.join(" "),
            "tables" => tables(&report.tables),
            "figures" => figures(&report.figures),
            "legend" => legend(self.nodes),
            "details" => details(self.nodes),
            "dag" => dag(&self.graph.pipeline.dag, self.nodes),
            "calibration" => measurements(&measured),
            "data" => data(&Data { nodes: self.nodes }),
            "script" => SCRIPT.to_owned(),
            other => unreachable!("the template has no place called {other}"),
        })
    }

    fn summary(&self) -> String {
        let tasks = || self.nodes.iter().flat_map(|node| &node.tasks);
        let count = |state| tasks().filter(|task| task.state == state).count();
        let (nodes, seeds, all) =
            (self.nodes.len(), self.graph.pipeline.seeds.len(), tasks().count());
        let done = tasks().filter(|task| task.made.is_some()).count();
        let mut text = format!(
            "{nodes} node{}, {seeds} seed{}: {done} of {all} results are in the cache",
            plural(nodes),
            plural(seeds)
        );
        for state in State::ALARMING {
            if count(state) > 0 {
                text += &format!(", {} {}", count(state), state.words());
            }
        }
        if done < all {
            text += "; takd run makes what is not there";
        }
        text + &format!(". Written by takd {}.", env!("CARGO_PKG_VERSION"))
    }
}

/// `template` with what `value` gives for each `{{name}}`; what it gives is not looked at again.
fn fill(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").expect("the template closes what it opens");
        out += &value(name);
        out += rest;
    }
    out
}

/// JSON inside a script element, which only `</script` or `<!--` could end or change.
fn data(data: &Data<'_>) -> String {
    let json = serde_json::to_string(data).expect("plain data with string keys is always JSON");
    json.replace('<', "\\u003c")
}

fn tables(tables: &[Results]) -> String {
    if tables.is_empty() {
        return String::new();
    }
    let mut out = "<section id=\"tables\" aria-labelledby=\"tables-title\">\n\
                   <h2 id=\"tables-title\">Tables</h2>\n"
        .to_owned();
    for results in tables {
        let (heads, rows) = grid(results);
        out += &format!(
            "<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>",
            xml(&caption(results))
        );
        for (place, head) in heads.iter().enumerate() {
            out += &format!("<th scope=\"col\"{}>{}</th>", word(place), xml(head));
        }
        out += "<th scope=\"col\"><span aria-hidden=\"true\">ours ●, paper ○</span></th>";
        out += "</tr></thead>\n<tbody>\n";
        for (row, strip) in rows.iter().zip(strips(results)) {
            out += "<tr>";
            for (place, cell) in row.iter().enumerate() {
                let cell = xml(cell);
                out += &match place {
                    0 => format!("<th scope=\"row\">{cell}</th>"),
                    _ => format!("<td{}>{cell}</td>", word(place)),
                };
            }
            out += &format!("<td class=\"strip\">{strip}</td></tr>\n");
        }
        out += "</tbody></table></div>\n";
        for note in footnotes(results).into_iter().chain(notes(results)) {
            out += &format!("<p class=\"note\">{}</p>\n", xml(&note));
        }
    }
    out + "</section>\n"
}

fn word(column: usize) -> &'static str {
    if column < WORDS { " class=\"word\"" } else { "" }
}

/// For each row, its accuracy with its error bar and the paper's, on one scale a table. The numbers
/// stand in the row, so a screen reader passes over it.
fn strips(table: &Results) -> Vec<String> {
    let ours = |row: &crate::report::TableRow| -> Option<(f64, f64)> {
        let spread = row.ours.as_ref()?.accuracy()?;
        Some((spread.mean * 100.0, spread.std.unwrap_or(0.0) * 100.0))
    };
    let ends = table.rows.iter().flat_map(|row| {
        let ours = ours(row).map(|(mean, std)| [mean - std, mean + std]);
        ours.into_iter().flatten().chain(row.paper)
    });
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = (high - low).max(0.1);
    let x = |value: f64| ((value - low) / room * 144.0 + 8.0).round();
    let strip = |row| {
        let mut out =
            "<svg width=\"160\" height=\"20\" viewBox=\"0 0 160 20\" aria-hidden=\"true\">\
                       <line class=\"faint\" x1=\"4\" x2=\"156\" y1=\"10\" y2=\"10\"/>"
                .to_owned();
        if let Some((mean, std)) = ours(row) {
            let (from, to, at) = (x(mean - std), x(mean + std), x(mean));
            out += &format!(
                "<path class=\"s0\" fill=\"none\" stroke-width=\"1.5\" \
                 d=\"M{from} 6V14M{from} 10H{to}M{to} 6V14\"/>\
                 <circle class=\"s0 f-s0\" cx=\"{at}\" cy=\"10\" r=\"3.5\"/>"
            );
        }
        if let Some(paper) = row.paper {
            let at = x(paper);
            out += &format!(
                "<circle class=\"s1 f-ground\" stroke-width=\"1.6\" cx=\"{at}\" cy=\"10\" r=\"4\"/>"
            );
        }
        out + "</svg>"
    };
    table.rows.iter().map(strip).collect()
}

fn figures(figures: &[FigureResults]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut out = "<section id=\"figures\" aria-labelledby=\"figures-title\">\n\
                   <h2 id=\"figures-title\">Figures</h2>\n<div class=\"figures\">\n"
        .to_owned();
    for (number, figure) in figures.iter().enumerate() {
        let caption = figure.rule.as_ref().map(|rule| rule.sentence()).unwrap_or_default();
        out += &framed(&figure.picture(), &format!("figure{number}"), &caption);
    }
    out + "</div>\n</section>\n"
}

fn framed(picture: &Picture, id: &str, caption: &str) -> String {
    let caption = match caption {
        "" => String::new(),
        caption => format!("<figcaption>{}</figcaption>\n", xml(caption)),
    };
    format!("<figure>\n{}{caption}</figure>\n", picture.inline(id))
}

fn measurements(rows: &[calibration::Row<'_>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = "<section id=\"calibration\" aria-labelledby=\"calibration-title\">\n\
                   <h2 id=\"calibration-title\">Sharpness and calibration</h2>\n\
                   <p class=\"note\">Sharpness is the mean entropy of the softmax, in nats: a sharp \
                   teacher, with a low one, says little of how classes resemble one another. The \
                   calibration error (ECE) is by how much confidence and accuracy differ.</p>\n"
        .to_owned();
    out += "<div class=\"figures\">\n";
    out += &framed(&calibration::picture(rows), "calibration-picture", "");
    out += "<div class=\"wide\"><table>\n<caption>Mean ± std over seeds</caption>\n<thead><tr>";
    for (place, head) in
        ["measurement", "role", "top-1 %", "loss", "ECE %", "entropy", "entropy at τ"]
            .iter()
            .enumerate()
    {
        out += &format!("<th scope=\"col\"{}>{head}</th>", word(place));
    }
    out += "</tr></thead>\n<tbody>\n";
    for row in rows {
        let (name, role) = (xml(row.name), row.role.name());
        out += &format!("<tr><th scope=\"row\">{name}</th><td class=\"word\">{role}</td>");
        let cells = [
            row.top1.percent(),
            row.loss.scaled(1.0, 4),
            row.ece.percent(),
            row.entropy.scaled(1.0, 3),
            row.entropy_at_temperature.scaled(1.0, 3),
        ];
        out.extend(cells.map(|cell| format!("<td>{cell}</td>")));
        out += "</tr>\n";
    }
    out + "</tbody></table></div>\n</div>\n</section>\n"
}
