//! A figure's findings in words.

use super::{super::split_name, FigureResults, Front, Rule};

impl FigureResults {
    /// What the figure says in words: which assistant the mean rule picks, what goes with the gain, which
    /// networks are on the front.
    pub(in crate::report) fn told(&self) -> Vec<String> {
        self.told_beside().into_iter().chain(self.told_below()).collect()
    }

    /// What of it a line in the picture shows and no word there says.
    pub(in crate::report) fn told_beside(&self) -> Option<String> {
        self.rule.as_ref().map(Rule::sentence)
    }

    /// What stands below the plot.
    pub(super) fn told_below(&self) -> impl Iterator<Item = String> {
        let all = self.teachers.iter().flat_map(|teachers| &teachers.correlations);
        let correlations = all.map(|correlation| correlation.sentence().to_owned());
        correlations.chain(self.front.iter().flat_map(Front::sentences))
    }

    /// On which images the teachers are measured.
    pub(super) fn teachers_split(&self) -> Option<String> {
        let teachers = self.teachers.as_ref()?;
        Some(format!("; teachers measured on the {} split", split_name(teachers.split)))
    }
}
