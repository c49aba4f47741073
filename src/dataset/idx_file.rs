//! MNIST's IDX files: two zeros, the type, the number of dimensions, their extents in big-endian
//! order, then the values (<http://yann.lecun.com/exdb/mnist/>).

use super::{
    DataError,
    content::{Content, HEAD},
};
use crate::{input, shape::Shape};
use flate2::read::MultiGzDecoder;
use std::{
    io::{self, BufReader, Cursor, Read},
    path::Path,
};

/// Unsigned bytes, the only type that is read.
const BYTES: u8 = 0x08;
/// The others, as messages name them.
const TYPES: [(u8, &str); 5] = [
    (0x09, "signed bytes"),
    (0x0b, "16-bit integers"),
    (0x0c, "32-bit integers"),
    (0x0d, "32-bit floats"),
    (0x0e, "64-bit floats"),
];
/// Extents above this are taken for damage: no image set in the format comes near it.
const LARGEST_EXTENT: u32 = 1 << 26;
/// Most bytes of one file, unpacked: eight times EMNIST's largest.
const MOST_BYTES: u64 = 4 << 30;
/// Bytes from which it matters how many a packed byte stands for.
const LARGE: u64 = 1 << 28;
/// How many a packed byte may stand for then: images of digits have 5 for one, deflate's most is
/// 1032.
const MOST_PACKED: u64 = 200;

/// One opened file: its name for messages, and its content, unpacked.
pub(super) struct IdxFile<'a> {
    name: String,
    reader: Box<dyn Read + 'a>,
    /// The first bytes of the content.
    head: Vec<u8>,
    /// Bytes of the content that have been read.
    offset: u64,
    /// Bytes of the file, and whether it is packed.
    length: (u64, bool),
    /// Of what has been read of its content.
    hasher: blake3::Hasher,
}

/// How the pixels of an image lie in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// One colour after another, as takd has them.
    Planes,
    /// One pixel after another.
    Pixels,
}

impl IdxFile<'static> {
    /// Opens a file, unpacking it if it is gzipped, whatever its name ends in.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, length) = input::open(path)?;
        Self::new(path.display().to_string(), BufReader::new(file), length)
    }
}

impl<'a> IdxFile<'a> {
    /// A file that is in memory.
    ///
    /// # Errors
    /// What the decoder of gzip says.
    pub fn of(name: &str, bytes: &'a [u8]) -> io::Result<Self> {
        Self::new(name.to_owned(), bytes, bytes.len() as u64)
    }

    fn new(name: String, mut file: impl Read + 'a, length: u64) -> io::Result<Self> {
        let mut head = input::first(&mut file, HEAD)?;
        let packed = head.starts_with(&[0x1f, 0x8b]);
        let mut reader: Box<dyn Read + 'a> = Box::new(file);
        if packed {
            let whole = Cursor::new(std::mem::take(&mut head)).chain(reader);
            reader = Box::new(MultiGzDecoder::new(whole));
            head = input::first(&mut reader, HEAD).unwrap_or_default();
        }
        let reader = Box::new(Cursor::new(head.clone()).chain(reader));
        let (length, hasher) = ((length, packed), blake3::Hasher::new());
        Ok(Self { name, reader, head, offset: 0, length, hasher })
    }

    /// Where it lies, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number and shape of the images, and the order of their pixels, from the header alone.
    ///
    /// # Errors
    /// [`DataError::Damaged`] says what is wrong, or what the file is instead.
    pub fn image_header(&mut self) -> Result<(usize, Shape, Order), DataError> {
        let extents = self.header("images")?;
        let grey = |height, width| Shape { channels: 1, height, width };
        let colour = |height, width| Shape { channels: 3, height, width };
        let (shape, order) = match extents[1..] {
            [height, width] => (grey(height, width), Order::Planes),
            [1, height, width] | [height, width, 1] => (grey(height, width), Order::Planes),
            [3, _, 3] => {
                let problem = "images of 3×n×3 values: which of them are the colours is not said";
                return Err(self.bad(problem.to_owned()));
            }
            [3, height, width] => (colour(height, width), Order::Planes),
            [height, width, 3] => (colour(height, width), Order::Pixels),
            _ => {
                let said: Vec<String> = extents.iter().map(ToString::to_string).collect();
                return Err(self.bad(format!(
                    "{} values; IDX images are count × height × width, or with 3 colours count × 3 × \
                     height × width or count × height × width × 3",
                    said.join(" × ")
                )));
            }
        };
        Ok((extents[0], shape, order))
    }

