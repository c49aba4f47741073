//! What comes out of passes, before they are made.

use super::{
    super::layer, BackMetadata, ConvGradientsMetadata, GradientsMetadata, InferredMetadata,
    InputsMetadata, LinearGradientsMetadata, MadeMetadata, NormGradientsMetadata,
};
use crate::kernels::{
    extension::{Form, MaybeMetadata},
    geometry::Geometry,
    norm::After,
    precision::Precision,
};
use burn::{backend::fusion::custom::TensorSpec, tensor::Shape};

fn geometry(x: &TensorSpec, weight: &TensorSpec, stride: usize) -> Geometry {
    crate::kernels::extension::geometry_of(x.shape.dims(), weight.shape.dims(), stride)
}

fn spec(like: &TensorSpec, shape: &[usize]) -> TensorSpec {
    TensorSpec::new(shape.to_vec().into(), like.dtype)
}

fn maybe(given: bool, spec: &TensorSpec) -> MaybeMetadata {
    if given { MaybeMetadata::Given(spec.clone()) } else { MaybeMetadata::Absent }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn layer_made(
    x: &TensorSpec,
    weight: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &MaybeMetadata,
    _: &MaybeMetadata,
    _: &TensorSpec,
    _: &TensorSpec,
    form: &Form,
) -> MadeMetadata {
    made(&geometry(x, weight, form.stride), form.after, x)
}

fn made(geometry: &Geometry, after: After, x: &TensorSpec) -> MadeMetadata {
    let filters = geometry.filters;
    MadeMetadata {
        out: spec(x, &layer::out_shape(geometry, after)),
        y: spec(x, &layer::out_shape(geometry, After::Nothing)),
        norm: spec(x, &[4, filters]),
        mean: spec(x, &[filters]),
        variance: spec(x, &[filters]),
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn inferred(
    x: &TensorSpec,
    weight: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &MaybeMetadata,
    _: &MaybeMetadata,
    form: &Form,
) -> InferredMetadata {
    let MadeMetadata { out, y, norm, .. } = made(&geometry(x, weight, form.stride), form.after, x);
    InferredMetadata { out, y, norm }
}

pub(super) fn input_gradients(
    back: &BackMetadata,
    x: &TensorSpec,
    _: &TensorSpec,
    _: &Form,
    has_shortcut: &bool,
) -> InputsMetadata {
    InputsMetadata { x: x.clone(), shortcut: maybe(*has_shortcut, &back.y) }
}

pub(super) fn normalised(
    x: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    after: &After,
    _: &f64,
) -> MadeMetadata {
    made(&Geometry::still(x.shape.dims()), *after, x)
}

pub(super) fn norm_gradients(back: &BackMetadata, _: &After) -> NormGradientsMetadata {
    let channel = spec(&back.y, &[back.y.shape[3]]);
    NormGradientsMetadata { x: back.y.clone(), gamma: channel.clone(), beta: channel }
}

pub(super) fn conv_gradients(
    _: &TensorSpec,
    x: &TensorSpec,
    weight: &TensorSpec,
    _: &usize,
    _: &Precision,
    wants_x: &bool,
    wants_weight: &bool,
) -> ConvGradientsMetadata {
    ConvGradientsMetadata { x: maybe(*wants_x, x), weight: maybe(*wants_weight, weight) }
}

pub(super) fn linear_gradients(
    _: &TensorSpec,
    _: &MaybeMetadata,
    x: &TensorSpec,
    weight: &TensorSpec,
    wants_x: &bool,
) -> LinearGradientsMetadata {
    let bias = spec(weight, &[weight.shape[0]]);
    LinearGradientsMetadata { x: maybe(*wants_x, x), weight: weight.clone(), bias }
}

pub(super) fn convolved(x: &Shape, weight: &Shape, stride: usize) -> Shape {
    let geometry = crate::kernels::extension::geometry_of(x.dims(), weight.dims(), stride);
    layer::out_shape(&geometry, After::Nothing).into()
}

pub(super) fn gradients(
    back: &BackMetadata,
    x: &TensorSpec,
    weight: &TensorSpec,
    _: &Form,
    wants_x: &bool,
    has_bias: &bool,
) -> GradientsMetadata {
    let channel = spec(x, &[weight.shape[0]]);
    let summed = matches!(back.out, MaybeMetadata::Given(_));
    GradientsMetadata {
        x: maybe(*wants_x, x),
        weight: weight.clone(),
        gamma: channel.clone(),
        beta: channel.clone(),
        bias: maybe(*has_bias, &channel),
        shortcut: maybe(summed, &back.y),
    }
}
