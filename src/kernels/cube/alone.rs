//! A convolution without BatchNorm, BatchNorm without a convolution, and a fully connected layer, with their
//! backward passes, on GPUs.

use super::{
    extension::Own,
    pace::keep_pace,
    passes::{Back, Passes},
};
use crate::kernels::{
    extension::{
        AloneOps, Maybe,
        tape::{finish, parts, register},
    },
    linear::LinearOps,
    norm::After,
    precision::Precision,
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

impl AloneOps for Cube {
    fn convolve(
        x: Own,
        weight: Own,
        shortcut: Maybe<Self>,
        stride: usize,
        precision: Precision,
    ) -> Own {
        let out = Self::conv_forward(x, weight, shortcut, stride, precision);
        keep_pace(&out);
        out
    }

    fn normalise(
        x: Own,
        gamma: Own,
        beta: Own,
        mean: Own,
        variance: Own,
        after: After,
        epsilon: f64,
    ) -> (Own, Own, Own) {
        let made = Self::norm_forward(x, gamma, beta, mean, variance, after, epsilon);
        (made.out, made.mean, made.variance)
    }
}

/// The backward pass of a convolution. Its parents are x and the weight, then the shortcut if there is one.
#[derive(Debug)]
struct ConvBackward;

impl<const N: usize> Backward<Cube, N> for ConvBackward {
    type State = (usize, Precision, Own, Own);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let (stride, precision, x, weight) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let [wants_x, wants_weight] = [0, 1].map(|at| parents[at].is_some());
        let dy = gradient.clone();
        let made = Cube::conv_backward(dy, x, weight, stride, precision, wants_x, wants_weight);
        keep_pace(&gradient);
        let [dx, dweight] = [made.x, made.weight].map(Maybe::into_option);
        register::<Cube, _>(parents, [dx, dweight, Some(gradient)], grads);
    }
}

/// The backward pass of BatchNorm. Its parents are x, γ and β.
#[derive(Debug)]
struct NormBackward;

impl Backward<Cube, 3> for NormBackward {
    type State = (After, [Own; 2]);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let (after, [y, norm]) = ops.state;
        let back = Back { gradient, y, norm, out: Maybe::Absent };
        let made = Cube::norm_backward(back, after);
        keep_pace(&made.x);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<Cube, _>(parents, [made.x, made.gamma, made.beta].map(Some), grads);
    }
}

impl<C: CheckpointStrategy> AloneOps for Autodiff<Cube, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shortcut: Maybe<Self>,
        stride: usize,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (shortcut, side) = parts(shortcut);
        let shortcut = Maybe::from(shortcut);
        let out = Cube::conv_forward(x.clone(), weight.clone(), shortcut, stride, precision);
        keep_pace(&out);
        let state = (stride, precision, x, weight);
        match side {
            None => finish::<Cube, C, _, 2>(ConvBackward, [x_node, weight_node], state, out),
            Some(side) => {
                finish::<Cube, C, _, 3>(ConvBackward, [x_node, weight_node, side], state, out)
            }
        }
    }

    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        after: After,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let ((x, x_node), (gamma, gamma_node)) = (x.into_parts(), gamma.into_parts());
        let (beta, beta_node) = beta.into_parts();
        let [mean, variance] = [mean, variance].map(FloatTensor::<Self>::into_primitive);
        let made = Cube::norm_forward(x, gamma, beta, mean, variance, after, epsilon);
        keep_pace(&made.out);
        let [mean, variance] = [made.mean, made.variance].map(FloatTensor::<Self>::new);
        let state = (after, [made.y, made.norm]);
        let nodes = [x_node, gamma_node, beta_node];
        (finish::<Cube, C, _, 3>(NormBackward, nodes, state, made.out), mean, variance)
    }
}

impl LinearOps for Cube {
    fn linear(x: Own, weight: Own, bias: Own, with_relu: bool) -> Own {
        let out = Self::linear_forward(x, weight, bias, with_relu);
        keep_pace(&out);
        out
    }
}

/// The backward pass of a fully connected layer. Its parents are x, weight and bias.
#[derive(Debug)]
struct LinearBackward;

impl Backward<Cube, 3> for LinearBackward {
    type State = ([Own; 2], Option<Own>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let ([x, weight], out) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let made =
            Cube::linear_backward(gradient, Maybe::from(out), x, weight, parents[0].is_some());
        keep_pace(&made.weight);
        let all = [made.x.into_option(), Some(made.weight), Some(made.bias)];
        register::<Cube, _>(parents, all, grads);
    }
}

impl<C: CheckpointStrategy> LinearOps for Autodiff<Cube, C> {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        with_relu: bool,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (bias, bias_node) = bias.into_parts();
        let out = Cube::linear_forward(x.clone(), weight.clone(), bias, with_relu);
        keep_pace(&out);
        let state = ([x, weight], with_relu.then(|| out.clone()));
        finish::<Cube, C, _, 3>(LinearBackward, [x_node, weight_node, bias_node], state, out)
    }
}
