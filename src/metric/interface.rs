//! What a metric is: how it is named and told, and its arithmetic over the images of a split.

use super::Fit;

/// A number that an evaluation measures.
#[derive(Debug)]
pub struct Metric {
    /// Its field in manifests, JSON, CSV and TensorBoard.
    pub name: &'static str,
    /// Its name in tables and sentences.
    pub title: &'static str,
    /// How it is shown.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// What it is, with its source: one line.
    pub doc: &'static str,
    /// A measurement that has seen no image yet; `None` where it says nothing of such logits.
    pub measure: fn(Setting) -> Option<Box<dyn Measure>>,
}

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share in [0, 1], shown in percent; differences are percentage points.
    Share,
    /// Nats.
    Nats,
    /// A number without a unit, shown with three significant digits.
    Number,
}

impl Unit {
    /// What a stored value is multiplied by where people read it.
    pub fn scale(self) -> f64 {
        match self {
            Self::Share => 100.0,
            Self::Nats | Self::Number => 1.0,
        }
    }

    /// The word after a difference, with a space before it.
    pub fn of_difference(self) -> &'static str {
        match self {
            Self::Share => " points",
            Self::Nats => " nats",
            Self::Number => "",
        }
    }
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// It describes, and does not judge.
    Neither,
}

impl Better {
    /// What a value is multiplied by, so that more of it is better.
    pub fn sign(self) -> f64 {
        match self {
            Self::Lower => -1.0,
            Self::Higher | Self::Neither => 1.0,
        }
    }

    /// Whether a change by `difference` is for the better; `None` where it cannot be told.
    pub fn is_better(self, difference: f64) -> Option<bool> {
        match self {
            _ if difference == 0.0 || difference.is_nan() => None,
            Self::Higher => Some(difference > 0.0),
            Self::Lower => Some(difference < 0.0),
            Self::Neither => None,
        }
    }
}

/// A name means one metric.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Metric {
    /// Whether it is measured in such a setting, if its number can be told at all.
    pub fn is_asked(&self, setting: Setting) -> bool {
        let fit = setting.softness.then_some(Fit { temperature: 1.0, loss: 0.0 });
        (self.measure)(Setting { fit, ..setting }).is_some()
    }
}

/// What is known before the first image.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Length of an image's logits.
    pub classes: usize,
    /// τ of the metrics that soften the logits.
    pub temperature: f64,
    /// Whether there are logits of its teacher.
    pub has_teacher: bool,
    /// Whether it is asked how soft the logits are.
    pub softness: bool,
    /// Whether there are logits of a network that it is set against.
    pub has_scratch: bool,
    /// Whether there are logits of the same network in 8 bits.
    pub has_int8: bool,
    /// The fitted temperature, where that is asked and there is one.
    pub fit: Option<Fit>,
}

/// A network's logits for one image, and what most metrics need of them.
#[derive(Debug)]
pub struct Prediction<'a> {
    /// As the network gave them; `[classes]`.
    pub logits: &'a [f32],
    /// Its teacher's, `[classes]`, where they are asked for.
    pub teacher: Option<&'a [f32]>,
    /// Those of the network that it is set against, `[classes]`, where there is one.
    pub scratch: Option<&'a [f32]>,
    /// Those of the same network in 8 bits, `[classes]`, where they are asked for.
    pub int8: Option<&'a [f32]>,
    /// The right class.
    pub label: usize,
    /// Logarithms of softmax(logits); `[classes]`.
    pub log_p: &'a [f64],
    /// How many classes come before the right one: 0 is a hit.
    pub rank: usize,
}

impl Prediction<'_> {
    /// The probability of the most probable class.
    pub fn confidence(&self) -> f64 {
        self.log_p.iter().fold(f64::MIN, |a, &b| a.max(b)).exp()
    }
}

/// The arithmetic of a metric: it sees every image once, in order.
pub trait Measure {
    /// One more image.
    fn add(&mut self, prediction: &Prediction<'_>);

    /// The number, over all `samples` images seen.
    fn value(&self, samples: usize) -> f64;
}

/// The mean of a number of each image.
pub struct Mean<F> {
    sum: f64,
    number: F,
}

impl<F: Fn(&Prediction<'_>) -> f64 + 'static> Mean<F> {
    /// The mean of `number`.
    pub fn of(number: F) -> Box<dyn Measure> {
        Box::new(Self { sum: 0.0, number })
    }
}

impl<F: Fn(&Prediction<'_>) -> f64> Measure for Mean<F> {
    fn add(&mut self, prediction: &Prediction<'_>) {
        self.sum += (self.number)(prediction);
    }

    fn value(&self, samples: usize) -> f64 {
        self.sum / samples as f64
    }
}

/// A number that is known before the first image.
pub struct Known(f64);

impl Known {
    /// The number.
    pub fn of(number: f64) -> Box<dyn Measure> {
        Box::new(Self(number))
    }
}

impl Measure for Known {
    fn add(&mut self, _: &Prediction<'_>) {}

    fn value(&self, _: usize) -> f64 {
        self.0
    }
}
