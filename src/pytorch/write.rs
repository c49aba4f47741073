//! Writing a state_dict as `torch.save` does: a zip archive of a pickle and raw tensors.

use crate::network::NamedTensor;
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A file that `torch.load` reads, with `weights_only=True` as well: an ordered dictionary of float tensors.
/// Its bytes depend on the tensors alone.
pub fn write_state_dict(tensors: &[NamedTensor]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // PyTorch maps tensors into memory: nothing is compressed.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut add = |name: &str, bytes: &[u8]| {
        let added = zip.start_file(format!("archive/{name}"), options);
        added.expect("names are short and differ");
        zip.write_all(bytes).expect("memory takes everything");
    };
    add("data.pkl", &pickle(tensors));
    add("byteorder", b"little");
    for (index, tensor) in tensors.iter().enumerate() {
        let bytes: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        add(&format!("data/{index}"), &bytes);
    }
    add("version", b"3\n");
    zip.finish().expect("memory takes everything").into_inner()
}

/// Pickle, protocol 2 (PEP 307): the opcodes that `torch.save` itself uses.
fn pickle(tensors: &[NamedTensor]) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (index, NamedTensor { name, shape, values }) in tensors.iter().enumerate() {
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(b"ctorch\nFloatStorage\n");
        text(&mut out, &index.to_string());
        text(&mut out, "cpu");
        whole(&mut out, values.len());
        // A persistent id; then the offset into the storage.
        out.extend(b"tQ");
        whole(&mut out, 0);
        let strides: Vec<usize> =
            (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        for extents in [shape, &strides] {
            out.push(b'(');
            extents.iter().for_each(|&extent| whole(&mut out, extent));
            out.push(b't');
        }
        // It wants no gradient and has no hooks.
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

/// BINUNICODE.
fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

/// LONG1 of 8 bytes.
fn whole(out: &mut Vec<u8>, number: usize) {
    out.extend([0x8a, 8]);
    out.extend((number as i64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::{super::read_state_dict, *};

    #[test]
    fn what_is_written_is_read() {
        let tensor = |name: &str, shape: &[usize]| {
            let count = shape.iter().product::<usize>();
            let values = (0..count).map(|value| value as f32 - 1.5).collect();
            NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values }
        };
        let tensors = [tensor("conv.weight", &[2, 3, 3, 3]), tensor("conv.bias", &[2])];
        let read = read_state_dict(&write_state_dict(&tensors)).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", tensors.to_vec()));
    }
}
