//! Convolutions with their BatchNorms one behind another, as the blocks of mobile networks have them.

use super::{
    conv::drawn,
    conv_norm::{ConvNorm, Window, parameters as single},
    init::Source,
    operations::{Images, Mode},
    residual::output,
};
use crate::{
    kernels::After,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};

/// A convolution and what follows its BatchNorm, before it has weights.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub channels: [usize; 2],
    pub window: Window,
    pub after: After,
}

impl Step {
    /// 1×1, in so many groups.
    pub fn pointwise(channels: [usize; 2], groups: usize, after: After) -> Self {
        Self { channels, window: Window { groups, ..Window::new(1, 1) }, after }
    }

    /// 3×3, over each channel by itself.
    pub fn depthwise(channels: usize, stride: usize, after: After) -> Self {
        Self { channels: [channels; 2], window: Window::depthwise(channels, stride), after }
    }

    fn parameters(&self) -> usize {
        let Self { channels: [inputs, outputs], window, .. } = *self;
        single(inputs / window.groups, outputs, window.kernel_size)
    }
}

/// Number of parameters.
pub(super) fn parameters(steps: &[Step]) -> usize {
    steps.iter().map(Step::parameters).sum()
}

/// Multiply-adds for one image: blocks that shrink an image do most of their work before.
pub(super) fn multiply_adds(steps: &[Step], input: Shape) -> usize {
    let mut shape = input;
    let mut add = |step: &Step| {
        shape = output(shape, step.channels[1], step.window.stride);
        step.parameters() * shape.height * shape.width
    };
    steps.iter().map(&mut add).sum()
}

/// Values of one image that the backward pass reads, beside those that go out.
pub(super) fn held(steps: &[Step], input: Shape) -> usize {
    let (mut shape, mut total) = (input, input.size());
    for step in steps {
        shape = output(shape, step.channels[1], step.window.stride);
        total += 2 * shape.size();
    }
    total.saturating_sub(shape.size())
}

/// Who draws the initial weights: He's or PyTorch's defaults.
pub(super) type Draw = fn(String, String, [usize; 2], Window, Source<'_>) -> ConvNorm;

/// Convolutions with weights.
#[derive(Clone)]
pub(super) struct Path(Vec<(ConvNorm, After)>);

impl Path {
    /// `names` gives those of a step's convolution and BatchNorm.
    pub fn init(
        steps: &[Step],
        names: impl Fn(usize) -> (String, String),
        draw: Draw,
        from: Source<'_>,
    ) -> Self {
        let steps = steps.iter().enumerate().map(|(index, step)| {
            let (conv, norm) = names(index);
            (draw(conv, norm, step.channels, step.window, from), step.after)
        });
        Self(steps.collect())
    }

    /// The shortcut is added behind the last BatchNorm.
    pub fn forward(&mut self, x: Images, mut shortcut: Option<Images>, mode: Mode) -> Images {
        let last = self.0.len() - 1;
        self.0.iter_mut().enumerate().fold(x, |x, (index, (conv, after))| {
            let shortcut = if index == last { shortcut.take() } else { None };
            conv.forward(x, shortcut, *after, mode)
        })
    }

    /// Adds its convolutions to a graph.
    pub fn draw(&self, graph: &mut Drawing, x: &Edge, shortcut: Option<&Edge>) -> Edge {
        let last = self.0.len() - 1;
        self.0.iter().enumerate().fold(x.clone(), |x, (index, (conv, after))| {
            let x = conv.draw(graph, &x);
            let x = match shortcut.filter(|_| index == last) {
                Some(shortcut) => graph.add(&x, shortcut),
                None => x,
            };
            drawn(*after, graph, x)
        })
    }

    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.0.iter_mut().for_each(|(conv, _)| conv.visit(visitor));
    }
}
