//! Images that a file lists: a path and a label a line, and perhaps which split it belongs to.

use super::{
    DataError, held_out,
    listed::{Listed, Listing, MOST_CLASSES, damaged},
    skipped::Skipped,
};
use crate::{dataset::ImageFolder, input};
use std::{collections::BTreeSet, path::Path};

/// Names of the columns, where the first line has them; those of Hugging Face's `metadata.csv` among them.
const PATHS: [&str; 4] = ["path", "file_name", "filename", "image"];
const LABELS: [&str; 3] = ["label", "class", "target"];
const SPLIT: &str = "split";

/// Bytes of a list: some millions of images.
const MOST: u64 = 1 << 30;

/// A line of the file.
struct Row {
    path: String,
    label: String,
    split: Option<String>,
}

/// The images of the list `file` in the folder of `images`.
pub(super) fn listing(images: &ImageFolder, file: &str) -> Result<Listing, DataError> {
    let place = images.path.join(file);
    let rows = read(&place)?;
    let classes: Vec<String> =
        rows.iter().map(|row| row.label.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    if classes.len() < 2 || classes.len() > MOST_CLASSES {
        let problem = format!(
            "{} different labels; takd takes 2 to {MOST_CLASSES}: lines are path,label",
            classes.len()
        );
        return Err(damaged(&place, problem));
    }
    let empty = || Listed { folder: ".".to_owned(), names: Vec::new(), labels: Vec::new() };
    let [mut train, mut test] = [empty(), empty()];
    let mut undecided = empty();
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_unstable_by(|a, b| (&a.label, &a.path).cmp(&(&b.label, &b.path)));
    for row in sorted {
        let side = match row.split.as_deref() {
            None | Some("") => &mut undecided,
            Some("train") => &mut train,
            Some("test" | "val" | "valid" | "validation") => &mut test,
            Some(other) => {
                let problem = format!(
                    "`{other}` as the split of {}; it must be train, val or test",
                    row.path
                );
                return Err(damaged(&place, problem));
            }
        };
        let label = classes.binary_search(&row.label).unwrap_or_default();
        side.names.push(row.path.clone());
        side.labels.push(label as u16);
    }
    let (more, held_out) = held_out::split(undecided, images.held_out.unwrap_or(held_out::USUAL));
    for (side, more) in [(&mut train, more), (&mut test, held_out)] {
        side.names.extend(more.names);
        side.labels.extend(more.labels);
    }
    Ok(Listing { classes, train, test, skipped: Skipped::default() })
}

fn read(file: &Path) -> Result<Vec<Row>, DataError> {
    let bytes = input::read(file, MOST).map_err(|error| DataError::Missing {
        file: file.display().to_string(),
        error,
        help: "`list` must name a CSV file of path,label in the data set's folder".to_owned(),
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(&*bytes);
    let wrong = |line: u64, problem: &str| damaged(file, format!("line {line}: {problem}"));
    let (mut rows, mut columns, mut seen) = (Vec::new(), [Some(0), Some(1), None], BTreeSet::new());
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| damaged(file, error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        if index == 0 {
            let find = |names: &[&str]| {
                record.iter().position(|cell| names.contains(&cell.to_lowercase().as_str()))
            };
            if let Some(path) = find(&PATHS) {
                columns = [Some(path), find(&LABELS), find(&[SPLIT])];
                continue;
            }
        }
        let cell = |column: Option<usize>| record.get(column?).filter(|cell| !cell.is_empty());
        let (Some(path), Some(label)) = (cell(columns[0]), cell(columns[1])) else {
            return Err(wrong(line, "it must hold a path and a label: path,label"));
        };
        let inner = Path::new(path);
        if inner.is_absolute() || inner.components().any(|part| part.as_os_str() == "..") {
            return Err(wrong(line, "the path must start from the folder of the list"));
        }
        if !seen.insert(path.to_owned()) {
            return Err(wrong(line, &format!("{path} comes twice")));
        }
        let split = cell(columns[2]).map(str::to_lowercase);
        rows.push(Row { path: path.to_owned(), label: label.to_owned(), split });
    }
    Ok(rows)
}
