//! MNIST's IDX files: a big-endian magic number, the extents, then bytes.

use super::DataError;
use crate::config::Shape;
use flate2::read::GzDecoder;
use std::io::Read;

/// Type byte 8 (unsigned bytes), 3 dimensions.
const IMAGES: u32 = 0x0803;
/// Type byte 8, 1 dimension.
const LABELS: u32 = 0x0801;
/// Extents above this are taken for damage: no image set in the format comes near it.
const LARGEST_EXTENT: u32 = 1 << 26;
/// Pixels above this are too.
const LARGEST_BODY: u128 = 1 << 40;

/// One opened file: its name for messages, and its bytes, unpacked.
pub struct IdxFile<'a> {
    name: &'a str,
    reader: Box<dyn Read + 'a>,
    offset: u64,
}

impl<'a> IdxFile<'a> {
    /// Opens `bytes`, unpacking them if they are gzipped.
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        let reader: Box<dyn Read> = if bytes.starts_with(&[0x1f, 0x8b]) {
            Box::new(GzDecoder::new(bytes))
        } else {
            Box::new(bytes)
        };
        Self { name, reader, offset: 0 }
    }

    /// Number and shape of the images, from the header alone.
    pub fn image_header(&mut self) -> Result<(usize, Shape), DataError> {
        self.magic(IMAGES, "images")?;
        let [count, height, width] = [self.extent()?, self.extent()?, self.extent()?];
        let pixels = [count, height, width].iter().map(|&extent| extent as u128).product::<u128>();
        if pixels > LARGEST_BODY {
            let problem = format!("{count} images of {height}×{width} pixels are not believable");
            return Err(self.bad(problem));
        }
        Ok((count, Shape { channels: 1, height, width }))
    }

    /// Number of labels, from the header alone.
    pub fn label_header(&mut self) -> Result<usize, DataError> {
        self.magic(LABELS, "labels")?;
        self.extent()
    }

    /// The `count` bytes that follow the header, and no more.
    pub fn body(mut self, count: usize) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count as u64 + 1).read_to_end(&mut bytes);
        let have = bytes.len();
        if let Err(error) = read {
            return Err(self.bad(format!("byte {}: {error}", self.offset + have as u64)));
        }
        match have.cmp(&count) {
            std::cmp::Ordering::Equal => Ok(bytes),
            std::cmp::Ordering::Less => Err(self.bad(format!(
                "truncated: the header promises {count} bytes after byte {}, there are {have}",
                self.offset
            ))),
            std::cmp::Ordering::Greater => Err(self.bad(format!(
                "longer than the {count} bytes that its header promises after byte {}",
                self.offset
            ))),
        }
    }

    fn magic(&mut self, want: u32, what: &str) -> Result<(), DataError> {
        match self.word()? {
            magic if magic == want => Ok(()),
            magic => Err(self.bad(format!(
                "byte 0: magic number {magic:#010x}, but IDX {what} start with {want:#010x}"
            ))),
        }
    }

    fn extent(&mut self) -> Result<usize, DataError> {
        let at = self.offset;
        match self.word()? {
            0 => Err(self.bad(format!("byte {at}: an extent of 0"))),
            extent if extent > LARGEST_EXTENT => {
                Err(self.bad(format!("byte {at}: an extent of {extent} is not believable")))
            }
            extent => Ok(extent as usize),
        }
    }

    fn word(&mut self) -> Result<u32, DataError> {
        let mut bytes = [0; 4];
        if let Err(error) = self.reader.read_exact(&mut bytes) {
            return Err(self.bad(format!("byte {}: the header ends early ({error})", self.offset)));
        }
        self.offset += 4;
        Ok(u32::from_be_bytes(bytes))
    }

    fn bad(&self, problem: String) -> DataError {
        DataError::Damaged { file: self.name.to_owned(), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    fn labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
        let mut file = IdxFile::new("labels", bytes);
        let count = file.label_header()?;
        file.body(count)
    }

    #[test]
    fn damage_is_named_with_its_place() {
        for (bytes, says) in [
            (
                &[0, 0, 8, 1, 0, 0, 0, 2, 7][..],
                "truncated: the header promises 2 bytes after byte 8, there are 1",
            ),
            (&[0, 0, 8, 1, 0, 0, 0, 1, 7, 7], "longer than"),
            (&[0, 0, 8, 3, 0, 0, 0, 1, 7], "magic number 0x00000803"),
            (&[0, 0, 8, 1, 0, 0], "byte 4: the header ends early"),
            (&[0, 0, 8, 1, 0xff, 0, 0, 0], "not believable"),
            (&[0, 0, 8, 1, 0, 0, 0, 0], "an extent of 0"),
            (&[0x1f, 0x8b, 8, 0], "the header ends early"),
        ] {
            let error = labels(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(labels(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9]).unwrap(), [7, 9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = labels(&bytes);
            let _ = IdxFile::new("images", &bytes).image_header();
        }
    }
}
