//! A classifier in an ONNX file, run on the CPU.

use super::{
    file::{OnnxError, OnnxFile, dims},
    proto::{IR_VERSION, OPSET},
    scale::scaled,
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
    /// What goes through it together: the file's own number of images, or [`BATCH`].
    dims: [usize; 4],
    input: Shape,
    channels_last: bool,
    classes: usize,
}

impl Classifier {
    /// Reads `file` and makes it ready for images of the shape `images` where it leaves that open.
    ///
    /// # Errors
    /// [`OnnxError`] if it takes no images or more than one input, has operators that cannot be run, or gives no
    /// row of logits per image.
    pub fn new(file: &OnnxFile, images: Option<Shape>) -> Result<Self, OnnxError> {
        Self::of(file, images, || runtime().model_for_path(file.path()))
    }

    /// A graph that takd wrote, ready to run.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_graph(graph: &[u8]) -> Result<Self, OnnxError> {
        let path = Path::new(GRAPH);
        let model = ModelProto::decode(graph)
            .map_err(|error| OnnxError::NotOnnx { path: path.into(), why: error.to_string() })?;
        let file = OnnxFile::of(path, model.clone(), String::new())?;
        Self::of(&file, None, || runtime().model_for_proto_model(&model))
    }

    fn of(
        file: &OnnxFile,
        images: Option<Shape>,
        read: impl FnOnce() -> TractResult<InferenceModel>,
    ) -> Result<Self, OnnxError> {
        let path = file.path().to_owned();
        let (input, channels_last) = file.input(images)?;
        let batch = file.batch().unwrap_or(BATCH);
        let Shape { channels, height, width } = input;
        let dims = match channels_last {
            true => [batch, height, width, channels],
            false => [batch, channels, height, width],
        };
        let plan = guarded(&path, || {
            let mut model = read()?;
            model.outputs.truncate(1);
            planned(model, &dims)
        })?;
        let ready = Self { path, plan, dims, input, channels_last, classes: 0 };
        let shape = ready.run(&vec![0.0; batch * input.size()])?.1;
        match shape.as_slice() {
            [rows, classes] if *rows == batch && *classes > 0 => {
                Ok(Self { classes: *classes, ..ready })
            }
            other => Err(OnnxError::Output { path: ready.path, shape: other.to_vec() }),
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

    /// How many images keep all threads busy.
    pub fn together(&self) -> usize {
        self.dims[0] * rayon::current_num_threads()
    }

    /// Logits, row by row, of images `[channels, height, width]` one behind another. The same images give the same
    /// bits, whatever the number of threads; among other images an image's may differ in their last bits.
    ///
    /// # Errors
    /// [`OnnxError`] if an operator fails.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>, OnnxError> {
        self.rows(images, self.input.size(), |images| images.to_vec())
    }

    /// As [`logits`](Self::logits), of images of shape `from` with pixels between 0 and 1: [`scaled`], a batch at
    /// a time.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn logits_of_pixels(
        &self,
        pixels: &[f32],
        from: Shape,
        [mean, std]: [&[f64]; 2],
    ) -> Result<Vec<f32>, OnnxError> {
        self.rows(pixels, from.size(), |pixels| scaled(pixels, from, self.input, mean, std))
    }

    /// Logits of images of `size` values each, as `prepare` makes them ready.
    fn rows(
        &self,
        images: &[f32],
        size: usize,
        prepare: impl Fn(&[f32]) -> Vec<f32> + Sync,
    ) -> Result<Vec<f32>, OnnxError> {
        let rows = images.par_chunks(self.dims[0] * size).map(|chunk| {
            let mut batch = self.laid_out(prepare(chunk));
            batch.resize(self.dims.iter().product(), 0.0);
            let (mut rows, _) = self.run(&batch)?;
            rows.truncate(chunk.len() / size * self.classes);
            Ok(rows)
        });
        Ok(rows.collect::<Result<Vec<_>, OnnxError>>()?.concat())
    }

    /// Images as its graph has them.
    fn laid_out(&self, images: Vec<f32>) -> Vec<f32> {
        if !self.channels_last {
            return images;
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
        guarded(&self.path, || {
            let input = Tensor::from_shape(&self.dims, batch)?;
            let outputs = self.plan.run(tvec!(input.into()))?;
            let logits = outputs[0].cast_to::<f32>()?;
            let shape = logits.shape().to_vec();
            Ok((logits.try_as_plain_ram()?.as_slice::<f32>()?.to_vec(), shape))
        })
    }
}

/// What a graph that lies in no file is called in errors.
const GRAPH: &str = "the graph";

/// A model made ready for a batch.
fn planned(mut model: InferenceModel, dims: &[usize]) -> TractResult<Arc<TypedRunnableModel>> {
    model.set_input_fact(0, f32::fact(dims).into())?;
    model.into_optimized()?.into_runnable()
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
    guarded(Path::new(GRAPH), || {
        let plan = planned(runtime().model_for_proto_model(&model)?, &dims)?;
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
    })
}

/// What `work` makes of the file `path`: the runtime panics at some that it cannot follow.
fn guarded<T>(path: &Path, work: impl FnOnce() -> TractResult<T>) -> Result<T, OnnxError> {
    let why = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(made)) => return Ok(made),
        Ok(Err(error)) => format!("{error:#}").lines().next().unwrap_or_default().to_owned(),
        Err(_) => "the runtime gave up".to_owned(),
    };
    Err(OnnxError::Runtime { path: path.to_owned(), why })
}
