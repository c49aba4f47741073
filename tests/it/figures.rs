//! Figures: their numbers, and that a picture shows them, from results that are made up here and
//! from a run.

use crate::{
    errors::with,
    keys::parse,
    workspace::{PIPELINE, Workspace},
};
use std::fs;
use takd::{
    dataset::Split,
    graph::Graph,
    key::keys,
    pipeline::Quantity,
    report::{Entries, FigureResults, Line, Pick, PointResult, Report, Rule},
    statistics::Spread,
    store::Store,
};
use tiny_skia::Pixmap;

fn point(x: f64, node: &str, ours: &[f64], paper: Option<f64>) -> PointResult {
    PointResult {
        x: Some(x),
        teacher: None,
        node: Some(node.to_owned()),
        over: None,
        ours: Spread::of(ours),
        missing: 3 - ours.len(),
        test_selected: false,
        paper,
    }
}

/// Two lines, one with a missing point and one with the paper's, and the mean rule.
pub fn figure() -> FigureResults {
    let points = vec![
        point(2.0, "scratch2", &[69.8, 70.1, 70.3], Some(70.16)),
        point(4.0, "scratch4", &[74.0, 74.2, 74.9], None),
        point(6.0, "scratch6", &[75.5, 76.0], None),
        point(10.0, "teacher", &[79.5, 79.9, 80.1], None),
    ];
    let mut quote = point(6.0, "", &[], Some(77.25));
    quote.node = None;
    let other = vec![point(2.0, "other2", &[67.0], None), point(4.0, "other4", &[], None), quote];
    let pick = Pick { node: "scratch4".to_owned(), x: 4.0, accuracy: 74.366_666 };
    FigureResults {
        name: "sizes".to_owned(),
        title: "Accuracy by size, \"plain\" <CIFAR-10>".to_owned(),
        x: "size (layers)".to_owned(),
        y: "accuracy (%)".to_owned(),
        quantity: Quantity::Accuracy,
        note: Some("made up, a \"note\"".to_owned()),
        paper_note: Some("best of 120 trials".to_owned()),
        split: Split::Test,
        seeds: 3,
        lines: vec![
            Line { label: "from scratch".to_owned(), points },
            Line { label: "other, τ = 4".to_owned(), points: other },
        ],
        rule: Some(Rule {
            teacher: "teacher".to_owned(),
            student: "scratch2".to_owned(),
            mean: Some(74.95),
            pick: Some(pick),
        }),
        teachers: None,
        front: None,
    }
}

#[test]
fn csv() {
    insta::assert_snapshot!(figure().csv());
}

#[test]
fn svg() {
    insta::assert_snapshot!(figure().picture().svg());
}

#[test]
fn a_name_wider_than_the_plot_is_drawn() {
    let (name, mut figure) = ("x".repeat(300), figure());
    figure.rule.as_mut().unwrap().pick.as_mut().unwrap().node.clone_from(&name);
    assert!(figure.picture().svg().contains(&name));
}

#[test]
fn an_empty_cache_gives_a_picture_that_says_so() {
    let mut figure = figure();
    figure.rule = None;
    for point in figure.lines.iter_mut().flat_map(|line| &mut line.points) {
        (point.ours, point.paper, point.missing) = (None, None, 3);
    }
    let svg = figure.picture().svg();
    assert!(svg.contains("nothing in the cache yet") && !svg.contains("NaN"), "{svg}");
}

/// How many pixels of a PNG have exactly this colour.
fn count(map: &Pixmap, rgb: [u8; 3]) -> usize {
    let pixels = map.pixels().iter();
    pixels.filter(|p| [p.red(), p.green(), p.blue()] == rgb && p.alpha() == 255).count()
}

