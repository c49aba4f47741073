//! `split`: ShuffleNetV2's block.

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

/// One half of the channels goes through 1×1, depthwise 3×3 and 1×1 convolutions, the other around them;
/// with a stride, all go both ways, the other one through depthwise 3×3 and 1×1. Then channel shuffle.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Split {
    width: usize,
    stride: usize,
}

pub(super) const KIND: Kind<dyn Layer> = Kind {
    name: "split",
    doc: "half of the channels through 1×1, depthwise 3×3 and 1×1 convolutions, the other half around them; with \
          a stride, all through these and through depthwise 3×3 and 1×1; channel shuffle",
    source: "Ma et al. 2018, figure 3; RepDistiller, ShuffleNetv2.py",
    fields: &[width("channels that come out, an even number"), STRIDE],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Split>(fields))),
};

impl Split {
    /// What goes around, and what goes through.
    fn steps(&self, input: Shape) -> [Vec<Step>; 2] {
        let half = self.width / 2;
        let inputs = if self.stride > 1 { input.channels } else { half };
        let through = vec![
            Step::pointwise([inputs, half], 1, After::Relu),
            Step::depthwise(half, self.stride, After::Nothing),
            Step::pointwise([half; 2], 1, After::Relu),
        ];
        let around = vec![
            Step::depthwise(inputs, self.stride, After::Nothing),
            Step::pointwise([inputs, half], 1, After::Relu),
        ];
        [if self.stride > 1 { around } else { Vec::new() }, through]
    }
}

impl Layer for Split {
    fn output(&self, input: Shape) -> Result<Shape, String> {
        if !self.width.is_multiple_of(2) {
            return Err("cannot be halved: write an even number of channels".to_owned());
        }
        if self.stride == 1 && input.channels != self.width {
            let channels = input.channels;
            return Err(format!("changes the {channels} channels that come in, without a stride"));
        }
        Ok(output(input, self.width, self.stride))
    }

    fn parameters(&self, input: Shape) -> usize {
        self.steps(input).iter().map(|steps| path::parameters(steps)).sum()
    }

    fn multiply_adds(&self, input: Shape) -> usize {
        self.steps(input).iter().map(|steps| path::multiply_adds(steps, input)).sum()
    }

    fn held(&self, input: Shape) -> usize {
        self.steps(input).iter().map(|steps| path::held(steps, input)).sum::<usize>()
            + 2 * output(input, self.width, self.stride).size()
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
        let [around, through] = self.steps(input);
        let before = around.len();
        let path = |steps: &[Step], first: usize| {
            Path::init(steps, |index| of(first + index), ConvNorm::uniform, from)
        };
        Box::new(Block {
            around: (before > 0).then(|| path(&around, 1)),
            through: path(&through, before + 1),
            half: self.width / 2,
        })
    }
}

#[derive(Clone)]
struct Block {
    around: Option<Path>,
    through: Path,
    half: usize,
}

impl Module for Block {
    fn forward(&mut self, x: Activation, pass: Pass) -> Activation {
        let x = x.images();
        let [around, through] = match &mut self.around {
            Some(path) => [path.forward(x.clone(), None, pass.mode), x],
            None => x.split(self.half),
        };
        let through = self.through.forward(through, None, pass.mode);
        Activation::Images(around.cat(through).shuffle(2))
    }

    fn draw(&self, graph: &mut Drawing, x: &Edge) -> Result<Edge, String> {
        let [around, through] = match &self.around {
            Some(path) => [path.draw(graph, x, None), x.clone()],
            None => {
                let part = |from| (from..from + self.half).collect::<Vec<_>>();
                [graph.channels(x, &part(0)), graph.channels(x, &part(self.half))]
            }
        };
        let through = self.through.draw(graph, &through, None);
        let both = graph.concat(&around, &through);
        Ok(graph.channels(&both, &shuffled(2 * self.half, 2)))
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        if let Some(path) = &mut self.around {
            path.visit(visitor);
        }
        self.through.visit(visitor);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}
