//! What seeds can tell: means, intervals, and how many more would decide.

mod paired;
mod power;
mod spearman;
mod spread;

pub use paired::{Evidence, Paired, signed};
pub use power::seeds_to_see;
pub use spearman::Spearman;
pub use spread::Spread;
