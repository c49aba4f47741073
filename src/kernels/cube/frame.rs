//! A batch of images out of bytes on the device: picked, moved and normalised by one kernel.

use super::launch::{address, each, empty, in_order, units};
use crate::kernels::asked::Frame;
use burn::{
    backend::{
        Backend, Dispatch, backend_extension,
        cubecl::dtype_to_storage_type,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Shape, Tensor},
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// What of an image's place in a shifted batch is told, behind the indices.
const DOWN: usize = 1;
const RIGHT: usize = 2;
const STEP: usize = 3;
const ROWS: [usize; 2] = [4, 5];
const COLUMNS: [usize; 2] = [6, 7];

/// `[batch, height, width, channels]`, a value each.
#[cube(launch, address_type = "dynamic")]
fn frame<P: Numeric>(
    samples: &[P],
    numbers: &[i32],
    mean: &[f32],
    scale: &[f32],
    out: &mut [f32],
    batch: usize,
    #[comptime] shape: [usize; 3],
    #[comptime] is_shifted: bool,
    #[define(P)] _pixel: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= out.len() {
        terminate!();
    }
    let channels = comptime!(shape[0]);
    let height = comptime!(shape[1]);
    let width = comptime!(shape[2]);
    let channel = at % channels;
    let pixel = at / channels;
    let column = pixel % width;
    let row = pixel / width % height;
    let image = pixel / width / height;
    let start = (numbers[image] as usize * channels + channel) * height * width;
    let mut value = 0f32;
    if comptime!(is_shifted) {
        let (down, right) = (row as i32, column as i32);
        let is_row = down >= numbers[comptime!(ROWS[0]) * batch + image]
            && down < numbers[comptime!(ROWS[1]) * batch + image];
        let is_column = right >= numbers[comptime!(COLUMNS[0]) * batch + image]
            && right < numbers[comptime!(COLUMNS[1]) * batch + image];
        if is_row && is_column {
            let from = (down + numbers[DOWN * batch + image]) * width as i32
                + right * numbers[STEP * batch + image]
                + numbers[RIGHT * batch + image];
            value = f32::cast_from(samples[start + from as usize]);
        }
    } else {
        value = f32::cast_from(samples[start + row * width + column]);
    }
    out[at] = (value - mean[channel]) * scale[channel];
}

/// As an operation of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait FramePass: Backend {
    /// `[batch, height, width, channels]`.
    #[fusion(dtype = mean, shape = shaped(*frame))]
    fn frame(
        samples: IntTensor<Self>,
        numbers: IntTensor<Self>,
        mean: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        frame: Frame,
    ) -> FloatTensor<Self>;
}

fn shaped(Frame { batch, shape: [channels, height, width], .. }: Frame) -> Shape {
    Shape::new([batch, height, width, channels])
}

impl FramePass for CubeBackend {
    fn frame(
        samples: CubeTensor,
        numbers: CubeTensor,
        mean: CubeTensor,
        scale: CubeTensor,
        frame: Frame,
    ) -> CubeTensor {
        let Frame { batch, shape: [channels, height, width], is_shifted } = frame;
        let [samples, numbers, mean, scale] = [samples, numbers, mean, scale].map(in_order);
        let out = empty(&mean, [batch, height, width, channels]);
        let pixel = dtype_to_storage_type(samples.dtype);
        self::frame::launch(
            &samples.client.clone(),
            each(batch * channels * height * width),
            units(),
            address([&samples, &out]),
            samples.into_buffer_arg(),
            numbers.into_buffer_arg(),
            mean.into_buffer_arg(),
            scale.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            batch,
            [channels, height, width],
            is_shifted,
            pixel,
        );
        out
    }
}

/// See [`crate::kernels::frame`].
pub fn frame_batch(
    samples: Tensor<2, Int>,
    numbers: Tensor<1, Int>,
    [mean, scale]: [Tensor<4>; 2],
    frame: Frame,
) -> Tensor<4> {
    let images: Tensor<4> = Tensor::from_dispatch(<Dispatch as FramePass>::frame(
        samples.into_dispatch(),
        numbers.into_dispatch(),
        mean.into_dispatch(),
        scale.into_dispatch(),
        frame,
    ));
    images.permute([0, 3, 1, 2])
}
