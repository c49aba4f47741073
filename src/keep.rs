//! How much of a teacher's logits is stored.

use serde::{Deserialize, Serialize};

/// What is kept of a row of logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// All of them in 32 bits.
    #[default]
    F32,
    /// All of them in 16 bits: a half of the bytes, a relative error of 2⁻¹¹ at most.
    F16,
    /// So many of the largest in 32 bits with their classes, and the logarithm of the others' Σ exp, which
    /// they share alike.
    Top(usize),
}

impl Keep {
    /// Whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The largest logits of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// Their classes, by falling logits; of equal ones the lower first.
    pub classes: Vec<u16>,
    /// The logits.
    pub values: Vec<f32>,
    /// ln Σ exp over the other classes.
    pub rest: f32,
}

impl Top {
    /// The `count` largest of `row`, all but one at most.
    pub fn of(row: &[f32], count: usize) -> Self {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
        let (top, others) = order.split_at(count.min(row.len().saturating_sub(1)));
        let largest = others.first().map_or(0.0, |&class| f64::from(row[class]));
        let sum: f64 = others.iter().map(|&class| (f64::from(row[class]) - largest).exp()).sum();
        Self {
            classes: top.iter().map(|&class| class as u16).collect(),
            values: top.iter().map(|&class| row[class]).collect(),
            rest: (largest + sum.ln()) as f32,
        }
    }

    /// The row that stands for it: the others share their mass alike.
    pub fn row(&self, classes: usize) -> Vec<f32> {
        let others = classes.saturating_sub(self.classes.len()).max(1) as f64;
        let mut row = vec![(f64::from(self.rest) - others.ln()) as f32; classes];
        for (&class, &value) in self.classes.iter().zip(&self.values) {
            if let Some(place) = row.get_mut(usize::from(class)) {
                *place = value;
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::Top;

    #[test]
    fn what_is_kept_has_the_rows_mass() {
        let row = [0.5, 3.0, -1.0, 2.0, 0.5];
        let top = Top::of(&row, 2);
        assert_eq!((top.classes.as_slice(), top.values.as_slice()), (&[1, 3][..], &[3.0, 2.0][..]));
        let again = top.row(5);
        assert_eq!((again[1], again[3]), (3.0, 2.0));
        let mass = |row: &[f32]| row.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>();
        assert!((mass(&row) - mass(&again)).abs() < 1e-5, "{again:?}");
        assert!(again[0] == again[2] && again[2] == again[4]);
        // One is always left for the rest, and then the row is as it was.
        let nearly = Top::of(&row, 99).row(5);
        assert!(row.iter().zip(&nearly).all(|(a, b)| (a - b).abs() < 1e-6), "{nearly:?}");
    }
}
