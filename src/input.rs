//! Files from outside: opened only if they are regular files, and read up to a bound.
//!
//! Opening a named pipe waits for a writer, and `/dev/zero` has no end: what kind of file a path
//! names is asked first. The file is then opened so that nothing waits, and asked again, in case
//! another has taken its place.

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// Most bytes of a pipeline file. Ten thousand nodes written out take about one million.
pub const MOST_PIPELINE: u64 = 64 << 20;
/// Most bytes of a file of weights: two billion parameters in f32.
pub const MOST_WEIGHTS: u64 = 8 << 30;

/// A regular file, opened for reading, and its length in bytes.
///
/// # Errors
/// What the system says, or that it is not a regular file, and what it is.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    regular(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::libc::O_NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    Ok((file, metadata.len()))
}

/// The content of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; [`io::ErrorKind::FileTooLarge`] if there are more bytes, before they are read.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open(path)?;
    if length > most {
        return Err(too_large(&size(length), most));
    }
    read_up_to(file, most)
}

/// Everything that `reader` gives, if that is at most `most` bytes: what is packed says nothing of
/// its size before it is unpacked.
///
/// # Errors
/// What the reader says; [`io::ErrorKind::FileTooLarge`] if there are more bytes.
pub fn read_up_to(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large("it does not end there", most));
    }
    Ok(bytes)
}

/// The first `count` bytes of what `reader` gives, or all if there are fewer.
///
/// # Errors
/// What the reader says.
pub fn first(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// blake3 of a regular file of at most `most` bytes, which are not held in memory.
///
/// # Errors
/// As [`read`].
pub fn digest(path: &Path, most: u64) -> io::Result<blake3::Hash> {
    let (file, length) = open(path)?;
    if length > most {
        return Err(too_large(&size(length), most));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file.take(most))?;
    Ok(hasher.finalize())
}

/// An error for something of which there is more than `most` bytes.
fn too_large(what: &str, most: u64) -> io::Error {
    let problem = format!("too large: {what}, and at most {} are read", size(most));
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}

/// `13.0 GB`, `512 bytes`.
pub fn size(bytes: u64) -> String {
    match bytes {
        ..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let kind = match metadata.is_dir() {
        true => io::ErrorKind::IsADirectory,
        false => io::ErrorKind::InvalidInput,
    };
    Err(io::Error::new(kind, format!("it is a {}, not a file", kind_of(metadata.file_type()))))
}

/// The word for what is not a regular file.
pub fn kind_of(file: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file.is_fifo() {
            return "named pipe";
        } else if file.is_socket() {
            return "socket";
        } else if file.is_char_device() || file.is_block_device() {
            return "device";
        }
    }
    if file.is_dir() { "folder" } else { "special file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: impl AsRef<Path>) -> String {
        read(path.as_ref(), 100).unwrap_err().to_string()
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, socket) = (dir.path().join("pipe"), dir.path().join("socket"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(said(&pipe), "it is a named pipe, not a file");
        assert_eq!(said(&socket), "it is a socket, not a file");
        assert_eq!(said("/dev/zero"), "it is a device, not a file");
        assert_eq!(said(dir.path()), "it is a folder, not a file");
        assert!(digest(&pipe, 100).is_err());
    }

    #[test]
    fn no_more_is_read_than_the_bound() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, [7; 100]).unwrap();
        assert_eq!(read(&file, 100).unwrap(), [7; 100]);
        assert_eq!(digest(&file, 100).unwrap(), blake3::hash(&[7; 100]));
        fs::write(&file, [7; 101]).unwrap();
        assert_eq!(said(&file), "too large: 101 bytes, and at most 100 bytes are read");
        assert!(digest(&file, 100).is_err());
        // A file without blocks: read, it would fill the memory.
        File::options().write(true).open(&file).unwrap().set_len(1 << 43).unwrap();
        assert_eq!(said(&file), "too large: 8796.1 GB, and at most 100 bytes are read");
        let endless = read_up_to(io::repeat(0), 1000).unwrap_err();
        assert_eq!(endless.kind(), io::ErrorKind::FileTooLarge);
    }
}
