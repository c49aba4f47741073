//! What lies in a folder of images and is none of them, counted by reason.

use super::content::Content;
use std::collections::BTreeMap;

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Its content is not that of an image, or of one that takd does not decode.
    Content(Content),
    /// Its name starts with a dot.
    Hidden,
    /// Kept by an operating system, a file manager or a storage box.
    System,
    /// A folder whose name ends like an image's.
    FolderLikeImage,
    /// A link to a folder that it lies in.
    Circle,
    /// A link to nothing.
    BrokenLink,
    /// A named pipe, a socket or a device, which is never opened.
    Special(&'static str),
    /// A file that lies beside the class folders.
    Loose,
}

impl Reason {
    fn text(self, many: bool) -> String {
        let (file, folder) = if many { ("files", "folders") } else { ("file", "folder") };
        let links = if many { "links" } else { "link" };
        match self {
            Self::Content(content @ (Content::Empty | Content::Text)) => {
                format!("{content} {file}")
            }
            Self::Content(Content::Unknown) => format!("{file} of an unknown format"),
            Self::Content(content) => format!("{content} {file}, which takd does not decode"),
            Self::Hidden => format!("hidden {file}"),
            Self::System => format!("system {file} (Thumbs.db, @eaDir and the like)"),
            Self::FolderLikeImage => format!("{folder} named like an image"),
            Self::Circle => format!("{links} to a folder that it lies in"),
            Self::BrokenLink => format!("broken {links}"),
            Self::Special(kind) => format!("{kind}{}", if many { "s" } else { "" }),
            Self::Loose => format!("{file} outside the class folders"),
        }
    }
}

/// Reasons, how often each was met, and the first path.
#[derive(Default)]
pub(super) struct Skipped(BTreeMap<Reason, (usize, String)>);

impl Skipped {
    pub fn add(&mut self, reason: Reason, path: impl FnOnce() -> String) {
        self.0.entry(reason).or_insert_with(|| (0, path())).0 += 1;
    }

    /// A line for each reason: `skipped 5 HEIC files, which takd does not decode: train/cat/1.heic
    /// and so on`.
    pub fn lines(&self) -> Vec<String> {
        let line = |(reason, (count, first)): (&Reason, &(usize, String))| {
            let more = if *count > 1 { ", …" } else { "" };
            format!("skipped {count} {}: {first}{more}", reason.text(*count > 1))
        };
        self.0.iter().map(line).collect()
    }
}

/// Names of what operating systems, file managers and storage boxes leave everywhere.
const SYSTEM: [&str; 11] = [
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eadir",
    "@tmp",
    "#recycle",
    "#snapshot",
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
];

/// Why something is left out whose name alone says so.
pub(super) fn by_name(name: &str) -> Option<Reason> {
    if name.starts_with('.') {
        return Some(Reason::Hidden);
    }
    let system = SYSTEM.iter().any(|known| name.eq_ignore_ascii_case(known));
    system.then_some(Reason::System)
}

/// Endings of images, also of those that takd does not decode.
const ENDINGS: [&str; 16] = [
    "jpg", "jpeg", "jfif", "jpe", "png", "bmp", "gif", "pgm", "ppm", "tif", "tiff", "webp", "avif",
    "heic", "heif", "jxl",
];

/// Whether a name ends like an image's: what does is a file, or was made beside one.
pub(super) fn is_like_image(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}
