//! A layer with its backward pass, on GPUs.

use super::{
    pace::keep_pace,
    passes::{Back, Gradients as Made, Inputs, Passes},
};
use crate::kernels::{
    extension::{
        Form, LayerOps, Maybe,
        tape::{finish, finish_layer, parts, register},
    },
    norm::After,
};
use burn::backend::{
    Autodiff, Cube,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops},
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
        let made =
            Self::infer_forward(x, weight, gamma, beta, mean, variance, bias, shortcut, form);
        keep_pace(&made.out);
        made.out
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
        keep_pace(&weight);
        let all = [x.into_option(), Some(weight), Some(gamma), Some(beta)].into_iter();
        let more = [bias, shortcut].map(Maybe::into_option).into_iter().flatten().map(Some);
        register::<Cube, _>(
            ops.parents.map(|parent| parent.map(|parent| parent.id)),
            all.chain(more),
            grads,
        );
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
        keep_pace(&x);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<Cube, _>(parents, [Some(x), shortcut.into_option()], grads);
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
            Maybe::from(bias),
            Maybe::from(shortcut),
            mean,
            variance,
            form,
        );
        keep_pace(&made.out);
        let summed = has_shortcut.then(|| made.out.clone());
        let state = Recorded { form, x, weight, y: made.y, norm: made.norm, has_bias, summed };
        let nodes = [x_node, weight_node, gamma_node, beta_node];
        let out = finish_layer::<Cube, C, _, _>(
            LayerBackward,
            nodes,
            [bias_node, side_node],
            state,
            made.out,
        );
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
            Maybe::from(shortcut),
            form,
        );
        keep_pace(&made.out);
        // What came out says where the ReLU was open; a pool's way back asks what went in.
        let out = (form.after != After::Pool).then(|| made.out.clone());
        let state = Frozen { form, weight, x, y: made.y, norm: made.norm, out, has_shortcut };
        match side {
            None => finish::<Cube, C, _, 1>(InputBackward, [node], state, made.out),
            Some(side) => finish::<Cube, C, _, 2>(InputBackward, [node, side], state, made.out),
        }
    }
}
