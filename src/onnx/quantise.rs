//! int8: a graph whose convolutions and fully connected layers have 8-bit weights and inputs.
//!
//! The form is ONNX's QDQ (QuantizeLinear and DequantizeLinear around operators), which onnxruntime, TensorRT and
//! OpenVINO turn into integer kernels. Weights are symmetric, a scale per output channel; activations are
//! unsigned with a zero point, their ranges the least and largest values that calibration images give; biases
//! have 32 bits in the product of the two scales (Jacob et al. 2018, sections 2.1 to 2.4; Krishnamoorthi 2018,
//! section 3.1; onnxruntime's static quantisation with MinMax calibration and `reduce_range`).

use super::{
    classifier::ranges,
    file::OnnxError,
    proto::{int, node, scalar, tensor},
};
use prost::Message as _;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, tensor_proto::DataType};

/// Largest whole number of a weight. x86 processors without VNNI add two products of an unsigned and a signed byte
/// in 16 bits that saturate (VPMADDUBSW): 2 · 255 · 127 does not fit there, 2 · 255 · 64 does (onnxruntime's
/// `reduce_range`, "When to use reduce-range" in its manual of quantisation).
pub const LARGEST_WEIGHT: u8 = 64;

/// Operators whose inputs are quantised.
const QUANTISED: [&str; 6] = ["Conv", "Gemm", "Add", "MaxPool", "GlobalAveragePool", "Flatten"];

/// `model`, a graph of takd's own with folded BatchNorms, in 8 bits. `images` are what it takes, one behind
/// another; their activations give the ranges.
///
/// # Errors
/// [`OnnxError`] if it cannot be run on them.
pub fn quantised(model: &[u8], images: &[f32]) -> Result<Vec<u8>, OnnxError> {
    let damaged = |why: String| OnnxError::NotOnnx { path: Path::new("the graph").into(), why };
    let mut model = ModelProto::decode(model).map_err(|error| damaged(error.to_string()))?;
    let graph = model.graph.as_mut().ok_or_else(|| damaged("it has no graph".to_owned()))?;
    let names: Vec<String> = activations(graph).into_iter().collect();
    let ranges = ranges(graph, &names, images)?;
    let scales: BTreeMap<String, Scale> =
        names.into_iter().zip(ranges).map(|(name, range)| (name, Scale::of(range))).collect();
    rewrite(graph, &scales);
    Ok(model.encode_to_vec())
}

/// Bytes of `model` in 8 bits, whatever its ranges are; nothing if it is no graph of takd's own.
pub fn quantised_size(model: &[u8]) -> Option<usize> {
    let mut model = ModelProto::decode(model).ok()?;
    let graph = model.graph.as_mut()?;
    let any = |name: String| (name, Scale::of([0.0, 1.0]));
    let scales = activations(graph).into_iter().map(any).collect();
    rewrite(graph, &scales);
    Some(model.encoded_len())
}

/// Names of the activations that are quantised: what quantised operators read, but not what a runtime makes in
/// one with the operator before it, a convolution's output before its ReLU.
fn activations(graph: &GraphProto) -> BTreeSet<String> {
    let weights: BTreeSet<&str> = graph.initializer.iter().map(|t| &*t.name).collect();
    let reading = graph.node.iter().filter(|node| QUANTISED.contains(&&*node.op_type));
    let inputs = reading.flat_map(|node| match &*node.op_type {
        "Add" => &node.input[..],
        _ => &node.input[..1],
    });
    inputs.filter(|name| !weights.contains(name.as_str())).cloned().collect()
}

/// A real number r is (q − zero) · scale, q in 0..=255.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    scale: f32,
    zero: u8,
}

impl Scale {
    /// For values between two, 0 among them so that padding is exact.
    fn of([low, high]: [f32; 2]) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
        Self { scale, zero: (-low / scale).round().clamp(0.0, 255.0) as u8 }
    }
}

fn rewrite(graph: &mut GraphProto, scales: &BTreeMap<String, Scale>) {
    let mut weights: HashMap<String, TensorProto> =
        graph.initializer.drain(..).map(|tensor| (tensor.name.clone(), tensor)).collect();
    let (mut nodes, mut tensors) = (Vec::new(), Vec::new());
    let mut ready: BTreeSet<String> = BTreeSet::new();
    for mut old in std::mem::take(&mut graph.node) {
        if !QUANTISED.contains(&&*old.op_type) {
            tensors.extend(old.input.iter().filter_map(|name| weights.remove(name)));
            nodes.push(old);
            continue;
        }
        let first = scales.get(&old.input[0]).copied();
        let has_weights = matches!(&*old.op_type, "Conv" | "Gemm");
        for place in 0..old.input.len() {
            let name = old.input[place].clone();
            if let Some(scale) = scales.get(&name) {
                if ready.insert(name.clone()) {
                    around(&name, *scale, &mut nodes, &mut tensors);
                }
                old.input[place] = format!("{name}.real");
            } else if let (true, Some(weight), Some(scale)) =
                (has_weights, weights.remove(&name), first)
            {
                old.input[place] = match place {
                    1 => weight_8(&weight, &mut nodes, &mut tensors),
                    _ => {
                        let of_weight = format!("{}.scale", old.input[1].trim_end_matches(".real"));
                        bias_32(&weight, scale, &of_weight, &mut nodes, &mut tensors)
                    }
                };
            }
        }
        nodes.push(old);
    }
    tensors.extend(weights.into_values());
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    graph.node = nodes;
    graph.initializer = tensors;
}

