//! The accuracies of classes that a table asks for.

use super::{
    columns::RawColumn,
    names::suggestion,
    resolve::Resolver,
    resolved::{Learn, Row},
};
use crate::{column::Column, dataset::Presence};

impl Resolver<'_> {
    /// The columns of a table with these rows, an accuracy for each class where all are asked for; and the
    /// names of the classes, where the data has them.
    pub(super) fn columns(
        &mut self,
        raw: &[RawColumn],
        rows: &[Row],
        learns: &[Option<Learn>],
    ) -> (Vec<Column>, Vec<String>) {
        let by_class = |column: &&RawColumn| match column {
            RawColumn::Of(column, _) => matches!(column, Column::PerClass | Column::Confusion),
            RawColumn::Class(_) => true,
        };
        let mut learned = rows.iter().filter_map(|row| learns[row.measured?.node].as_ref());
        let asking = raw.iter().find(by_class);
        let (mut count, mut names, mut is_here) = (0, Vec::new(), false);
        if let (Some(asking), Some(first)) = (asking, learned.next()) {
            count = first.data.info.classes;
            names = first.data.format.class_labels().unwrap_or_default();
            is_here = first.data.info.presence == Presence::Here;
            let same = |other: &Learn| {
                other.data.info.classes == count
                    && other.data.format.class_labels().unwrap_or_default() == names
            };
            if !learned.all(same) {
                let message = "the rows are of data sets with different classes";
                let help = "a table each";
                self.errors.push_help(&asking.name().span, message, help);
            }
        }
        let mut columns = Vec::with_capacity(raw.len());
        for column in raw {
            match column {
                RawColumn::Of(Column::PerClass, _) => columns.extend((0..count).map(Column::Class)),
                RawColumn::Of(column, _) => columns.push(*column),
                RawColumn::Class(asked) => {
                    let by_number = || asked.text.parse().ok().filter(|&number| number < count);
                    let by_name = names.iter().position(|name| *name == asked.text);
                    match by_name.or_else(by_number) {
                        Some(class) => columns.push(Column::Class(class)),
                        // Of data that is not here the names may be unknown; without rows all are.
                        None if count == 0 || (names.is_empty() && !is_here) => {}
                        None if names.is_empty() => {
                            let message = format!("there is no class `{}`", asked.text);
                            let help =
                                format!("the data names none; they are 0 to {}", count.max(1) - 1);
                            self.errors.push_help(&asked.span, message, help);
                        }
                        None => {
                            let message = format!("there is no class `{}`", asked.text);
                            let help = suggestion(&asked.text, names.iter().map(String::as_str));
                            self.errors.push_help(&asked.span, message, help);
                        }
                    }
                }
            }
        }
        (columns, names)
    }
}
