//! What every launch needs: memory for what comes out, and how many cubes work on it.

use super::plan::UNITS;
use burn::backend::TensorMetadata;
use burn_cubecl::{
    kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor,
};
use cubecl::prelude::{AddressType, CubeCount, CubeDim};

/// Cubes along one axis that every device takes: WebGPU's limit is 65,535.
const ALONG: usize = 32_768;

/// Memory of `shape` on the device of `like`, not written yet.
///
/// A kernel may take its `len()`. It may not take that of what it is given: a tensor's memory may be longer than the
/// tensor, and the length is the memory's.
pub(super) fn empty<const N: usize>(like: &CubeTensor, shape: [usize; N]) -> CubeTensor {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        like.dtype,
    )
}

/// In the order in which kernels read it; as it is if it lies so.
pub(super) fn in_order(tensor: CubeTensor) -> CubeTensor {
    into_contiguous(tensor)
}

/// A cube's units.
pub(super) fn units() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}

/// A unit for each of `length` values.
pub(super) fn each(length: usize) -> CubeCount {
    along(length.div_ceil(UNITS))
}

/// So many cubes or a few more, along x and y.
pub(super) fn along(cubes: usize) -> CubeCount {
    let x = cubes.clamp(1, ALONG);
    CubeCount::Static(x as u32, cubes.div_ceil(x).max(1) as u32, 1)
}

/// How wide an index must be for all of `tensors`.
pub(super) fn address<'a>(tensors: impl IntoIterator<Item = &'a CubeTensor>) -> AddressType {
    let needed = tensors.into_iter().map(CubeTensor::required_address_type);
    needed.max().unwrap_or_default()
}

/// The extents of a tensor of images or filters.
pub(super) fn dims(tensor: &CubeTensor) -> [usize; 4] {
    tensor.shape().dims()
}

/// A tensor in order, in another shape.
pub(super) fn shaped<const N: usize>(tensor: CubeTensor, shape: [usize; N]) -> CubeTensor {
    let CubeTensor { client, handle, device, dtype, .. } = tensor;
    CubeTensor::new_contiguous(client, device, shape.into(), handle, dtype)
}