/// Quantises an activation and takes it back.
fn around(name: &str, scale: Scale, nodes: &mut Vec<NodeProto>, tensors: &mut Vec<TensorProto>) {
    let [scale_of, zero, whole, real] =
        ["scale", "zero", "whole", "real"].map(|part| format!("{name}.{part}"));
    tensors.push(scalar(&scale_of, DataType::Float, &scale.scale.to_le_bytes()));
    tensors.push(scalar(&zero, DataType::Uint8, &[scale.zero]));
    nodes.push(node("QuantizeLinear", &[name, &scale_of, &zero], &whole, vec![]));
    nodes.push(node("DequantizeLinear", &[&whole, &scale_of, &zero], &real, vec![]));
}

/// A weight in 8 bits, a scale for each output channel; the name of what it stands for.
fn weight_8(
    weight: &TensorProto,
    nodes: &mut Vec<NodeProto>,
    tensors: &mut Vec<TensorProto>,
) -> String {
    let dims: Vec<usize> = weight.dims.iter().map(|&dim| dim as usize).collect();
    let values = floats_of(weight);
    let rows = values.chunks_exact((values.len() / dims[0]).max(1));
    let largest = f32::from(LARGEST_WEIGHT);
    let scales: Vec<f32> = rows
        .clone()
        .map(|row| row.iter().fold(0.0f32, |most, value| most.max(value.abs())) / largest)
        .map(|scale| scale.max(f32::MIN_POSITIVE))
        .collect();
    let whole = |(row, scale): (&[f32], &f32)| -> Vec<u8> {
        row.iter()
            .map(|value| (value / scale).round().clamp(-largest, largest) as i8 as u8)
            .collect()
    };
    let bytes: Vec<u8> = rows.zip(&scales).flat_map(whole).collect();
    let zeros = vec![0; dims[0]];
    per_channel(&weight.name, (DataType::Int8, &dims, bytes), &scales, zeros, nodes, tensors)
}

/// A bias in 32 bits, in the scale of the products that it is added to.
fn bias_32(
    bias: &TensorProto,
    input: Scale,
    of_weight: &str,
    nodes: &mut Vec<NodeProto>,
    tensors: &mut Vec<TensorProto>,
) -> String {
    let found = tensors.iter().find(|tensor| tensor.name == of_weight).map(floats_of);
    let scales: Vec<f32> =
        found.unwrap_or_default().into_iter().map(|scale| scale * input.scale).collect();
    let values = floats_of(bias);
    let whole =
        |(value, scale): (&f32, &f32)| (f64::from(*value) / f64::from(*scale)).round() as i32;
    let bytes = values.iter().zip(&scales).map(whole).flat_map(i32::to_le_bytes).collect();
    let zeros = vec![0; 4 * values.len()];
    let data = (DataType::Int32, &[values.len()][..], bytes);
    per_channel(&bias.name, data, &scales, zeros, nodes, tensors)
}

/// Whole numbers with a scale for each row, and what takes them back; its name.
fn per_channel(
    name: &str,
    (kind, dims, bytes): (DataType, &[usize], Vec<u8>),
    scales: &[f32],
    zeros: Vec<u8>,
    nodes: &mut Vec<NodeProto>,
    tensors: &mut Vec<TensorProto>,
) -> String {
    let [scale, zero, real] = ["scale", "zero", "real"].map(|part| format!("{name}.{part}"));
    let scale_bytes = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    tensors.push(tensor(name, dims, kind, bytes));
    tensors.push(tensor(&scale, &dims[..1], DataType::Float, scale_bytes));
    tensors.push(tensor(&zero, &dims[..1], kind, zeros));
    nodes.push(node("DequantizeLinear", &[name, &scale, &zero], &real, vec![int("axis", 0)]));
    real
}

fn floats_of(tensor: &TensorProto) -> Vec<f32> {
    let bytes = tensor.raw_data.chunks_exact(4);
    bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_weights_do_not_saturate_on_processors_without_vnni() {
        let values: Vec<u8> =
            [-3.0f32, 0.5, 3.0, 1e-9, -0.7, 0.7].iter().flat_map(|v| v.to_le_bytes()).collect();
        let weight = tensor("w", &[2, 3], DataType::Float, values);
        let (mut nodes, mut tensors) = (Vec::new(), Vec::new());
        weight_8(&weight, &mut nodes, &mut tensors);
        let whole = &tensors.iter().find(|t| t.name == "w").unwrap().raw_data;
        let whole: Vec<i16> = whole.iter().map(|&byte| i16::from(byte as i8)).collect();
        assert_eq!(whole, [-64, 11, 64, 0, -64, 64]);
        let most = whole.iter().map(|weight| weight.abs()).max().unwrap();
        assert!(255i16.checked_mul(most).and_then(|product| product.checked_mul(2)).is_some());
    }
}
