//! Collects a pipeline's results from the cache.

use super::{
    Comparison, Entries, FigureResults, TableRow,
    compare::comparisons,
    decisions::{ChoiceResults, SearchResults},
    reader::Reader,
};
use crate::{
    column::Column,
    dataset::Split,
    graph::Graph,
    key::{Key, KeyInputs},
    pipeline::Adjust,
    store::StoreError,
};
use serde::Serialize;

/// A pipeline's tables with what the cache holds for them.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// In the order of the file.
    pub tables: Vec<Results>,
    /// In the order of the file.
    pub figures: Vec<FigureResults>,
    /// Searches, in the order in which they are decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<SearchResults>,
    /// Choices, in the order in which they are decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChoiceResults>,
}

/// One table.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Its title.
    pub title: String,
    /// The split that its rows are measured on.
    pub split: Split,
    /// The file's word on it.
    pub note: Option<String>,
    /// What the quoted values are, to go after "the paper's are".
    pub paper_note: Option<String>,
    /// What it is asked to show.
    #[serde(skip)]
    pub columns: Vec<Column>,
    /// Names of the classes, where columns are of classes and the data names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Evals of its rows that were made before answers were counted, where columns are of classes.
    #[serde(skip)]
    pub uncounted: Vec<String>,
    /// In the order of the file.
    pub rows: Vec<TableRow>,
    /// How the p-values of its comparisons are adjusted.
    pub adjust: Adjust,
    /// TAKD against BLKD, where rows are of both.
    pub comparisons: Vec<Comparison>,
}

impl Report {
    /// Reads the results of `graph`, whose tasks have these `keys`, out of `entries`.
    ///
    /// # Errors
    /// [`StoreError`] if the cache cannot be read. A damaged entry counts as missing.
    pub fn gather(
        graph: &Graph<'_>,
        keys: &[(KeyInputs, Key)],
        entries: &mut Entries<'_>,
    ) -> Result<Self, StoreError> {
        let mut reader = Reader { graph, keys, entries };
        let pipeline = graph.pipeline;
        let mut tables = Vec::with_capacity(pipeline.tables.len());
        for table in &pipeline.tables {
            let mut rows = Vec::with_capacity(table.rows.len());
            let counts = table.columns.iter().any(|column| column.counts_answers());
            let mut uncounted = Vec::new();
            for row in &table.rows {
                let asked = || table.columns.iter().filter_map(|column| column.footprint());
                let mut ours =
                    row.measured.map(|ours| reader.row_with(ours, asked())).transpose()?;
                if let Some(ours) = ours.as_mut().filter(|_| counts) {
                    reader.count_answers(ours)?;
                    let lacks =
                        ours.seeds.iter().any(|s| s.metrics.is_some() && s.answers.is_none());
                    let eval = row.measured.filter(|_| lacks);
                    uncounted.extend(eval.map(|ours| pipeline.nodes[ours.eval].name.clone()));
                }
                rows.push(TableRow { label: row.label.clone(), paper: row.paper, ours });
            }
            let comparisons = comparisons(pipeline, table, &mut reader)?;
            let (title, split, note) = (table.title.clone(), table.split, table.note.clone());
            let paper_note = pipeline.paper_note.clone();
            let (columns, adjust) = (table.columns.clone(), table.adjust);
            let classes = table.classes.clone();
            tables.push(Results {
                title,
                split,
                note,
                paper_note,
                columns,
                classes,
                uncounted,
                rows,
                adjust,
                comparisons,
            });
        }
        let figures = pipeline.figures.iter();
        let figures = figures.map(|figure| FigureResults::gather(figure, &mut reader));
        let figures = figures.collect::<Result<_, _>>()?;
        let searches = pipeline.searches.iter().map(SearchResults::of).collect();
        let choices = pipeline.choices.iter().map(ChoiceResults::of).collect();
        Ok(Self { pipeline: pipeline.name.clone(), tables, figures, searches, choices })
    }
}
