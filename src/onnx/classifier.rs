//! A classifier in an ONNX file, run on the CPU.

use super::{
    file::{OnnxError, OnnxFile, dims},
    proto::{IR_VERSION, OPSET},
};
use crate::shape::Shape;
use prost::Message as _;
use rayon::{iter::ParallelIterator as _, slice::ParallelSlice as _};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};
use tract_onnx::Onnx;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};
use tract_onnx::prelude::{
    DatumExt as _, Framework as _, InferenceModel, InferenceModelExt as _, IntoRunnable as _,
    Tensor, TractResult, TypedRunnableModel, tvec,
};

/// Images that go through it together, where its file leaves that open.
const BATCH: usize = 16;

/// A classifier, ready to run.
pub struct Classifier {
    path: PathBuf,
    plan: Arc<TypedRunnableModel>,
    /// Images of a batch: the file's own number, or [`BATCH`].
    batch: usize,
    input: Shape,
    channels_last: bool,
    classes: usize,
}

impl Classifier {
    /// Reads `file` for images of `size` rows and columns, where it leaves that open, and of `channels`
    /// channels, and makes it ready.
    ///
    /// # Errors
    /// [`OnnxError`] if it takes other images or more than one input, has operators that cannot be run, or
    /// gives no row of logits per image.
    pub fn new(
        file: &OnnxFile,
        size: Option<usize>,
        channels: Option<usize>,
    ) -> Result<Self, OnnxError> {
        Self::of(file, size, channels, || runtime().model_for_path(file.path()))
    }

    /// A graph that takd wrote, ready to run.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_graph(graph: &[u8]) -> Result<Self, OnnxError> {
        let path = Path::new("the graph");
        let model = ModelProto::decode(graph)
            .map_err(|error| OnnxError::NotOnnx { path: path.into(), why: error.to_string() })?;
        let file = OnnxFile::of(path, model.clone(), String::new())?;
        Self::of(&file, None, None, || runtime().model_for_proto_model(&model))
    }

    fn of(
        file: &OnnxFile,
        size: Option<usize>,
        channels: Option<usize>,
        read: impl FnOnce() -> TractResult<InferenceModel>,
    ) -> Result<Self, OnnxError> {
        let path = file.path().to_owned();
        let (input, channels_last) = file.input(size, channels)?;
        let batch = file.batch().unwrap_or(BATCH);
        let Shape { channels, height, width } = input;
        let dims = match channels_last {
            true => [batch, height, width, channels],
            false => [batch, channels, height, width],
        };
        let problem = |why: String| OnnxError::Runtime { path: path.clone(), why };
        let plan = guarded(|| {
            let mut model = read()?;
            // What the exporter believed of sizes in between may belong to other images.
            model.set_input_fact(0, f32::fact(dims).into())?;
            let outlet = model.outputs[0];
            model.set_output_fact(0, Default::default())?;
            model.outputs = vec![outlet];
            model.into_optimized()?.into_runnable()
        });
        let plan = plan.map_err(problem)?;
        let probe = Self { path, plan, batch, input, channels_last, classes: 0 };
        let shape = probe.run(&vec![0.0; batch * input.size()])?.1;
        match shape.as_slice() {
            [rows, classes] if *rows == batch && *classes > 0 => {
                Ok(Self { classes: *classes, ..probe })
            }
            other => Err(OnnxError::Output { path: probe.path, shape: other.to_vec() }),
        }
    }

    /// What it takes: channels, height and width of an image.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Length of its logits.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Logits, row by row, of images `[channels, height, width]` one behind another. The same images
    /// give the same bits, whatever the number of threads; among other images an image's may differ in their last
    /// bits.
    ///
    /// # Errors
    /// [`OnnxError`] if an operator fails.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>, OnnxError> {
        let size = self.input.size();
        let together = self.batch * size;
        let rows: Vec<Vec<f32>> = images
            .par_chunks(together)
            .map(|chunk| {
                let mut batch = self.laid_out(chunk);
                batch.resize(together, 0.0);
                let (mut rows, _) = self.run(&batch)?;
                rows.truncate(chunk.len() / size * self.classes);
                Ok(rows)
            })
            .collect::<Result<_, OnnxError>>()?;
        Ok(rows.concat())
    }

    /// Images as its graph has them.
    fn laid_out(&self, images: &[f32]) -> Vec<f32> {
        if !self.channels_last {
            return images.to_vec();
        }
        let Shape { channels, height, width } = self.input;
        let pixels = height * width;
        let of_image = |image: &[f32]| -> Vec<f32> {
            let at = |index: usize| image[index % channels * pixels + index / channels];
            (0..image.len()).map(at).collect()
        };
        images.chunks_exact(self.input.size()).flat_map(of_image).collect()
    }

    /// Values and shape of what it makes of one batch.
    fn run(&self, batch: &[f32]) -> Result<(Vec<f32>, Vec<usize>), OnnxError> {
        let Shape { channels, height, width } = self.input;
        let dims = match self.channels_last {
            true => [self.batch, height, width, channels],
            false => [self.batch, channels, height, width],
        };
        let made = guarded(|| {
            let input = Tensor::from_shape(&dims, batch)?;
            let outputs = self.plan.run(tvec!(input.into()))?;
            let logits = outputs[0].cast_to::<f32>()?;
            let shape = logits.shape().to_vec();
            Ok((logits.try_as_plain_ram()?.as_slice::<f32>()?.to_vec(), shape))
        });
        made.map_err(|why| OnnxError::Runtime { path: self.path.clone(), why })
    }
}

