//! How reports are written. A format is one file or folder here, and one line of [`FORMATS`].

mod csv;
mod deltas;
mod grid;
mod html;
mod interface;
mod json;
mod latex;
mod markdown;
mod notes;
#[cfg(feature = "cli")]
mod text;

pub use interface::{Contents, ReportFormat};
#[cfg(feature = "cli")]
pub use text::text;

/// Every format, in the order of `--help`.
pub static FORMATS: &[&ReportFormat] = &[
    #[cfg(feature = "cli")]
    &text::TEXT,
    &markdown::MARKDOWN,
    &latex::LATEX,
    &csv::CSV,
    &json::JSON,
    &html::HTML,
];

/// The format called `name`.
pub fn format(name: &str) -> Option<&'static ReportFormat> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

/// The format of files whose names end like that of `path`.
pub fn format_of(path: &std::path::Path) -> Option<&'static ReportFormat> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    FORMATS.iter().copied().find(|format| format.endings.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_endings_belong_to_one_format() {
        for all in [
            FORMATS.iter().map(|format| format.name).collect::<Vec<_>>(),
            FORMATS.iter().flat_map(|format| format.endings).copied().collect(),
        ] {
            let mut unique = all.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), all.len(), "{all:?}");
        }
        for (path, name) in [("a/b.HTML", Some("html")), ("t.md", Some("md")), ("md", None)] {
            assert_eq!(format_of(path.as_ref()).map(|format| format.name), name, "{path}");
        }
    }
}
