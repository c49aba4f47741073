//! Networks that learn from one another, as they are hashed.

use super::{KeyInputs, NetInputs};
use crate::pipeline::Mutual;
use serde::{Deserialize, Serialize};

/// All of them, and which one it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutualInputs {
    /// In their order.
    pub nets: Vec<NetInputs>,
    /// Of the network itself.
    pub place: usize,
}

impl From<&Mutual> for MutualInputs {
    fn from(mutual: &Mutual) -> Self {
        Self { nets: mutual.nets.iter().map(NetInputs::from).collect(), place: mutual.place }
    }
}

impl KeyInputs {
    /// Inputs of each of the networks that learn from one another, its own among them; none of others.
    pub fn together(&self) -> Vec<Self> {
        let Some(mutual) = &self.mutual else { return Vec::new() };
        let of = |(place, net): (usize, &NetInputs)| {
            let mutual = Some(MutualInputs { place, ..mutual.clone() });
            Self { net: Some(net.clone()), mutual, ..self.clone() }
        };
        mutual.nets.iter().enumerate().map(of).collect()
    }
}