#[test]
fn a_png_shows_lines_points_and_text() {
    let picture = figure().picture();
    let map = Pixmap::decode_png(&picture.png().unwrap()).unwrap();
    assert_eq!(map.width(), 2 * 680);
    assert!(count(&map, [255; 3]) > map.pixels().len() / 2, "the ground is white");
    // Both lines in their colours, and axes and text.
    for rgb in [[0x00, 0x72, 0xb2], [0xd5, 0x5e, 0x00], [0x1b, 0x1f, 0x24]] {
        assert!(count(&map, rgb) > 400, "{rgb:?}: {}", count(&map, rgb));
    }
    // The title is text, not boxes: neither empty nor full where it stands.
    let title = || (16..56).flat_map(|y| (32..600).map(move |x| (x, y)));
    let dark = title().filter(|&(x, y)| map.pixel(x, y).unwrap().red() < 128).count();
    assert!((1000..title().count() / 3).contains(&dark), "{dark}");
}

/// The tiny pipeline with figures of accuracy and of gain.
fn drawn() -> String {
    format!(
        "{PIPELINE}\n{}",
        r#"
[figure.sizes]
x = "size"
mean_rule = { teacher = "teacher", student = "nokd" }
series = [{ label = "all", points = [
  { x = 3, node = "teacher" },
  { x = 1, node = "nokd", paper = 50.0 },
  { x = 2, node = "assistant" },
] }]

[figure.gain]
x = "size"
title = "Gain"
series = [{ label = "small", points = [{ x = 1, node = "blkd", over = "nokd", paper = -1.5 }] }]

[figure.percent]
x = "size"
gain = "percent"
series = [{ label = "small", points = [{ x = 1, node = "blkd", over = "nokd", paper = 250 }] }]
"#
    )
}

#[test]
fn points_are_measured_gains_are_paired_and_the_rule_picks_the_nearest() {
    let workspace = Workspace::new();
    workspace.write("drawn.toml", drawn());
    let result = workspace.run(&["drawn.toml"]);
    let top1 = |node: &str| -> Vec<f64> {
        let rows = result["tables"][0]["rows"].as_array().unwrap().iter();
        let row = rows.map(|row| &row["ours"]).find(|ours| ours["node"] == node).unwrap();
        let seeds = row["seeds"].as_array().unwrap().iter();
        seeds.map(|seed| seed["metrics"]["top1"].as_f64().unwrap() * 100.0).collect()
    };
    let folder = workspace.path("out");
    let printed = workspace.ok(&["report", "drawn.toml", "--figures", "out"]);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let field = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();

    // Points stand in the order of x; the gain is taken seed by seed.
    let sizes = read("sizes.csv");
    let nodes: Vec<String> = sizes.lines().skip(1).map(|line| field(line, 2)).collect();
    assert_eq!(nodes, ["nokd", "assistant", "teacher", ""]);
    let gain = read("gain.csv");
    let line = gain.lines().nth(1).unwrap();
    let pairs: Vec<f64> = top1("blkd").iter().zip(top1("nokd")).map(|(a, b)| a - b).collect();
    let spread = Spread::of(&pairs).unwrap();
    let near = |at, want: f64| (field(line, at).parse::<f64>().unwrap() - want).abs() < 1e-9;
    assert!(near(4, spread.mean) && near(5, spread.std.unwrap()), "{line}");
    assert_eq!((field(line, 6).as_str(), field(line, 7).as_str()), ("2", "-1.5"));

    // In percent it is taken of what each seed exceeds.
    let percent = read("percent.csv");
    let line = percent.lines().nth(1).unwrap();
    let pairs = top1("blkd").into_iter().zip(top1("nokd"));
    let spread = Spread::of(&pairs.map(|(a, b)| (a - b) / b * 100.0).collect::<Vec<_>>()).unwrap();
    let near = |at, want: f64| (field(line, at).parse::<f64>().unwrap() - want).abs() < 1e-9;
    assert!(near(4, spread.mean) && near(5, spread.std.unwrap()), "{line}");
    assert_eq!((field(line, 11).as_str(), field(line, 7).as_str()), ("gain-percent", "250"));

    // The assistant is the only candidate; the last line is the mean of the other two.
    let picked: Vec<String> = sizes.lines().skip(1).map(|line| field(line, 10)).collect();
    assert_eq!(picked, ["false", "true", "false", ""]);
    let mean = |node: &str| Spread::of(&top1(node)).unwrap().mean;
    let drawn: f64 = field(sizes.lines().last().unwrap(), 4).parse().unwrap();
    assert!((drawn - (mean("teacher") + mean("nokd")) / 2.0).abs() < 1e-9);
    assert!(printed.contains("nearest to it is assistant"), "{printed}");

    for name in ["sizes", "gain", "percent"] {
        assert!(read(&format!("{name}.svg")).contains("<svg"));
        let png = fs::read(folder.join(format!("{name}.png"))).unwrap();
        assert!(Pixmap::decode_png(&png).is_ok());
    }
}

