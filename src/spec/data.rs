//! Reading data sets: where they lie, how they are split and normalised.

use super::{
    diagnostic::{Diagnostics, Span},
    fields::Fields,
    value::{Name, Table, Value},
};
use crate::config::{
    Cifar, CifarKind, Fit, Format, ImageFolder, Normalisation,
    defaults::{data as defaults, split},
};
use std::path::{Path, PathBuf};

/// A data set whose files have not been looked at.
pub(super) struct RawData {
    pub span: Span,
    pub format: Format,
    pub validation: usize,
    pub validation_span: Span,
    pub normalisation: Normalisation,
    pub normalisation_span: Span,
}

/// A data set's `format` in the file.
#[derive(Clone, Copy, PartialEq)]
enum FormatWord {
    FashionMini,
    Idx,
    Cifar(CifarKind),
    Folder,
}

/// Where the paths in a pipeline start.
#[derive(Clone, Copy)]
pub(super) struct Folders<'a> {
    /// The pipeline file's: what relative paths are relative to.
    pub pipeline: &'a Path,
    /// Where fetched data sets lie.
    pub data: &'a Path,
}

/// A data set.
pub(super) fn data(
    name: &Name,
    table: &Table,
    folders: Folders<'_>,
    errors: &mut Diagnostics,
) -> Option<RawData> {
    let mut fields = Fields::new(table, &name.span, format!("data.{}", name.text), errors);
    let words = [
        ("fashion-mini", FormatWord::FashionMini),
        ("idx", FormatWord::Idx),
        ("cifar10", FormatWord::Cifar(CifarKind::Ten)),
        ("cifar100", FormatWord::Cifar(CifarKind::Hundred)),
        ("image-folder", FormatWord::Folder),
    ];
    let word = fields.require("format").and_then(|v| fields.word(v, &words));
    let path = fields.take("path").and_then(|value| fields.path(value));
    let path = path.map(|path| (folders.pipeline.join(path.text), path.span));
    let format = format(word, path, name, folders, &mut fields);
    let validation_value = fields.take("validation");
    let validation = validation_value.and_then(|value| fields.whole(value, 0, u32::MAX.into()));
    let mean = channels("mean", "numbers", |_| true, &mut fields);
    let std = channels("std", "numbers above 0", |s| s > 0.0, &mut fields);
    let normalisation = match (mean, std) {
        (None, None) => defaults::normalisation::value(),
        (Some(mean), Some(std)) if mean.len() == std.len() => Normalisation::Given { mean, std },
        (Some(_), Some(_)) => {
            fields.errors.push(&name.span, "`mean` and `std` need the same number of values");
            Normalisation::Measured
        }
        _ => {
            fields.errors.push(&name.span, "`mean` and `std` come together");
            Normalisation::Measured
        }
    };
    fields.finish();
    Some(RawData {
        span: name.span.clone(),
        format: format?,
        validation: validation.map_or_else(split::validation::value, |count| count as usize),
        validation_span: validation_value.map_or(&name.span, |value| &value.span).clone(),
        normalisation,
        normalisation_span: table.get("mean").map_or(&name.span, |value| &value.span).clone(),
    })
}

/// The storage, and the fields that only it takes. Of an unknown `word` no field is reported.
fn format(
    word: Option<FormatWord>,
    path: Option<(PathBuf, Span)>,
    name: &Name,
    folders: Folders<'_>,
    fields: &mut Fields<'_, '_>,
) -> Option<Format> {
    let [train, test, size, resize, exif] = ["train", "test", "size", "resize", "exif"]
        .map(|key| fields.take(key).map(|value| (key, value)));
    let mut refuse = |given: [Option<(&str, &Value)>; 3], who: &str| {
        for (key, value) in given.into_iter().flatten() {
            fields.errors.push(&value.span, format!("only {who} `{key}`"));
        }
    };
    match word? {
        FormatWord::FashionMini | FormatWord::Idx => {
            refuse([train, test, None], "cifar10, cifar100 and image-folder take");
            refuse([size, resize, exif], "image-folder takes");
        }
        FormatWord::Cifar(_) => refuse([size, resize, exif], "image-folder takes"),
        FormatWord::Folder => {}
    }
    match (word?, path) {
        (FormatWord::FashionMini, None) => Some(Format::FashionMini),
        (FormatWord::FashionMini, Some((_, span))) => {
            fields.errors.push(&span, "fashion-mini is inside takd: it takes no path");
            None
        }
        (FormatWord::Idx, Some((path, _))) => Some(Format::Idx(path)),
        (FormatWord::Idx, None) => {
            let message = format!("`data.{}` needs `path`", name.text);
            let help = "the folder that holds the four IDX files";
            fields.errors.push_help(&name.span, message, help);
            None
        }
        (FormatWord::Cifar(kind), path) => {
            let path = path.map_or_else(|| folders.data.to_owned(), |(path, _)| path);
            let whole = Cifar::whole(kind, path);
            let mut names = |given: Option<(&str, &Value)>, whole| match given {
                None => whole,
                Some((_, value)) => {
                    fields.strings(value).into_iter().map(|name| name.text).collect()
                }
            };
            let (train, test) = (names(train, whole.train), names(test, whole.test));
            Some(Format::Cifar(Cifar { kind, path: whole.path, train, test }))
        }
        (FormatWord::Folder, path) => {
            let path = path.map_or_else(|| folders.data.join(&name.text), |(path, _)| path);
            let usual = ImageFolder::new(path, folders.data);
            let [train, test] = [train, test]
                .map(|given| given.map(|(_, value)| fields.string(value).map(|name| name.text)));
            let fit = fit(size, resize, exif, fields);
            let train = train.unwrap_or(Some(usual.train));
            let test = test.map_or(Some(usual.test), |test| test.map(|name| vec![name]));
            let (train, test, fit) = (train?, test?, fit?);
            Some(Format::Folder(ImageFolder { train, test, fit, ..usual }))
        }
    }
}

/// Sides of images above this ask for more memory than any network could use.
const LARGEST: u64 = 4096;

fn fit(
    size: Option<(&str, &Value)>,
    resize: Option<(&str, &Value)>,
    exif: Option<(&str, &Value)>,
    fields: &mut Fields<'_, '_>,
) -> Option<Fit> {
    let size = match size {
        None => Fit::default().size,
        Some((_, value)) => fields.whole(value, 1, LARGEST)? as u32,
    };
    let resize = match resize {
        None => Fit::around(size).resize,
        Some((_, value)) => {
            let resize = fields.whole(value, 1, 2 * LARGEST)? as u32;
            if resize < size {
                let message = format!("images resized to {resize} pixels hold no {size}×{size}");
                fields.errors.push_help(&value.span, message, "`resize` is `size` or more");
            }
            resize
        }
    };
    let exif = match exif {
        None => Fit::default().exif,
        Some((_, value)) => fields.flag(value)?,
    };
    Some(Fit { size, resize, exif })
}

fn channels(
    key: &'static str,
    want: &str,
    ok: impl Fn(f64) -> bool + Copy,
    fields: &mut Fields<'_, '_>,
) -> Option<Vec<f64>> {
    let value = fields.take(key)?;
    let items = fields.array(value, want);
    Some(items.iter().filter_map(|item| fields.number(item, want, ok)).collect())
}
