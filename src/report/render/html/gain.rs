//! What assistants bring: each comparison of the tables as a point with its interval.

use crate::report::{
    Comparison, Evidence, Paired, Report,
    figure::{Axis, NORMAL, SMALL, WIDTH, mark, name_axes},
    picture::{Anchor, Ink, Pen, Picture, cut},
    signed,
};

/// Where names end and the plot is, and the height of a comparison.
const NAMES: f64 = 236.0;
const LEFT: f64 = 254.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 62.0;
const ROW: f64 = 38.0;

/// The comparisons that have a value; nothing if none has.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let mut rows: Vec<(&Comparison, Paired)> = Vec::new();
    for comparison in report.tables.iter().flat_map(|table| &table.comparisons) {
        let twice = |(other, _): &(&Comparison, _)| {
            other.node == comparison.node && other.baseline == comparison.baseline
        };
        if let Some(difference) = comparison.difference.filter(|_| !rows.iter().any(twice)) {
            rows.push((comparison, difference));
        }
    }
    if rows.is_empty() {
        return None;
    }
    let title = "What an assistant brings".to_owned();
    let description = rows.iter().map(|(of, paired)| words(of, paired)).collect::<Vec<_>>();
    let bottom = TOP + ROW * rows.len() as f64;
    let (description, shapes) = (description.join("; "), Vec::new());
    let mut picture = Picture { width: WIDTH, height: bottom + 52.0, title, description, shapes };
    picture.text((16.0, 26.0), "What an assistant brings", 16.0, Ink::Strong, Anchor::Start);
    let how = "top-1 with it less top-1 without, seed by seed; bars: the 95 % interval of paired t";
    picture.text((16.0, 45.0), how, SMALL, Ink::Soft, Anchor::Start);
    let ends = rows.iter().flat_map(|(_, paired)| [reach(paired).0, reach(paired).1]);
    let x = Axis::rounded(&ends.chain([0.0]).collect::<Vec<_>>(), LEFT, RIGHT);
    for &tick in &x.ticks {
        let (at, pen) = (x.pixel(tick), Pen { ink: Ink::Faint, width: 1.0, dashed: false });
        picture.line((at, TOP), (at, bottom), pen);
    }
    let axis = Pen { ink: Ink::Strong, width: 1.0, dashed: false };
    picture.line((x.pixel(0.0), TOP), (x.pixel(0.0), bottom), axis);
    picture.line((LEFT, bottom), (RIGHT, bottom), axis);
    x.below(&mut picture, bottom, axis);
    let places = [(f64::midpoint(LEFT, RIGHT), bottom + 42.0), (0.0, 0.0)];
    name_axes(&mut picture, places, ["points of top-1", ""]);
    for (number, (comparison, paired)) in rows.iter().enumerate() {
        let middle = TOP + ROW * (number as f64 + 0.5);
        let (label, over) = (&comparison.label, format!("over {}", comparison.baseline_label));
        picture.text(
            (NAMES, middle - 2.0),
            &cut(label, NORMAL, NAMES - 12.0),
            NORMAL,
            Ink::Strong,
            Anchor::End,
        );
        picture.text(
            (NAMES, middle + 13.0),
            &cut(&over, SMALL, NAMES - 12.0),
            SMALL,
            Ink::Soft,
            Anchor::End,
        );
        let (low, high) = reach(paired);
        let pen = Pen { ink: Ink::Series(0), width: 2.0, dashed: false };
        if low < high {
            picture.line((x.pixel(low), middle), (x.pixel(high), middle), pen);
            for end in [low, high] {
                picture.line((x.pixel(end), middle - 5.0), (x.pixel(end), middle + 5.0), pen);
            }
        }
        let at = (x.pixel(paired.mean), middle);
        picture.shapes.push(mark(at, 0, false, words(comparison, paired)));
    }
    Some(picture)
}

/// The interval, or the mean alone where there is none.
fn reach(paired: &Paired) -> (f64, f64) {
    match paired.evidence {
        Evidence::Interval { low, high, .. } => (low, high),
        Evidence::OneSeed | Evidence::NoSpread => (paired.mean, paired.mean),
    }
}

fn words(of: &Comparison, paired: &Paired) -> String {
    let points = format!("{} over {}: {}", of.label, of.baseline_label, signed(paired.mean));
    match paired.evidence {
        Evidence::Interval { low, high, .. } => {
            format!("{points} points, between {} and {}", signed(low), signed(high))
        }
        Evidence::OneSeed => format!("{points} points, of one seed"),
        Evidence::NoSpread => format!("{points} points with every seed"),
    }
}
