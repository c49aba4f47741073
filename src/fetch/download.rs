//! One download.

use super::Source;
use crate::file_lock::LockedFile;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Why a data set is missing.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The site cannot be reached, or broke off.
    #[error("{url}: {problem}; what is there is kept, and the same command resumes it")]
    Network {
        /// The address.
        url: String,
        /// What happened.
        problem: String,
    },
    /// What came is not what was published.
    #[error(
        "{url} gave a file with the SHA-256 {found}, not {wanted}: it is removed; try again, or fetch \
         from another address with --from"
    )]
    Digest {
        /// The address.
        url: String,
        /// Digest of what came.
        found: String,
        /// Digest that was published.
        wanted: String,
    },
    /// The file system refused.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

fn io_error<'a>(path: &'a Path) -> impl FnOnce(io::Error) -> FetchError + 'a {
    move |error| FetchError::Io { path: path.to_owned(), error }
}

/// Puts `source` into `folder`, unless it is there; its place. `progress` hears of bytes so far, and
/// of all bytes where the site tells.
///
/// A file comes to its name only after its digest has matched; until then it is `NAME.part`, from
/// which a broken download resumes.
///
/// # Errors
/// [`FetchError`] says what to do.
pub fn fetch(
    source: &Source,
    folder: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<PathBuf, FetchError> {
    let path = folder.join(&source.file);
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    // Of two at once, the second waits, and finds what the first has fetched.
    let lock = folder.join(format!(".{}.lock", source.file));
    let locked = File::options().create(true).truncate(false).write(true).open(&lock);
    let wait = |file: File| -> io::Result<LockedFile> {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            log::warn!("another process fetches {}: waiting for it", source.file);
        }
        file.lock()?;
        Ok(LockedFile::of(file))
    };
    let _locked = locked.and_then(wait).map_err(io_error(&lock))?;
    if path.exists() && digest(&path)? == source.sha256 {
        return Ok(path);
    }
    let part = folder.join(format!("{}.part", source.file));
    download(source, &part, progress)?;
    let found = digest(&part)?;
    if found != source.sha256 {
        fs::remove_file(&part).map_err(io_error(&part))?;
        let (url, wanted) = (source.url.clone(), source.sha256.clone());
        return Err(FetchError::Digest { url, found, wanted });
    }
    fs::rename(&part, &path).map_err(io_error(&path))?;
    Ok(path)
}

/// Unpacks a fetched `.tar.gz` into `folder`; members that would leave it are left out. A file comes to
/// its name when it is whole.
///
/// # Errors
/// [`FetchError::Io`] if a file cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> Result<(), FetchError> {
    let file = File::open(archive).map_err(io_error(archive))?;
    let mut members = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let beside = folder.join(format!(".unpacking-{}", std::process::id()));
    let done = fs::create_dir_all(&beside)
        .and_then(|()| members.unpack(&beside))
        .and_then(|()| bring(&beside, folder));
    let removed = fs::remove_dir_all(&beside);
    done.and(removed).map_err(io_error(folder))
}

/// Moves all files below `from` to the same places below `to`.
fn bring(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let path = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            bring(&entry.path(), &path)?;
        } else {
            fs::rename(entry.path(), path)?;
        }
    }
    Ok(())
}

/// Longest wait for a connection, for the beginning of an answer, and for the next bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// As [`PATIENCE`], or as many seconds as `TAKD_FETCH_TIMEOUT` says.
fn patience() -> Duration {
    let told = std::env::var("TAKD_FETCH_TIMEOUT").ok().and_then(|text| text.parse().ok());
    told.map_or(PATIENCE, Duration::from_secs)
}

/// What comes next of a body; an error if nothing comes for as long as `patience`.
struct Chunks {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    patience: Duration,
}

impl Chunks {
    /// Reads in a thread of its own, since a read may wait for ever.
    fn new(mut reader: impl Read + Send + 'static, patience: Duration) -> io::Result<Self> {
        let (sender, chunks) = mpsc::sync_channel(4);
        thread::Builder::new().spawn(move || {
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = reader.read(&mut chunk).map(|count| {
                    chunk.truncate(count);
                    chunk
                });
                let last = !matches!(&read, Ok(chunk) if !chunk.is_empty());
                if sender.send(read).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, patience })
    }

    /// Nothing at the end.
    fn next(&self) -> Result<Option<Vec<u8>>, String> {
        match self.chunks.recv_timeout(self.patience) {
            Ok(Ok(chunk)) => Ok(Some(chunk).filter(|chunk| !chunk.is_empty())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(format!("no byte came for {} s", self.patience.as_secs()))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err("the reader has ended".to_owned()),
        }
    }
}

fn download(
    source: &Source,
    part: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), FetchError> {
    let network = |problem: String| FetchError::Network { url: source.url.clone(), problem };
    let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
    let patience = patience();
    let config = ureq::Agent::config_builder()
        .timeout_resolve(Some(patience))
        .timeout_connect(Some(patience))
        .timeout_recv_response(Some(patience));
    let mut request = config.build().new_agent().get(&source.url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        // All of it is there already: the digest tells whether it is right.
        Err(ureq::Error::StatusCode(416)) if have > 0 => return Ok(()),
        Err(error) => return Err(network(error.to_string())),
    };
    // A site that knows no ranges sends everything again.
    let resumed = response.status() == 206;
    let mut options = OpenOptions::new();
    options.create(true).write(true).append(resumed).truncate(!resumed);
    let mut file = options.open(part).map_err(io_error(part))?;
    let mut done = if resumed { have } else { 0 };
    let rest =
        response.headers().get("content-length").and_then(|text| text.to_str().ok()?.parse().ok());
    let total = rest.map(|rest: u64| rest + done);
    let body = response.into_body().into_reader();
    let chunks = Chunks::new(body, patience).map_err(io_error(part))?;
    let broken = |file: File, problem| {
        // What has come is kept.
        file.sync_all().map_err(io_error(part)).and(Err(network(problem)))
    };
    loop {
        let chunk = match chunks.next() {
            Ok(None) => break,
            Ok(Some(chunk)) => chunk,
            Err(problem) => return broken(file, problem),
        };
        file.write_all(&chunk).map_err(io_error(part))?;
        done += chunk.len() as u64;
        progress(done, total);
    }
    file.sync_all().map_err(io_error(part))?;
    match total {
        Some(total) if done < total => {
            Err(network(format!("broke off after {done} of {total} bytes")))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file, in hex.
fn digest(path: &Path) -> Result<String, FetchError> {
    let mut file = File::open(path).map_err(io_error(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).map_err(io_error(path))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
