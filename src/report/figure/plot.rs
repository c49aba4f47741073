//! A figure as a picture: axes, lines of points with error bars, the paper's points hollow.

use super::{
    FigureResults, Front, Line, OnFront, Pick, PointResult, Rule,
    axes::{Axis, NORMAL, SMALL, brief, label, name_axes},
    frame::{Entry, LEFT, RIGHT, WIDTH, inside, legend, mark},
};
use crate::report::{
    TEST_SELECTED,
    picture::{Anchor, Ink, Pen, Picture, Place, Shape, cut, width},
    split_name,
};

/// Height of the plot itself; what stands above it depends on the legend.
const PLOT: f64 = 300.0;
const TITLE: f64 = 16.0;
/// Pixels between the points of two lines at the same place, so that error bars do not cover one
/// another.
const APART: f64 = 7.0;

impl FigureResults {
    /// Draws it.
    pub fn picture(&self) -> crate::report::Picture {
        let title = self.title.clone();
        let mut picture = Picture {
            width: WIDTH,
            height: 0.0,
            title,
            description: self.description(),
            shapes: Vec::new(),
        };
        let size = TITLE.min(TITLE * (WIDTH - 32.0) / width(&self.title, TITLE));
        picture.text((16.0, 26.0), &self.title, size, Ink::Strong, Anchor::Start);
        picture.text((16.0, 45.0), &self.subtitle(), SMALL, Ink::Soft, Anchor::Start);
        let top = self.legend(&mut picture, 68.0) + 22.0;
        let bottom = top + PLOT;
        picture.height = self.say_below(&mut picture, bottom + 56.0);
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let xs: Vec<f64> = points().filter_map(|point| self.shown(point.x)).collect();
        let axis = match (&self.teachers, &self.front) {
            (Some(_), _) => Axis::rounded,
            (None, Some(_)) => Axis::sizes,
            (None, None) => Axis::at,
        };
        let x = axis(&xs, LEFT, RIGHT);
        let y = Axis::rounded(&self.heights(), bottom, top);
        self.frame(&mut picture, &x, &y, (top, bottom));
        if let Some(rule) = &self.rule {
            draw_mean(&mut picture, rule, &y);
        }
        for (number, line) in self.lines.iter().enumerate() {
            draw_line(&mut picture, number, line, [&x, &y], self);
        }
        if let Some(rule) = &self.rule {
            if let Some(pick) = &rule.pick {
                let is_of = |point: &PointResult| point.node.as_ref() == Some(&pick.node);
                let line = self.lines.iter().position(|line| line.points.iter().any(is_of));
                draw_pick(&mut picture, pick, &x, &y, self.aside(line.unwrap_or(0)));
            }
            name_mean(&mut picture, rule, &y);
        }
        if let Some(front) = &self.front {
            draw_front(&mut picture, front, [&x, &y]);
        }
        if self.heights().is_empty() {
            let at = ((LEFT + RIGHT) / 2.0, (top + bottom) / 2.0);
            let text = "nothing in the cache yet: `takd run` makes it";
            picture.text(at, text, NORMAL, Ink::Soft, Anchor::Middle);
        }
        picture
    }

    /// The notes below the plot, from `top` on; where the picture ends.
    fn say_below(&self, picture: &mut Picture, top: f64) -> f64 {
        let mut y = top;
        let notes = self.told_below().chain(self.note.clone()).chain(self.unlike());
        for note in notes {
            let mut line = String::new();
            for word in note.split_whitespace() {
                let longer = format!("{line} {word}");
                if !line.is_empty() && width(&longer, SMALL) > WIDTH - 32.0 {
                    y += 16.0;
                    picture.text((16.0, y), line.trim(), SMALL, Ink::Soft, Anchor::Start);
                    line = format!(" {word}");
                } else {
                    line = longer;
                }
            }
            y += 16.0;
            picture.text((16.0, y), line.trim(), SMALL, Ink::Soft, Anchor::Start);
        }
        if y > top { y + 12.0 } else { top }
    }

    /// Whether its points are no sequence: teachers, or networks.
    fn is_scattered(&self) -> bool {
        self.teachers.is_some() || self.front.is_some()
    }

    /// A place along the axis as the axis shows it.
    fn shown(&self, x: Option<f64>) -> Option<f64> {
        x.map(|x| self.front.as_ref().map_or(x, |front| front.takes.shown(x)))
    }

    /// How far a line's points stand beside their place.
    fn aside(&self, line: usize) -> f64 {
        if self.is_scattered() {
            return 0.0;
        }
        (line as f64 - (self.lines.len() as f64 - 1.0) / 2.0) * APART
    }

    /// Every value that must fit.
    fn heights(&self) -> Vec<f64> {
        let mut heights = Vec::new();
        for point in self.lines.iter().flat_map(|line| &line.points) {
            heights.extend(point.paper);
            if let Some(ours) = point.ours {
                let std = ours.std.unwrap_or(0.0);
                heights.extend([ours.mean - std, ours.mean + std]);
            }
        }
        heights.extend(self.rule.as_ref().and_then(|rule| rule.mean));
        heights
    }

