//! The digest of a part of a data set: what decides its images and their labels, and nothing else.
//!
//! Names are canonical (`train-images-idx3-ubyte`, whatever the file is called) and contents are
//! unpacked, so that it does not matter how or where the files are kept. It is a function of what its
//! arguments say alone: the digest of a data set that is not here can be written down.

use blake3::Hash;

/// Training images, validation included: the first word of a part's digest.
pub const TRAIN: &str = "train";
/// Test images.
pub const TEST: &str = "test";

/// The digest, in hex, of a part (`part` is [`TRAIN`] or [`TEST`]) in a `format` (`idx`, `cifar10`,
/// `cifar100`, `image-folder`): of the names of its classes in the order of their numbers, where the
/// format has them, and of each file's name and the blake3 of its content, in the order in which
/// samples are numbered.
pub fn part_digest<'a>(
    format: &str,
    part: &str,
    classes: &[String],
    files: impl ExactSizeIterator<Item = (&'a str, Hash)>,
) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("takd 2026-11 part of a data set");
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    [format, part].into_iter().for_each(&mut text);
    text(&classes.len().to_string());
    classes.iter().for_each(|class| text(class));
    text(&files.len().to_string());
    for (name, content) in files {
        text(name);
        text(&content.to_hex());
    }
    hasher.finalize().to_hex().to_string()
}

/// A data file's name without the folders above it and without the ending of a compressed file.
pub(super) fn canonical(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_suffix(".gz").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this changes, so does every key under every data set, built-in digests among them.
    #[test]
    fn a_part_has_the_digest_that_it_had() {
        let file = |name, content: &[u8]| (name, blake3::hash(content));
        let digest = |files: &[(&'static str, Hash)]| {
            part_digest("cifar10", TRAIN, &[], files.iter().copied())
        };
        let known = digest(&[file("a.bin", b"1"), file("b.bin", b"2")]);
        assert_eq!(known, "31347693b06940622606c729bf8e90d4d107b029523a88f28a4f5dfaaad3c6a7");
        let empty = |format, part| part_digest(format, part, &[], std::iter::empty());
        let classes = ["x".to_owned()];
        let others = [
            digest(&[file("b.bin", b"2"), file("a.bin", b"1")]),
            digest(&[file("a.bin", b"2"), file("b.bin", b"1")]),
            digest(&[file("a.bin", b"1")]),
            digest(&[file("a.binb.bin", b"1")]),
            empty("cifar10", TRAIN),
            empty("cifar100", TRAIN),
            empty("cifar10", TEST),
            part_digest("cifar10", TRAIN, &classes, std::iter::empty()),
        ];
        for (index, other) in others.iter().enumerate() {
            assert!(*other != known && !others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn names_are_canonical() {
        for name in ["test.bin", "test.bin.gz", "a/test.bin", "a/b/test.bin.gz"] {
            assert_eq!(canonical(name), "test.bin");
        }
    }
}
