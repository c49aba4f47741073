//! What stands beside quoted numbers: that they and ours are not like for like, and why.

use super::{FigureResults, Results, plural, split_name};
use crate::{dataset::Split, recipe::Select};

/// What quoted numbers are in a file that does not say so.
const UNSTATED: &str = "as published, their selection and search not stated in this file";

impl Results {
    /// Whether a row quotes a published value.
    pub(super) fn quotes(&self) -> bool {
        self.rows.iter().any(|row| row.paper.is_some())
    }

    /// The footnote of the columns that quote; nothing where there are none.
    pub(super) fn unlike(&self) -> Option<String> {
        let ours = self.rows.iter().filter_map(|row| row.ours.as_ref());
        let seeds = ours.clone().map(|ours| ours.seeds.len()).max().unwrap_or(0);
        let selected = |select| ours.clone().any(|ours| ours.select == Some(select));
        let splits = [(Select::BestValidation, Split::Validation), (Select::BestTest, Split::Test)];
        let splits = splits.into_iter().filter(|(select, _)| selected(*select));
        let splits: Vec<&str> = splits.map(|(_, split)| split_name(split)).collect();
        let mut ours = means(seeds);
        if !splits.is_empty() {
            ours += &format!(", epochs selected on the {} split", splits.join(" or the "));
        }
        let paper = self.paper_note.as_deref();
        self.quotes().then(|| match seeds {
            0 => format!("‡ the paper's are {}", paper.unwrap_or(UNSTATED)),
            _ => format!("‡ diff is ours − paper, {}", unlike(paper, &ours)),
        })
    }
}

impl FigureResults {
    /// What is said of its quoted points; nothing where there are none.
    pub(super) fn unlike(&self) -> Option<String> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let quotes = points.into_iter().any(|point| point.paper.is_some());
        let text = unlike(self.paper_note.as_deref(), &means(self.seeds));
        quotes.then(|| format!("ours and the paper's are {text}"))
    }
}

fn means(seeds: usize) -> String {
    match seeds {
        1 => "of one seed at fixed hyper-parameters".to_owned(),
        _ => format!("means over {seeds} seed{} at fixed hyper-parameters", plural(seeds)),
    }
}

fn unlike(paper: Option<&str>, ours: &str) -> String {
    let paper = paper.unwrap_or(UNSTATED);
    format!("not like for like: the paper's are {paper}; ours are {ours}")
}
