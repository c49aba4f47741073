//! Short forms of ONNX's protobuf messages.

use tract_onnx::pb::{
    AttributeProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto, type_proto,
};

/// The opset of ONNX 1.12 (2022), which every runtime in use reads, and the IR version that came with it.
pub(super) const OPSET: OperatorSetIdProto =
    OperatorSetIdProto { domain: String::new(), version: 17 };
pub(super) const IR_VERSION: i64 = 8;

pub(super) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { i, ..attribute(name, AttributeType::Int) }
}

pub(super) fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { ints: ints.to_vec(), ..attribute(name, AttributeType::Ints) }
}

pub(super) fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { f, ..attribute(name, AttributeType::Float) }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: kind.into(), ..Default::default() }
}

pub(super) fn node(
    op: &str,
    inputs: &[&str],
    output: &str,
    attributes: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: format!("{output}.{op}"),
        op_type: op.to_owned(),
        attribute: attributes,
        ..Default::default()
    }
}

/// A tensor without dimensions.
pub(super) fn scalar(name: &str, kind: DataType, bytes: &[u8]) -> TensorProto {
    tensor(name, &[], kind, bytes.to_vec())
}

pub(super) fn tensor(name: &str, dims: &[usize], kind: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: kind.into(),
        raw_data,
        ..Default::default()
    }
}

pub(super) fn floats(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, DataType::Float, bytes)
}

pub(super) fn longs(name: &str, values: &[i64]) -> TensorProto {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, &[values.len()], DataType::Int64, bytes)
}

/// A tensor of floats with any number of rows.
pub(super) fn batch(name: &str, rest: &[usize]) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    let dimension = |value| Dimension { value: Some(value), ..Default::default() };
    let any = dimension(Value::DimParam("batch".to_owned()));
    let rest = rest.iter().map(|&dim| dimension(Value::DimValue(dim as i64)));
    let shape = TensorShapeProto { dim: std::iter::once(any).chain(rest).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float.into(), shape: Some(shape) };
    let value = Some(type_proto::Value::TensorType(tensor));
    let r#type = Some(TypeProto { value, ..Default::default() });
    ValueInfoProto { name: name.to_owned(), r#type, ..Default::default() }
}

pub(super) fn entry((key, value): (&String, &String)) -> StringStringEntryProto {
    StringStringEntryProto { key: key.clone(), value: value.clone() }
}
