//! What a layer is to a network.

use super::{
    init::Source,
    names::Names,
    operations::{Activation, Pass},
};
use crate::{
    kind::{Field, Scalar},
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};
use std::fmt::Debug;

/// A layer as a pipeline describes it, without weights.
pub trait Layer: Debug + Send + Sync {
    /// What it makes of what comes in.
    ///
    /// # Errors
    /// Why it cannot follow, as the end of a sentence that begins with the layer.
    fn output(&self, input: Shape) -> Result<Shape, String>;

    /// Number of trained parameters. A BatchNorm has a scale and a shift per channel.
    fn parameters(&self, input: Shape) -> usize;

    /// Multiply-adds for one image: each weight meets each pixel of what comes out. (Of what a layer
    /// does before it shrinks an image, a little is left out.)
    fn multiply_adds(&self, input: Shape) -> usize {
        let pixels = self.output(input).map_or(0, |output| output.height * output.width);
        self.parameters(input) * pixels
    }

    /// Values of one image that its backward pass reads, beside those that go out: what comes in, and what comes into a
    /// BatchNorm. An estimate of memory.
    fn held(&self, input: Shape) -> usize {
        let inside = match self.normalises() {
            true => self.output(input).map_or(0, |output| output.size()),
            false => 0,
        };
        input.size() + inside
    }

    /// Which networks it belongs to.
    fn family(&self) -> Family {
        Family::Any
    }

    /// Whether there is a BatchNorm in it.
    fn normalises(&self) -> bool {
        false
    }

    /// With its initial weights. `last` says that no layer follows.
    fn init(
        &self,
        input: Shape,
        last: bool,
        names: &mut Names,
        from: Source<'_>,
    ) -> Box<dyn Module>;

    /// Whether `previous` does this layer's work as well, which is faster in one.
    fn joins(&self, _previous: &mut dyn Module, _names: &mut Names) -> bool {
        false
    }
}

/// What a layer tells of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Nothing.
    Any,
    /// It begins a residual network; there is one at most.
    Stem,
    /// It is a residual block.
    Residual,
    /// It is fully connected: only such layers follow.
    FullyConnected,
}

/// A layer with its weights on a device.
pub trait Module: Send + Sync {
    /// What it makes of a batch. In training, running statistics move.
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation;

    /// Walks its tensors.
    fn visit(&mut self, visitor: &mut dyn Visitor);

    /// Adds its operators to a graph, behind `x`; what they give.
    ///
    /// # Errors
    /// Why it cannot, as the end of a sentence that begins with the network.
    fn draw(&self, _graph: &mut Drawing, _x: &Edge) -> Result<Edge, String> {
        Err("has a layer that has no ONNX form".to_owned())
    }

    /// Takes on a 2×2 max-pool behind it, if it can.
    fn takes_pool(&mut self) -> bool {
        false
    }

    /// A copy; its tensors are shared until one of the two changes them.
    fn boxed(&self) -> Box<dyn Module>;
}

impl Clone for Box<dyn Module> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

/// Widest layer that is accepted; the ImageNet ResNets stop at 2,048.
const WIDEST: u64 = 1 << 16;

/// The number behind a layer's name.
pub(super) const fn width(doc: &'static str) -> Field {
    Field::whole("width", 1, WIDEST, doc)
}

/// The number behind a slash.
pub(super) const STRIDE: Field =
    Field::whole("stride", 1, 2, "1, or 2 to halve rows and columns").or(Scalar::Whole(1));

/// The number behind an `x`, of inverted residuals.
pub(super) const EXPAND: Field =
    Field::whole("expand", 1, 64, "factor by which the channels are expanded").or(Scalar::Whole(6));
