//! From values to pixels, and what frames a plot.

use crate::report::picture::{Anchor, Ink, Pen, Picture, Place, Shape, Text};

/// Size of names, and of what stands at ticks and points.
pub(in crate::report) const NORMAL: f64 = 13.0;
pub(in crate::report) const SMALL: f64 = 11.5;

/// One axis: a range of values over a range of pixels, and where its ticks stand.
pub(in crate::report) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    /// Whether equal ratios are equally far apart.
    logarithmic: bool,
    /// Values of the ticks.
    pub ticks: Vec<f64>,
    /// How a tick is labelled.
    label: fn(f64) -> String,
}

/// From this ratio of the largest to the smallest value on, small ones would crowd on a linear axis.
const WIDE: f64 = 8.0;
/// Most ticks of a logarithmic axis.
const MOST_TICKS: usize = 10;

impl Axis {
    /// Over `values`, rounded outwards to whole steps of 1, 2 or 5 times a power of ten.
    pub fn rounded(values: &[f64], from: f64, to: f64) -> Self {
        let (low, high) = range(values);
        let step = step((high - low) / 5.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let count = ((high - low) / step).round() as usize;
        let ticks = (0..=count).map(|index| low + index as f64 * step).collect();
        Self { low, high, from, to, logarithmic: false, ticks, label }
    }

    /// Over sizes, whose ratios count where they differ much, labelled as `5 k` or `2 M`.
    pub fn sizes(values: &[f64], from: f64, to: f64) -> Self {
        let (low, high) = range(values);
        if low <= 0.0 || high / low < WIDE {
            return Self { label: brief, ..Self::rounded(values, from, to) };
        }
        let ticks = |digits: &[f64]| {
            let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
            let powers = (first..=last).map(|power| 10f64.powi(power));
            let all: Vec<f64> =
                powers.flat_map(|power| digits.iter().map(move |digit| digit * power)).collect();
            // One tick beyond the values at each side.
            let begin = all.iter().rposition(|&tick| tick <= low).unwrap_or(0);
            let end = all.iter().position(|&tick| tick >= high).unwrap_or(all.len() - 1);
            all[begin..=end].to_vec()
        };
        let fine = ticks(&[1.0, 2.0, 5.0]);
        let ticks = if fine.len() <= MOST_TICKS { fine } else { ticks(&[1.0]) };
        let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
        Self { low, high, from, to, logarithmic: true, ticks, label: brief }
    }

    /// With a tick at each of `values`, as long as they are few, and some room at both ends.
    pub fn at(values: &[f64], from: f64, to: f64) -> Self {
        let mut ticks: Vec<f64> = values.to_vec();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        if ticks.is_empty() || ticks.len() > 12 {
            return Self::rounded(values, from, to);
        }
        let (low, high) = range(values);
        let room = (high - low) * 0.08;
        let (low, high) = (low - room, high + room);
        Self { low, high, from, to, logarithmic: false, ticks, label }
    }

    /// Pixel of a value.
    pub fn pixel(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Draws it as the vertical one: a line and a label for each tick, and the plot's lower edge,
    /// whose pen it gives.
    pub fn grid(&self, picture: &mut Picture, [left, right]: [f64; 2], bottom: f64) -> Pen {
        let grid = Pen { ink: Ink::Faint, width: 1.0, dashed: false };
        for &tick in &self.ticks {
            let height = self.pixel(tick);
            picture.line((left, height), (right, height), grid);
            let at = (left - 8.0, height + SMALL * 0.35);
            picture.text(at, &(self.label)(tick), SMALL, Ink::Strong, Anchor::End);
        }
        let axis = Pen { ink: Ink::Strong, width: 1.0, dashed: false };
        picture.line((left, bottom), (right, bottom), axis);
        axis
    }
}

impl Axis {
    /// Draws it as the horizontal one below a plot that ends at `bottom`.
    pub fn below(&self, picture: &mut Picture, bottom: f64, pen: Pen) {
        for &tick in &self.ticks {
            let at = self.pixel(tick);
            picture.line((at, bottom), (at, bottom + 5.0), pen);
            let text = (self.label)(tick);
            picture.text((at, bottom + 19.0), &text, SMALL, Ink::Strong, Anchor::Middle);
        }
    }
}

/// Writes the names of the horizontal and the vertical axis.
pub(in crate::report) fn name_axes(picture: &mut Picture, places: [Place; 2], names: [&str; 2]) {
    for (at, (name, upright)) in places.into_iter().zip(names.into_iter().zip([false, true])) {
        let (text, size, ink, anchor) = (name.to_owned(), NORMAL, Ink::Strong, Anchor::Middle);
        picture.shapes.push(Shape::Text(Text { at, text, size, ink, anchor, upright }));
    }
}

/// Smallest and largest value; around a single one there is some room.
fn range(values: &[f64]) -> (f64, f64) {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if low > high {
        (0.0, 1.0)
    } else if low == high {
        (low - 1.0, high + 1.0)
    } else {
        (low, high)
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `least`.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|&step| step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// A tick's label: as many digits as tell it from its neighbours.
pub(in crate::report) fn label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6 + 0.0;
    rounded.to_string().replace('-', "−")
}

/// A size's: three digits, with `k`, `M` or `G` for thousands, millions and billions.
pub(super) fn brief(value: f64) -> String {
    let scales = [(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")];
    // 999.6 is 1 k, not 1000.
    let (scale, word) =
        scales.into_iter().find(|(scale, _)| value >= scale * 0.9995).unwrap_or((1.0, ""));
    let number = value / scale;
    let digits = if number == 0.0 { 0.0 } else { number.abs().log10().floor() };
    let places = 10f64.powf(2.0 - digits);
    format!("{}{word}", label((number * places).round() / places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_around_the_values() {
        let axis = Axis::rounded(&[70.16, 73.51], 0.0, 100.0);
        assert_eq!(axis.ticks, [70.0, 71.0, 72.0, 73.0, 74.0]);
        assert_eq!((axis.pixel(70.0), axis.pixel(74.0)), (0.0, 100.0));
        assert_eq!(Axis::rounded(&[], 0.0, 1.0).ticks.len(), 6);
        assert_eq!(Axis::at(&[10.0, 2.0, 4.0, 2.0], 0.0, 1.0).ticks, [2.0, 4.0, 10.0]);
        assert_eq!(Axis::at(&[4.0], 0.0, 1.0).pixel(4.0), 0.5);
        let sizes = Axis::sizes(&[78_000.0, 1_200_000.0, 340_000.0], 0.0, 300.0);
        assert_eq!(sizes.ticks, [5e4, 1e5, 2e5, 5e5, 1e6, 2e6]);
        assert!(
            (sizes.pixel(1e5) - sizes.pixel(5e4) - (sizes.pixel(2e6) - sizes.pixel(1e6))).abs()
                < 1e-9
        );
        assert_eq!((sizes.pixel(5e4), sizes.pixel(2e6)), (0.0, 300.0));
        assert_eq!(Axis::sizes(&[1.0, 3e9], 0.0, 1.0).ticks.len(), 11);
        // Close together, they stand on a linear axis.
        assert_eq!(
            Axis::sizes(&[1e5, 2e5], 0.0, 1.0).ticks,
            [1e5, 1.2e5, 1.4e5, 1.6e5, 1.8e5, 2e5]
        );
        for (value, text) in [
            (78_042.0, "78 k"),
            (1_234_567.0, "1.23 M"),
            (999.7, "1 k"),
            (0.1234, "0.123"),
            (0.0, "0"),
        ] {
            assert_eq!(brief(value), text);
        }
        assert_eq!((label(-0.4), label(0.1 + 0.2)), ("−0.4".to_owned(), "0.3".to_owned()));
    }
}
