//! Logits of which less is kept than all in 32 bits.

use super::format::{FileError, finite, floats, id_bytes, to_bytes};
use crate::keep::Top;
use burn::tensor::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Name of the metadata that says of how many classes a row was.
const CLASSES: &str = "classes";

/// `ids` `[samples]`, and `logits` `[samples, classes]` in 16 bits.
pub(super) fn write_f16(ids: &[u32], values: &[f32]) -> Result<Vec<u8>, FileError> {
    let halves: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
    // What is too large for 16 bits is infinite there.
    let again: Vec<f32> = halves.iter().map(|half| half.to_f32()).collect();
    finite(&again)?;
    let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
    let (ids_of, classes) = (id_bytes(ids), values.len() / ids.len().max(1));
    let views = [
        ("ids", TensorView::new(Dtype::U32, vec![ids.len()], &ids_of)?),
        ("logits", TensorView::new(Dtype::F16, vec![ids.len(), classes], &bytes)?),
    ];
    Ok(safetensors::serialize(views, None)?)
}

/// Numbers of 16 bits.
pub(super) fn halves(bytes: &[u8]) -> Vec<f32> {
    let halves = bytes.chunks_exact(2).map(|half| f16::from_le_bytes([half[0], half[1]]));
    halves.map(f16::to_f32).collect()
}

/// `ids` `[samples]`, the `count` largest logits of each row, `top` `[samples, count]`, their classes,
/// `classes` of that shape, and of the others ln Σ exp, `rest` `[samples]`.
pub(super) fn write_top(ids: &[u32], values: &[f32], count: usize) -> Result<Vec<u8>, FileError> {
    finite(values)?;
    let classes = values.len() / ids.len().max(1);
    let rows: Vec<Top> = values.chunks(classes.max(1)).map(|row| Top::of(row, count)).collect();
    let kept = rows.first().map_or(0, |row| row.values.len());
    let places: Vec<u8> =
        rows.iter().flat_map(|row| &row.classes).flat_map(|class| class.to_le_bytes()).collect();
    let all = |part: fn(&Top) -> &[f32]| -> Vec<f32> {
        rows.iter().flat_map(|row| part(row).iter().copied()).collect()
    };
    let (top, rest) = (to_bytes(&all(|row| &row.values)), rows.iter().map(|row| row.rest));
    let (rest, ids_of) = (to_bytes(&rest.collect::<Vec<_>>()), id_bytes(ids));
    let shape = vec![ids.len(), kept];
    let views = [
        ("ids", TensorView::new(Dtype::U32, vec![ids.len()], &ids_of)?),
        ("top", TensorView::new(Dtype::F32, shape.clone(), &top)?),
        ("classes", TensorView::new(Dtype::U16, shape, &places)?),
        ("rest", TensorView::new(Dtype::F32, vec![ids.len()], &rest)?),
    ];
    let metadata = [(CLASSES.to_owned(), classes.to_string())].into();
    Ok(safetensors::serialize(views, Some(metadata))?)
}

/// Whole rows out of what [`write_top`] wrote of so many samples, and their width.
pub(super) fn read_top(
    bytes: &[u8],
    file: &SafeTensors<'_>,
    samples: usize,
) -> Result<(Vec<f32>, usize), FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let classes = header.metadata().as_ref().and_then(|metadata| metadata.get(CLASSES));
    let classes: usize = serde_json::from_str(classes.map_or("", String::as_str))?;
    let [top, places, rest] = [file.tensor("top")?, file.tensor("classes")?, file.tensor("rest")?];
    if places.dtype() != Dtype::U16 {
        return Err(FileError::Type("classes".to_owned()));
    }
    let kept = top.shape().last().copied().unwrap_or(0);
    let places: Vec<u16> =
        places.data().chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    let (top, rest) = (floats("top", &top)?, floats("rest", &rest)?);
    let whole = kept < classes && rest.len() == samples;
    // A row is no wider than any network's output.
    if !whole || classes > 1 << 16 || top.len() != places.len() || top.len() != samples * kept {
        return Err(FileError::Type("top".to_owned()));
    }
    let rows = (0..samples).flat_map(|row| {
        let own = row * kept..(row + 1) * kept;
        let (classes_of, values) = (places[own.clone()].to_vec(), top[own].to_vec());
        Top { classes: classes_of, values, rest: rest[row] }.row(classes)
    });
    Ok((rows.collect(), classes))
}

#[cfg(test)]
mod tests {
    use super::super::{read_logits, write_logits};
    use crate::{keep::Keep, training::Logits};

    const ROWS: [f32; 6] = [1.0, -2.5, 0.3333, 4.0, 3.9, -1.0];

    #[test]
    fn sixteen_bits_and_the_largest_go_there_and_back() {
        let all = write_logits(&[4, 2], &ROWS, Keep::F32).unwrap();
        let half = write_logits(&[4, 2], &ROWS, Keep::F16).unwrap();
        assert!(half.len() < all.len());
        let rounded = ROWS.map(|value| burn::tensor::f16::from_f32(value).to_f32());
        let expected = Logits::new(&[4, 2], rounded.to_vec(), 3).unwrap();
        assert_eq!(read_logits(&half).unwrap(), expected);
        let top = write_logits(&[4, 2], &ROWS, Keep::Top(1)).unwrap();
        let row = |max: f32, a: f32, b: f32| {
            let rest = ((a.exp() + b.exp()) / 2.0).ln();
            (max, rest)
        };
        let [(a, rest_a), (b, rest_b)] = [row(1.0, -2.5, 0.3333), row(4.0, 3.9, -1.0)];
        let read = read_logits(&top).unwrap();
        let near = Logits::new(&[4, 2], vec![a, rest_a, rest_a, b, rest_b, rest_b], 3).unwrap();
        assert!((read.spread() - near.spread()).abs() < 1e-6);
        // More than there are is all of them.
        let nearly = read_logits(&write_logits(&[4, 2], &ROWS, Keep::Top(9)).unwrap()).unwrap();
        let exact = read_logits(&all).unwrap();
        assert!((nearly.spread() - exact.spread()).abs() < 1e-6);
    }

    #[test]
    fn what_sixteen_bits_do_not_hold_is_refused() {
        assert!(write_logits(&[1], &[7e4, 0.0], Keep::F16).is_err());
    }
}
