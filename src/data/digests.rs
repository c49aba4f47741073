//! Digests of files, kept so that a large data set is not read anew by each command.
//!
//! They are kept in a file of lines `blake3 size modified name`, one for each file that has been
//! read, a later line in place of an earlier one; `modified` is in nanoseconds since 1970. A line
//! counts as long as the file has the size and the time that it names. A file that was changed less
//! than two seconds before it was read gets no line: it could change again within one tick of the
//! file system's clock. Whoever uses a file compares its content with the digest, so that a change
//! that kept size and time is found there at the latest.

use super::DataError;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Files between two writes: what Ctrl-C can cost.
const CHUNK: usize = 1024;
/// Age from which a file's time can be trusted to change with its content.
const SETTLED: Duration = Duration::from_secs(2);

/// Whether digests that were kept may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Where size and time agree.
    Use,
    /// Every file is read.
    Renew,
}

/// What tells that a file is the one that was read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: u128,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { size: metadata.len(), modified: modified.as_nanos() })
    }

    fn is_settled(self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.modified + SETTLED.as_nanos() < now.as_nanos()
    }
}

/// blake3 of each of the files `names` in `root`; what has been read is kept in a file in `place`.
///
/// # Errors
/// [`DataError`] names the file that cannot be read, or the folder that cannot be written.
pub(super) fn digests(
    root: &Path,
    names: &[String],
    place: &Path,
    kept: Kept,
) -> Result<Vec<blake3::Hash>, DataError> {
    let file = place_of(root, place);
    let known = match kept {
        Kept::Use => read(&file),
        Kept::Renew => HashMap::new(),
    };
    let look = |name: &String| -> Result<_, DataError> {
        let path = root.join(name);
        let stamp = Stamp::of(&path).map_err(|error| unreadable(&path, error))?;
        Ok(known.get(name).filter(|(seen, _)| *seen == stamp).map(|(_, digest)| *digest))
    };
    let looked: Vec<Result<Option<blake3::Hash>, DataError>> = names.par_iter().map(look).collect();
    let mut found = looked.into_iter().collect::<Result<Vec<_>, _>>()?;
    let stale: Vec<usize> = (0..names.len()).filter(|&at| found[at].is_none()).collect();
    let mut output = Output { file, kept, open: None };
    for chunk in stale.chunks(CHUNK) {
        let read: Vec<_> = chunk.par_iter().map(|&at| hash(&root.join(&names[at]))).collect();
        let mut lines = String::new();
        for (&at, read) in chunk.iter().zip(read) {
            let (digest, stamp) = read?;
            found[at] = Some(digest);
            if let Some(Stamp { size, modified }) = stamp.filter(|_| !names[at].contains('\n')) {
                let name = &names[at];
                // Writing to a string cannot fail.
                let _ = writeln!(lines, "{} {size} {modified} {name}", digest.to_hex());
            }
        }
        output.append(&lines).map_err(|error| DataError::Missing {
            file: place.display().to_string(),
            error,
            help: "digests of image files are kept there: name a folder that can be written with \
                   --data or TAKD_DATA"
                .to_owned(),
        })?;
    }
    Ok(found.into_iter().map(|digest| digest.expect("what was not known was read")).collect())
}

/// One file a data set, named by the data set's place.
fn place_of(root: &Path, place: &Path) -> PathBuf {
    let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let name = blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex();
    place.join(&name[..16])
}

/// What has been kept; lines that are not whole say nothing.
fn read(file: &Path) -> HashMap<String, (Stamp, blake3::Hash)> {
    let Ok(bytes) = fs::read(file) else { return HashMap::new() };
    let text = String::from_utf8_lossy(&bytes);
    let mut known = HashMap::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next();
        let digest = word().and_then(|word| blake3::Hash::from_hex(word).ok());
        let size = word().and_then(|word| word.parse().ok());
        let modified = word().and_then(|word| word.parse().ok());
        if let (Some(digest), Some(size), Some(modified), Some(name)) =
            (digest, size, modified, word())
        {
            known.insert(name.to_owned(), (Stamp { size, modified }, digest));
        }
    }
    known
}

/// A file's digest, and its stamp if that will tell of a change.
fn hash(path: &Path) -> Result<(blake3::Hash, Option<Stamp>), DataError> {
    let read = || -> io::Result<_> {
        let before = Stamp::of(path)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        let same = Stamp::of(path)? == before;
        Ok((hasher.finalize(), Some(before).filter(|stamp| same && stamp.is_settled())))
    };
    read().map_err(|error| unreadable(path, error))
}

/// An image that is there and cannot be read.
pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    let help = "mend its permissions, or take it out of the folder".to_owned();
    DataError::Missing { file: path.display().to_string(), error, help }
}

/// The file of digests, opened once there is something to write.
struct Output {
    file: PathBuf,
    kept: Kept,
    open: Option<File>,
}

impl Output {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.open.is_none() {
            if let Some(folder) = self.file.parent() {
                fs::create_dir_all(folder)?;
            }
            if self.kept == Kept::Renew && self.file.exists() {
                fs::remove_file(&self.file)?;
            }
            self.open = Some(OpenOptions::new().create(true).append(true).open(&self.file)?);
        }
        self.open.as_mut().map_or(Ok(()), |open| open.write_all(lines.as_bytes()))
    }
}
