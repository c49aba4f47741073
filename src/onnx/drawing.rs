//! A network's graph as it grows, layer by layer.

use super::proto::{self, IR_VERSION, OPSET, batch, float, floats, int, ints, longs, node};
use crate::shape::Shape;
use prost::Message;
use std::collections::BTreeMap;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

/// Name of the graph's input, `[batch, channels, height, width]`.
const INPUT: &str = "images";
/// Name of its output, `[batch, classes]`.
const OUTPUT: &str = "logits";

/// A tensor on the host: extent of each dimension, and values, row-major.
pub type Values = (Vec<usize>, Vec<f32>);

/// What the graph takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Pixels between 0 and 1, which it normalises itself: less their mean over their deviation, a channel
    /// each.
    Raw {
        /// Of each channel.
        mean: Vec<f32>,
        /// The same.
        std: Vec<f32>,
    },
    /// Normalised pixels.
    Normalised,
}

/// What one operator gives to the next.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Its name in the graph.
    pub name: String,
    /// Whether it is `[batch, features]` rather than `[batch, channels, height, width]`.
    pub flat: bool,
}

/// A convolution, on the host.
pub struct ConvValues<'a> {
    /// PyTorch's name.
    pub name: &'a str,
    /// Pixels between two outputs.
    pub stride: usize,
    /// Groups of channels, each with filters of its own.
    pub groups: usize,
    /// `[out, in of a group, kernel, kernel]`; padding is half a kernel.
    pub weight: Values,
    /// `[out]`.
    pub bias: Option<Vec<f32>>,
}

/// A BatchNorm, on the host.
pub struct NormValues<'a> {
    /// PyTorch's name.
    pub name: &'a str,
    /// Scale; this and all below: `[channels]`.
    pub gamma: Vec<f32>,
    /// Shift.
    pub beta: Vec<f32>,
    /// Running mean.
    pub mean: Vec<f32>,
    /// Running variance.
    pub variance: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// A graph in the making.
pub struct Drawing {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
    input: Shape,
    /// Whether BatchNorms go into the convolutions before them.
    folds: bool,
}

impl Drawing {
    /// A graph that takes images of shape `input`, and the images as its first layer takes them. `folds`
    /// puts each BatchNorm into the convolution before it, which is what a runtime would do.
    ///
    /// # Panics
    /// If mean and deviation are not one value a channel.
    pub fn new(input: Shape, pixels: &Pixels, folds: bool) -> (Self, Edge) {
        let mut drawing = Self { nodes: Vec::new(), tensors: Vec::new(), input, folds };
        let mut x = Edge { name: INPUT.to_owned(), flat: false };
        if let Pixels::Raw { mean, std } = pixels {
            for (op, name, values) in [("Sub", "mean", mean), ("Div", "std", std)] {
                assert_eq!(values.len(), input.channels, "one value a channel");
                drawing.tensors.push(floats(name, &[1, input.channels, 1, 1], values));
                x = drawing.operator(op, &[&x.name, name], vec![]);
            }
        }
        (drawing, x)
    }

