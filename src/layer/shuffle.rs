//! `shuffle`: ShuffleNet's block.

use super::{
    conv_norm::ConvNorm,
    init::Source,
    interface::{Family, Layer, Module, STRIDE, width},
    names::Names,
    operations::shuffled,
    operations::{Activation, Pass},
    path::{self, Path, Step},
    residual::output,
};
use crate::{
    kernels::After,
    kind::Kind,
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Groups of the 1×1 convolutions: the paper's main case.
const GROUPS: usize = 3;
/// Channels behind the stem, over which the first convolution is not grouped: they are too few.
const STEM: usize = 24;

/// A 1×1 convolution in three groups to a quarter of the channels, channel shuffle, depthwise 3×3, and a
/// grouped 1×1; with a stride, the mean of 3×3 pixels comes behind what comes out, and is added otherwise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Shuffle {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "shuffle",
    doc: "1×1 convolution in 3 groups to a quarter of the channels, channel shuffle, depthwise 3×3, grouped 1×1; \
          what comes in is added, or its 3×3 mean is appended where there is a stride",
    source: "Zhang et al. 2018, figure 2; RepDistiller, ShuffleNetv1.py",
    fields: &[width("channels that come out, those of the mean among them"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Shuffle>(fields))),
};

impl Shuffle {
    fn steps(&self, input: Shape) -> [Step; 3] {
        let own = if self.stride > 1 { self.width - input.channels } else { self.width };
        let (middle, groups) = (own / 4, groups(input));
        [
            Step::pointwise([input.channels, middle], groups, After::Relu),
            Step::depthwise(middle, self.stride, After::Relu),
            Step::pointwise([middle, own], GROUPS, After::Relu),
        ]
    }
}

fn groups(input: Shape) -> usize {
    if input.channels == STEM { 1 } else { GROUPS }
}

impl Layer for Shuffle {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        let channels = input.channels;
        if self.stride == 1 && channels != self.width {
            return Err(format!("changes the {channels} channels that come in, without a stride"));
        }
        if self.stride > 1 && channels >= self.width {
            return Err(format!("has no more channels than the {channels} that come in"));
        }
        let own = if self.stride > 1 { self.width - channels } else { self.width };
        if !own.is_multiple_of(4 * GROUPS) || !channels.is_multiple_of(GROUPS) {
            return Err(format!(
                "cannot be cut into {GROUPS} groups: {channels} channels must be a multiple of {GROUPS}, and \
                 {own} of {}",
                4 * GROUPS
            ));
        }
        Ok(output(input, self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        path::parameters(&self.steps(input))
    }

    fn multiply_adds(&self, input: Shape) -> usize {
        path::multiply_adds(&self.steps(input), input)
    }

    fn held(&self, input: Shape) -> usize {
        path::held(&self.steps(input), input) + 2 * output(input, self.width, self.stride).size()
    }

    fn family(&self) -> Family {
        Family::Residual
    }

    fn normalises(&self) -> bool {
        true
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let name = names.block(self.width, self.stride);
        let of = |number: usize| (format!("{name}.conv{number}"), format!("{name}.bn{number}"));
        let [first, rest @ ..] = &self.steps(input);
        Box::new(Block {
            first: Path::init(&[*first], |_| of(1), ConvNorm::uniform, from),
            groups: groups(input),
            middle: first.channels[1],
            rest: Path::init(rest, |index| of(index + 2), ConvNorm::uniform, from),
            appends: self.stride > 1,
        })
    }
}

#[derive(Clone)]
struct Block {
    first: Path,
    groups: usize,
    rest: Path,
    appends: bool,
    /// Channels that are shuffled.
    middle: usize,
}

impl Module for Block {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let shuffled = self.first.forward(x.clone(), None, pass.mode).shuffle(self.groups);
        if !self.appends {
            return Activation::Images(self.rest.forward(shuffled, Some(x), pass.mode));
        }
        let out = self.rest.forward(shuffled, None, pass.mode);
        Activation::Images(out.cat(x.avg_pool().followed_by(After::Relu)))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let h = self.first.draw(graph, x, None);
        let h = graph.channels(&h, &shuffled(self.middle, self.groups));
        if !self.appends {
            return Ok(self.rest.draw(graph, &h, Some(x)));
        }
        let h = self.rest.draw(graph, &h, None);
        let mean = graph.avg_pool(x);
        let mean = graph.relu(&mean);
        Ok(graph.concat(&h, &mean))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.first.visit(visitor);
        self.rest.visit(visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
