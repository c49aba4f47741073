//! Files that a command was asked to write: whole, or as they were.

use super::exit::Problem;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Writes a file, or over it. A disk that fills up, or a kill, leaves what was there.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Problem> {
    replace(path, bytes.as_ref()).map_err(|error| Problem::Write { path: path.to_owned(), error })
}

/// Writes a file that is not there yet, or nothing.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Problem> {
    let problem = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Problem::Exists(path.to_owned()),
        _ => Problem::Write { path: path.to_owned(), error },
    };
    let file = File::create_new(path).map_err(problem)?;
    fill(file, path, text.as_bytes()).map_err(problem)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = match fs::metadata(path) {
        // A device or a pipe, /dev/stdout say: it can only be written to.
        Ok(there) if !there.is_file() => return fs::write(path, bytes),
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // What a link points to is replaced, not the link.
    let real = if there.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let beside = beside(&real);
    let file = match File::create_new(&beside) {
        // A file that may be written, in a folder that may not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && there.is_some() => {
            return fs::write(path, bytes);
        }
        file => file?,
    };
    fill(file, &beside, bytes)?;
    let placed = there
        .map_or(Ok(()), |there| fs::set_permissions(&beside, there.permissions()))
        .and_then(|()| fs::rename(&beside, &real));
    placed.inspect_err(|_| discard(&beside))
}

/// `.report.html.takd-1234` beside `report.html`.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".takd-{}", std::process::id()));
    path.with_file_name(name)
}

/// Writes and syncs all of it; removes the file where that fails.
fn fill(mut file: File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| discard(path))
}

/// What is left of a failed attempt is no loss; that it could not be removed is told by the error that
/// led here.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}
