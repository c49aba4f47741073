//! Networks in the ONNX format (opset 17, IR version 8), as other programs make and run them.
//!
//! Layers draw themselves: each adds its operators to a [`Drawing`], and knows nothing of protobuf.

mod classifier;
mod drawing;
mod file;
mod proto;
mod quantise;
mod scale;

/// Key in a file's metadata: whether its graph normalises pixels itself.
pub const PIXELS: &str = "pixels";
/// It does: it takes pixels between 0 and 1.
pub const RAW: &str = "raw";
/// It takes normalised ones.
pub const NORMALISED: &str = "normalised";

pub use classifier::Classifier;
pub use drawing::{ConvValues, Drawing, Edge, NormValues, Pixels, Values};
pub use file::{OnnxError, OnnxFile};
pub use quantise::{LARGEST_WEIGHT, quantised, quantised_size};
pub use scale::scaled;
