//! A tensor that a layer may do without.

use burn::backend::{Backend, ExtensionType, tensor::FloatTensor};

/// A tensor that may be absent, which the macro knows no other way to pass.
#[derive(ExtensionType)]
#[cfg_attr(feature = "cube", extension_type(fusion))]
pub enum Maybe<B: Backend> {
    /// There.
    Given(FloatTensor<B>),
    /// Absent.
    Absent,
}

impl<B: Backend> From<Option<FloatTensor<B>>> for Maybe<B> {
    fn from(tensor: Option<FloatTensor<B>>) -> Self {
        tensor.map_or(Self::Absent, Self::Given)
    }
}

impl<B: Backend> Maybe<B> {
    /// As an option.
    pub fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Given(tensor) => Some(tensor),
            Self::Absent => None,
        }
    }
}
