//! What is known of files, kept so that a large data set is not read anew by each command.
//!
//! It is kept in a file of lines `crc32c blake3 size modified decoded content name`, one for each
//! file that has been read, a later line in place of an earlier one; `modified` is in nanoseconds
//! since 1970, `decoded` is 1 once the whole picture has been decoded, `content` is a word of
//! [`Content`], and the checksum is that of the rest of the line. A line counts as long as the file
//! has the size and the time that it names. A file that was changed less than two seconds before it
//! was read gets no line: it could change again within one tick of the file system's clock. Whoever
//! uses a file compares its content with the digest, so that a change that kept size and time is
//! found there at the latest.

use super::{
    DataError,
    content::{Content, HEAD},
    picture::MOST_FILE,
};
use crate::input;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Files between two writes: what Ctrl-C can cost.
const CHUNK: usize = 256;
/// Age from which a file's time can be trusted to change with its content.
const SETTLED: Duration = Duration::from_secs(2);
/// Longest line that is read; no path is longer.
const LONGEST: u64 = 1 << 14;
/// Lines in vain, over those that count, from which the file is written anew.
const STALE: usize = 4;

/// Whether what was kept may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// Where size and time agree.
    Reuse,
    /// Every file is read.
    Renew,
}

/// What tells that a file is the one that was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: u64,
}

impl Stamp {
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { size: metadata.len(), modified: nanoseconds(modified) })
    }

    fn is_settled(self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.modified.saturating_add(nanoseconds(SETTLED)) < nanoseconds(now)
    }
}

/// Enough until the year 2554.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What is known of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub content: Content,
    /// blake3 of its bytes; of what is no image it is 0.
    pub digest: blake3::Hash,
    /// Whether it has been decoded to its end.
    pub decoded: bool,
}

/// What the files `names` in `root` are, and why that cannot be kept, if so; what has been read is
/// kept in a file in `folder`.
///
/// # Errors
/// [`DataError`] names the file that cannot be read.
pub(super) fn look(
    root: &Path,
    names: &[String],
    folder: &Path,
    kept: Stored,
) -> Result<(Vec<Seen>, Option<String>), DataError> {
    let record = Record::of(root, folder);
    let (known, lines) = match kept {
        Stored::Reuse => record.read(),
        Stored::Renew => Default::default(),
    };
    if kept == Stored::Renew || lines > STALE * (names.len() + CHUNK) {
        record.replace(names.iter().filter_map(|name| known.get_key_value(name.as_str())));
    }
    let look = |name: &String| -> Result<_, DataError> {
        let path = root.join(name);
        let stamp = Stamp::of(&path).map_err(|error| unreadable(&path, error))?;
        Ok(known.get(name).filter(|(seen, _)| *seen == stamp).map(|(_, seen)| *seen))
    };
    let looked: Vec<Result<Option<Seen>, DataError>> = names.par_iter().map(look).collect();
    let mut found = looked.into_iter().collect::<Result<Vec<_>, _>>()?;
    let unknown: Vec<usize> = (0..names.len()).filter(|&at| found[at].is_none()).collect();
    for chunk in unknown.chunks(CHUNK) {
        let read: Vec<_> = chunk.par_iter().map(|&at| hash(&root.join(&names[at]))).collect();
        let mut lines = String::new();
        for (&at, read) in chunk.iter().zip(read) {
            let (seen, stamp) = read?;
            found[at] = Some(seen);
            lines += &stamp.and_then(|stamp| line(&names[at], stamp, seen)).unwrap_or_default();
        }
        record.append(&lines);
    }
    let found = found.into_iter().map(|seen| seen.expect("what was not known was read")).collect();
    Ok((found, record.refused.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// What a file is, and its stamp if that will tell of a change.
fn hash(path: &Path) -> Result<(Seen, Option<Stamp>), DataError> {
    let read = || -> io::Result<_> {
        let before = Stamp::of(path)?;
        let (mut file, length) = input::open(path)?;
        let head = input::first(&mut file, HEAD)?;
        let content = Content::of(&head);
        let mut digest = blake3::Hash::from_bytes([0; 32]);
        if content.is_image() {
            if length > MOST_FILE {
                return Ok(None);
            }
            let mut hasher = blake3::Hasher::new();
            hasher.update(&head).update_reader(file.take(MOST_FILE))?;
            digest = hasher.finalize();
        }
        let same = Stamp::of(path)? == before;
        let seen = Seen { content, digest, decoded: false };
        Ok(Some((seen, Some(before).filter(|stamp| same && stamp.is_settled()))))
    };
    read().map_err(|error| unreadable(path, error))?.ok_or_else(|| {
        let size = fs::metadata(path).map_or(MOST_FILE, |metadata| metadata.len());
        let (size, most) = (input::size(size), input::size(MOST_FILE));
        let problem = format!("an image file of {size}; takd reads {most} at most");
        DataError::Damaged { file: path.display().to_string(), problem }
    })
}

/// An image that is there and cannot be read.
pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    let help = "mend its permissions, or take it out of the folder".to_owned();
    DataError::Missing { file: path.display().to_string(), error, help }
}

/// A file's line, if its time will tell of a change and its name fits on a line.
pub(super) fn line(name: &str, stamp: Stamp, seen: Seen) -> Option<String> {
    let (Stamp { size, modified }, Seen { content, digest, decoded }) = (stamp, seen);
    let (digest, decoded) = (digest.to_hex(), u8::from(decoded));
    let content = content.word().replace(' ', "_");
    let rest = format!("{digest} {size} {modified} {decoded} {content} {name}");
    let fits = stamp.is_settled() && !name.contains('\n') && rest.len() < LONGEST as usize - 16;
    fits.then(|| format!("{:08x} {rest}\n", crc32c::crc32c(rest.as_bytes())))
}

fn parsed(line: &[u8]) -> Option<(String, (Stamp, Seen))> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, rest) = line.split_once(' ')?;
    if u32::from_str_radix(sum, 16) != Ok(crc32c::crc32c(rest.as_bytes())) {
        return None;
    }
    let mut words = rest.splitn(6, ' ');
    let digest = blake3::Hash::from_hex(words.next()?).ok()?;
    let stamp = Stamp { size: words.next()?.parse().ok()?, modified: words.next()?.parse().ok()? };
    let decoded = words.next()? == "1";
    let content = Content::from_word(&words.next()?.replace('_', " "))?;
    Some((words.next()?.to_owned(), (stamp, Seen { content, digest, decoded })))
}

