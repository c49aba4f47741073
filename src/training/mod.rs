//! Training: the loop, its checkpoints, what is watched, and logits.
//!
//! Nothing here knows a file, a cache or a pipeline.

mod asked;
mod checkpoint;
mod collapse;
mod ensemble;
mod failure;
mod features;
mod learned;
mod ledger;
mod lesson;
mod logits;
mod mutual;
mod optimizer;
mod score;
mod snapshot;
mod together;
mod trained;
mod trainer;
mod validate;
mod watch;

pub use asked::Asked;
pub use checkpoint::{Checkpoint, TrainingState, Within};
pub use collapse::{Collapse, Sign};
pub use ensemble::Ensemble;
pub use failure::LearnError;
pub use lesson::Objective;
pub use logits::{Classify, InferError, Logits, LogitsError, infer, infer_from};
pub use mutual::Peers;
pub use optimizer::OptimizerState;
pub use trained::Trained;
pub use trainer::{Training, resume, train};
pub use watch::{Order, Progress, Stop, Watch};
