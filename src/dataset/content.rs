//! What a file's first bytes say that it is, whatever its name ends in.

use std::fmt::{self, Display, Formatter};

/// First bytes that tell: a tar archive's mark lies the farthest behind.
pub(super) const HEAD: usize = 512;

/// What lies in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    Jpeg,
    Png,
    /// Something else, by its name in [`OTHERS`].
    Other(&'static str),
    Empty,
    Text,
    Unknown,
}

/// Formats and the bytes by which they are known: where, and what.
const OTHERS: [(&str, usize, &[u8]); 29] = [
    ("GIF", 0, b"GIF8"),
    ("WebP", 8, b"WEBP"),
    ("BMP", 0, b"BM"),
    ("TIFF", 0, b"II*\0"),
    ("TIFF", 0, b"MM\0*"),
    ("AVIF", 4, b"ftypavi"),
    ("HEIC", 4, b"ftyphei"),
    ("HEIC", 4, b"ftyphev"),
    ("HEIC", 4, b"ftypmif1"),
    ("HEIC", 4, b"ftypmsf1"),
    ("video", 4, b"ftyp"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 4, b"JXL \r\n\x87\n"),
    ("JPEG 2000", 4, b"jP  \r\n\x87\n"),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("PSD", 0, b"8BPS"),
    ("PDF", 0, b"%PDF"),
    ("gzip", 0, b"\x1f\x8b"),
    ("zip", 0, b"PK\x03\x04"),
    ("zip", 0, b"PK\x05\x06"),
    ("xz", 0, b"\xfd7zXZ"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"),
    ("bzip2", 0, b"BZh"),
    ("7z", 0, b"7z\xbc\xaf\x27\x1c"),
    ("tar", 257, b"ustar"),
    ("NumPy", 0, b"\x93NUMPY"),
    ("HDF5", 0, b"\x89HDF\r\n\x1a\n"),
    ("Git LFS pointer", 0, b"version https://git-lfs"),
    ("AppleDouble", 0, b"\x00\x05\x16\x07"),
];
const HTML: &str = "HTML";
const SVG: &str = "SVG";
const PNM: &str = "PNM";

impl Content {
    /// What a file is whose content starts with `head`: the whole of it, or [`HEAD`] bytes or more.
    pub fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if head.starts_with(&[0xff, 0xd8, 0xff]) {
            return Self::Jpeg;
        }
        if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Self::Png;
        }
        let is = |at: usize, mark: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(mark));
        if let Some((name, ..)) = OTHERS.iter().find(|(_, at, mark)| is(*at, mark)) {
            return Self::Other(name);
        }
        if let [b'P', b'1'..=b'7', space, ..] = head
            && space.is_ascii_whitespace()
        {
            return Self::Other(PNM);
        }
        Self::text(&head[..head.len().min(HEAD)])
    }

    fn text(head: &[u8]) -> Self {
        if head.iter().any(|&byte| byte < b' ' && !byte.is_ascii_whitespace()) {
            return Self::Unknown;
        }
        let text = String::from_utf8_lossy(head).to_ascii_lowercase();
        let start = text.trim_start_matches('\u{feff}').trim_start();
        match start {
            _ if start.starts_with("<!doctype html") || start.starts_with("<html") => {
                Self::Other(HTML)
            }
            _ if start.starts_with("<svg") || start.contains("<svg ") => Self::Other(SVG),
            _ if start.starts_with("<?xml") && start.contains("<html") => Self::Other(HTML),
            // A character may be cut at the end.
            _ => match std::str::from_utf8(head) {
                Err(error) if error.error_len().is_some() => Self::Unknown,
                _ => Self::Text,
            },
        }
    }

    /// Whether it is a picture that takd decodes.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }

    /// The word for it, which [`from_word`](Self::from_word) reads.
    pub fn word(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Other(name) => name,
            Self::Empty => "empty",
            Self::Text => "text",
            Self::Unknown => "unknown",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        let fixed = [Self::Jpeg, Self::Png, Self::Empty, Self::Text, Self::Unknown];
        let others = OTHERS.iter().map(|(name, ..)| *name).chain([HTML, SVG, PNM]);
        fixed.into_iter().chain(others.map(Self::Other)).find(|content| content.word() == word)
    }

    /// What to say of a file that should be a data file: `HTML, such as a failed download leaves`.
    pub fn told(self) -> Option<String> {
        let what = match self {
            Self::Unknown => return None,
            Self::Other(name @ HTML) => format!(
                "{name}, not data: a failed download, or a page that asks to log in. Remove it, and \
                 download it again"
            ),
            Self::Other(name @ "Git LFS pointer") => {
                format!("a {name}, not data: `git lfs pull` replaces it by the file")
            }
            Self::Empty => "empty: an interrupted download? Download it again".to_owned(),
            other => format!("{other}, not data"),
        };
        Some(what)
    }
}

impl Display for Content {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        for (head, word) in [
            (&b""[..], "empty"),
            (b"\xff\xd8\xff\xe1", "JPEG"),
            (b"\x89PNG\r\n\x1a\n\0", "PNG"),
            (b"GIF89a", "GIF"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
            (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0", "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
            (b"\0\0\0\x1cftypisom\0\0", "video"),
            (b"P6\n3 4\n255\n", "PNM"),
            (b"P6.", "text"),
            (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "HTML"),
            (b"<?xml version=\"1.0\"?><svg width=\"3\">", "SVG"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
            ("grün".as_bytes(), "text"),
            (b"\xe9t\xe9", "unknown"),
            (&[0; 40], "unknown"),
        ] {
            assert_eq!(Content::of(head).word(), word, "{head:?}");
        }
        let mut tar = [0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(Content::of(&tar), Content::Other("tar"));
        // A character that the head cuts in two.
        let cut = [&[b'a'; HEAD - 1][..], "ü".as_bytes()].concat();
        assert_eq!(Content::of(&cut), Content::Text);
    }

    #[test]
    fn words_are_read_back() {
        let others = OTHERS.iter().map(|(name, ..)| Content::Other(name));
        let fixed = [Content::Jpeg, Content::Png, Content::Empty, Content::Text, Content::Unknown];
        for content in others.chain(fixed).chain([HTML, SVG, PNM].map(Content::Other)) {
            assert_eq!(Content::from_word(content.word()), Some(content));
        }
        assert_eq!(Content::from_word("other"), None);
    }
}
