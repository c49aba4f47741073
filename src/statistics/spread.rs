//! Mean and standard deviation over seeds.

use serde::Serialize;

/// Mean and spread of one number over a row's seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divided by n−1); nothing for a single value.
    pub std: Option<f64>,
    /// How many values.
    pub n: usize,
}

impl Spread {
    /// Of some values; nothing if there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { mean, std: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()), n })
    }

    /// A share as percent: `72.57 ± 0.31`.
    pub fn percent(&self) -> String {
        self.scaled(100.0, 2)
    }

    /// With so many significant digits of the mean: `0.00749 ± 0.00031`.
    pub fn significant(&self, digits: i32) -> String {
        let size = self.mean.abs();
        let before = if size > 0.0 { size.log10().floor() as i32 + 1 } else { 1 };
        self.scaled(1.0, (digits - before).clamp(0, 12) as usize)
    }

    /// `scale` times it, with so many digits after the point.
    pub fn scaled(&self, scale: f64, digits: usize) -> String {
        let mean = self.mean * scale;
        match self.std {
            Some(std) => format!("{mean:.digits$} ± {:.digits$}", std * scale),
            None => format!("{mean:.digits$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_deviation_is_the_samples() {
        let spread = Spread::of(&[0.70, 0.72, 0.74]).unwrap();
        assert!((spread.mean - 0.72).abs() < 1e-12 && (spread.std.unwrap() - 0.02).abs() < 1e-12);
        assert_eq!(spread.percent(), "72.00 ± 2.00");
        assert_eq!(Spread::of(&[0.5]).unwrap().percent(), "50.00");
        assert_eq!(Spread::of(&[]), None);
        for (value, text) in [(0.007_49, "0.00749"), (1.3, "1.30"), (0.0, "0.00"), (1234.0, "1234")]
        {
            assert_eq!(Spread::of(&[value]).unwrap().significant(3), text);
        }
    }
}
