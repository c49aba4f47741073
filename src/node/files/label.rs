//! Words in the header of a safetensors file.

use super::FileError;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the format keeps words (<https://huggingface.co/docs/safetensors>, "Format").
const METADATA: &str = "__metadata__";

/// The same tensors with this metadata in place of any other. The same words give the same bytes, which the
/// crate's own hash map does not.
///
/// # Errors
/// [`FileError`] if it is no safetensors file.
pub fn label_weights(
    bytes: &[u8],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, FileError> {
    let (length, _) = SafeTensors::read_metadata(bytes)?;
    let (header, tensors) = bytes[8..].split_at(length);
    let header: BTreeMap<String, Value> = serde_json::from_slice(header)?;
    // In the order of the tensors, as the format's own writer has them.
    let mut entries: Vec<_> = header.into_iter().filter(|(name, _)| name != METADATA).collect();
    entries.sort_by_key(|(_, tensor)| tensor["data_offsets"][0].as_u64());
    let words = (METADATA.to_owned(), json!(metadata));
    let entries = std::iter::once(words).chain(entries);
    let entries = entries.map(|(name, value)| format!("{}:{value}", json!(name)));
    let mut header = format!("{{{}}}", entries.collect::<Vec<_>>().join(",")).into_bytes();
    // Tensors begin at a multiple of 8 bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Ok([&length[..], &header, tensors].concat())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{read_weights, write_weights},
        *,
    };
    use crate::network::NamedTensor;

    #[test]
    fn tensors_stay_and_words_are_read_back() {
        let tensor = |name: &str, value| NamedTensor {
            name: name.to_owned(),
            shape: vec![2],
            values: vec![value, 0.5],
        };
        let tensors = [tensor("b", 1.0), tensor("a", -2.0)];
        let plain = write_weights(&tensors).unwrap();
        let words = [("format", "pt"), ("classes", "10"), ("ü", "\"quoted\"")];
        let words = words.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let words: BTreeMap<String, String> = words.into_iter().collect();
        let labelled = label_weights(&plain, &words).unwrap();
        // The crate reads them in no order.
        let by_name = |bytes: &[u8]| {
            let mut tensors = read_weights(bytes).unwrap();
            tensors.sort_by(|a, b| a.name.cmp(&b.name));
            tensors
        };
        assert_eq!(by_name(&labelled), by_name(&plain));
        let (length, header) = SafeTensors::read_metadata(&labelled).unwrap();
        assert_eq!(length % 8, 0);
        let found: BTreeMap<_, _> = header.metadata().clone().unwrap().into_iter().collect();
        assert_eq!(found, words);
        assert_eq!(label_weights(&labelled, &words).unwrap(), labelled);
        assert!(label_weights(b"none", &words).is_err());
    }
}
