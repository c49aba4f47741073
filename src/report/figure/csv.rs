//! The numbers behind a figure, one line per point.

use super::FigureResults;
use crate::report::csv_file::{CsvFile, cell, number};

const HEAD: [&str; 19] = [
    "series",
    "x",
    "node",
    "over",
    "mean",
    "std",
    "n",
    "paper",
    "split",
    "test_selected",
    "picked",
    "quantity",
    "note",
    "paper_note",
    "teacher",
    "spearman",
    "spearman_n",
    "spearman_p",
    "front",
];

impl FigureResults {
    /// As CSV (RFC 4180); a line of its own holds the mean of teacher and student.
    pub fn csv(&self) -> String {
        let mut file = CsvFile::new(&HEAD);
        let split = self.split.name().to_owned();
        let quantity = serde_json::to_value(self.quantity).expect("a word is always JSON");
        let quantity = quantity.as_str().unwrap_or_default();
        let note = cell(self.note.as_deref().unwrap_or_default());
        let picked = self.rule.as_ref().and_then(|rule| rule.pick.as_ref()).map(|pick| &pick.node);
        let correlations = self.teachers.iter().flat_map(|teachers| &teachers.correlations);
        let front = self.front.as_ref();
        let mut correlations = correlations.map(Some).chain(std::iter::repeat(None));
        for line in &self.lines {
            let correlation = correlations.next().flatten();
            for point in &line.points {
                let name = |node: &Option<String>| cell(node.as_deref().unwrap_or_default());
                let paper_note = self.paper_note.as_deref().filter(|_| point.paper.is_some());
                let fields: [String; HEAD.len()] = [
                    cell(&line.label),
                    number(point.x),
                    name(&point.node),
                    name(&point.over),
                    number(point.ours.map(|ours| ours.mean)),
                    number(point.ours.and_then(|ours| ours.std)),
                    point.ours.map_or(0, |ours| ours.n).to_string(),
                    number(point.paper),
                    split.clone(),
                    point.test_selected.to_string(),
                    (picked.is_some() && point.node.as_ref() == picked).to_string(),
                    quantity.to_owned(),
                    note.clone(),
                    cell(paper_note.unwrap_or_default()),
                    name(&point.teacher),
                    number(correlation.and_then(|found| found.rho)),
                    correlation.map(|found| found.n.to_string()).unwrap_or_default(),
                    number(correlation.and_then(|found| found.p)),
                    front.map_or(String::new(), |front| front.has(point.node.as_ref()).to_string()),
                ];
                file.line(fields.into_iter());
            }
        }
        if let Some(rule) = &self.rule {
            let mut fields: [String; HEAD.len()] = Default::default();
            fields[0] = cell(&rule.label());
            fields[4] = number(rule.mean);
            fields[8] = split;
            fields[11] = quantity.to_owned();
            fields[12] = note;
            file.line(fields.into_iter());
        }
        file.text()
    }
}
