//! Convolution, BatchNorm and what follows, and the way back, as launches.

use super::{
    conv::{self, Added},
    launch::{address, dims, each, empty, in_order, units},
    norm, norm_back,
    plan::{Kind, Plan},
    window::Window,
};
use crate::kernels::{
    extension::{MOMENTUM, geometry_of},
    geometry::{Geometry, Layer},
    norm::After,
    precision::Precision,
};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::CubeCount;

/// What forward gives, and leaves for backward.
pub(super) struct Forward {
    pub out: CubeTensor,
    /// The convolution's outputs.
    pub y: CubeTensor,
    /// `[4, filters]`, see [`norm::settle`].
    pub norm: CubeTensor,
    /// The running mean and variance from then on.
    pub mean: CubeTensor,
    pub variance: CubeTensor,
}

/// What normalises, a value for each filter: of the convolution a bias, and running mean and variance.
pub(super) struct Norm {
    pub gamma: CubeTensor,
    pub beta: CubeTensor,
    pub mean: CubeTensor,
    pub variance: CubeTensor,
    pub bias: Option<CubeTensor>,
}

/// Gradients of a layer's inputs.
pub(super) struct Gradients {
    pub x: Option<CubeTensor>,
    pub weight: CubeTensor,
    pub gamma: CubeTensor,
    pub beta: CubeTensor,
    pub bias: Option<CubeTensor>,
    pub shortcut: Option<CubeTensor>,
}

fn pixels(geometry: &Geometry) -> usize {
    geometry.images * geometry.output_pixels()
}

/// `[images, rows, columns, filters]` of the convolution, or of what `after` leaves of it.
pub(super) fn out_shape(geometry: &Geometry, after: After) -> [usize; 4] {
    let [rows, columns] = after.shape(geometry.output());
    [geometry.images, rows, columns, geometry.filters]
}

/// `after(norm(conv(x) + bias) + shortcut)` with the batch's moments.
pub(super) fn forward(
    layer: &Layer,
    precision: Precision,
    x: CubeTensor,
    weight: CubeTensor,
    norm: Norm,
    shortcut: Option<CubeTensor>,
) -> Forward {
    let geometry = layer.geometry;
    let weight = in_order(weight);
    let rows = pixels(&geometry);
    let plan = Plan::new(&x.client, Kind::Forward, Window::from(&geometry), rows, precision);
    let y = empty(&x, out_shape(&geometry, After::Nothing));
    let parts = empty(&x, [rows.div_ceil(plan.tile), 2, geometry.filters]);
    conv::measure(&plan, x, weight, y.clone(), parts.clone());
    finish(layer, y, parts, plan.tile, norm, shortcut)
}

/// `after(norm(y) + shortcut)` from the parts of y's moments, of `share` pixels each.
pub(super) fn finish(
    layer: &Layer,
    y: CubeTensor,
    parts: CubeTensor,
    share: usize,
    norm: Norm,
    shortcut: Option<CubeTensor>,
) -> Forward {
    let Layer { geometry, after, epsilon } = *layer;
    let client = y.client.clone();
    let filters = geometry.filters;
    let Norm { bias, gamma, beta, mean: old_mean, variance: old_variance } = norm;
    let [gamma, beta, old_mean, old_variance] = [gamma, beta, old_mean, old_variance].map(in_order);
    let norm = empty(&y, [4, filters]);
    let [mean, variance] = [(); 2].map(|()| empty(&y, [filters]));
    norm::settle::launch(
        &client,
        CubeCount::Static(filters as u32, 1, 1),
        units(),
        address([&parts]),
        parts.into_buffer_arg(),
        gamma.into_buffer_arg(),
        beta.into_buffer_arg(),
        bias.map(|bias| in_order(bias).into_buffer_arg()).into(),
        old_mean.into_buffer_arg(),
        old_variance.into_buffer_arg(),
        norm.clone().into_buffer_arg(),
        mean.clone().into_buffer_arg(),
        variance.clone().into_buffer_arg(),
        pixels(&geometry),
        filters,
        share,
        epsilon as f32,
        MOMENTUM as f32,
    );
    let out = follow(&geometry, after, &y, &norm, shortcut);
    Forward { out, y, norm, mean, variance }
}

/// `after(y · scale + shift + shortcut)`.
fn follow(
    geometry: &Geometry,
    after: After,
    y: &CubeTensor,
    norm: &CubeTensor,
    shortcut: Option<CubeTensor>,
) -> CubeTensor {
    let shape = out_shape(geometry, after);
    let out = empty(y, shape);
    norm::follow::launch(
        &y.client.clone(),
        each(shape.iter().product()),
        units(),
        address([y, &out]),
        y.clone().into_buffer_arg(),
        norm.clone().into_buffer_arg(),
        shortcut.map(|shortcut| in_order(shortcut).into_buffer_arg()).into(),
        out.clone().into_buffer_arg(),
        after,
        Window::from(geometry),
    );
    out
}

