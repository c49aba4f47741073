//! What a term of a sum is multiplied by.

use serde_json::{Value, json};

/// A number, or one that goes from one to another over epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weight {
    /// The same in every epoch.
    Fixed(f64),
    /// `from` up to the first of two epochs, `to` from the second one on, in equal steps between them.
    Ramp {
        /// At first.
        from: f64,
        /// At last.
        to: f64,
        /// Counted from 1, the second after the first.
        epochs: [usize; 2],
    },
}

impl Weight {
    /// In an epoch, counted from 1.
    pub fn at(self, epoch: usize) -> f64 {
        match self {
            Self::Fixed(weight) => weight,
            Self::Ramp { from, to, epochs: [first, last] } => {
                let gone = epoch.clamp(first, last) - first;
                from + (to - from) * gone as f64 / (last - first) as f64
            }
        }
    }

    /// Whether it is 0 in every epoch.
    pub fn is_nothing(self) -> bool {
        match self {
            Self::Fixed(weight) => weight == 0.0,
            Self::Ramp { from, to, .. } => from == 0.0 && to == 0.0,
        }
    }

    /// As it is stored.
    pub fn json(self) -> Value {
        match self {
            Self::Fixed(weight) => json!(weight),
            Self::Ramp { from, to, epochs } => json!({ "from": from, "to": to, "epochs": epochs }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Weight;

    #[test]
    fn a_ramp_has_ends() {
        let ramp = Weight::Ramp { from: 4.0, to: 1.0, epochs: [5, 11] };
        let weights = [1, 5, 6, 8, 11, 400].map(|epoch| ramp.at(epoch));
        assert_eq!(weights, [4.0, 4.0, 3.5, 2.5, 1.0, 1.0]);
    }
}