/// Where what is known of a data set's files is kept. It saves time and nothing else: where it
/// cannot be read or written the files are read again.
pub(super) struct Record {
    file: PathBuf,
    /// Why it cannot be written.
    refused: Mutex<Option<String>>,
}

impl Record {
    /// One file per data set, named by the data set's path.
    pub fn of(root: &Path, folder: &Path) -> Self {
        let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let name = blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex();
        Self { file: folder.join(format!("{}.2", &name[..16])), refused: Mutex::default() }
    }

    /// What has been kept, and the number of lines; lines that are not whole say nothing.
    fn read(&self) -> (HashMap<String, (Stamp, Seen)>, usize) {
        let (mut known, mut lines) = (HashMap::new(), 0);
        let Ok((file, _)) = input::open(&self.file) else { return (known, lines) };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        // A line that is too long is read in parts, none of which is whole.
        while reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|read| read > 0)
        {
            lines += 1;
            known.extend(parsed(&line));
            line.clear();
        }
        (known, lines)
    }

    /// Adds lines.
    pub fn append(&self, lines: &str) {
        if !lines.is_empty() && self.refused().is_none() {
            self.keep_refusal(self.opened().and_then(|mut file| file.write_all(lines.as_bytes())));
        }
    }

    fn opened(&self) -> io::Result<File> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        // What is there and is no file is not opened for writing: that could wait for ever.
        if self.file.exists() {
            input::open(&self.file)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.file)?;
        // A line that was torn ends here, and does not tear the next one.
        if torn(&self.file)? {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }

    /// Writes the file anew, with these lines alone.
    fn replace<'a>(&self, known: impl Iterator<Item = (&'a String, &'a (Stamp, Seen))>) {
        if !self.file.exists() {
            return;
        }
        let text: String =
            known.filter_map(|(name, (stamp, seen))| line(name, *stamp, *seen)).collect();
        let beside = self.file.with_extension(format!("{}.new", std::process::id()));
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.file));
        if written.is_err() {
            // It was perhaps never there.
            let _ = fs::remove_file(&beside);
        }
        self.keep_refusal(written);
    }

    fn refused(&self) -> MutexGuard<'_, Option<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_refusal(&self, done: io::Result<()>) {
        if let Err(error) = done {
            let file = self.file.display();
            *self.refused() = Some(format!(
                "cannot write {file}: {error}; each command reads the image files again. --data or \
                 TAKD_DATA names another folder"
            ));
        }
    }
}

/// Whether a file does not end with the end of a line.
fn torn(path: &Path) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    let (mut file, length) = input::open(path)?;
    if length == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(decoded: bool) -> Seen {
        Seen { content: Content::Other("JPEG XL"), digest: blake3::hash(b"x"), decoded }
    }

    #[test]
    fn lines_are_read_back_and_damaged_ones_say_nothing() {
        let stamp = Stamp { size: 7, modified: 8 };
        let text = line("train/a b/c d.jpg", stamp, seen(true)).unwrap();
        let (name, (found, what)) = parsed(text.as_bytes()).unwrap();
        assert!(name == "train/a b/c d.jpg" && found == stamp && what == seen(true));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1;
            assert!(parsed(&damaged).is_none(), "{at}");
            assert!(parsed(&text.as_bytes()[..at]).is_none(), "{at}");
        }
        assert!(line("a\nb", stamp, seen(true)).is_none());
        let young = tempfile::NamedTempFile::new().unwrap();
        let now = Stamp::of(young.path()).unwrap();
        assert!(line("young", now, seen(true)).is_none(), "it may still change");
    }

    #[test]
    fn torn_lines_tear_no_others_and_stale_ones_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let record = Record::of(dir.path(), &dir.path().join("kept"));
        let stamp = Stamp { size: 7, modified: 8 };
        let lines: Vec<String> =
            ["a", "b", "c"].iter().map(|name| line(name, stamp, seen(false)).unwrap()).collect();
        record.append(&lines[0][..20]);
        record.append(&lines[1]);
        record.append(&"x".repeat(3 * LONGEST as usize));
        record.append(&lines[2]);
        record.append(&line("c", stamp, seen(true)).unwrap());
        let (known, _) = record.read();
        let mut names: Vec<&String> = known.keys().collect();
        names.sort();
        assert_eq!(names, ["b", "c"]);
        assert!(known["c"].1.decoded, "the last line counts");
        record.replace(known.iter());
        let (again, lines) = record.read();
        assert!(again == known && lines == 2);
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_in_its_place_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let record = Record::of(dir.path(), dir.path());
        let made = std::process::Command::new("mkfifo").arg(&record.file).status().unwrap();
        assert!(made.success());
        assert!(record.read().0.is_empty());
        record.append("line\n");
        assert!(record.refused().is_some());
    }
}
