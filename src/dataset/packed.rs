//! Files that may be gzipped, which their content tells.

use super::DataError;
use crate::input;

/// A file's content, out of its gzip if it is in one: at most `most` bytes.
pub(super) fn unpacked(file: &str, bytes: Vec<u8>, most: u64) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let content = flate2::read::MultiGzDecoder::new(bytes.as_slice());
    input::read_up_to(content, most).map_err(|error| {
        let problem = format!("its gzip cannot be unpacked: {error}");
        DataError::Damaged { file: file.to_owned(), problem }
    })
}
