//! Words for a shell: of commands that people type again, and of scripts.

/// A word as a shell reads it.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_quoted_for_a_shell() {
        for (text, quoted) in [
            ("recipe.plain.epochs=5", "recipe.plain.epochs=5"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("a*", "'a*'"),
            ("", "''"),
            ("päth", "päth"),
        ] {
            assert_eq!(super::word(text), quoted);
        }
    }
}
