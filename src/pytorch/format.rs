//! What a file is, by its first bytes.

/// A file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `torch.save` since PyTorch 1.6.
    Zip,
    /// `torch.save` before.
    Legacy,
    Safetensors,
    /// None of them: what it is.
    Other(&'static str),
}

/// First instructions of every file of the older format: protocol 2, a long of ten bytes.
const LEGACY: [u8; 4] = [0x80, 0x02, 0x8a, 0x0a];

const OTHERS: [(&[u8], &str); 9] = [
    (b"\x1f\x8b", "gzip: unpack it"),
    (b"\x89HDF", "HDF5, as Keras writes it"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "GGUF"),
    (b"BZh", "bzip2: unpack it"),
    (b"\xfd7zXZ", "xz: unpack it"),
    (b"version https://git-lfs", "a Git LFS pointer: `git lfs pull` fetches the file behind it"),
    (b"<", "HTML or XML: the download gave a page and not the file"),
    (b"{", "JSON"),
];

pub(super) fn kind(bytes: &[u8]) -> Kind {
    // A safetensors header is JSON after its length, whose first byte can be that of a pickle.
    if let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length);
        if rest.first() == Some(&b'{') && (2..=100_000_000).contains(&length) {
            return Kind::Safetensors;
        }
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if bytes.starts_with(&LEGACY) {
        return Kind::Legacy;
    }
    if bytes.is_empty() {
        return Kind::Other("an empty file");
    }
    if let Some((_, what)) = OTHERS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Kind::Other(what);
    }
    match bytes {
        [0x80, 0..=5, ..] => Kind::Other("a pickle that torch.save did not write"),
        [0x08, _, 0x12, ..] => Kind::Other("ONNX"),
        _ => Kind::Other("something else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_they_hold() {
        // 128 is also the first byte of a pickle.
        let mut safetensors = 128_u64.to_le_bytes().to_vec();
        safetensors.extend(b"{}");
        assert_eq!(kind(&safetensors), Kind::Safetensors);
        assert_eq!(kind(b"PK\x03\x04rest"), Kind::Zip);
        assert_eq!(kind(b"\x80\x02\x8a\x0arest"), Kind::Legacy);
        for other in [&b""[..], b"\x80\x04\x95", b"<html>", b"\x1f\x8b", b"anything", b"{\"a\": 1}"]
        {
            assert!(matches!(kind(other), Kind::Other(_)), "{other:?}");
        }
    }
}
