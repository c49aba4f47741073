//! A network as it is hashed.

use crate::{architecture::Architecture, kinds::Kinds, shape::Shape};
use serde::{Deserialize, Serialize};

/// The layers' texts, the shape of an image, and the classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetInputs {
    /// Input side first.
    pub layers: Vec<String>,
    /// Of one image.
    pub input: Shape,
    /// Logits.
    pub classes: usize,
}

impl NetInputs {
    /// The network.
    ///
    /// # Errors
    /// A sentence, if one of the layers is not of this takd's kinds, or they do not fit together.
    pub fn architecture(&self, kinds: &Kinds) -> Result<Architecture, String> {
        Architecture::read(&self.layers, self.input, self.classes, kinds)
    }
}

impl From<&Architecture> for NetInputs {
    fn from(net: &Architecture) -> Self {
        Self { layers: net.texts(), input: net.input(), classes: net.classes() }
    }
}
