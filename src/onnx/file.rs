//! What an ONNX file says of itself, without running it.

use crate::{
    input,
    shape::{LARGEST, Shape},
};
use prost::Message as _;
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
};
use tract_onnx::pb::{
    GraphProto, ModelProto, TensorProto, ValueInfoProto, tensor_shape_proto::dimension::Value,
    type_proto,
};

/// Largest file: protobuf ends at 2 GiB, and larger networks have their weights in files beside it.
const MOST: u64 = 1 << 31;
/// Largest of those.
const MOST_BESIDE: u64 = 1 << 36;

/// Why an ONNX file is no teacher.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file, or one beside it.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not ONNX.
    #[error("{} is not an ONNX file: {why}", path.display())]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Its input is not a batch of images, or is left open.
    #[error("{} {problem}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// As the end of a sentence.
        problem: String,
    },
    /// It gives no row of logits per image.
    #[error("{} gives {shape:?}, not a row of logits per image", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What it gives.
        shape: Vec<usize>,
    },
    /// It cannot be run.
    #[error("{} cannot be run: {why}", path.display())]
    Runtime {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// An ONNX file's graph, without its weights.
#[derive(Clone, Debug)]
pub struct OnnxFile {
    path: PathBuf,
    /// Extent of each dimension of its only input, where that is fixed.
    dims: Vec<Option<usize>>,
    /// Of its first output.
    output: Vec<Option<usize>>,
    metadata: BTreeMap<String, String>,
    digest: String,
}

impl OnnxFile {
    /// Reads what `path` says of itself.
    ///
    /// # Errors
    /// [`OnnxError`] if it cannot be read, is not ONNX, or takes more than one input.
    pub fn open(path: &Path) -> Result<Self, OnnxError> {
        let not_onnx =
            |why: &str| OnnxError::NotOnnx { path: path.to_owned(), why: why.to_owned() };
        let unreadable = |path: &Path, error| OnnxError::Read { path: path.to_owned(), error };
        let bytes = input::read(path, MOST).map_err(|error| unreadable(path, error))?;
        let model = ModelProto::decode(&*bytes).map_err(|error| not_onnx(&error.to_string()))?;
        let graph = model.graph.as_ref().ok_or_else(|| not_onnx("it has no graph"))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes);
        for file in beside(graph) {
            let inside = Path::new(&file).components().all(|c| matches!(c, Component::Normal(_)));
            if !inside {
                return Err(not_onnx(&format!("its weights lie outside its folder, in `{file}`")));
            }
            let weights = path.parent().unwrap_or(Path::new("")).join(&file);
            let digest = input::digest(&weights, MOST_BESIDE);
            let digest = digest.map_err(|error| unreadable(&weights, error))?;
            hasher.update(file.as_bytes()).update(digest.as_bytes());
        }
        let digest = hasher.finalize().to_hex().to_string();
        Self::of(path, model, digest)
    }

    /// The same, of a graph in memory.
    pub(super) fn of(path: &Path, model: ModelProto, digest: String) -> Result<Self, OnnxError> {
        let not_onnx =
            |why: &str| OnnxError::NotOnnx { path: path.to_owned(), why: why.to_owned() };
        let graph = model.graph.as_ref().ok_or_else(|| not_onnx("it has no graph"))?;
        let weights: BTreeSet<&str> = graph.initializer.iter().map(|t| &*t.name).collect();
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|input| !weights.contains(&*input.name)).collect();
        let [input] = inputs.as_slice() else {
            let problem = format!("has {} inputs, not images alone", inputs.len());
            return Err(OnnxError::Input { path: path.to_owned(), problem });
        };
        let output = graph.output.first().ok_or_else(|| not_onnx("it has no output"))?;
        let metadata = model.metadata_props.into_iter().map(|entry| (entry.key, entry.value));
        Ok(Self {
            path: path.to_owned(),
            dims: dims(input),
            output: dims(output),
            metadata: metadata.collect(),
            digest,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// blake3 of the file, and of the files beside it that hold its weights.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Text that lies beside the graph.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// What lies beside the graph as JSON.
    pub fn json<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.metadata(key)?).ok()
    }

    /// Length of its logits, where the file says it.
    pub fn classes(&self) -> Option<usize> {
        match self.output.as_slice() {
            [_, classes] => *classes,
            _ => None,
        }
    }

    /// How many images go through it together, where the file fixes that.
    pub(super) fn batch(&self) -> Option<usize> {
        self.dims.first().copied().flatten()
    }

    /// Shape of an image, and whether channels come last; what the file leaves open is as in `images`.
    ///
    /// # Errors
    /// [`OnnxError::Input`] if it takes no images, or leaves open what nothing else says.
    pub fn input(&self, images: Option<Shape>) -> Result<(Shape, bool), OnnxError> {
        let problem = |problem: String| OnnxError::Input { path: self.path.clone(), problem };
        let [_, one, two, three] = *self.dims.as_slice() else {
            let problem_of = format!("takes {} dimensions, not a batch of images", self.dims.len());
            return Err(problem(problem_of));
        };
        let is_few = |extent: Option<usize>| matches!(extent, Some(1 | 3));
        let channels_last = is_few(three) && !is_few(one);
        let (found, height, width) =
            if channels_last { (three, one, two) } else { (one, two, three) };
        let extent = |found: Option<usize>, of: fn(Shape) -> usize| {
            let open = || problem("leaves the shape of its images open".to_owned());
            found.or(images.map(of)).ok_or_else(open)
        };
        let shape = Shape {
            channels: extent(found, |images| images.channels)?,
            height: extent(height, |images| images.height)?,
            width: extent(width, |images| images.width)?,
        };
        match shape.believable_size() {
            Some(size) if size > 0 && size <= LARGEST => Ok((shape, channels_last)),
            _ => Err(problem(format!("takes images of {shape}"))),
        }
    }
}

/// Files that hold weights of a graph.
fn beside(graph: &GraphProto) -> BTreeSet<String> {
    let location = |tensor: &TensorProto| {
        let entries = tensor.external_data.iter();
        entries.filter(|entry| entry.key == "location").map(|entry| entry.value.clone()).next()
    };
    let constants = graph.node.iter().flat_map(|node| &node.attribute);
    let constants = constants.filter_map(|attribute| attribute.t.as_ref());
    graph.initializer.iter().chain(constants).filter_map(location).collect()
}

/// Extent of each dimension, where it is fixed.
pub(super) fn dims(value: &ValueInfoProto) -> Vec<Option<usize>> {
    let Some(type_proto::Value::TensorType(tensor)) =
        value.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return Vec::new();
    };
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    dims.map(|dim| match dim.value {
        Some(Value::DimValue(extent)) if extent > 0 => usize::try_from(extent).ok(),
        _ => None,
    })
    .collect()
}