    /// `op` of `inputs`, which are names.
    fn operator(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> Edge {
        let name = format!("x{}", self.nodes.len());
        self.nodes.push(node(op, inputs, &name, attributes));
        Edge { name, flat: false }
    }

    fn tensor(&mut self, name: String, dims: &[usize], values: &[f32]) -> String {
        self.tensors.push(floats(&name, dims, values));
        name
    }

    /// `conv(x)`.
    pub fn conv(&mut self, x: &Edge, values: ConvValues<'_>) -> Edge {
        let ConvValues { name, stride, groups, weight: (dims, weight), bias } = values;
        let mut names = vec![x.name.clone()];
        names.push(self.tensor(format!("{name}.weight"), &dims, &weight));
        if let Some(bias) = bias {
            names.push(self.tensor(format!("{name}.bias"), &dims[..1], &bias));
        }
        let (size, pad, stride) = (dims[2] as i64, dims[2] as i64 / 2, stride as i64);
        let mut attributes = vec![
            ints("kernel_shape", &[size, size]),
            ints("pads", &[pad; 4]),
            ints("strides", &[stride, stride]),
        ];
        if groups > 1 {
            attributes.push(int("group", groups as i64));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.operator("Conv", &names, attributes)
    }

    /// `norm(x)`, with running statistics.
    pub fn norm(&mut self, x: &Edge, values: &NormValues<'_>) -> Edge {
        let NormValues { name, gamma, beta, mean, variance, epsilon } = values;
        let parts =
            [("weight", gamma), ("bias", beta), ("running_mean", mean), ("running_var", variance)];
        let mut names = vec![x.name.clone()];
        for (part, values) in parts {
            names.push(self.tensor(format!("{name}.{part}"), &[values.len()], values));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.operator("BatchNormalization", &names, vec![float("epsilon", *epsilon)])
    }

    /// `norm(conv(x))`, in one where BatchNorms are folded.
    pub fn conv_norm(&mut self, x: &Edge, conv: ConvValues<'_>, norm: &NormValues<'_>) -> Edge {
        if !self.folds {
            let x = self.conv(x, conv);
            return self.norm(&x, norm);
        }
        let (dims, mut weight) = conv.weight;
        let mut bias = conv.bias.unwrap_or_else(|| vec![0.0; dims[0]]);
        let rows = weight.chunks_exact_mut(dims[1..].iter().product());
        for (channel, (row, bias)) in rows.zip(&mut bias).enumerate() {
            // In f64, so that folding itself costs no bits.
            let deviation = (f64::from(norm.variance[channel]) + f64::from(norm.epsilon)).sqrt();
            let scale = f64::from(norm.gamma[channel]) / deviation;
            row.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
            let centred = f64::from(*bias) - f64::from(norm.mean[channel]);
            *bias = (centred * scale + f64::from(norm.beta[channel])) as f32;
        }
        self.conv(x, ConvValues { weight: (dims, weight), bias: Some(bias), ..conv })
    }

    /// The larger of `x` and 0.
    pub fn relu(&mut self, x: &Edge) -> Edge {
        Edge { flat: x.flat, ..self.operator("Relu", &[&x.name], vec![]) }
    }

    /// The larger of `x` and 0, and no more than 6.
    pub fn relu6(&mut self, x: &Edge) -> Edge {
        let bounds = [("least", 0.0), ("most", 6.0)].map(|(part, value)| {
            let name = format!("x{}.{part}", self.nodes.len());
            self.tensor(name, &[], &[value])
        });
        self.operator("Clip", &[&x.name, &bounds[0], &bounds[1]], vec![])
    }

    /// 1 / (1 + exp(−x)).
    pub fn sigmoid(&mut self, x: &Edge) -> Edge {
        Edge { flat: x.flat, ..self.operator("Sigmoid", &[&x.name], vec![]) }
    }

    /// The channels `channels` of `x`, in this order.
    pub fn channels(&mut self, x: &Edge, channels: &[usize]) -> Edge {
        let places: Vec<i64> = channels.iter().map(|&channel| channel as i64).collect();
        let places = self.longs("channels", &places);
        self.operator("Gather", &[&x.name, &places], vec![int("axis", 1)])
    }

    /// The channels of both.
    pub fn concat(&mut self, x: &Edge, y: &Edge) -> Edge {
        self.operator("Concat", &[&x.name, &y.name], vec![int("axis", 1)])
    }

    /// The mean over each 3×3 pixels, zeros around the image among them, with a stride of 2.
    pub fn avg_pool(&mut self, x: &Edge) -> Edge {
        let attributes = vec![
            ints("kernel_shape", &[3, 3]),
            ints("pads", &[1; 4]),
            ints("strides", &[2, 2]),
            int("count_include_pad", 1),
        ];
        self.operator("AveragePool", &[&x.name], attributes)
    }

    /// Each channel of `x` times its factor.
    pub fn scale(&mut self, x: &Edge, factors: &Edge) -> Edge {
        let axes = self.longs("axes", &[2, 3]);
        let factors = self.operator("Unsqueeze", &[&factors.name, &axes], vec![]);
        self.operator("Mul", &[&x.name, &factors.name], vec![])
    }

    /// `x + y`.
    pub fn add(&mut self, x: &Edge, y: &Edge) -> Edge {
        self.operator("Add", &[&x.name, &y.name], vec![])
    }

    /// A max-pool; what is left of the last rows and columns is dropped.
    pub fn max_pool(
        &mut self,
        x: &Edge,
        kernel_size: usize,
        stride: usize,
        padding: usize,
    ) -> Edge {
        let attributes = vec![
            ints("kernel_shape", &[kernel_size as i64; 2]),
            ints("pads", &[padding as i64; 4]),
            ints("strides", &[stride as i64; 2]),
        ];
        self.operator("MaxPool", &[&x.name], attributes)
    }

    /// The mean over all rows and columns, as images of one pixel.
    pub fn mean(&mut self, x: &Edge) -> Edge {
        self.operator("GlobalAveragePool", &[&x.name], vec![])
    }

    /// Every `stride`-th row and column, with `before` and `after` channels of zeros around.
    pub fn pad(&mut self, x: &Edge, stride: usize, [before, after]: [usize; 2]) -> Edge {
        let mut x = x.clone();
        if stride > 1 {
            let parts = [
                ("starts", [0, 0]),
                ("ends", [i64::MAX, i64::MAX]),
                ("axes", [2, 3]),
                ("steps", [stride as i64; 2]),
            ];
            let mut names = vec![x.name];
            for (part, values) in parts {
                names.push(self.longs(part, &values));
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            x = self.operator("Slice", &names, vec![]);
        }
        if before + after > 0 {
            let pads = self.longs("pads", &[0, before as i64, 0, 0, 0, after as i64, 0, 0]);
            x = self.operator("Pad", &[&x.name, &pads], vec![]);
        }
        x
    }

    fn longs(&mut self, part: &str, values: &[i64]) -> String {
        let name = format!("x{}.{part}", self.nodes.len());
        self.tensors.push(longs(&name, values));
        name
    }

    /// `x · weightᵀ + bias`; `weight` is `[out, in]`, `bias` `[out]`. Images are flattened, channels first.
    pub fn linear(&mut self, x: &Edge, name: &str, weight: Values, bias: &[f32]) -> Edge {
        let flat = match x.flat {
            true => x.clone(),
            false => self.operator("Flatten", &[&x.name], vec![int("axis", 1)]),
        };
        let weight_name = self.tensor(format!("{name}.weight"), &weight.0, &weight.1);
        let bias = self.tensor(format!("{name}.bias"), &[bias.len()], bias);
        let inputs = [&*flat.name, &weight_name, &bias];
        Edge { flat: true, ..self.operator("Gemm", &inputs, vec![int("transB", 1)]) }
    }

    /// The graph as a file, which gives `logits` of `classes` classes; `metadata` lies beside it.
    pub fn finish(
        mut self,
        logits: &Edge,
        classes: usize,
        metadata: &BTreeMap<String, String>,
    ) -> Vec<u8> {
        self.nodes.push(node("Identity", &[&logits.name], OUTPUT, vec![]));
        let Shape { channels, height, width } = self.input;
        let graph = GraphProto {
            name: "takd".to_owned(),
            node: self.nodes,
            initializer: self.tensors,
            input: vec![batch(INPUT, &[channels, height, width])],
            output: vec![batch(OUTPUT, &[classes])],
            ..Default::default()
        };
        let model = ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OPSET],
            producer_name: "takd".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(graph),
            metadata_props: metadata.iter().map(proto::entry).collect(),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}