    fn subtitle(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let split = split_name(self.split);
        let seeds = self.seeds;
        let mut text = match seeds {
            1 => format!("top-1 on the {split} split, one seed"),
            _ => format!("top-1 on the {split} split, mean ± std over {seeds} seeds"),
        };
        text.extend(self.teachers_split());
        if self.front.is_some() {
            text += "; dashed: the Pareto front";
        }
        if points().any(|point| point.paper.is_some()) {
            text += "; hollow: the paper's values";
        }
        if points().any(|point| point.test_selected) {
            text += &format!("; {TEST_SELECTED} epochs selected on the test split");
        }
        let missing: usize = points().map(|point| point.missing).sum();
        if missing > 0 {
            text += &format!("; {missing} not in the cache");
        }
        text
    }

    /// Its lines' entries from `top` on; where the next line of them would stand.
    fn legend(&self, picture: &mut Picture, top: f64) -> f64 {
        let joined = !self.is_scattered();
        let entries = self.lines.iter().enumerate().flat_map(|(series, line)| {
            let paper = line.points.iter().any(|point| point.paper.is_some());
            let ours = line.points.iter().any(|point| point.node.is_some());
            let own = ours.then(|| (false, line.label.clone()));
            let quoted = paper.then(|| (true, paper_label(line, ours)));
            let entry = move |(hollow, text)| Entry { series, joined, hollow, text };
            own.into_iter().chain(quoted).map(entry)
        });
        legend(picture, top, entries)
    }

    fn frame(&self, picture: &mut Picture, x: &Axis, y: &Axis, (top, bottom): (f64, f64)) {
        let pen = y.grid(picture, [LEFT, RIGHT], bottom);
        x.below(picture, bottom, pen);
        let places = [((LEFT + RIGHT) / 2.0, bottom + 42.0), (20.0, (top + bottom) / 2.0)];
        name_axes(picture, places, [&self.x, &self.y]);
    }

    /// The figure in words.
    fn description(&self) -> String {
        let mut text = format!("{} against {}.", self.y, self.x);
        for line in &self.lines {
            let points: Vec<String> = line.points.iter().map(|point| self.words(point)).collect();
            text += &format!(" {}: {}.", line.label, points.join("; "));
        }
        for told in self.told() {
            text += &format!(" {told}.");
        }
        for note in self.note.iter().cloned().chain(self.unlike()) {
            text += &format!(" {note}.");
        }
        text
    }
}

impl FigureResults {
    /// A point in words.
    fn words(&self, point: &PointResult) -> String {
        let ours = point.ours.map(|ours| ours.scaled(1.0, 2));
        let paper = point.paper.map(|paper| format!("paper {paper:.2}"));
        let values: Vec<String> = ours.into_iter().chain(paper).collect();
        let values = if values.is_empty() { "no value".to_owned() } else { values.join(", ") };
        let named = if self.front.is_some() { point.node.as_ref() } else { None };
        let named = named.map(|node| format!("{node} "));
        let of = point.teacher.as_ref().map(|teacher| format!("of {teacher}, "));
        let of = named.or(of).unwrap_or_default();
        let written = if self.front.is_some() { brief } else { label };
        let place = self.shown(point.x).map(|x| format!("at {}", written(x)));
        let place = place.unwrap_or_else(|| "no place".to_owned());
        format!("{of}{place} {values}")
    }
}

fn paper_label(line: &Line, ours: bool) -> String {
    if ours { format!("{}, paper", line.label) } else { line.label.clone() }
}

fn draw_line(
    picture: &mut Picture,
    number: usize,
    line: &Line,
    [x, y]: [&Axis; 2],
    figure: &FigureResults,
) {
    let (ink, aside) = (Ink::Series(number), figure.aside(number));
    for hollow in [true, false] {
        let value = |point: &PointResult| {
            if hollow { point.paper } else { point.ours.map(|ours| ours.mean) }
        };
        let place = |point: &PointResult| {
            Some((x.pixel(figure.shown(point.x)?) + aside, y.pixel(value(point)?)))
        };
        let places: Vec<Place> = line.points.iter().filter_map(place).collect();
        let pen = Pen { ink, width: 2.0, dashed: hollow };
        if !figure.is_scattered() {
            picture.shapes.push(Shape::Line { points: places, pen });
        }
        for point in &line.points {
            let Some(at) = place(point) else { continue };
            if let Some(std) = point.ours.and_then(|ours| ours.std).filter(|_| !hollow) {
                let mean = value(point).unwrap_or_default();
                let (low, high) = (y.pixel(mean - std), y.pixel(mean + std));
                let pen = Pen { ink, width: 1.4, dashed: false };
                picture.line((at.0, low), (at.0, high), pen);
                for end in [low, high] {
                    picture.line((at.0 - 4.0, end), (at.0 + 4.0, end), pen);
                }
            }
            picture.shapes.push(mark(
                at,
                number,
                hollow,
                format!("{}: {}", line.label, figure.words(point)),
            ));
        }
    }
}

