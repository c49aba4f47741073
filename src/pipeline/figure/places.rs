//! What a figure's horizontal axis is.

use crate::{
    dataset::Split,
    footprint::Footprint,
    metric::{Metric, Unit},
};

/// What places a figure's points.
#[derive(Clone, Copy, Debug)]
pub enum Places {
    /// Numbers of the file.
    Numbers,
    /// A measure of the networks that teach those of the points.
    Teachers(Teachers),
    /// What the points' networks take of a device: accuracy against cost, with the Pareto front.
    Footprint(Footprint),
}

/// A measure of teachers, against which the gain of their students is set.
#[derive(Clone, Copy, Debug)]
pub struct Teachers {
    /// The measure.
    pub metric: &'static Metric,
    /// On which images.
    pub split: Split,
}

impl Places {
    /// What the axis is called where the file does not say it.
    pub(super) fn label(self) -> Option<String> {
        match self {
            Self::Numbers => None,
            Self::Teachers(Teachers { metric, .. }) => {
                let percent = if metric.unit == Unit::Share { " (%)" } else { "" };
                Some(format!("teacher's {}{percent}", metric.title))
            }
            Self::Footprint(what) => Some(what.axis()),
        }
    }

    /// The teachers' measure, if that is it.
    pub fn teachers(self) -> Option<Teachers> {
        match self {
            Self::Teachers(teachers) => Some(teachers),
            Self::Numbers | Self::Footprint(_) => None,
        }
    }

    /// What networks take, if that is it.
    pub fn footprint(self) -> Option<Footprint> {
        match self {
            Self::Footprint(what) => Some(what),
            Self::Numbers | Self::Teachers(_) => None,
        }
    }
}
