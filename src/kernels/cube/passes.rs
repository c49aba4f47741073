//! Passes through a layer as operations of burn's backend: each is one message to the device's thread, whatever it
//! launches there.

mod specs;

use super::{
    conv::Added,
    launch::{dims, in_order},
    layer::{self, Norm, Normed},
    linear,
};
use crate::kernels::{
    extension::{Form, Maybe},
    geometry::{Geometry, Layer},
    norm::After,
    precision::Precision,
};
use burn::backend::{Backend, ExtensionType, backend_extension, tensor::FloatTensor};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;

use specs::{
    conv_gradients, convolved, gradients, inferred, input_gradients, layer_made, linear_gradients,
    norm_gradients, normalised,
};

/// What a layer leaves for the way back: y, and `[4, filters]`.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Made<B: Backend> {
    pub out: FloatTensor<B>,
    pub y: FloatTensor<B>,
    pub norm: FloatTensor<B>,
    pub mean: FloatTensor<B>,
    pub variance: FloatTensor<B>,
}

/// What goes into a layer's way back.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Back<B: Backend> {
    pub gradient: FloatTensor<B>,
    pub y: FloatTensor<B>,
    pub norm: FloatTensor<B>,
    #[extension_type]
    pub out: Maybe<B>,
}

/// Gradients of a layer's inputs.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Gradients<B: Backend> {
    #[extension_type]
    pub x: Maybe<B>,
    pub weight: FloatTensor<B>,
    pub gamma: FloatTensor<B>,
    pub beta: FloatTensor<B>,
    #[extension_type]
    pub bias: Maybe<B>,
    #[extension_type]
    pub shortcut: Maybe<B>,
}

/// What a frozen layer leaves for the way back: y before a pool, else what came out; and `[4, filters]`.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Inferred<B: Backend> {
    pub out: FloatTensor<B>,
    pub y: FloatTensor<B>,
    pub norm: FloatTensor<B>,
}

/// The gradients of x and of a shortcut.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Inputs<B: Backend> {
    pub x: FloatTensor<B>,
    #[extension_type]
    pub shortcut: Maybe<B>,
}

/// The gradients of a convolution's input and weight.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct ConvGradients<B: Backend> {
    #[extension_type]
    pub x: Maybe<B>,
    #[extension_type]
    pub weight: Maybe<B>,
}

/// The gradients of what was normalised, γ and β.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct NormGradients<B: Backend> {
    pub x: FloatTensor<B>,
    pub gamma: FloatTensor<B>,
    pub beta: FloatTensor<B>,
}

/// The gradients of a fully connected layer's x, weight and bias.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct LinearGradients<B: Backend> {
    #[extension_type]
    pub x: Maybe<B>,
    pub weight: FloatTensor<B>,
    pub bias: FloatTensor<B>,
}

/// Passes. Images are `[image, row, column, channel]`, weights `[filters, channels, kernel, kernel]`, all else has a
/// value for each filter.
#[backend_extension(Cube, Fusion)]
#[allow(clippy::too_many_arguments)]
pub trait Passes: Backend {
    /// `after(norm(conv(x) + bias) + shortcut)` with the batch's moments.
    #[fusion(meta = layer_made)]
    fn layer_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        form: Form,
    ) -> Made<Self>;

    /// The gradients of what [`Passes::layer_forward`] was given.
    #[fusion(meta = gradients)]
    fn layer_backward(
        #[extension_type] back: Back<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        form: Form,
        wants_x: bool,
        has_bias: bool,
    ) -> Gradients<Self>;

    /// As [`Passes::layer_forward`], with given moments.
    #[fusion(meta = inferred)]
    fn infer_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        form: Form,
    ) -> Inferred<Self>;

    /// The gradients of x and of a shortcut that [`Passes::infer_forward`] was given.
    #[fusion(meta = input_gradients)]
    fn infer_backward(
        #[extension_type] back: Back<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        form: Form,
        has_shortcut: bool,
    ) -> Inputs<Self>;

    /// `conv(x) + shortcut`.
    #[fusion(dtype = x, shape = convolved(x, weight, *stride))]
    fn conv_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] shortcut: Maybe<Self>,
        stride: usize,
        precision: Precision,
    ) -> FloatTensor<Self>;

    /// The gradients of x and of the weight, if they are wanted.
    #[fusion(meta = conv_gradients)]
    fn conv_backward(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: usize,
        precision: Precision,
        wants_x: bool,
        wants_weight: bool,
    ) -> ConvGradients<Self>;

    /// `after(norm(x))` with the batch's moments.
    #[fusion(meta = normalised)]
    fn norm_forward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        after: After,
        epsilon: f64,
    ) -> Made<Self>;

    /// The gradients of what [`Passes::norm_forward`] was given.
    #[fusion(meta = norm_gradients)]
    fn norm_backward(#[extension_type] back: Back<Self>, after: After) -> NormGradients<Self>;

    /// `x · weightᵀ + bias`, with a ReLU if asked for.
    #[fusion(dtype = x, shape = Shape::new([x[0], weight[0]]))]
    fn linear_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        with_relu: bool,
    ) -> FloatTensor<Self>;

    /// The gradients of what [`Passes::linear_forward`] was given; `out` is what came out of a ReLU.
    #[fusion(meta = linear_gradients)]
    fn linear_backward(
        gradient: FloatTensor<Self>,
        #[extension_type] out: Maybe<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        wants_x: bool,
    ) -> LinearGradients<Self>;
}

