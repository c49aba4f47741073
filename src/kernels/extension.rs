//! The layer as an operation of burn's CPU backend, with a backward pass of its own.

mod alone;
mod form;
mod inference;
mod maybe;
mod running;
pub(super) mod tape;

#[cfg(feature = "cube")]
pub use alone::AloneOps;
pub use alone::{convolve, normalise};
pub(crate) use form::geometry_of;
pub use form::{Form, Operands, convolves, on_cpu};
pub use maybe::Maybe;
#[cfg(feature = "cube")]
pub use maybe::MaybeMetadata;
pub use running::{MOMENTUM, Running};

use super::{
    buffers,
    geometry::{Geometry, Layer},
    layer::{self, Inputs, Saved},
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};
use running::{blend, moved, unmoved};
use std::sync::Arc;
use tape::{finish_layer, parts, register};

/// `after(norm(conv(x) + bias) + shortcut)` with the batch's own moments, and the running ones after they have
/// taken their share of these, of the unbiased variance as PyTorch's do.
///
/// # Panics
/// If the shapes do not agree, or [`convolves`] says no.
pub fn train(
    x: Tensor<4>,
    operands: Operands,
    [mean, variance]: Running,
    form: Form,
) -> (Tensor<4>, Running) {
    let Operands { weight, bias, gamma, beta, shortcut } = operands;
    let (out, mean, variance) = <Dispatch as LayerOps>::train_layer(
        x.into_dispatch(),
        weight.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        Maybe::from(bias.map(Tensor::into_dispatch)),
        Maybe::from(shortcut.map(Tensor::into_dispatch)),
        mean.into_dispatch(),
        variance.into_dispatch(),
        form,
    );
    let running = [mean, variance].map(|moment| Tensor::from_dispatch(moment).inner());
    (Tensor::from_dispatch(out), running)
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
    Tensor::from_dispatch(<Dispatch as LayerOps>::infer_layer(
        x.into_dispatch(),
        weight.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        Maybe::from(bias.map(Tensor::into_dispatch)),
        Maybe::from(shortcut.map(Tensor::into_dispatch)),
        form,
    ))
}

/// What the backends must know.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
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
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
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
        #[extension_type] bias: Maybe<Self>,
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
    geometry_of(x.shape().dims(), weight.shape().dims(), stride)
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
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        mean: Host,
        variance: Host,
        form: Form,
    ) -> (Host, Host, Host) {
        let [weight, gamma, beta] = [weight, gamma, beta].map(|tensor| tensor.to_contiguous());
        let made = forward(x, &weight, [&gamma, &beta], shortcut.into_option().as_ref(), form);
        let [own, spread] = made.moments;
        let own = moved(own, bias.into_option().as_ref());
        let [mean, variance] = blend([mean, variance], [own, spread], &made.layer.geometry);
        (made.out, mean, variance)
    }

    fn infer_layer(
        x: Host,
        weight: Host,
        gamma: Host,
        beta: Host,
        mean: Host,
        variance: Host,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> Host {
        let mean = unmoved(mean, bias.into_option().as_ref());
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
        register::<Flex, _>(ops.parents.map(|parent| parent.map(|parent| parent.id)), all, grads);
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
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        form: Form,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let (bias, bias_node) = parts(bias);
        let has_bias = bias_node.is_some();
        let (shortcut, side_node) = parts(shortcut);
        let [weight, gamma, beta] = [weight, gamma, beta].map(|tensor| tensor.to_contiguous());
        let made = forward(x, &weight, [&gamma, &beta], shortcut.as_ref(), form);
        let [own, spread] = made.moments;
        let own = [moved(own, bias.as_ref()), spread];
        let running = [mean, variance].map(FloatTensor::<Self>::into_primitive);
        let running = blend(running, own, &made.layer.geometry);
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
        let nodes = [x_node, weight_node, gamma_node, beta_node];
        let out = finish_layer::<Flex, C, _, _>(
            LayerBackward,
            nodes,
            [bias_node, side_node],
            state,
            made.out,
        );
        let [mean, variance] = running.map(FloatTensor::<Self>::new);
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
        let fixed = [weight, gamma, beta, unmoved(mean, bias.as_ref()), variance];
        inference::infer::<C>(x, fixed, shortcut.into_option(), form)
    }
}

#[cfg(test)]
mod tests;