#[test]
fn the_rule_waits_for_every_candidate_and_takes_the_nearest() {
    let pipeline = parse(&drawn());
    let graph = Graph::new(&pipeline);
    let empty = tempfile::tempdir().unwrap();
    let report = {
        let store = Store::new(empty.path());
        Report::gather(&graph, &keys(&graph), &mut Entries::new(&store)).unwrap()
    };
    let figure = &report.figures[0];
    let rule = figure.rule.as_ref().unwrap();
    assert!(rule.mean.is_none() && rule.pick.is_none());
    assert!(figure.picture().svg().contains("the paper"), "its points are drawn all the same");
}

#[test]
fn a_pipeline_without_figures_says_so() {
    let workspace = Workspace::new();
    let output = workspace.takd(&["report", "tiny.toml", "--figures", "out"]);
    assert!(output.code == 0 && output.stderr.contains("[figure.NAME]"), "{output:?}");
    assert!(!workspace.path("out").exists());
}

#[test]
fn wrong_figures() {
    insta::assert_snapshot!(with(
        r#"
[eval.test]
of = ["teacher"]
[train.unmeasured]
net = "small"
data = "d"
recipe = "r"
[figure."a/b"]
x = "size"
series = []
[figure.b]
series = [{ label = "S", points = [] }, { label = 3, points = [{ x = 1 }] }, "c"]
[figure.c]
x = "size"
eval = "tset"
series = [{ label = "S", points = [{ x = 1, node = "teacher" }] }]
[figure.d]
x = "size"
series = [{ label = "S", points = [
  { x = 1, node = "techer", papr = 3 },
  { x = 2, node = "unmeasured", paper = 170 },
  { x = nan, over = "teacher", paper = 1 },
  { x = 3, node = "teacher", over = "teacher" },
  { x = 4, node = "teacher" },
] }]
mean_rule = { teacher = "teacher", student = "unmeasured" }
[figure.e]
x = "size"
gain = "percent"
series = [{ label = "S", points = [{ x = 1, node = "teacher" }] }]
mean_rule = { teacher = "teacher" }
"#
    ));
}

#[test]
fn wrong_figures_of_teachers() {
    insta::assert_snapshot!(with(
        r#"
[distill.twin]
net = "small"
teacher = "teacher"
objective = { kd = { temperature = 2.0, lambda = 0.5 } }
[distill.other]
net = "small"
teacher = "teacher"
objective = { kd = { temperature = 3.0, lambda = 0.5 } }
[eval.both]
of = ["teacher", "twin", "other"]
against = "teacher"
[figure.f]
eval = "both"
teachers = { metric = "fitted_temperature" }
series = [{ label = "S", points = [{ node = "twin", over = "teacher" }] }]
[figure.g]
eval = "both"
teachers = { metric = "entropy", eval = "tset" }
series = [{ label = "S", points = [{ node = "twin", over = "teacher" }] }]
[figure.h]
eval = "both"
teachers = { metric = "entropy" }
series = [
  { label = "S", points = [{ node = "[to][wt]*", over = "teacher" }] },
  { label = "T", points = [{ x = 1, node = "twin", over = "teacher" }, { node = "twin" }] },
  { label = "U", points = [{ node = "teacher", over = "teacher" }, { paper = 3 }] },
]
[figure.i]
eval = "both"
teachers = { metric = "sharp" }
series = [{ label = "S", points = [{ node = "twin", over = "teacher" }] }]
"#
    ));
}
