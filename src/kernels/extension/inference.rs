//! Inference with a gradient by what comes in: of a frozen network's input, not of its weights.

use super::{Form, Host, recycle, tensor, values};
use crate::kernels::{
    fixed::{self, Fixed},
    layer::Layer,
};
use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};
use std::sync::Arc;

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
        for (parent, gradient) in ops.parents.into_iter().zip([Some(x), shortcut]) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
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
    let layer = form.layer(&x, &fixed[0]);
    let x = x.to_contiguous();
    let [weight, gamma, beta, mean, variance] = fixed.map(|tensor| tensor.to_contiguous());
    let shortcut = shortcut.map(|shortcut: Host| shortcut.to_contiguous());
    let (out, fixed) = fixed::forward(
        &layer,
        values(&x),
        values(&weight),
        [values(&gamma), values(&beta)],
        [values(&mean), values(&variance)],
        shortcut.as_ref().map(values),
    );
    let out = tensor(out, layer.out_shape());
    let summed = shortcut.is_some().then(|| out.clone());
    let state = Recorded { layer, weight, summed, fixed: Arc::new(fixed) };
    match side {
        None => finish::<C, 1>([node], state, out),
        Some(side) => finish::<C, 2>([node, side], state, out),
    }
}

fn finish<C: CheckpointStrategy, const N: usize>(
    nodes: [burn::backend::autodiff::ops::NodeGuard; N],
    state: Recorded,
    out: Host,
) -> FloatTensor<Autodiff<Flex, C>> {
    match InputBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}
