//! A step of gradient descent as one kernel.

use super::launch::{address, each, empty, in_order, units};
use crate::kernels::asked::Descent;
use burn::{
    backend::{
        Backend, Dispatch, ExtensionType, backend_extension, fusion::custom::TensorSpec,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// `torch.optim.SGD`, a value each.
#[cube(launch, address_type = "dynamic")]
fn descend(
    value: &[f32],
    gradient: &[f32],
    velocity: &[f32],
    new_value: &mut [f32],
    new_velocity: &mut [f32],
    lr: f32,
    momentum: f32,
    weight_decay: f32,
    #[comptime] nesterov: bool,
) {
    let at = ABSOLUTE_POS;
    if at < new_value.len() {
        let gradient = gradient[at] + value[at] * weight_decay;
        let velocity = velocity[at] * momentum + gradient;
        new_velocity[at] = velocity;
        let direction = if comptime!(nesterov) { gradient + velocity * momentum } else { velocity };
        new_value[at] = value[at] - direction * lr;
    }
}

/// Parameters and their velocity.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Moved<B: Backend> {
    pub value: FloatTensor<B>,
    pub velocity: FloatTensor<B>,
}

/// As an operation of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait DescentPass: Backend {
    /// Parameters, `[length]`, and their velocity after a step.
    #[fusion(meta = |value: &TensorSpec, _: &TensorSpec, velocity: &TensorSpec, _: &Descent| MovedMetadata {
        value: value.clone(),
        velocity: velocity.clone(),
    })]
    fn descend(
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        descent: Descent,
    ) -> Moved<Self>;
}

impl DescentPass for CubeBackend {
    fn descend(
        value: CubeTensor,
        gradient: CubeTensor,
        velocity: CubeTensor,
        descent: Descent,
    ) -> Moved<Self> {
        let [value, gradient, velocity] = [value, gradient, velocity].map(in_order);
        let length = value.meta.num_elements();
        let (new_value, new_velocity) = (empty(&value, [length]), empty(&value, [length]));
        let Descent { lr, momentum, weight_decay, nesterov } = descent;
        descend::launch(
            &value.client.clone(),
            each(length),
            units(),
            address([&value]),
            value.into_buffer_arg(),
            gradient.into_buffer_arg(),
            velocity.into_buffer_arg(),
            new_value.clone().into_buffer_arg(),
            new_velocity.clone().into_buffer_arg(),
            lr as f32,
            momentum as f32,
            weight_decay as f32,
            nesterov,
        );
        Moved { value: new_value, velocity: new_velocity }
    }
}

/// See [`crate::kernels::descend`].
pub fn descend_all(
    value: Tensor<1>,
    gradient: Tensor<1>,
    velocity: Tensor<1>,
    descent: Descent,
) -> [Tensor<1>; 2] {
    let moved = <Dispatch as DescentPass>::descend(
        value.into_dispatch(),
        gradient.into_dispatch(),
        velocity.into_dispatch(),
        descent,
    );
    [moved.value, moved.velocity].map(Tensor::from_dispatch)
}