/// `after(norm(conv(x) + bias) + shortcut)` with given moments, and what backward reads: y before a pool, else what
/// came out; and `[4, filters]`.
pub(super) fn infer(
    layer: &Layer,
    x: CubeTensor,
    weight: CubeTensor,
    norm: Norm,
    shortcut: Option<CubeTensor>,
) -> [CubeTensor; 3] {
    let Layer { geometry, after, epsilon } = *layer;
    let filters = geometry.filters;
    let Norm { gamma, beta, mean, variance, bias } = norm;
    let norm = empty(&x, [4, filters]);
    let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(in_order);
    norm::given::launch(
        &x.client.clone(),
        each(filters),
        units(),
        address([&norm]),
        mean.into_buffer_arg(),
        variance.into_buffer_arg(),
        gamma.into_buffer_arg(),
        beta.into_buffer_arg(),
        bias.map(|bias| in_order(bias).into_buffer_arg()).into(),
        norm.clone().into_buffer_arg(),
        filters,
        epsilon as f32,
    );
    if after == After::Pool {
        let y = convolve(&geometry, Precision::F32, x, weight, Added::default(), After::Nothing);
        return [follow(&geometry, after, &y, &norm, shortcut), y, norm];
    }
    let added = Added { norm: Some(norm.clone()), bias: None, shortcut };
    let out = convolve(&geometry, Precision::F32, x, weight, added, after);
    [out.clone(), out, norm]
}

/// `after(conv(x) · scale + shift + bias + shortcut)`, where there are such.
pub(super) fn convolve(
    geometry: &Geometry,
    precision: Precision,
    x: CubeTensor,
    weight: CubeTensor,
    added: Added,
    after: After,
) -> CubeTensor {
    let (client, window) = (&x.client, Window::from(geometry));
    let plan = Plan::new(client, Kind::Forward, window, pixels(geometry), precision);
    let out = empty(&x, out_shape(geometry, After::Nothing));
    let weight = in_order(weight);
    conv::finish(&plan, x, weight, added, after, out.clone());
    out
}

/// Output pixels that a cube adds up for a weight's gradient, at least.
const SHARE: usize = 256;
/// Cubes that a weight's gradient is spread over, at most: a large GPU has some 130 multiprocessors.
const CUBES: usize = 512;

/// The gradients of a convolution's input and of its weight, if they are wanted; `dy` is in order.
pub(super) fn adjoint(
    geometry: &Geometry,
    precision: Precision,
    x: CubeTensor,
    dy: CubeTensor,
    weight: CubeTensor,
    [wants_x, wants_weight]: [bool; 2],
) -> [Option<CubeTensor>; 2] {
    let (window, pixels) = (Window::from(geometry), pixels(geometry));
    let Geometry { images, input: [height, width], channels, filters, kernel_size, .. } = *geometry;
    let plan = |kind, rows| Plan::new(&dy.client, kind, window, rows, precision);
    let input = plan(Kind::Input, images * height * width);
    let own = plan(Kind::Weight, filters);
    let share = pixels.div_ceil((CUBES / own.cubes(filters)).max(1)).max(SHARE);
    let parts = pixels.div_ceil(share);
    let dx = wants_x.then(|| empty(&dy, [images, height, width, channels]));
    let out = wants_weight.then(|| empty(&dy, [filters, channels, kernel_size, kernel_size]));
    let shares = out.clone().map(|out| match parts {
        1 => out,
        _ => empty(&dy, [parts, filters, channels, kernel_size, kernel_size]),
    });
    let wanted = conv::Wanted { dx: dx.clone(), parts: shares.clone(), share };
    conv::adjoin([&input, &own], x, dy, in_order(weight), wanted);
    if let (Some(out), Some(shares)) = (out.clone(), shares.filter(|_| parts > 1)) {
        conv::sum_parts::launch(
            &out.client.clone(),
            each(out.meta.num_elements()),
            units(),
            address([&shares]),
            shares.into_buffer_arg(),
            out.into_buffer_arg(),
            parts,
        );
    }
    [dx, out]
}

/// What the way back through a normalisation reads.
pub(super) struct Normed {
    pub y: CubeTensor,
    pub norm: CubeTensor,
    /// What came out, where there was a shortcut to add.
    pub out: Option<CubeTensor>,
    /// The gradient of what came out, in order.
    pub gradient: CubeTensor,
}

