//! What networks are made of: a layer's text, its shapes, its parameters and its forward pass.
//!
//! One file per layer, one line in [`LAYERS`]. Parameters have PyTorch's names.

mod avgpool;
mod bare;
mod basic;
mod batchnorm;
mod bigstem;
mod bottleneck;
mod conv;
mod conv_norm;
mod fc;
mod init;
mod interface;
mod inverted;
mod maxpool;
mod mobilehead;
mod mobilestem;
mod modules;
mod names;
mod norm;
mod operations;
mod padbasic;
mod path;
mod pointwise;
mod preact;
mod prestem;
mod reluinverted;
mod residual;
mod shuffle;
mod split;
mod squeezeexcite;
mod stem;

pub use init::{Source, he_normal, uniform};
pub use interface::{Family, Layer, Module};
pub use modules::Modules;
pub use names::Names;
pub use operations::{Activation, Images, Kernels, Mode, Pass, linear};

use crate::kind::Kind;

/// Every layer.
pub const LAYERS: &[&Kind<dyn Layer>] = &[
    &conv::KIND,
    &maxpool::KIND,
    &fc::KIND,
    &stem::KIND,
    &bigstem::KIND,
    &basic::KIND,
    &padbasic::KIND,
    &bottleneck::KIND,
    &prestem::KIND,
    &preact::KIND,
    &batchnorm::KIND,
    &pointwise::KIND,
    &mobilestem::KIND,
    &inverted::KIND,
    &mobilehead::KIND,
    &reluinverted::KIND,
    &shuffle::KIND,
    &split::KIND,
    &squeezeexcite::KIND,
    &avgpool::KIND,
];