/// tract; what an exporter believed of shapes in between may name a batch that is fixed here.
fn runtime() -> Onnx {
    tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true)
}

/// The least and the largest value of each of the activations `names` of a graph that takd wrote, over
/// `images`, which are what it takes, one behind another.
pub(super) fn ranges(
    graph: &GraphProto,
    names: &[String],
    images: &[f32],
) -> Result<Vec<[f32; 2]>, OnnxError> {
    let mut graph = graph.clone();
    let output = |name: &String| ValueInfoProto { name: name.clone(), ..Default::default() };
    graph.output = names.iter().map(output).collect();
    let input = graph.input.first().map(dims).unwrap_or_default();
    let dims: Vec<usize> = std::iter::once(BATCH)
        .chain(input.into_iter().skip(1).map(Option::unwrap_or_default))
        .collect();
    let together: usize = dims.iter().product();
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OPSET],
        graph: Some(graph),
        ..Default::default()
    };
    let made = guarded(|| {
        let mut model = runtime().model_for_proto_model(&model)?;
        model.set_input_fact(0, f32::fact(&*dims).into())?;
        let plan = model.into_optimized()?.into_runnable()?;
        let none = [f32::INFINITY, f32::NEG_INFINITY];
        let mut found = vec![none; names.len()];
        for chunk in images.chunks(together.max(1)) {
            // Images that fill the last batch are those that were there before.
            let batch: Vec<f32> =
                chunk.iter().chain(images.iter().cycle()).take(together).copied().collect();
            let outputs = plan.run(tvec!(Tensor::from_shape(&dims, &batch)?.into()))?;
            for (range, output) in found.iter_mut().zip(outputs) {
                let values = output.cast_to::<f32>()?;
                *range = values
                    .try_as_plain_ram()?
                    .as_slice::<f32>()?
                    .iter()
                    .fold(*range, |[low, high], &value| [low.min(value), high.max(value)]);
            }
        }
        Ok(found)
    });
    made.map_err(|why| OnnxError::Runtime { path: Path::new("the graph").into(), why })
}

/// What `work` gives, or why not: the runtime panics at some files that it cannot follow.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(error)) => Err(format!("{error:#}").lines().next().unwrap_or_default().to_owned()),
        Err(_) => Err("the runtime gave up".to_owned()),
    }
}