/// A backend's tensor.
type Own = FloatTensor<CubeBackend>;

fn layer_of(x: &Own, weight: &Own, form: Form) -> Layer {
    let geometry = layer::geometry(x, weight, form.stride);
    Layer { geometry, after: form.after, epsilon: form.epsilon }
}

fn normed(back: Back<CubeBackend>) -> Normed {
    let Back { gradient, y, norm, out } = back;
    Normed { y, norm, out: out.into_option(), gradient: in_order(gradient) }
}

impl Passes for CubeBackend {
    fn layer_forward(
        x: Own,
        weight: Own,
        gamma: Own,
        beta: Own,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        mean: Own,
        variance: Own,
        form: Form,
    ) -> Made<Self> {
        let layer = layer_of(&x, &weight, form);
        let (bias, shortcut) = (bias.into_option(), shortcut.into_option());
        let norm = Norm { gamma, beta, mean, variance, bias };
        let layer::Forward { out, y, norm, mean, variance } =
            layer::forward(&layer, form.precision, x, weight, norm, shortcut);
        Made { out, y, norm, mean, variance }
    }

    fn layer_backward(
        back: Back<Self>,
        x: Own,
        weight: Own,
        form: Form,
        wants_x: bool,
        has_bias: bool,
    ) -> Gradients<Self> {
        let layer = layer_of(&x, &weight, form);
        let wanted = [wants_x, has_bias];
        let made = layer::backward(&layer, form.precision, normed(back), x, weight, wanted);
        let layer::Gradients { x, weight, gamma, beta, bias, shortcut } = made;
        let [x, bias, shortcut] = [x, bias, shortcut].map(Maybe::from);
        Gradients { x, weight, gamma, beta, bias, shortcut }
    }

    fn infer_forward(
        x: Own,
        weight: Own,
        gamma: Own,
        beta: Own,
        mean: Own,
        variance: Own,
        bias: Maybe<Self>,
        shortcut: Maybe<Self>,
        form: Form,
    ) -> Inferred<Self> {
        let layer = layer_of(&x, &weight, form);
        let given = Norm { gamma, beta, mean, variance, bias: bias.into_option() };
        let [out, y, norm] = layer::infer(&layer, x, weight, given, shortcut.into_option());
        Inferred { out, y, norm }
    }

    fn infer_backward(
        back: Back<Self>,
        x: Own,
        weight: Own,
        form: Form,
        has_shortcut: bool,
    ) -> Inputs<Self> {
        let layer = layer_of(&x, &weight, form);
        let (x, shortcut) = layer::infer_backward(&layer, normed(back), x, weight, has_shortcut);
        Inputs { x, shortcut: Maybe::from(shortcut) }
    }

    fn conv_forward(
        x: Own,
        weight: Own,
        shortcut: Maybe<Self>,
        stride: usize,
        precision: Precision,
    ) -> Own {
        let geometry = layer::geometry(&x, &weight, stride);
        let added = Added { shortcut: shortcut.into_option(), ..Added::default() };
        layer::convolve(&geometry, precision, x, weight, added, After::Nothing)
    }

    fn conv_backward(
        gradient: Own,
        x: Own,
        weight: Own,
        stride: usize,
        precision: Precision,
        wants_x: bool,
        wants_weight: bool,
    ) -> ConvGradients<Self> {
        let geometry = layer::geometry(&x, &weight, stride);
        let wanted = [wants_x, wants_weight];
        let made = layer::adjoint(&geometry, precision, x, in_order(gradient), weight, wanted);
        let [x, weight] = made.map(Maybe::from);
        ConvGradients { x, weight }
    }

    fn norm_forward(
        x: Own,
        gamma: Own,
        beta: Own,
        mean: Own,
        variance: Own,
        after: After,
        epsilon: f64,
    ) -> Made<Self> {
        let layer = Layer { geometry: Geometry::still(dims(&x)), after, epsilon };
        let layer::Forward { out, y, norm, mean, variance } =
            layer::normalise(&layer, x, Norm { gamma, beta, mean, variance, bias: None });
        Made { out, y, norm, mean, variance }
    }

    fn norm_backward(back: Back<Self>, after: After) -> NormGradients<Self> {
        let layer = Layer { geometry: Geometry::still(dims(&back.y)), after, epsilon: 0.0 };
        let [x, gamma, beta] = layer::normalise_backward(&layer, normed(back));
        NormGradients { x, gamma, beta }
    }

    fn linear_forward(x: Own, weight: Own, bias: Own, with_relu: bool) -> Own {
        linear::forward(x, weight, bias, with_relu)
    }

    fn linear_backward(
        gradient: Own,
        out: Maybe<Self>,
        x: Own,
        weight: Own,
        wants_x: bool,
    ) -> LinearGradients<Self> {
        let made = linear::backward(gradient, out.into_option(), x, weight, wants_x);
        let linear::Gradients { x, weight, bias } = made;
        LinearGradients { x: Maybe::from(x), weight, bias }
    }
}
