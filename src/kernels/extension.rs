//! The layer as an operation of burn's CPU backend, with a backward pass of its own.

mod alone;
mod inference;
mod maybe;

pub use alone::{convolve, normalise};
pub use maybe::Maybe;

use super::{
    buffers,
    geometry::{Geometry, Layer},
    layer::{self, Inputs, Saved},
    norm::After,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            NodeId,
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, NodeGuard, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};
use std::sync::Arc;

/// A layer's tensors: images `[image, row, column, channel]`, the rest as PyTorch has it.
pub struct Operands {
    /// `[filters, channels of a group, kernel, kernel]`; as many groups as these channels make of x's.
    pub weight: Tensor<4>,
    /// The convolution's bias, `[filters]`. BatchNorm takes any constant away again, so it moves the
    /// mean and nothing else, and its gradient is 0.
    pub bias: Option<Tensor<1>>,
    /// BatchNorm's factor, `[filters]`.
    pub gamma: Tensor<1>,
    /// BatchNorm's summand, `[filters]`.
    pub beta: Tensor<1>,
    /// What is added before the ReLU, of the output's shape.
    pub shortcut: Option<Tensor<4>>,
}

/// How a layer is applied.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Rows and columns of the kernel.
    pub kernel_size: usize,
    /// Pixels between two outputs.
    pub stride: usize,
    /// What follows the normalisation.
    pub after: After,
    /// BatchNorm's ε.
    pub epsilon: f64,
}

/// `after(norm(conv(x) + bias) + shortcut)` with the batch's own moments, and these: mean and biased
/// variance, `[filters]`, without gradient.
///
/// # Panics
/// If `x` is not on burn's flex, or the shapes do not agree.
pub fn train(x: Tensor<4>, operands: Operands, form: Form) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let Operands { weight, bias, gamma, beta, shortcut } = operands;
    let (out, mean, variance) = <Dispatch as LayerOps>::train_layer(
        x.into_dispatch(),
        weight.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        Maybe::from(bias.clone().map(Tensor::into_dispatch)),
        Maybe::from(shortcut.map(Tensor::into_dispatch)),
        form,
    );
    let mean = Tensor::<1>::from_dispatch(mean).inner();
    let mean = match bias {
        Some(bias) => mean + bias.inner(),
        None => mean,
    };
    (Tensor::from_dispatch(out), mean, Tensor::<1>::from_dispatch(variance).inner())
}

/// `after(norm(conv(x) + bias) + shortcut)` with the given mean and variance; records the gradients of
/// `x` and of the shortcut alone.
///
/// # Panics
/// As [`train`].
pub fn infer(
    x: Tensor<4>,
    operands: Operands,
    [mean, variance]: [Tensor<1>; 2],
    form: Form,
) -> Tensor<4> {
    let Operands { weight, bias, gamma, beta, shortcut } = operands;
    let mean = match bias {
        Some(bias) => mean - bias,
        None => mean,
    };
    Tensor::from_dispatch(<Dispatch as LayerOps>::infer_layer(
        x.into_dispatch(),
        weight.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        Maybe::from(shortcut.map(Tensor::into_dispatch)),
        form,
    ))
}

/// What the backends must know.
#[backend_extension(Flex, Autodiff)]
#[allow(clippy::too_many_arguments)]
pub trait LayerOps: Backend {
    /// See [`train`].
    fn train_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        form: Form,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`infer`].
    fn infer_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        form: Form,
    ) -> FloatTensor<Self>;
}

/// flex's tensor.
type Host = FloatTensor<Flex>;

fn values(tensor: &Host) -> &[f32] {
    tensor.as_slice().expect("made contiguous before, and f32 as every tensor of takd")
}

