//! A convolution without BatchNorm, and BatchNorm without a convolution, as operations of burn's CPU
//! backend.

use super::{
    Host, Maybe, Running, blend, recycle,
    tape::{finish, parts, register},
    tensor, values,
};
use crate::kernels::{
    alone,
    geometry::{Geometry, Layer},
    norm::After,
    precision::Precision,
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
    tensor::Tensor,
};

/// `conv(x) + shortcut`, in training and in inference: images `[image, row, column, channel]`, the weight
/// `[filters, channels of a group, kernel, kernel]`. The image is padded by half of the kernel.
///
/// # Panics
/// If the shapes do not agree, or [`convolves`](super::convolves) says no.
pub fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    shortcut: Option<Tensor<4>>,
    stride: usize,
    precision: Precision,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as AloneOps>::convolve(
        x.into_dispatch(),
        weight.into_dispatch(),
        Maybe::from(shortcut.map(Tensor::into_dispatch)),
        stride,
        precision,
    ))
}

/// `after(norm(x))` with the batch's own moments, and the running ones as after [`train`](super::train). Images are `[image, row, column, channel]`, all else `[channels]`.
///
/// # Panics
/// As [`convolve`].
pub fn normalise(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: Running,
    after: After,
    epsilon: f64,
) -> (Tensor<4>, Running) {
    let (out, mean, variance) = <Dispatch as AloneOps>::normalise(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        after,
        epsilon,
    );
    let running = [mean, variance].map(|moment| Tensor::from_dispatch(moment).inner());
    (Tensor::from_dispatch(out), running)
}

/// What the backends must know.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait AloneOps: Backend {
    /// See [`convolve`].
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        stride: usize,
        precision: Precision,
    ) -> FloatTensor<Self>;

    /// See [`normalise`].
    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        after: After,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn forward(x: &Host, weight: &Host, shortcut: Option<&Host>, stride: usize) -> (Host, Geometry) {
    let geometry = super::geometry(x, weight, stride);
    let shortcut = shortcut.map(Host::to_contiguous);
    let y = alone::conv(&geometry, values(x), values(weight), shortcut.as_ref().map(values));
    let [height, width] = geometry.output();
    (tensor(y, [geometry.images, height, width, geometry.filters]), geometry)
}

/// Images as a layer whose convolution changes nothing.
fn layer(x: &Host, after: After, epsilon: f64) -> Layer {
    Layer { geometry: Geometry::still(x.shape().dims()), after, epsilon }
}

fn normed(x: &Host, norm: [&Host; 2], layer: &Layer) -> (Host, [Vec<f64>; 2]) {
    let (out, moments) = alone::norm(layer, values(x), norm.map(values));
    (tensor(out, layer.out_shape()), moments)
}

fn moments(moments: &[Vec<f64>; 2]) -> [Host; 2] {
    [0, 1].map(|at| {
        let values: Vec<f32> = moments[at].iter().map(|&value| value as f32).collect();
        let length = values.len();
        tensor(values, [length])
    })
}

impl AloneOps for Flex {
    fn convolve(x: Host, weight: Host, shortcut: Maybe<Self>, stride: usize, _: Precision) -> Host {
        let [x, weight] = [x, weight].map(|tensor| tensor.to_contiguous());
        let (out, _) = forward(&x, &weight, shortcut.into_option().as_ref(), stride);
        recycle(x);
        out
    }

    fn normalise(
        x: Host,
        gamma: Host,
        beta: Host,
        mean: Host,
        variance: Host,
        after: After,
        epsilon: f64,
    ) -> (Host, Host, Host) {
        let [x, gamma, beta] = [x, gamma, beta].map(|tensor| tensor.to_contiguous());
        let layer = layer(&x, after, epsilon);
        let (out, both) = normed(&x, [&gamma, &beta], &layer);
        let [mean, variance] = blend([mean, variance], moments(&both), &layer.geometry);
        (out, mean, variance)
    }
}

/// The backward pass of a convolution. Its parents are x and the weight, then the shortcut if there is one.
#[derive(Debug)]
struct ConvBackward;

impl<const N: usize> Backward<Flex, N> for ConvBackward {
    type State = (Geometry, Host, Host);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (geometry, x, weight) = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let (dx, dweight) = alone::conv_backward(
            &geometry,
            parents[1].is_some().then(|| values(&x)),
            values(&weight),
            values(&gradient),
            parents[0].is_some(),
        );
        let all = [
            dx.map(|dx| tensor(dx, x.shape())),
            parents[1].is_some().then(|| tensor(dweight, weight.shape())),
            Some(gradient.clone()),
        ];
        register::<Flex, _>(parents, all, grads);
        [gradient, x].into_iter().for_each(recycle);
    }
}

/// The backward pass of BatchNorm. Its parents are x, γ and β.
#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = (Layer, [Host; 3], [Vec<f64>; 2]);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (layer, [x, gamma, beta], [mean, variance]) = ops.state;
        let [dx, dgamma, dbeta] = alone::norm_backward(
            &layer,
            values(&x),
            [values(&gamma), values(&beta)],
            [&mean, &variance],
            values(&gradient),
        );
        let channels = layer.geometry.channels;
        let all = [tensor(dx, x.shape()), tensor(dgamma, [channels]), tensor(dbeta, [channels])];
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<Flex, _>(parents, all.map(Some), grads);
        [gradient, x].into_iter().for_each(recycle);
    }
}

impl<C: CheckpointStrategy> AloneOps for Autodiff<Flex, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shortcut: Maybe<Self>,
        stride: usize,
        _: Precision,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (shortcut, side) = parts(shortcut);
        let [x, weight] = [x, weight].map(|tensor| tensor.to_contiguous());
        let (out, geometry) = forward(&x, &weight, shortcut.as_ref(), stride);
        let state = (geometry, x, weight);
        match side {
            None => finish::<Flex, C, _, 2>(ConvBackward, [x_node, weight_node], state, out),
            Some(side) => {
                finish::<Flex, C, _, 3>(ConvBackward, [x_node, weight_node, side], state, out)
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
        let [x, gamma, beta] = [x, gamma, beta].map(|tensor| tensor.to_contiguous());
        let layer = layer(&x, after, epsilon);
        let (out, both) = normed(&x, [&gamma, &beta], &layer);
        let running = [mean, variance].map(FloatTensor::<Self>::into_primitive);
        let running = blend(running, moments(&both), &layer.geometry);
        let [mean, variance] = running.map(FloatTensor::<Self>::new);
        let state = (layer, [x, gamma, beta], both);
        let out =
            finish::<Flex, C, _, 3>(NormBackward, [x_node, gamma_node, beta_node], state, out);
        (out, mean, variance)
    }
}