impl Rule {
    /// What its line is called.
    pub(super) fn label(&self) -> String {
        format!("mean of {} and {}", self.teacher, self.student)
    }

    /// What it says.
    pub(in crate::report) fn sentence(&self) -> String {
        let label = self.label();
        match (self.mean, &self.pick) {
            (Some(mean), Some(pick)) => format!(
                "{label}: {mean:.2} %; nearest to it is {} with {:.2} %, which the mean rule picks \
                 as assistant",
                pick.node, pick.accuracy
            ),
            (Some(mean), None) => {
                format!("{label}: {mean:.2} %; the mean rule picks once every size is measured")
            }
            (None, _) => format!("{label}: not in the cache yet"),
        }
    }
}

/// The line of the mean.
fn draw_mean(picture: &mut Picture, rule: &Rule, y: &Axis) {
    let Some(mean) = rule.mean else { return };
    let height = y.pixel(mean);
    let pen = Pen { ink: Ink::Strong, width: 1.5, dashed: true };
    picture.line((LEFT, height), (RIGHT, height), pen);
}

/// Its name, along it where it covers least.
fn name_mean(picture: &mut Picture, rule: &Rule, y: &Axis) {
    let Some(mean) = rule.mean else { return };
    let text = format!("{}, {mean:.2} %", rule.label());
    let half = width(&text, SMALL) / 2.0;
    let (left, right) = (LEFT + 6.0 + half, RIGHT - 6.0 - half);
    let along = [0.0, 1.0, 0.25, 0.5, 0.75].map(|share| left + share * (right - left));
    let heights = [y.pixel(mean) - 6.0, y.pixel(mean) + 14.0];
    let places: Vec<Place> =
        heights.iter().flat_map(|&height| along.map(|place| (place, height))).collect();
    say(picture, &text, &places);
}

/// A ring around the picked point, and its name beside it.
fn draw_pick(picture: &mut Picture, pick: &Pick, x: &Axis, y: &Axis, aside: f64) {
    let (px, py) = (x.pixel(pick.x) + aside, y.pixel(pick.accuracy));
    let ring: Vec<Place> = (0..=48)
        .map(|step| f64::from(step) / 48.0 * std::f64::consts::TAU)
        .map(|angle| (px + 11.0 * angle.cos(), py + 11.0 * angle.sin()))
        .collect();
    let pen = Pen { ink: Ink::Strong, width: 1.6, dashed: false };
    picture.shapes.push(Shape::Line { points: ring, pen });
    let text = format!("picked: {}", pick.node);
    let half = width(&text, SMALL) / 2.0;
    let (lower, upper, beside) = (py + 26.0, py - 17.0, py + 4.0);
    let places = [
        (px, lower),
        (px, upper),
        (px + 16.0 + half, beside),
        (px - 16.0 - half, beside),
        (px + half + 8.0, lower + 8.0),
        (px - half - 8.0, upper - 8.0),
    ];
    say(picture, &text, &places.map(|(x, y)| (inside(x, 2.0 * half, [LEFT, RIGHT]), y)));
}

/// A note at the one of `places` where it covers least.
fn say(picture: &mut Picture, text: &str, places: &[Place]) {
    if let Some(at) = picture.clearest(text, SMALL, places) {
        picture.text(at, text, SMALL, Ink::Strong, Anchor::Middle);
    }
}

/// Most names beside points: of more, one would cover another.
const MOST_NAMES: usize = 14;

/// Steps along the front, below which no network is on it, and the names of those that are.
fn draw_front(picture: &mut Picture, front: &Front, [x, y]: [&Axis; 2]) {
    let at = |on: &OnFront| (x.pixel(front.takes.shown(on.x)), y.pixel(on.accuracy));
    let mut steps: Vec<Place> = Vec::new();
    for on in &front.networks {
        let place = at(on);
        steps.extend(steps.last().map(|&(_, height)| (place.0, height)));
        steps.push(place);
    }
    steps.extend(steps.last().map(|&(_, height)| (RIGHT, height)));
    let pen = Pen { ink: Ink::Strong, width: 1.4, dashed: true };
    picture.shapes.push(Shape::Line { points: steps, pen });
    for on in front.networks.iter().take(MOST_NAMES) {
        let ((px, py), text) = (at(on), cut(&on.node, SMALL, 150.0));
        let half = width(&text, SMALL) / 2.0;
        let (left, right) = (px - half - 9.0, px + half + 9.0);
        let places = [
            (left, py - 7.0),
            (right, py + 15.0),
            (right, py - 7.0),
            (left, py + 15.0),
            (px, py - 12.0),
            (px, py + 20.0),
        ];
        say(picture, &text, &places.map(|(x, y)| (inside(x, 2.0 * half, [LEFT, RIGHT]), y)));
    }
}
