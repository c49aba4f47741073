//! Inference, and its gradient by what comes in: that of a frozen network's input, not of its weights.

use super::{
    Form, Host, recycle,
    tape::{finish, register},
    tensor, values,
};
use crate::kernels::{
    fixed::{self, Fixed},
    geometry::Layer,
};
use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops},
    },
    tensor::FloatTensor,
};
use std::sync::Arc;

/// What forward gives, and leaves for backward.
pub(super) struct Done {
    out: Host,
    layer: Layer,
    weight: Host,
    fixed: Fixed,
    /// x and the shortcut, which backward does not read.
    spent: Vec<Host>,
}

impl Done {
    /// The output where no backward pass follows. Memory goes back in the order in which it was taken
    /// since: another order would spread over more buffers.
    pub fn out(self) -> Host {
        drop(self.fixed);
        self.spent.into_iter().for_each(recycle);
        self.out
    }
}

/// As [`infer`](super::infer), of x, then weight, γ, β, mean and variance, then the shortcut.
pub(super) fn forward(x: Host, fixed: [Host; 5], shortcut: Option<Host>, form: Form) -> Done {
    let layer = form.layer(&x, &fixed[0]);
    let x = x.to_contiguous();
    let [weight, gamma, beta, mean, variance] = fixed.map(|tensor| tensor.to_contiguous());
    let shortcut = shortcut.map(|shortcut| shortcut.to_contiguous());
    let (out, fixed) = fixed::forward(
        &layer,
        values(&x),
        values(&weight),
        [values(&gamma), values(&beta)],
        [values(&mean), values(&variance)],
        shortcut.as_ref().map(values),
    );
    let spent = std::iter::once(x).chain(shortcut).collect();
    Done { out: tensor(out, layer.out_shape()), layer, weight, fixed, spent }
}

/// The backward pass. Its parents are x, and the shortcut where there is one.
#[derive(Debug)]
struct InputBackward;

#[derive(Clone, Debug)]
struct Recorded {
    layer: Layer,
    weight: Host,
    /// The output, where a shortcut was added.
    summed: Option<Host>,
    fixed: Arc<Fixed>,
}

impl<const N: usize> Backward<Flex, N> for InputBackward {
    type State = Recorded;

    fn backward(self, ops: Ops<Recorded, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let Recorded { layer, weight, summed, fixed } = ops.state;
        let out = summed.as_ref().map(values);
        let (x, shortcut) =
            fixed::backward(&layer, values(&weight), &fixed, out, values(&gradient));
        let geometry = layer.geometry;
        let [height, width] = geometry.input;
        let x = tensor(x, [geometry.images, height, width, geometry.channels]);
        let shortcut = shortcut.map(|shortcut| tensor(shortcut, layer.out_shape()));
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<Flex, _>(parents, [Some(x), shortcut], grads);
        [Some(gradient), summed].into_iter().flatten().for_each(recycle);
    }
}

/// As [`infer`](super::infer), of a weight, γ, β, mean and variance that are not tracked.
pub(super) fn infer<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    fixed: [Host; 5],
    shortcut: Option<FloatTensor<Autodiff<Flex, C>>>,
    form: Form,
) -> FloatTensor<Autodiff<Flex, C>> {
    let (x, node) = x.into_parts();
    let (shortcut, side) = shortcut.map(FloatTensor::<Autodiff<Flex, C>>::into_parts).unzip();
    let Done { out, layer, weight, fixed, spent } = forward(x, fixed, shortcut, form);
    spent.into_iter().for_each(recycle);
    let summed = side.is_some().then(|| out.clone());
    let state = Recorded { layer, weight, summed, fixed: Arc::new(fixed) };
    match side {
        None => finish::<Flex, C, _, 1>(InputBackward, [node], state, out),
        Some(side) => finish::<Flex, C, _, 2>(InputBackward, [node, side], state, out),
    }
}
