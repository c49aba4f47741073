//! A step of Adam as one kernel.

use super::launch::{address, each, empty, in_order, units};
use crate::kernels::asked::Moments;
use burn::{
    backend::{
        Backend, Dispatch, ExtensionType, backend_extension, fusion::custom::TensorSpec,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// Kingma and Ba 2015, algorithm 1, a value each.
#[cube(launch, address_type = "dynamic")]
fn adapt(
    value: &[f32],
    gradient: &[f32],
    first: &[f32],
    second: &[f32],
    new_value: &mut [f32],
    new_first: &mut [f32],
    new_second: &mut [f32],
    penalty: f32,
    keep: f32,
    beta1: f32,
    share1: f32,
    beta2: f32,
    share2: f32,
    correction: f32,
    scale: f32,
    epsilon: f32,
    lr: f32,
) {
    let at = ABSOLUTE_POS;
    if at < new_value.len() {
        let gradient = gradient[at] + value[at] * penalty;
        let first = first[at] * beta1 + gradient * share1;
        let second = second[at] * beta2 + gradient * gradient * share2;
        new_first[at] = first;
        new_second[at] = second;
        let denominator = f32::sqrt(second) / scale + epsilon;
        new_value[at] = value[at] * keep - first / correction / denominator * lr;
    }
}

/// Parameters and the moments of their gradients.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Adapted<B: Backend> {
    pub value: FloatTensor<B>,
    pub first: FloatTensor<B>,
    pub second: FloatTensor<B>,
}

/// As an operation of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait MomentsPass: Backend {
    /// Parameters, `[length]`, and both moments after a step.
    #[fusion(meta = |value: &TensorSpec, _: &TensorSpec, first: &TensorSpec, second: &TensorSpec, _: &Moments| {
        AdaptedMetadata { value: value.clone(), first: first.clone(), second: second.clone() }
    })]
    fn adapt(
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        moments: Moments,
    ) -> Adapted<Self>;
}

impl MomentsPass for CubeBackend {
    fn adapt(
        value: CubeTensor,
        gradient: CubeTensor,
        first: CubeTensor,
        second: CubeTensor,
        moments: Moments,
    ) -> Adapted<Self> {
        let [value, gradient, first, second] = [value, gradient, first, second].map(in_order);
        let length = value.meta.num_elements();
        let [new_value, new_first, new_second] = [(); 3].map(|()| empty(&value, [length]));
        let Moments { lr, betas: [beta1, beta2], epsilon, steps, penalty, keep } = moments;
        adapt::launch(
            &value.client.clone(),
            each(length),
            units(),
            address([&value]),
            value.into_buffer_arg(),
            gradient.into_buffer_arg(),
            first.into_buffer_arg(),
            second.into_buffer_arg(),
            new_value.clone().into_buffer_arg(),
            new_first.clone().into_buffer_arg(),
            new_second.clone().into_buffer_arg(),
            penalty as f32,
            keep as f32,
            beta1 as f32,
            (1.0 - beta1) as f32,
            beta2 as f32,
            (1.0 - beta2) as f32,
            (1.0 - beta1.powi(steps)) as f32,
            (1.0 - beta2.powi(steps)).sqrt() as f32,
            epsilon as f32,
            lr as f32,
        );
        Adapted { value: new_value, first: new_first, second: new_second }
    }
}

/// See [`crate::kernels::adapt`].
pub fn adapt_all(
    value: Tensor<1>,
    gradient: Tensor<1>,
    [first, second]: [Tensor<1>; 2],
    moments: Moments,
) -> [Tensor<1>; 3] {
    let adapted = <Dispatch as MomentsPass>::adapt(
        value.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        moments,
    );
    [adapted.value, adapted.first, adapted.second].map(Tensor::from_dispatch)
}
