//! A teacher's logits that somebody else has made: .npy, or safetensors.

use super::npy::{is_npy, read_npy};
use burn::tensor::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Sample ids and the rows that belong to them, `classes` wide: every training image's, in the data set's order,
/// or those of the tensor `ids`. The error is the end of a sentence that begins with the file.
pub(in crate::node) fn read_given(
    bytes: &[u8],
    images: usize,
    classes: usize,
) -> Result<(Vec<u32>, Vec<f32>), String> {
    let (ids, [rows, columns], values) = if is_npy(bytes) {
        let (shape, values) = read_npy(bytes)?;
        (None, shape, values)
    } else {
        read_tensors(bytes)?
    };
    if columns != classes {
        return Err(format!("has {columns} columns, and the data has {classes} classes"));
    }
    let ids = match ids {
        Some(ids) if ids.len() != rows => {
            return Err(format!("has {} ids for {rows} rows", ids.len()));
        }
        Some(ids) => ids,
        None if rows != images => {
            return Err(format!(
                "has {rows} rows, and the data has {images} training images, those that are held out \
                 among them: a row for each in the data set's order, or a tensor `ids` beside `logits`"
            ));
        }
        None => (0..images as u32).collect(),
    };
    let wild = values.chunks(classes.max(1)).position(|row| !row.iter().all(|v| v.is_finite()));
    match wild {
        Some(row) => Err(format!("has NaN or infinite logits: row {row}, counted from 0")),
        None => Ok((ids, values)),
    }
}

type Found = (Option<Vec<u32>>, [usize; 2], Vec<f32>);

fn read_tensors(bytes: &[u8]) -> Result<Found, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("is neither .npy nor safetensors ({error})"))?;
    let logits = match file.tensors().as_slice() {
        [(_, only)] => TensorView::new(only.dtype(), only.shape().to_vec(), only.data()),
        _ => file.tensor("logits"),
    };
    let logits = logits.map_err(|_| "has no tensor `logits`".to_owned())?;
    let &[rows, columns] = logits.shape() else {
        return Err("is not a matrix: a row per training image, a column per class".to_owned());
    };
    let ids = file.tensor("ids").ok().map(|ids| match ids.dtype() {
        Dtype::U32 | Dtype::I32 => Ok(ids
            .data()
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()),
        Dtype::U64 | Dtype::I64 => ids
            .data()
            .chunks_exact(8)
            .map(|b| u64::from_le_bytes(b.try_into().expect("chunks of 8")))
            .map(|id| u32::try_from(id).map_err(|_| format!("has an id {id}")))
            .collect(),
        other => Err(format!("has ids of type {other:?}, not whole numbers")),
    });
    let data = logits.data();
    let values = match logits.dtype() {
        Dtype::F32 => {
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        }
        Dtype::F16 => {
            data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
        }
        Dtype::F64 => data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().expect("chunks of 8")) as f32)
            .collect(),
        other => return Err(format!("holds numbers of type {other:?}, not F16, F32 or F64")),
    };
    Ok((ids.transpose()?, [rows, columns], values))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `numpy.save` writes it.
    fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(data);
        out
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn rows_are_read_and_counted() {
        let values = [0.5, -1.0, 2.0, 3.0];
        let file = npy("<f4", "(2, 2)", &bytes(&values));
        assert_eq!(read_given(&file, 2, 2).unwrap(), (vec![0, 1], values.to_vec()));
        for (file, images, told) in [
            (file.clone(), 3, "2 rows, and the data has 3"),
            (npy("<f4", "(1, 4)", &bytes(&values)), 1, "4 columns, and the data has 2 classes"),
            (npy("<f4", "(4,)", &bytes(&values)), 2, "not a matrix"),
            (npy("<i4", "(2, 2)", &bytes(&values)), 2, "`<i4`"),
            (npy("<f4", "(2, 2)", &bytes(&values[..3])), 2, "says 2 × 2 numbers and holds 3"),
            (npy("<f4", "(2, 2)", &bytes(&[0.0, 0.0, f32::NAN, 0.0])), 2, "row 1"),
            (file[..9].to_vec(), 2, "cut short"),
            (b"text".to_vec(), 2, "neither .npy nor safetensors"),
        ] {
            let error = read_given(&file, images, 2).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn ids_say_whose_a_row_is() {
        let (ids, values) = (7u64.to_le_bytes(), bytes(&[1.0, 2.0]));
        let views = [
            ("ids", TensorView::new(Dtype::I64, vec![1], &ids).unwrap()),
            ("logits", TensorView::new(Dtype::F32, vec![1, 2], &values).unwrap()),
        ];
        let file = safetensors::serialize(views, None).unwrap();
        assert_eq!(read_given(&file, 9, 2).unwrap(), (vec![7], vec![1.0, 2.0]));
    }
}
