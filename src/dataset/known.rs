//! What is known of data sets that are not here: enough to plan with.

use super::info::{DataInfo, Digests, Presence};
use crate::shape::Shape;

/// Of a distribution: channels, rows and columns, classes, training and test images.
pub(super) struct Known {
    pub shape: [usize; 3],
    pub classes: usize,
    pub train: usize,
    pub test: usize,
    /// Digests of its parts; without, there are no keys.
    pub digests: Option<[&'static str; 2]>,
}

impl Known {
    /// The same as a probe would say it; `name` is the distribution.
    pub fn info(&self, name: &str) -> DataInfo {
        let [channels, height, width] = self.shape;
        let (digests, presence) = match self.digests {
            Some([train, test]) => {
                (Digests { train: train.to_owned(), test: test.to_owned() }, Presence::Assumed)
            }
            // No digest is written so, and no entry is found by it.
            None => {
                let [train, test] =
                    ["train", "test"].map(|part| format!("{part} of {name}, absent"));
                (Digests { train, test }, Presence::Unknown)
            }
        };
        DataInfo {
            digests,
            shape: Shape { channels, height, width },
            classes: self.classes,
            train: self.train,
            test: self.test,
            notes: Vec::new(),
            presence,
        }
    }
}
