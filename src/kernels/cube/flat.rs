//! Many tensors as one, so that an update of all is a launch and not one each.

use super::{
    launch::{address, each, empty, in_order, units},
    pace::keep_pace,
    plan::UNITS,
};
use crate::kernels::asked::SPACING;
use burn::{
    backend::{
        Cube,
        fusion::custom::{
            CustomOpIr, HandleContainer, OperationFn, OperationIr, StreamId, TensorIr,
        },
        fusion::{FusionBackend, FusionRuntime},
    },
    tensor::Tensor,
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// Tensors of one launch, at most: their addresses fit into a kernel's 4 KiB of arguments.
const TOGETHER: usize = 256;

const _: () = assert!(SPACING.is_multiple_of(UNITS), "a cube reads one tensor");

/// Values from one tensor's start to the next one's.
fn spaced(length: usize) -> usize {
    length.next_multiple_of(SPACING)
}

/// Each part at its start, a number of values; zeros behind it.
#[cube(launch, address_type = "dynamic")]
fn gather_parts(
    parts: &Sequence<&[f32]>,
    out: &mut [f32],
    first: usize,
    #[comptime] starts: Vec<usize>,
    #[comptime] lengths: Vec<usize>,
    #[comptime] end: usize,
) {
    let at = ABSOLUTE_POS;
    #[unroll]
    for index in 0..comptime!(starts.len()) {
        let start = comptime!(starts[index]);
        let next = comptime!(starts.get(index + 1).copied().unwrap_or(end));
        if at >= start && at < next {
            let part = parts.index(index);
            let mut value = 0f32;
            if at - start < comptime!(lengths[index]) {
                value = part[at - start];
            }
            out[first + at] = value;
        }
    }
}

/// What a fusion's operation finds its tensors in.
type Handles =
    HandleContainer<<<CubeBackend as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle>;

/// One after the other, each from a multiple of [`SPACING`] on, zeros between them: in a launch, or as many as hold
/// so many addresses.
///
/// # Panics
/// Without a tensor, or if one is not on a GPU.
pub fn gather(tensors: Vec<Tensor<1>>) -> Tensor<1> {
    let lengths = tensors.iter().map(|tensor| tensor.dims()[0]);
    let total: usize = lengths.map(spaced).sum();
    let own = tensors.into_iter().map(|tensor| {
        tensor.try_into_primitive::<Cube>().expect("an optimizer gathers on GPUs alone")
    });
    let mut own = own.peekable();
    let first = own.peek().expect("there is a parameter");
    let (client, dtype) = (first.client.clone(), first.dtype);
    let inputs: Vec<TensorIr> = own.map(|tensor| tensor.into_ir()).collect();
    let output = TensorIr::uninit(client.create_empty_handle(), [total].into(), dtype);
    let described = CustomOpIr::new("takd_gather", &inputs, std::slice::from_ref(&output));
    let operation = OperationFn(move |handles: &mut Handles| {
        let parts = inputs.iter().map(|input| handles.get_float_tensor::<CubeBackend>(input));
        let flat = gathered(parts.collect(), total);
        handles.register_float_tensor::<CubeBackend>(&output.id, flat);
        Ok(())
    });
    let made = client.register(StreamId::current(), OperationIr::Custom(described), operation);
    let flat = made.into_iter().next().expect("it was registered");
    keep_pace(&flat);
    Tensor::from_primitive::<Cube>(flat)
}

fn gathered(parts: Vec<CubeTensor>, total: usize) -> CubeTensor {
    let out = empty(&parts[0], [total]);
    let client = out.client.clone();
    let together = (client.properties().hardware.max_bindings as usize - 2).min(TOGETHER);
    let mut first = 0;
    for some in parts.chunks(together) {
        let lengths: Vec<usize> = some.iter().map(|part| part.meta.num_elements()).collect();
        let ends = lengths.iter().scan(0, |end, length| {
            *end += spaced(*length);
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let end = *ends.last().expect("chunks are not empty");
        let starts = std::iter::once(0).chain(ends).take(some.len()).collect();
        let some = some.iter().cloned().map(in_order);
        gather_parts::launch(
            &client,
            each(end),
            units(),
            address([&out]),
            some.map(CubeTensor::into_buffer_arg).collect(),
            out.clone().into_buffer_arg(),
            first,
            starts,
            lengths,
            end,
        );
        first += end;
    }
    out
}

/// The adjoint of [`gather`], tensors of `lengths`: they share the memory of `flat`, without a launch.
///
/// # Panics
/// If `flat` is not what [`gather`] makes of tensors of such lengths.
pub fn scatter(flat: Tensor<1>, lengths: &[usize]) -> Vec<Tensor<1>> {
    let own = flat.try_into_primitive::<Cube>().expect("an optimizer scatters on GPUs alone");
    let (client, dtype) = (own.client.clone(), own.dtype);
    assert!(own.shape.num_elements() == lengths.iter().copied().map(spaced).sum::<usize>());
    let input = own.into_ir();
    let outputs: Vec<TensorIr> = lengths
        .iter()
        .map(|&length| TensorIr::uninit(client.create_empty_handle(), [length].into(), dtype))
        .collect();
    let described = CustomOpIr::new("takd_scatter", std::slice::from_ref(&input), &outputs);
    let operation = OperationFn(move |handles: &mut Handles| {
        let flat = in_order(handles.get_float_tensor::<CubeBackend>(&input));
        let size = flat.dtype.size() as u64;
        let mut start = 0;
        for output in &outputs {
            let length = output.shape.num_elements();
            let rest = flat.meta.num_elements() - start - length;
            let handle = flat
                .handle
                .clone()
                .offset_start(start as u64 * size)
                .offset_end(rest as u64 * size);
            let part = CubeTensor::new_contiguous(
                flat.client.clone(),
                flat.device.clone(),
                output.shape.clone(),
                handle,
                flat.dtype,
            );
            handles.register_float_tensor::<CubeBackend>(&output.id, part);
            start += spaced(length);
        }
        Ok(())
    });
    let made = client.register(StreamId::current(), OperationIr::Custom(described), operation);
    made.into_iter().map(Tensor::from_primitive::<Cube>).collect()
}
