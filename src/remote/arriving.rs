//! What a manifest from a stranger may say.

use crate::{input::MOST_WEIGHTS, key::Key, store::Manifest};

/// Most bytes of a manifest: one of a mutual learning of many large networks takes some ten thousand.
pub(super) const MOST_MANIFEST: u64 = 4 << 20;
/// Most files of an entry, and most characters of a file's name.
const MOST_FILES: usize = 16;
const LONGEST_NAME: usize = 100;
/// Ends of the names of files that entries hold. None of these formats can hold a program.
const ENDS: [&str; 3] = [".safetensors", ".json", ".jsonl"];

/// The manifest of `key` in a text from outside; or what is wrong with it, as the end of a sentence.
pub(super) fn manifest(key: &Key, text: &[u8]) -> Result<Manifest, String> {
    let manifest = Manifest::parse(text)
        .map_err(|version| format!("cannot be read by this takd, as it is of {version}"))?;
    if manifest.key() != *key {
        return Err(format!("holds the entry {}", manifest.key()));
    }
    if manifest.files.len() > MOST_FILES {
        return Err(format!("names {} files, which are too many", manifest.files.len()));
    }
    for (name, file) in &manifest.files {
        if !is_plain(name) {
            return Err(format!("names a file {name:?}, which is none that an entry has"));
        }
        if file.bytes > MOST_WEIGHTS {
            return Err(format!("names a file {name} of {} bytes, which is too large", file.bytes));
        }
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if file.blake3.len() != 64 || !file.blake3.bytes().all(hex) {
            return Err(format!("has no digest of its file {name}"));
        }
    }
    Ok(manifest)
}

/// Whether a name is one of a file in an entry: it leads nowhere else, on no system, and hides nothing.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
        && !name.starts_with("manifest.")
        && ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn names_of_files_are_plain() {
        for name in ["weights.safetensors", "metrics.jsonl", "answers.json", "logits.safetensors"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../x.json",
            "a/b.json",
            "/etc/x.json",
            "a\\b.json",
            ".json",
            ".x.json",
            "manifest.json",
            "weights.pt",
            "weights.pkl",
            "x",
            "x.json\n",
            "x.json\0",
            "é.json",
            "C:x.json",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(!is_plain(&format!("{}.json", "x".repeat(200))));
    }
}
