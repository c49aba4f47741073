//! NumPy's .npy, format version 1 to 3: a matrix of floating-point numbers.

use burn::tensor::f16;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether these bytes begin like an .npy file.
pub(super) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Rows, columns and values, row-major; the error is the end of a sentence that begins with the file.
pub(super) fn read_npy(bytes: &[u8]) -> Result<([usize; 2], Vec<f32>), String> {
    let cut = || "is cut short".to_owned();
    let major = *bytes.get(MAGIC.len()).ok_or_else(cut)?;
    // Version 1 has two bytes for the header's length, later ones four.
    let (from, width) = (MAGIC.len() + 2, if major == 1 { 2 } else { 4 });
    let length = bytes.get(from..from + width).ok_or_else(cut)?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let start = from + width;
    let end = start.checked_add(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(bytes.get(start..end).ok_or_else(cut)?);
    let header = header.map_err(|_| "has a header that is no text".to_owned())?;
    if field(header, "fortran_order").is_some_and(|value| value.starts_with("True")) {
        return Err("is in Fortran's order: save numpy.ascontiguousarray(logits)".to_owned());
    }
    let shape = field(header, "shape").and_then(|value| value.strip_prefix('('));
    let shape = shape.and_then(|value| value.split_once(')')).map_or("", |(shape, _)| shape);
    let shape: Option<Vec<usize>> = shape
        .split(',')
        .map(str::trim)
        .filter(|extent| !extent.is_empty())
        .map(|extent| extent.parse().ok())
        .collect();
    let Some([rows, columns]) =
        shape.as_deref().and_then(|shape| <[usize; 2]>::try_from(shape).ok())
    else {
        return Err("is not a matrix: a row per training image, a column per class".to_owned());
    };
    let kind = field(header, "descr").unwrap_or("").trim_start_matches(['\'', '"']);
    let kind = kind.split(['\'', '"']).next().unwrap_or("");
    let data = &bytes[end..];
    let values: Vec<f32> = match kind {
        "<f4" => {
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        }
        "<f8" => data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().expect("chunks of 8")) as f32)
            .collect(),
        "<f2" => data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        other => {
            return Err(format!(
                "holds numbers of type `{other}`: save logits.astype(\"float32\")"
            ));
        }
    };
    if rows.checked_mul(columns) != Some(values.len()) {
        return Err(format!("says {rows} × {columns} numbers and holds {}", values.len()));
    }
    Ok(([rows, columns], values))
}

/// What stands behind a key of the header, a Python dictionary.
fn field<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let (_, rest) = quoted.iter().find_map(|key| header.split_once(key.as_str()))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}
