//! A training that learns nothing any more, told from its epochs.
//!
//! Plain networks die of a learning rate that is too high, most surely under a large τ²·λ: their ReLUs
//! give 0 for every image, no gradient passes them, and the loss stays where it is for good.

use crate::{
    architecture::Architecture, history::EpochRecord, objective::Distillation, recipe::Recipe,
};
use std::fmt;

/// What is wrong with a training after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Collapse {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How it shows.
    pub sign: Sign,
    /// The epoch's mean objective.
    pub loss: f64,
    /// Top-1 accuracy on the training images during the epoch, in [0, 1].
    pub accuracy: Option<f64>,
    /// Sentences that name what probably led there, the likeliest first.
    pub causes: Vec<String>,
}

/// How a collapse shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Every image of a batch got the same logits: nothing can be learned any more.
    Constant,
    /// This many epochs in a row were right no more often than guessing is, at the same loss. A deep
    /// network may only be slow to begin: ResNet-110 at a rate of 0.1 needs some 400 steps (He et al.
    /// 2016, section 4.2).
    Chance {
        /// At least two.
        epochs: usize,
        /// Whether they are too many for a slow start.
        lost: bool,
    },
}

impl Sign {
    /// Whether nothing will come of the training.
    pub fn is_sure(self) -> bool {
        matches!(self, Self::Constant | Self::Chance { lost: true, .. })
    }
}

/// A training that still guesses after so many epochs and steps is not slow to begin.
const SLOW: (usize, usize) = (3, 2_000);

/// Epochs whose losses differ by less than this share of them stand still.
const FLAT: f64 = 0.005;
/// Logits of a teacher with a standard deviation above this are softened by few temperatures: a teacher
/// that was trained to 100 % has 8 and more (measured on plain networks and CIFAR-10).
const WIDE: f64 = 8.0;
/// Images of a batch whose logits are compared, at least.
const COMPARED: usize = 4;

/// Whether logits `[batch, classes]`, row-major, are the same for every image. Of a few images nothing is
/// said.
pub(super) fn is_constant(logits: &[f32], classes: usize) -> bool {
    let rows = logits.chunks(classes.max(1));
    let same = |row: &[f32]| {
        // Rounding may differ between the rows of a batch.
        row.iter().zip(logits).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs()))
    };
    rows.len() >= COMPARED && rows.clone().all(same)
}

/// Of the steps of an epoch, the last one whose batch is compared.
pub(super) fn compared(samples: usize, batch_size: usize) -> usize {
    let steps = samples.div_ceil(batch_size.max(1));
    let last = samples - steps.saturating_sub(1) * batch_size;
    if last < COMPARED.min(batch_size) { steps.saturating_sub(2) } else { steps.saturating_sub(1) }
}

/// What an epoch's record shows, given those before it. `samples` are learned from in each.
pub(super) fn sign(
    history: &[EpochRecord],
    recipe: &Recipe,
    classes: usize,
    samples: usize,
) -> Option<Sign> {
    let last = history.last()?;
    if last.constant {
        return Some(Sign::Constant);
    }
    // Two standard deviations above guessing.
    let chance = 1.0 / classes as f64;
    let chance = chance + 2.0 * (chance * (1.0 - chance) / samples.max(1) as f64).sqrt();
    let guesses =
        |record: &EpochRecord| record.train_accuracy.is_some_and(|accuracy| accuracy <= chance);
    let stands = |pair: &[EpochRecord]| {
        let [before, after] = pair else { return false };
        let warm = before.epoch > recipe.warmup;
        let flat = (after.loss - before.loss).abs() < FLAT * before.loss.abs();
        warm && flat && guesses(before) && guesses(after)
    };
    let pairs = history.windows(2).rev().take_while(|pair| stands(pair)).count();
    let (epochs, steps) = (pairs + 1, samples.div_ceil(recipe.batch_size.max(1)));
    let lost = epochs >= SLOW.0 && last.epoch.saturating_mul(steps) >= SLOW.1;
    (epochs > 1).then_some(Sign::Chance { epochs, lost })
}

/// The epoch, counted from 1, after which a training was seen to learn nothing any more. Those that do
/// not teach classes do not count.
pub(super) fn first(
    history: &[EpochRecord],
    recipe: &Recipe,
    [classes, samples]: [usize; 2],
    teaches_classes: impl Fn(usize) -> bool,
) -> Option<usize> {
    let sure = |epochs: &usize| {
        let sign = sign(&history[..*epochs], recipe, classes, samples);
        teaches_classes(*epochs) && sign.is_some_and(Sign::is_sure)
    };
    (1..=history.len()).find(sure)
}