    /// Number of labels, from the header alone.
    ///
    /// # Errors
    /// As [`image_header`](Self::image_header).
    pub fn label_header(&mut self) -> Result<usize, DataError> {
        match self.header("labels")?[..] {
            [count] => Ok(count),
            ref extents => {
                let dimensions = extents.len();
                Err(self.bad(format!(
                    "{dimensions} dimensions, but labels have one: are images and labels swapped? (Of \
                     QMNIST's labels only the first column is the class.)"
                )))
            }
        }
    }

    /// The `count` bytes that follow the header, and no more; and blake3 of the whole content.
    ///
    /// # Errors
    /// [`DataError::Damaged`] if there are fewer or more.
    pub fn body(mut self, count: usize) -> Result<(Vec<u8>, blake3::Hash), DataError> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count as u64 + 1).read_to_end(&mut bytes);
        let have = bytes.len();
        if let Err(error) = read {
            return Err(self.bad(format!("byte {}: {error}", self.offset + have as u64)));
        }
        self.promised(count as u64, have as u64)?;
        self.hasher.update(&bytes);
        Ok((bytes, self.hasher.finalize()))
    }

    /// The extents, at least one.
    fn header(&mut self, what: &str) -> Result<Vec<usize>, DataError> {
        let start = self.bytes()?;
        let [0, 0, kind, dimensions @ 1..=4] = start else {
            return Err(self.no_idx(start));
        };
        if kind != BYTES {
            let Some((_, name)) = TYPES.iter().find(|(number, _)| *number == kind) else {
                return Err(self.no_idx(start));
            };
            return Err(self.bad(format!(
                "{what} as {name} (type {kind:#04x}), but takd reads unsigned bytes (type 0x08): \
                 write them anew, in NumPy as `x.astype('uint8')`, floats in [0, 1] as `(x * \
                 255).round().astype('uint8')`"
            )));
        }
        let mut extents = Vec::new();
        for _ in 0..dimensions {
            let at = self.offset;
            extents.push(match u32::from_be_bytes(self.bytes()?) {
                0 => return Err(self.bad(format!("byte {at}: an extent of 0"))),
                extent if extent > LARGEST_EXTENT => {
                    let problem = format!("byte {at}: an extent of {extent} is not believable");
                    return Err(self.bad(problem));
                }
                extent => extent as usize,
            });
        }
        let promised = extents.iter().map(|&extent| extent as u128).product::<u128>();
        let (length, packed) = self.length;
        let most = match packed {
            true => u128::from(MOST_BYTES.min(LARGE.max(length.saturating_mul(MOST_PACKED)))),
            false => u128::from(MOST_BYTES),
        };
        if promised > most {
            let how = if packed { " packed" } else { "" };
            return Err(self.bad(format!(
                "a header that promises {promised} bytes is not believable; the file has \
                 {length}{how}"
            )));
        }
        if !packed {
            self.promised(promised as u64, length.saturating_sub(self.offset))?;
        }
        Ok(extents)
    }

    /// Compares what follows the header with what it promises.
    fn promised(&self, count: u64, have: u64) -> Result<(), DataError> {
        let at = self.offset;
        match have.cmp(&count) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(self.bad(format!(
                "truncated: the header promises {count} bytes after byte {at}, there are {have}"
            ))),
            std::cmp::Ordering::Greater => Err(self.bad(format!(
                "longer than the {count} bytes that its header promises after byte {at}"
            ))),
        }
    }

    /// The next four bytes of the header.
    fn bytes(&mut self) -> Result<[u8; 4], DataError> {
        let mut bytes = [0; 4];
        if let Err(error) = self.reader.read_exact(&mut bytes) {
            let problem = match Content::of(&self.head).told() {
                Some(what) => what,
                None => format!("byte {}: the header ends early ({error})", self.offset),
            };
            return Err(self.bad(problem));
        }
        self.offset += 4;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn no_idx(&self, start: [u8; 4]) -> DataError {
        let magic = u32::from_be_bytes(start);
        self.bad(Content::of(&self.head).told().unwrap_or_else(|| {
            format!(
                "byte 0: magic number {magic:#010x}, but IDX images start with 0x00000803 (colour \
                 0x00000804) and labels with 0x00000801"
            )
        }))
    }

    fn bad(&self, problem: String) -> DataError {
        DataError::Damaged { file: self.name.clone(), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    fn labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
        let mut file = IdxFile::of("labels", bytes).unwrap();
        let count = file.label_header()?;
        file.body(count).map(|(labels, _)| labels)
    }

    fn header(bytes: &[u8]) -> Result<(usize, Shape, Order), DataError> {
        IdxFile::of("images", bytes).unwrap().image_header()
    }

    #[test]
    fn damage_is_named_with_its_place() {
        for (bytes, says) in [
            (
                &[0, 0, 8, 1, 0, 0, 0, 2, 7][..],
                "truncated: the header promises 2 bytes after byte 8, there are 1",
            ),
            (&[0, 0, 8, 1, 0, 0, 0, 1, 7, 7], "longer than"),
            (&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7], "images and labels swapped?"),
            (&[1, 0, 8, 1, 0, 0, 0, 1, 7], "magic number 0x01000801"),
            (&[0, 0, 7, 1, 0, 0, 0, 1, 7], "magic number 0x00000701"),
            (&[0, 0, 8, 1, 0, 0], "byte 4: the header ends early"),
            (&[0, 0, 8, 1, 0xff, 0, 0, 0], "not believable"),
            (&[0, 0, 8, 1, 0, 0, 0, 0], "an extent of 0"),
            (&[0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0], "labels as 32-bit floats (type 0x0d)"),
            (b"<!DOCTYPE html><title>404", "HTML, not data: a failed download"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
            (b"", "empty"),
            (b"PK\x03\x04 and so on", "zip, not data"),
            (&[0x1f, 0x8b, 8, 0], "empty"),
        ] {
            let error = labels(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(labels(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9]).unwrap(), [7, 9]);
    }

    #[test]
    fn colours_are_told_by_their_number() {
        let said = |extents: &[u32]| {
            let count = extents.iter().product::<u32>() as usize;
            let numbers = extents.iter().flat_map(|extent| extent.to_be_bytes());
            let header_bytes = [0, 0, 8, extents.len() as u8].into_iter().chain(numbers);
            let bytes: Vec<u8> = header_bytes.chain(std::iter::repeat_n(7, count)).collect();
            header(&bytes).map(|(count, shape, order)| {
                assert_eq!(count, 2);
                (shape.to_string(), order == Order::Planes)
            })
        };
        let found = |extents: &[u32]| said(extents).unwrap();
        assert_eq!(found(&[2, 5, 4]), ("1×5×4".to_owned(), true));
        assert_eq!(found(&[2, 3, 5, 4]), ("3×5×4".to_owned(), true));
        assert_eq!(found(&[2, 5, 4, 3]), ("3×5×4".to_owned(), false));
        assert_eq!(found(&[2, 5, 4, 1]), ("1×5×4".to_owned(), true));
        assert_eq!(found(&[2, 1, 5, 4]), ("1×5×4".to_owned(), true));
        for (extents, says) in [
            (&[2, 3, 5, 3][..], "which of them are the colours"),
            (&[2, 5, 4, 4], "2 × 5 × 4 × 4 values"),
            (&[2, 16], "2 × 16 values"),
            (&[2], "2 values"),
        ] {
            let error = said(extents).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    /// Zeros pack a thousand to one.
    #[test]
    fn what_is_packed_too_well_is_not_unpacked() {
        let extents = [3000, 1000, 1000u32].map(u32::to_be_bytes).concat();
        let start = [&[0, 0, 8, 3][..], &extents].concat();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, &start).unwrap();
        let error = header(&encoder.finish().unwrap()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("3000000000 bytes is not believable"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = labels(&bytes);
            let _ = header(&bytes);
        }
    }
}
