//! CSV (RFC 4180) that spreadsheets may open.

pub(super) use super::escape::csv as cell;
use csv::Writer;

/// A file that is written line by line.
pub(super) struct CsvFile(Writer<Vec<u8>>);

impl CsvFile {
    /// A file with a line of heads.
    pub fn new(head: &[&str]) -> Self {
        let mut file = Self(Writer::from_writer(Vec::new()));
        file.line(head.iter().map(ToString::to_string));
        file
    }

    /// One more line, of as many fields as the first one. Text goes through [`cell`] first.
    pub fn line(&mut self, fields: impl Iterator<Item = String>) {
        let written = self.0.write_record(fields.map(String::into_bytes));
        written.expect("lines have as many fields as the head, and memory takes them");
    }

    /// The file.
    pub fn text(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes what is left");
        String::from_utf8(bytes).expect("fields are UTF-8")
    }
}

/// A line of a file of its own, which spreadsheets read as text and numbers.
pub fn csv_line<const FIELDS: usize>(fields: [String; FIELDS]) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    // A number is no formula, whatever its sign.
    let is_number = |field: &str| field.parse::<f64>().is_ok_and(f64::is_finite);
    let safe = |field: String| if is_number(&field) { field } else { cell(&field) };
    let written = writer.write_record(fields.map(safe));
    written.expect("memory takes a line");
    String::from_utf8(writer.into_inner().expect("memory takes what is left"))
        .expect("text is UTF-8")
}

/// A number that can be read back to the same bits; nothing where there is none.
pub(super) fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
