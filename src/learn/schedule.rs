//! The learning rate of each epoch, and where the optimizer starts anew.

use crate::config::{Recipe, Schedule, Warmup};
use std::f64::consts::PI;

/// Learning rate throughout epoch `epoch`, counted from 0.
pub fn learning_rate(recipe: &Recipe, epoch: usize) -> f64 {
    let base = recipe.optimizer.lr();
    let Warmup(warmup) = recipe.warmup;
    if epoch < warmup {
        return base * (epoch + 1) as f64 / (warmup + 1) as f64;
    }
    match &recipe.schedule {
        Schedule::Constant {} => base,
        Schedule::Step { milestones, gamma, .. } => {
            let passed = milestones.iter().filter(|&&milestone| milestone <= epoch).count();
            base * gamma.powi(passed as i32)
        }
        Schedule::Cosine { min } => {
            let span = (recipe.epochs - warmup).max(1) as f64;
            let done = (epoch - warmup) as f64 / span;
            min + (base - min) * (1.0 + (PI * done).cos()) / 2.0
        }
    }
}

/// Whether epoch `epoch`, counted from 0, starts with a new optimizer.
pub fn restarts(recipe: &Recipe, epoch: usize) -> bool {
    match &recipe.schedule {
        Schedule::Step { milestones, restart, .. } => *restart && milestones.contains(&epoch),
        Schedule::Constant {} | Schedule::Cosine { .. } => false,
    }
}
