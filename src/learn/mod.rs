//! Learning: losses, optimizers, schedules, metrics and the training loop.
//!
//! Nothing here knows a file, a cache or a pipeline.

mod checkpoint;
mod collapse;
mod failure;
mod logits;
mod loss;
mod optimizer;
mod schedule;
mod trainer;
mod validate;
mod watch;

pub use checkpoint::{Checkpoint, State, Within};
pub use collapse::{Collapse, Sign};
pub use failure::LearnError;
pub use logits::{InferError, Logits, LogitsError, infer, infer_from};
pub use loss::{cross_entropy, distillation};
pub use optimizer::Updater;
pub use schedule::{learning_rate, restarts};
pub use trainer::{Lesson, Objective, Trained, resume, train};
pub use watch::{Order, Progress, Stop, Watch};