/// The gradients of γ, β, and a bias if there is one; then what [`norm::through`] reads.
fn gathered(
    layer: &Layer,
    normed: &Normed,
    has_bias: bool,
) -> ([CubeTensor; 2], Option<CubeTensor>, CubeTensor) {
    let Layer { geometry, after, .. } = *layer;
    let Normed { y, norm, out, gradient } = normed;
    let (filters, count) = (geometry.filters, pixels(&geometry));
    let share = share(count);
    let shares = count.div_ceil(share);
    let parts = empty(y, [shares, 2, filters]);
    let [gamma, beta] = [(); 2].map(|()| empty(y, [filters]));
    let bias = has_bias.then(|| empty(y, [filters]));
    let through = empty(y, [2, filters]);
    let lanes = norm::lanes(filters);
    norm_back::gather::launch(
        &y.client.clone(),
        CubeCount::Static(shares as u32, filters.div_ceil(lanes) as u32, 1),
        units(),
        address([y, gradient]),
        gradient.clone().into_buffer_arg(),
        y.clone().into_buffer_arg(),
        norm.clone().into_buffer_arg(),
        out.clone().map(CubeTensor::into_buffer_arg).into(),
        parts.clone().into_buffer_arg(),
        count,
        share,
        after,
        Window::from(&geometry),
    );
    norm_back::conclude::launch(
        &y.client.clone(),
        CubeCount::Static(filters as u32, 1, 1),
        units(),
        address([&parts]),
        parts.into_buffer_arg(),
        norm.clone().into_buffer_arg(),
        gamma.clone().into_buffer_arg(),
        beta.clone().into_buffer_arg(),
        bias.clone().map(CubeTensor::into_buffer_arg).into(),
        through.clone().into_buffer_arg(),
        shares,
        filters,
        count,
    );
    ([gamma, beta], bias, through)
}

/// The gradient of y, and of a shortcut.
fn through(
    geometry: &Geometry,
    after: After,
    normed: Normed,
    coefficients: Option<CubeTensor>,
    has_shortcut: bool,
) -> (CubeTensor, Option<CubeTensor>) {
    let Normed { y, norm, out, gradient } = normed;
    let shape = out_shape(geometry, After::Nothing);
    let dy = empty(&y, shape);
    let shortcut = has_shortcut.then(|| empty(&y, shape));
    norm_back::through::launch(
        &y.client.clone(),
        each(shape.iter().product()),
        units(),
        address([&y, &gradient]),
        gradient.into_buffer_arg(),
        y.into_buffer_arg(),
        norm.into_buffer_arg(),
        out.map(CubeTensor::into_buffer_arg).into(),
        coefficients.map(CubeTensor::into_buffer_arg).into(),
        dy.clone().into_buffer_arg(),
        shortcut.clone().map(CubeTensor::into_buffer_arg).into(),
        after,
        Window::from(geometry),
    );
    (dy, shortcut)
}

/// Pixels of a part: as many parts as keep a large GPU at work, of some hundred pixels at least.
fn share(pixels: usize) -> usize {
    pixels.div_ceil(CUBES).max(SHARE)
}

/// The adjoint of [`forward`].
pub(super) fn backward(
    layer: &Layer,
    precision: Precision,
    normed: Normed,
    x: CubeTensor,
    weight: CubeTensor,
    [wants_x, has_bias]: [bool; 2],
) -> Gradients {
    let Layer { geometry, after, .. } = *layer;
    let ([gamma, beta], bias, coefficients) = gathered(layer, &normed, has_bias);
    let has_shortcut = normed.out.is_some();
    let (dy, shortcut) = through(&geometry, after, normed, Some(coefficients), has_shortcut);
    let [x, weight] = adjoint(&geometry, precision, x, dy, weight, [wants_x, true]);
    let weight = weight.expect("it was wanted");
    Gradients { x, weight, gamma, beta, bias, shortcut }
}

/// The adjoint of [`infer`], of x and of a shortcut.
pub(super) fn infer_backward(
    layer: &Layer,
    normed: Normed,
    x: CubeTensor,
    weight: CubeTensor,
    has_shortcut: bool,
) -> (CubeTensor, Option<CubeTensor>) {
    let Layer { geometry, after, .. } = *layer;
    let (dy, shortcut) = through(&geometry, after, normed, None, has_shortcut);
    let [x, _] = adjoint(&geometry, Precision::F32, x, dy, weight, [true, false]);
    (x.expect("it was wanted"), shortcut)
}

/// [`finish`] of images that no convolution made.
pub(super) fn normalise(layer: &Layer, x: CubeTensor, norm: Norm) -> Forward {
    let geometry = layer.geometry;
    let (x, count) = (in_order(x), pixels(&geometry));
    let share = share(count);
    let shares = count.div_ceil(share);
    let parts = empty(&x, [shares, 2, geometry.filters]);
    let across = geometry.filters.div_ceil(norm::lanes(geometry.filters));
    norm::moments::launch(
        &x.client.clone(),
        CubeCount::Static(shares as u32, across as u32, 1),
        units(),
        address([&x]),
        x.clone().into_buffer_arg(),
        parts.clone().into_buffer_arg(),
        count,
        share,
        geometry.filters,
    );
    finish(layer, x, parts, share, norm, None)
}

/// The adjoint of [`normalise`]: the gradients of x, γ and β.
pub(super) fn normalise_backward(layer: &Layer, normed: Normed) -> [CubeTensor; 3] {
    let ([gamma, beta], _, coefficients) = gathered(layer, &normed, false);
    let (dx, _) = through(&layer.geometry, layer.after, normed, Some(coefficients), false);
    [dx, gamma, beta]
}

/// How `weight` goes over `x`, `[image, row, column, channel]`.
pub(super) fn geometry(x: &CubeTensor, weight: &CubeTensor, stride: usize) -> Geometry {
    geometry_of(dims(x), dims(weight), stride)
}