fn tensor(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> Host {
    Host::from_data(TensorData::new(values, shape))
}

/// Leaves the memory of a tensor that nobody else has to the next step.
fn recycle(tensor: Host) {
    if tensor.is_unique()
        && let Ok(values) = tensor.into_data().try_into_vec()
    {
        buffers::give(values);
    }
}

/// Leaves the memory of a tensor that nobody else has to the next step, as every layer does with the gradient that
/// it has passed on: for one who measures a layer alone, whose gradients nobody takes.
pub fn leave(tensor: Tensor<4>) {
    if let Ok(values) = tensor.into_data().try_into_vec() {
        buffers::give(values);
    }
}

impl Form {
    fn layer(&self, x: &Host, weight: &Host) -> Layer {
        let geometry = geometry(x, weight, self.stride);
        assert!(geometry.kernel_size == self.kernel_size, "the filters fit the form");
        Layer { geometry, after: self.after, epsilon: self.epsilon }
    }
}

/// The convolution of `x` by `weight`.
fn geometry(x: &Host, weight: &Host, stride: usize) -> Geometry {
    let [images, height, width, channels] = x.shape().dims();
    let [filters, inputs, kernel_size, _] = weight.shape().dims();
    let groups = channels / inputs;
    let fits = groups * inputs == channels && filters.is_multiple_of(groups);
    assert!(fits, "the filters fit the images");
    let input = [height, width];
    Geometry { images, input, channels, filters, groups, kernel_size, stride }
}

impl Layer {
    fn out_shape(&self) -> [usize; 4] {
        let [height, width] = self.after.shape(self.geometry.output());
        [self.geometry.images, height, width, self.geometry.filters]
    }
}

/// What forward leaves for backward, besides the tensors.
struct Done {
    layer: Layer,
    x: Host,
    out: Host,
    moments: [Host; 2],
    saved: Saved,
}

fn forward(x: Host, weight: &Host, norm: [&Host; 2], shortcut: Option<&Host>, form: Form) -> Done {
    let layer = form.layer(&x, weight);
    let x = x.to_contiguous();
    let shortcut = shortcut.map(Host::to_contiguous);
    let made = layer::forward(
        &layer,
        values(&x),
        values(weight),
        norm.map(values),
        shortcut.as_ref().map(values),
    );
    let filters = layer.geometry.filters;
    let moments = [made.mean, made.variance].map(|moment| tensor(moment, [filters]));
    Done { layer, x, out: tensor(made.out, layer.out_shape()), moments, saved: made.saved }
}

impl LayerOps for Flex {
    fn train_layer(
        x: Host,
        weight: Host,
        gamma: Host,
        beta: Host,
        _bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> (Host, Host, Host) {
        let [weight, gamma, beta] = [weight, gamma, beta].map(|tensor| tensor.to_contiguous());
        let made = forward(x, &weight, [&gamma, &beta], shortcut.into_option().as_ref(), form);
        let [mean, variance] = made.moments;
        (made.out, mean, variance)
    }

    fn infer_layer(
        x: Host,
        weight: Host,
        gamma: Host,
        beta: Host,
        mean: Host,
        variance: Host,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> Host {
        let fixed = [weight, gamma, beta, mean, variance];
        inference::forward(x, fixed, shortcut.into_option(), form).out()
    }
}

/// The backward pass. Its parents are x, weight, gamma and beta, then the bias and the shortcut
/// where there are such.
#[derive(Debug)]
struct LayerBackward;

#[derive(Clone, Debug)]
struct Recorded {
    layer: Layer,
    x: Host,
    weight: Host,
    gamma: Host,
    beta: Host,
    has_bias: bool,
    /// The output, where a shortcut was added.
    summed: Option<Host>,
    saved: Arc<Saved>,
}

impl<const N: usize> Backward<Flex, N> for LayerBackward {
    type State = Recorded;

    fn backward(self, ops: Ops<Recorded, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let Recorded { layer, x, weight, gamma, beta, has_bias, summed, saved } = ops.state;
        let made = layer::backward(
            &layer,
            &Inputs {
                x: values(&x),
                weight: values(&weight),
                gamma: values(&gamma),
                beta: values(&beta),
                out: summed.as_ref().map(values),
                saved: &saved,
                gradient: values(&gradient),
                wants_x: ops.parents[0].is_some(),
            },
        );
        let filters = layer.geometry.filters;
        let zeros = has_bias.then(|| tensor(vec![0.0; filters], [filters]));
        let shortcut = made.shortcut.map(|shortcut| tensor(shortcut, layer.out_shape()));
        let all = [
            made.x.map(|dx| tensor(dx, x.shape())),
            Some(tensor(made.weight, weight.shape())),
            Some(tensor(made.gamma, [filters])),
            Some(tensor(made.beta, [filters])),
        ];
        let all = all.into_iter().chain(zeros.map(Some)).chain(shortcut.map(Some));
        register(ops.parents.map(|parent| parent.map(|parent| parent.id)), all, grads);
        [Some(gradient), Some(x), summed].into_iter().flatten().for_each(recycle);
    }
}

impl<C: CheckpointStrategy> LayerOps for Autodiff<Flex, C> {
    fn train_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let bias_node = bias.into_option().map(|bias| bias.into_parts().1);
        let has_bias = bias_node.is_some();
        let (shortcut, side_node) =
            shortcut.into_option().map(FloatTensor::<Self>::into_parts).unzip();
        let [weight, gamma, beta] = [weight, gamma, beta].map(|tensor| tensor.to_contiguous());
        let made = forward(x, &weight, [&gamma, &beta], shortcut.as_ref(), form);
        let moments = made.moments;
        let state = Recorded {
            layer: made.layer,
            x: made.x,
            weight,
            gamma,
            beta,
            has_bias,
            summed: shortcut.is_some().then(|| made.out.clone()),
            saved: Arc::new(made.saved),
        };
        let out = made.out;
        let nodes = [x_node, weight_node, gamma_node, beta_node];
        let out = match (bias_node, side_node) {
            (None, None) => finish::<C, _, 4>(LayerBackward, nodes, state, out),
            (Some(more), None) | (None, Some(more)) => {
                let [a, b, c, d] = nodes;
                finish::<C, _, 5>(LayerBackward, [a, b, c, d, more], state, out)
            }
            (Some(bias), Some(shortcut)) => {
                let [a, b, c, d] = nodes;
                finish::<C, _, 6>(LayerBackward, [a, b, c, d, bias, shortcut], state, out)
            }
        };
        let [mean, variance] = moments.map(FloatTensor::<Self>::new);
        (out, mean, variance)
    }

    fn infer_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> FloatTensor<Self> {
        let fixed = [weight, gamma, beta, mean, variance].map(FloatTensor::<Self>::into_primitive);
        inference::infer::<C>(x, fixed, shortcut.into_option(), form)
    }
}

/// Hands gradients to those parents that want theirs.
fn register<const N: usize>(
    parents: [Option<NodeId>; N],
    all: impl IntoIterator<Item = Option<Host>>,
    grads: &mut Gradients,
) {
    for (parent, gradient) in parents.into_iter().zip(all) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<Flex>(parent, gradient);
        }
    }
}

/// `out` as the output of `op`, which keeps `state` where something is tracked.
fn finish<C: CheckpointStrategy, B: Backward<Flex, N>, const N: usize>(
    op: B,
    nodes: [NodeGuard; N],
    state: B::State,
    out: Host,
) -> FloatTensor<Autodiff<Flex, C>> {
    match op.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

#[cfg(test)]
mod tests;
