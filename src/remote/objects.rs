//! What is asked of a bucket: few calls, each of which waits, so that a test can be one.

use super::RemoteError;

/// Which state of an object it is, in the bucket's words; nothing where the bucket has no words for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// A digest, in most buckets.
    pub e_tag: Option<String>,
    /// A number, in buckets that keep earlier states.
    pub version: Option<String>,
}

/// An object that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its state.
    pub version: Version,
}

/// A bucket's objects, by their paths below the prefix. Lost connections and servers in trouble are tried again for
/// a while before they are an error.
pub trait Objects: Send + Sync {
    /// Names of the objects in a folder, and which state each is in.
    ///
    /// # Errors
    /// [`RemoteError`], also where there is no such bucket; a folder that is not there is empty.
    fn list(&self, folder: &str) -> Result<Vec<(String, Version)>, RemoteError>;

    /// An object of at most `most` bytes, or nothing if it is not there.
    ///
    /// # Errors
    /// [`RemoteError::Wrong`] if it is larger, before it is read.
    fn read(&self, path: &str, most: u64) -> Result<Option<Object>, RemoteError>;

    /// The `length` bytes of an object from `from` on; all of them are there.
    ///
    /// # Errors
    /// [`RemoteError`] if they cannot be read.
    fn part(&self, path: &str, from: u64, length: u64) -> Result<Vec<u8>, RemoteError>;

    /// An object's length, or nothing if it is not there.
    ///
    /// # Errors
    /// [`RemoteError`] if the bucket does not say.
    fn length(&self, path: &str) -> Result<Option<u64>, RemoteError>;

    /// Puts an object in its place, whatever was there; nobody sees half of it.
    ///
    /// # Errors
    /// [`RemoteError`] if it is not there then.
    fn write(&self, path: &str, bytes: Vec<u8>) -> Result<(), RemoteError>;

    /// Puts an object where none is; nothing if there is one, which may be this very object, if an answer was lost.
    ///
    /// # Errors
    /// [`RemoteError`] if it is not known which.
    fn create(&self, path: &str, bytes: Vec<u8>) -> Result<Option<Version>, RemoteError>;

    /// Puts an object in the place of that state of it; nothing if it is in another by now, or gone.
    ///
    /// # Errors
    /// [`RemoteError`] if it is not known which.
    fn replace(
        &self,
        path: &str,
        bytes: Vec<u8>,
        version: &Version,
    ) -> Result<Option<Version>, RemoteError>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// [`RemoteError`] if it may still be there.
    fn remove(&self, path: &str) -> Result<(), RemoteError>;
}
