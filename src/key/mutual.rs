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
    /// The networks that are trained together: its own, and those that learn beside it.
    pub fn nets(&self) -> &[NetInputs] {
        self.mutual.as_ref().map_or(self.net.as_slice(), |mutual| &mutual.nets)
    }

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
