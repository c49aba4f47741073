//! A layer with its backward pass, on GPUs.

use super::passes::{Back, Gradients as Made, Inputs, Passes};
use crate::kernels::{
    extension::{Form, LayerOps, Maybe},
    norm::After,
};
use burn::backend::{
    Autodiff, Cube,
    autodiff::{
        NodeId,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, NodeGuard, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

/// The backend's tensor.
pub(super) type Own = FloatTensor<Cube>;

impl LayerOps for Cube {
    fn train_layer(
        x: Own,
        weight: Own,
        gamma: Own,
        beta: Own,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        mean: Own,
        variance: Own,
        form: Form,
    ) -> (Own, Own, Own) {
        let made =
            Self::layer_forward(x, weight, gamma, beta, bias, shortcut, mean, variance, form);
        (made.out, made.mean, made.variance)
    }

    fn infer_layer(
        x: Own,
        weight: Own,
        gamma: Own,
        beta: Own,
        mean: Own,
        variance: Own,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> Own {
        Self::infer_forward(x, weight, gamma, beta, mean, variance, bias, shortcut, form).out
    }
}

/// The backward pass. Its parents are x, weight, gamma and beta, then the bias and the shortcut
/// where there are such.
#[derive(Debug)]
struct LayerBackward;

#[derive(Clone, Debug)]
struct Recorded {
    form: Form,
    x: Own,
    weight: Own,
    y: Own,
    norm: Own,
    has_bias: bool,
    /// The output, where a shortcut was added.
    summed: Option<Own>,
}

impl<const N: usize> Backward<Cube, N> for LayerBackward {
    type State = Recorded;

    fn backward(self, ops: Ops<Recorded, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let Recorded { form, x, weight, y, norm, has_bias, summed } = ops.state;
        let back = Back { gradient, y, norm, out: Maybe::from(summed) };
        let wants_x = ops.parents[0].is_some();
        let Made { x, weight, gamma, beta, bias, shortcut } =
            Cube::layer_backward(back, x, weight, form, wants_x, has_bias);
        let all = [x.into_option(), Some(weight), Some(gamma), Some(beta)].into_iter();
        let more = [bias, shortcut].map(Maybe::into_option).into_iter().flatten().map(Some);
        register(ops.parents.map(|parent| parent.map(|parent| parent.id)), all.chain(more), grads);
    }
}

/// The backward pass by what comes in. Its parents are x, and the shortcut where there is one.
#[derive(Debug)]
struct InputBackward;

#[derive(Clone, Debug)]
struct Frozen {
    form: Form,
    weight: Own,
    x: Own,
    y: Own,
    norm: Own,
    out: Option<Own>,
    has_shortcut: bool,
}

impl<const N: usize> Backward<Cube, N> for InputBackward {
    type State = Frozen;

    fn backward(self, ops: Ops<Frozen, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let Frozen { form, weight, x, y, norm, out, has_shortcut } = ops.state;
        let back = Back { gradient, y, norm, out: Maybe::from(out) };
        let Inputs { x, shortcut } = Cube::infer_backward(back, x, weight, form, has_shortcut);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register(parents, [Some(x), shortcut.into_option()], grads);
    }
}

impl<C: CheckpointStrategy> LayerOps for Autodiff<Cube, C> {
    fn train_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        form: Form,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let (bias, bias_node) = parts(bias);
        let (shortcut, side_node) = parts(shortcut);
        let (has_bias, has_shortcut) = (bias_node.is_some(), side_node.is_some());
        let [mean, variance] = [mean, variance].map(FloatTensor::<Self>::into_primitive);
        let made = Cube::layer_forward(
            x.clone(),
            weight.clone(),
            gamma,
            beta,
            bias,
            shortcut,
            mean,
            variance,
            form,
        );
        let summed = has_shortcut.then(|| made.out.clone());
        let state = Recorded { form, x, weight, y: made.y, norm: made.norm, has_bias, summed };
        let nodes = [x_node, weight_node, gamma_node, beta_node];
        let out = match (bias_node, side_node) {
            (None, None) => finish::<C, _, 4>(LayerBackward, nodes, state, made.out),
            (Some(more), None) | (None, Some(more)) => {
                let [a, b, c, d] = nodes;
                finish::<C, _, 5>(LayerBackward, [a, b, c, d, more], state, made.out)
            }
            (Some(bias), Some(shortcut)) => {
                let [a, b, c, d] = nodes;
                finish::<C, _, 6>(LayerBackward, [a, b, c, d, bias, shortcut], state, made.out)
            }
        };
        let [mean, variance] = [made.mean, made.variance].map(FloatTensor::<Self>::new);
        (out, mean, variance)
    }

    fn infer_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> FloatTensor<Self> {
        let bias = bias.into_option().map(FloatTensor::<Self>::into_primitive);
        let [weight, gamma, beta, mean, variance] =
            [weight, gamma, beta, mean, variance].map(FloatTensor::<Self>::into_primitive);
        let (x, node) = x.into_parts();
        let (shortcut, side) = parts(shortcut);
        let has_shortcut = side.is_some();
        let made = Cube::infer_forward(
            x.clone(),
            weight.clone(),
            gamma,
            beta,
            mean,
            variance,
            Maybe::from(bias),
            shortcut,
            form,
        );
        // What came out says where the ReLU was open; a pool's way back asks what went in.
        let out = (form.after != After::Pool).then(|| made.out.clone());
        let state = Frozen { form, weight, x, y: made.y, norm: made.norm, out, has_shortcut };
        match side {
            None => finish::<C, _, 1>(InputBackward, [node], state, made.out),
            Some(side) => finish::<C, _, 2>(InputBackward, [node, side], state, made.out),
        }
    }
}

/// A tensor that may be absent, and its node.
pub(super) fn parts<C: CheckpointStrategy>(
    maybe: Maybe<Autodiff<Cube, C>>,
) -> (Maybe<Cube>, Option<NodeGuard>) {
    let (tensor, node) =
        maybe.into_option().map(FloatTensor::<Autodiff<Cube, C>>::into_parts).unzip();
    (Maybe::from(tensor), node)
}

/// Hands gradients to those parents that want theirs.
pub(super) fn register<const N: usize>(
    parents: [Option<NodeId>; N],
    all: impl IntoIterator<Item = Option<Own>>,
    grads: &mut Gradients,
) {
    for (parent, gradient) in parents.into_iter().zip(all) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<Cube>(parent, gradient);
        }
    }
}

/// `out` as the output of `op`, which keeps `state` where something is tracked.
pub(super) fn finish<C: CheckpointStrategy, B: Backward<Cube, N>, const N: usize>(
    op: B,
    nodes: [NodeGuard; N],
    state: B::State,
    out: Own,
) -> FloatTensor<Autodiff<Cube, C>> {
    match op.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}