/// What probably leads to a collapse under these hyper-parameters. `spread` is the standard deviation
/// of the teacher's logits.
pub(super) fn causes(
    recipe: &Recipe,
    lr: f64,
    taught: Option<&dyn Distillation>,
    net: &Architecture,
    spread: Option<f64>,
) -> Vec<String> {
    let mut causes = Vec::new();
    let usual = recipe.optimizer.usual_lr();
    causes.push(if lr > usual {
        format!("the learning rate, {lr:?}, is high for this network: try {usual:?} or a warm-up")
    } else {
        format!("the learning rate, {lr:?}, does not suit this network: try another or a warm-up")
    });
    if let Some(objective) = taught {
        let weight = objective.teacher_weight(net.classes()).filter(|&weight| weight > 1.0);
        if let Some(weight) = weight {
            let tempered = objective.temperature().map(|t| format!("with temperature {t:?} "));
            let mut cause = format!(
                "{}the teacher's term weighs {weight:.1} times the cross entropy, and its gradient with it",
                tempered.unwrap_or_default()
            );
            if let Some(lighter) = objective.lighter(net.classes()) {
                cause += &format!(": {lighter}");
            }
            causes.push(cause);
        }
        if let Some(spread) = spread.filter(|&spread| spread > WIDE) {
            causes.push(format!(
                "the teacher's logits spread widely (standard deviation {spread:.1}): a higher temperature \
                 softens them"
            ));
        }
    }
    causes
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, sign, loss, accuracy, causes } = self;
        let accuracy = accuracy
            .map(|share| format!(", training accuracy {:.2} %", share * 100.0))
            .unwrap_or_default();
        let what = match sign {
            Sign::Constant => {
                format!("collapsed in epoch {epoch}: every image gets the same output")
            }
            Sign::Chance { epochs, lost } => {
                let begin = if *lost { "collapsed" } else { "may have collapsed" };
                format!(
                    "{begin} by epoch {epoch}: {epochs} epochs guess, and the loss stands still"
                )
            }
        };
        write!(f, "{what} (loss {loss:.4}{accuracy}). Likely causes: {}", causes.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        optimizer::Sgd,
        recipe::{BatchnormWeight, Precision, Select},
        schedule::Constant,
    };

    fn record(epoch: usize, loss: f64, accuracy: f64) -> EpochRecord {
        let train_accuracy = Some(accuracy);
        let (accuracy, temperature, constant) = (None, None, false);
        EpochRecord { epoch, lr: 0.1, loss, accuracy, train_accuracy, temperature, constant }
    }

    fn recipe(warmup: usize) -> Recipe {
        Recipe {
            epochs: 9,
            batch_size: 8,
            optimizer: Sgd { lr: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0 }.into(),
            schedule: Constant {}.into(),
            warmup,
            augment: Vec::new(),
            select: Select::Last,
            batchnorm_weight: BatchnormWeight::Ones,
            precision: Precision::F32,
        }
    }

    #[test]
    fn guessing_at_a_flat_loss_is_a_collapse_and_a_slow_start_is_none() {
        let sign =
            |records: &[EpochRecord], warmup| super::sign(records, &recipe(warmup), 10, 4_000);
        // Two standard deviations are 0.95 points.
        let dead = [1, 2, 3, 4].map(|epoch| record(epoch, 2.3, 0.1));
        let chance = |epochs, lost| Some(Sign::Chance { epochs, lost });
        assert_eq!(sign(&dead[..1], 0), None, "one epoch may be a slow start");
        assert_eq!(sign(&dead[..2], 0), chance(2, false));
        assert_eq!(sign(&dead[..3], 0), chance(3, false), "1,500 steps may be");
        assert_eq!(sign(&dead, 0), chance(4, true));
        assert_eq!(sign(&dead[..2], 1), None, "a warm-up is one");
        assert_eq!(sign(&[record(1, 2.3, 0.1), record(2, 2.2, 0.1)], 0), None, "it falls");
        assert_eq!(sign(&[record(1, 2.3, 0.1), record(2, 2.299, 0.15)], 0), None, "it learns");
        let mut constant = record(1, 2.3, 0.1);
        constant.constant = true;
        assert_eq!(sign(&[constant], 5), Some(Sign::Constant));
        assert_eq!(sign(&[], 0), None);
    }

    #[test]
    fn the_same_output_for_every_image_is_seen() {
        assert!(is_constant(&[1.0, -3.0].repeat(8), 2));
        let mut other = [1.0, -3.0].repeat(8);
        other[15] = -3.001;
        assert!(!is_constant(&other, 2));
        assert!(!is_constant(&[1.0, -3.0].repeat(2), 2), "two images may be alike");
    }

    #[test]
    fn the_batch_that_is_compared_has_images() {
        assert_eq!([compared(100, 10), compared(101, 10), compared(104, 10)], [9, 9, 10]);
        assert_eq!([compared(3, 10), compared(10, 1), compared(1, 1)], [0, 9, 0]);
    }
}
