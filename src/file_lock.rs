//! Files that are locked by the system's advisory locks (`flock`, `LockFileEx`).

use std::{
    fs::File,
    io,
    ops::{Deref, DerefMut},
};

/// A file that this process has locked, until it is dropped.
///
/// Closing it would not do: the lock is the open file's, of which a program that another thread is about to start has
/// a second handle until it runs, so that the file would seem locked for a moment after it has been let go.
#[derive(Debug)]
pub(crate) struct LockedFile(File);

impl LockedFile {
    /// Of a file whose lock has just been taken.
    pub(crate) fn of(locked: File) -> Self {
        Self(locked)
    }

    /// Waits until nobody has the file for itself, and shares it.
    ///
    /// # Errors
    /// The system's, where it has no such locks.
    pub(crate) fn share(file: File) -> io::Result<Self> {
        file.lock_shared()?;
        Ok(Self(file))
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // Where that fails the system lets go with the last handle.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_although_a_child_has_a_handle_still() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let open = || File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let file = open();
        file.try_lock().unwrap();
        let childs = file.try_clone().unwrap();
        drop(LockedFile::of(file));
        let other = open();
        other.try_lock().expect("it was let go");
        other.unlock().unwrap();
        let shared = LockedFile::share(open()).unwrap();
        assert!(open().try_lock().is_err());
        drop((shared, childs));
        open().try_lock().expect("whoever shared it is gone");
    }
}
