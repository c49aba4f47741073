//! Why something did not come from a remote, or did not get there.

use crate::store::StoreError;

/// Why something did not come from a remote, or did not get there.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// An address that is none.
    #[error("`{url}` is not a remote: {problem}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An address with a user, a password or a signature, which is not repeated here.
    #[error(
        "the remote's address holds a user, a password or a signature: leave it out; credentials come from the \
         environment (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_KEY …) and from the \
         provider's own files"
    )]
    Credentials,
    /// This build has none.
    #[error(
        "cannot use {0}: this takd was built without remotes; build it with `--features remote`"
    )]
    NotBuilt(String),
    /// What the environment says does not fit together.
    #[error("cannot use {name}: {problem}")]
    Setup {
        /// The remote.
        name: String,
        /// What does not fit.
        problem: String,
    },
    /// There is no such bucket or folder.
    #[error("{name} does not exist: {problem}; create it, or correct the address")]
    NoBucket {
        /// The remote.
        name: String,
        /// What it says.
        problem: String,
    },
    /// It does not let this be done.
    #[error(
        "{object} may not be {action}: {problem}; check the credentials in the environment and what they allow"
    )]
    Refused {
        /// Participle: read, written, listed.
        action: &'static str,
        /// What was asked for.
        object: String,
        /// What it says.
        problem: String,
    },
    /// It could not be reached, or broke off, for as long as was waited; or has no room.
    #[error("{object} cannot be {action}: {problem}; try again when the remote is there")]
    Failed {
        /// Participle: read, written, listed.
        action: &'static str,
        /// What was asked for.
        object: String,
        /// What happened.
        problem: String,
    },
    /// What came is not what must come.
    #[error("{object} {problem}; nothing of it was kept")]
    Wrong {
        /// Its name in the bucket.
        object: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The cache.
    #[error(transparent)]
    Store(#[from] StoreError),
}
