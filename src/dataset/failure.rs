//! Why a data set cannot be used.

use std::io;

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is not there or cannot be read.
    #[error("cannot read {file}: {error}; {help}")]
    Missing {
        /// The file or folder.
        file: String,
        /// What the system says.
        error: io::Error,
        /// What to do.
        help: String,
    },
    /// A file's content is not what its format says.
    #[error("{file}: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What and where.
        problem: String,
    },
    /// More than one file is not as it should be.
    #[error("{}", list(.0))]
    Several(Vec<DataError>),
    /// The system gives no threads.
    #[error("cannot start threads that decode images: {0}")]
    Threads(std::io::Error),
    /// Whoever oversees the reading said so.
    #[error("stopped")]
    Stopped,
    /// A decoder ended without a word.
    #[error(
        "the decoder of images failed; `takd data check` with the folder's name finds the file"
    )]
    Decoder,
}

/// Errors shown in full.
const MOST_SHOWN: usize = 20;

fn list(errors: &[DataError]) -> String {
    let shown: Vec<String> = errors.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    let more = errors.len().saturating_sub(MOST_SHOWN);
    let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
    format!("{} files are not usable:\n{}{rest}", errors.len(), shown.join("\n"))
}
