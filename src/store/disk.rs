//! What the cache asks of a file system: names that are nobody else's, files that outlive a power cut, and
//! reading that tells a missing file from a failing disk.

use super::{StoreError, holder::host};
use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    hash::BuildHasher,
    io::{
        self, ErrorKind,
        ErrorKind::{IsADirectory, NotFound, UnexpectedEof},
        Read, Write,
    },
    path::Path,
};

/// End of the name of an entry that is being replaced.
pub(super) const OLD: &str = ".old";

/// A name that no other writer has, also none that is dead: in a container every process may be
/// number 1 of a machine with the same name. The machine and the process are for people, and the
/// machine for [`Store::recover`]; the random number keeps names apart.
pub(super) fn writer() -> String {
    // Each is seeded by the system, and no two of a process are alike.
    let random = RandomState::new().hash_one(());
    format!("{}.{}.{random:016x}", machine(), std::process::id())
}

/// This machine's name, as part of a file's name.
pub(super) fn machine() -> String {
    host().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Makes a folder and those above it, and sees to it that they are there after a power cut.
pub(crate) fn create(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), create)?;
    match create_one(folder) {
        // Another process may have been faster.
        Err(error) if error.kind() != ErrorKind::AlreadyExists || !folder.is_dir() => {
            return Err(StoreError::io("create", folder)(error));
        }
        _ => {}
    }
    above.map_or(Ok(()), sync_folder)
}

/// Makes a folder that is not there, in one that is.
pub(super) fn create_one(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder).and_then(|()| for_group(folder))
}

/// Lets the group write what was just made in a folder that hands its group on and that the group may write
/// (`chmod g+ws`), whatever the umask is: of a cache so made each member can use what the others have left, as of a
/// git repository with `core.sharedRepository`.
///
/// # Errors
/// The system's.
pub(crate) fn for_group(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if is_handed_on(path)? {
            let metadata = fs::metadata(path)?;
            let mode = metadata.permissions().mode();
            let wanted = mode | if metadata.is_dir() { 0o2070 } else { 0o060 };
            if wanted != mode {
                fs::set_permissions(path, fs::Permissions::from_mode(wanted))?;
            }
        }
    }
    Ok(())
}

/// Whether the folder around `path` hands its group on and the group may write there. A folder that another thread
/// has made just now may not be the group's yet: then the one around it tells, whose bit it has from the system.
#[cfg(unix)]
fn is_handed_on(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        let mode = fs::metadata(above)?.permissions().mode();
        if mode & 0o2000 == 0 {
            return Ok(false);
        }
        if mode & 0o20 != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Has the system look anew at what a folder holds: NFS keeps for a minute that a name was not there, until the folder
/// is opened.
pub(super) fn look_anew(folder: &Path) -> Result<(), StoreError> {
    match File::open(folder) {
        Err(error) if error.kind() != NotFound => Err(StoreError::io("read", folder)(error)),
        _ => Ok(()),
    }
}

/// Writes a file that outlives a power cut; its folder is for [`sync_folder`].
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = File::create(path).and_then(|mut file| {
        for_group(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(StoreError::io("write", path))
}

/// Makes sure that the names in a folder outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", path))
}

/// Removes a file or a folder, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotADirectory => fs::remove_file(path),
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// What the system says of a name, or `None` if nothing has it.
pub(super) fn metadata(path: &Path) -> Result<Option<fs::Metadata>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

/// A file's bytes, or `None` if there is no such file; a folder or a pipe in its place is none.
///
/// Fewer bytes than the system says that the file has are an error of the system, not the content.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    if !metadata(path)?.is_some_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let bytes = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(length).map_err(io::Error::other)?)?;
        file.read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            let problem = format!("the system gave {} of its {length} bytes", bytes.len());
            return Err(io::Error::new(UnexpectedEof, problem));
        }
        Ok(bytes)
    };
    match bytes() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if [NotFound, IsADirectory].contains(&error.kind()) => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_group_gets_what_lies_in_a_folder_that_another_thread_has_just_made() {
        let cache = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let made = cache.path().join("made");
        fs::create_dir(&made).unwrap();
        for (of_cache, of_made, wanted) in [
            (0o2770, 0o2770, 0o660),
            (0o2770, 0o2700, 0o660),
            (0o2750, 0o2700, 0o600),
            (0o770, 0o700, 0o600),
        ] {
            mode(cache.path(), of_cache);
            mode(&made, of_made);
            let file = made.join("file");
            fs::write(&file, "").unwrap();
            mode(&file, 0o600);
            for_group(&file).unwrap();
            let found = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, wanted, "{of_cache:o} {of_made:o}");
        }
    }
}
