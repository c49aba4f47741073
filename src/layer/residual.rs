//! Residual blocks (He et al. 2016), under torchvision's names.

use super::{
    conv_norm::{ConvNorm, Window, parameters},
    init::Source,
    interface::{Family, Layer, Module},
    names::Names,
    operations::{Activation, Images, Pass},
};
use crate::{
    kernels::After,
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};
use burn::tensor::Tensor;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// relu(path(x) + shortcut(x)), with ReLU between the convolutions of the path.
#[derive(Clone)]
pub(super) struct Residual {
    path: Vec<ConvNorm>,
    shortcut: Shortcut,
}

#[derive(Clone)]
enum Shortcut {
    Identity,
    /// 1×1 convolution and BatchNorm: option B.
    Project(Box<ConvNorm>),
    /// Every stride-th pixel, with zero channels around: option A.
    Pad {
        stride: usize,
        inputs: usize,
        outputs: usize,
    },
}

/// How a block leads what comes in around its path where the shape changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Project,
    Pad,
}

/// A convolution of a block's path: its outputs, its kernel's rows and columns, its stride.
pub(super) type Conv = (usize, usize, usize);

/// What so many padded filters at a stride make of an image.
pub(super) fn output(input: Shape, channels: usize, stride: usize) -> Shape {
    let Shape { height, width, .. } = input;
    Shape { channels, height: height.div_ceil(stride), width: width.div_ceil(stride) }
}

/// A block as a layer: its kind's fields, and what its kind makes of them.
#[derive(Debug)]
pub(super) struct Block {
    width: usize,
    stride: usize,
    path: Vec<Conv>,
    change: Change,
}

impl Block {
    /// From the fields of its kind, `width` and `stride`.
    pub fn of(
        fields: Value,
        path: fn(usize, usize) -> Vec<Conv>,
        change: Change,
    ) -> Arc<dyn Layer> {
        #[derive(Deserialize)]
        struct Fields {
            width: usize,
            stride: usize,
        }
        let Fields { width, stride } = Kind::<dyn Layer>::read(fields);
        Arc::new(Self { width, stride, path: path(width, stride), change })
    }
}

impl Layer for Block {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        if self.change == Change::Pad && self.width < input.channels {
            return Err(format!("has fewer channels than the {} that come in", input.channels));
        }
        let channels = self.path.last().map_or(input.channels, |&(outputs, ..)| outputs);
        Ok(output(input, channels, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        let (mut channels, mut total, mut stride) = (input.channels, 0, 1);
        for &(outputs, kernel_size, step) in &self.path {
            total += parameters(channels, outputs, kernel_size);
            (channels, stride) = (outputs, stride * step);
        }
        let changes = stride > 1 || input.channels != channels;
        let projects = self.change == Change::Project && changes;
        total + if projects { parameters(input.channels, channels, 1) } else { 0 }
    }

    fn held(&self, input: Shape) -> usize {
        let (mut shape, mut total) = (input, input.size());
        for &(outputs, _, step) in &self.path {
            shape = output(shape, outputs, step);
            total += 2 * shape.size();
        }
        // The last one's result goes out; a projection has the two of its own.
        total.saturating_sub(shape.size()) + if shape == input { 0 } else { 2 * shape.size() }
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = names.block(self.width, self.stride);
        Residual::init(&name, &self.path, self.change, input.channels, from)
    }
}

impl Residual {
    /// The block called `name` (`layer1.0`), on `inputs` channels.
    fn init(
        name: &str,
        path: &[Conv],
        change: Change,
        inputs: usize,
        from: Source<'_>,
    ) -> Box<dyn Module> {
        let (mut channels, mut stride, mut convs) = (inputs, 1, Vec::with_capacity(path.len()));
        for (number, &(outputs, kernel_size, step)) in (1..).zip(path) {
            let (conv, norm) = (format!("{name}.conv{number}"), format!("{name}.bn{number}"));
            let window = Window::new(kernel_size, step);
            convs.push(ConvNorm::residual(conv, norm, [channels, outputs], window, from));
            (channels, stride) = (outputs, stride * step);
        }
        let shortcut = match change {
            _ if stride == 1 && inputs == channels => Shortcut::Identity,
            Change::Pad => Shortcut::Pad { stride, inputs, outputs: channels },
            Change::Project => {
                let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
                let window = Window::new(1, stride);
                let project = ConvNorm::residual(conv, norm, [inputs, channels], window, from);
                Shortcut::Project(Box::new(project))
            }
        };
        Box::new(Self { path: convs, shortcut })
    }
}

impl Module for Residual {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let shortcut = match &mut self.shortcut {
            Shortcut::Identity => x.clone(),
            Shortcut::Project(project) => {
                project.forward(x.clone(), None, After::Nothing, pass.mode)
            }
            Shortcut::Pad { stride, outputs, .. } => {
                let (stride, outputs) = (*stride, *outputs);
                x.clone().map(|x| pad(x, stride, outputs))
            }
        };
        let [first @ .., last] = self.path.as_mut_slice() else { return Activation::Images(x) };
        let through =
            |x: Images, conv: &mut ConvNorm| conv.forward(x, None, After::Relu, pass.mode);
        let x = first.iter_mut().fold(x, through);
        Activation::Images(last.forward(x, Some(shortcut), After::Relu, pass.mode))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let Some((last, first)) = self.path.split_last() else { return Ok(x.clone()) };
        let mut path = x.clone();
        for conv in first {
            path = conv.draw(graph, &path);
            path = graph.relu(&path);
        }
        path = last.draw(graph, &path);
        let shortcut = match &self.shortcut {
            Shortcut::Identity => x.clone(),
            Shortcut::Project(project) => project.draw(graph, x),
            Shortcut::Pad { stride, inputs, outputs } => {
                graph.pad(x, *stride, around(*inputs, *outputs))
            }
        };
        path = graph.add(&path, &shortcut);
        Ok(graph.relu(&path))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.path.iter_mut().for_each(|conv| conv.visit(visitor));
        if let Shortcut::Project(project) = &mut self.shortcut {
            project.visit(visitor);
        }
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}

/// How many channels of zeros stand before and after those that come in.
fn around(inputs: usize, outputs: usize) -> [usize; 2] {
    let before = (outputs - inputs) / 2;
    [before, outputs - inputs - before]
}

/// Every `stride`-th row and column, with zeros before and after the channels.
fn pad(x: Tensor<4>, stride: usize, outputs: usize) -> Tensor<4> {
    let x = if stride == 1 {
        x
    } else {
        let [_, _, height, width] = x.dims();
        let every = |length: usize| {
            let indices: Vec<i32> = (0..length).step_by(stride).map(|index| index as i32).collect();
            Tensor::from_data(indices.as_slice(), &x.device())
        };
        let (rows, columns) = (every(height), every(width));
        x.clone().select(2, rows).select(3, columns)
    };
    let [batch, inputs, height, width] = x.dims();
    let [before, after] = around(inputs, outputs);
    let zeros = |channels| Tensor::zeros([batch, channels, height, width], &x.device());
    let parts = [(before, None), (inputs, Some(x.clone())), (after, None)];
    let parts = parts.into_iter().filter(|(channels, _)| *channels > 0);
    Tensor::cat(parts.map(|(channels, part)| part.unwrap_or_else(|| zeros(channels))).collect(), 1)
}
