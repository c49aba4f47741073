//! What a network takes, by its layers alone: no weight is trained or read for it.

use super::Architecture;
use crate::{
    footprint::Footprint,
    layer::{Modules, Source},
    onnx::{Drawing, Pixels, quantised_size},
    tensors::{AnyTensor, Role, Visitor},
};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};
use std::collections::BTreeMap;

impl Architecture {
    /// What it takes of a device; nothing where its layers do not say: the latency is the machine's, and a
    /// layer of somebody's own may have no form in 8 bits.
    pub fn footprint(&self, what: Footprint) -> Option<f64> {
        let count = match what {
            Footprint::Parameters => self.parameters(),
            Footprint::MultiplyAdds => self.multiply_adds(),
            Footprint::Size => self.size(),
            Footprint::SizeInt8 => self.size_int8()?,
            Footprint::Latency => return None,
        };
        Some(count as f64)
    }

    /// Bytes of its weights and running statistics as the safetensors file that `takd export` writes, but for
    /// the words in that file's header, which say node, key, classes and normalisation.
    pub fn size(&self) -> usize {
        struct Shapes(Vec<(String, Vec<usize>)>);

        impl Visitor for Shapes {
            fn visit(&mut self, name: &str, _: Role, tensor: &mut dyn AnyTensor) {
                self.0.push((name.to_owned(), tensor.shape()));
            }
        }

        let mut found = Shapes(Vec::new());
        self.blank().visit(&mut found);
        // The format's writer puts tensors of one type in the order of their names.
        found.0.sort();
        let mut end = 0;
        let tensors = found.0.into_iter().map(|(name, shape)| {
            let begin = end;
            end += 4 * shape.iter().product::<usize>();
            (name, TensorInfo { dtype: Dtype::F32, shape, data_offsets: (begin, end) })
        });
        let header = Metadata::new(None, tensors.collect());
        let header = header.map(|header| serde_json::to_vec(&header).unwrap_or_default().len());
        8 + header.unwrap_or(0).next_multiple_of(8) + end
    }

    /// Bytes of the graph that `takd export --int8` writes, but for its metadata; nothing where a layer has no
    /// form in ONNX.
    pub fn size_int8(&self) -> Option<usize> {
        let channels = self.input.channels;
        let pixels = Pixels::Raw { mean: vec![0.0; channels], std: vec![1.0; channels] };
        let (mut graph, x) = Drawing::new(self.input, &pixels, true);
        let x = self.blank().draw(&mut graph, x).ok()?;
        quantised_size(&graph.finish(&x, self.classes, &BTreeMap::new()))
    }

    /// Its layers with zeros for weights.
    fn blank(&self) -> Modules {
        Modules::new(self.walk(), self.is_residual(), Source::blank())
    }
}
