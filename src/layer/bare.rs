//! A convolution without bias that no BatchNorm follows at once.

use super::{
    conv_norm::{Window, he_weight},
    init::Source,
    operations::Images,
};
use crate::{
    onnx::{ConvValues, Drawing, Edge},
    tensors::{Role, Visitor, host},
};
use burn::tensor::Tensor;

/// Convolution alone.
#[derive(Clone)]
pub(super) struct Bare {
    name: String,
    stride: usize,
    weight: Tensor<4>, // [out, in, kernel, kernel]
}

impl Bare {
    /// With He's initial weights.
    pub fn init(name: String, channels: [usize; 2], window: Window, from: Source<'_>) -> Self {
        let weight = he_weight(&name, channels, window, from);
        Self { name, stride: window.stride, weight }
    }

    /// Images of `in` channels to ⌈height/stride⌉ × ⌈width/stride⌉ of `out`, and the shortcut added.
    pub fn forward(&self, x: Images, shortcut: Option<Images>) -> Images {
        x.conv(self.weight.clone(), shortcut, self.stride)
    }

    /// Adds a convolution to a graph.
    pub fn draw(&self, graph: &mut Drawing, x: &Edge) -> Edge {
        let weight = (self.weight.dims().to_vec(), host(self.weight.clone()));
        graph.conv(
            x,
            ConvValues { name: &self.name, stride: self.stride, groups: 1, weight, bias: None },
        )
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.visit(&format!("{}.weight", self.name), Role::Parameter, &mut self.weight);
    }
}
