//! `KEY=VALUE` from a command line, as a source that is laid over the file.

/// The source that `--set KEY=VALUE` stands for, by its name and as TOML; `None` without `=`.
///
/// A word that is no TOML value by itself means the string: `net=plain8` needs no quotes.
pub fn setting(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((format!("--set {key}"), format!("{key} = {}", toml_value(value))))
}

fn toml_value(value: &str) -> String {
    let bare = value.chars().all(|c| c.is_alphanumeric() || "-_./*+".contains(c));
    let is_toml = format!("x = {value}").parse::<toml::Table>().is_ok();
    if bare && !is_toml && !value.is_empty() { format!("\"{value}\"") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::toml_value;

    #[test]
    fn words_are_strings_and_values_stay() {
        for (given, toml) in [("plain8", "\"plain8\""), ("5", "5"), ("[1, 2]", "[1, 2]"), ("", "")]
        {
            assert_eq!(toml_value(given), toml);
        }
    }
}
