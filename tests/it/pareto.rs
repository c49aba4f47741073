//! Pareto figures: networks stand at what they take of a device, and the front is of those that nothing beats.

use crate::{
    errors::with,
    figures::figure,
    workspace::{PIPELINE, Workspace},
};
use serde_json::Value;
use std::fs;
use takd::{
    footprint::Footprint,
    report::{Front, Line, PointResult},
    statistics::Spread,
};

fn point(node: &str, x: Option<f64>, accuracy: Option<f64>) -> PointResult {
    PointResult {
        x,
        teacher: None,
        node: Some(node.to_owned()),
        over: None,
        ours: accuracy.and_then(|accuracy| Spread::of(&[accuracy])),
        missing: 0,
        test_selected: false,
        paper: None,
    }
}

fn lines() -> Vec<Line> {
    let line = |label: &str, points| Line { label: label.to_owned(), points };
    let one = vec![
        point("large", Some(9e5), Some(80.0)),
        point("tiny", Some(1e4), Some(60.0)),
        // As large as another and worse; larger and no better; alike in both.
        point("worse", Some(9e5), Some(79.0)),
        point("wasteful", Some(2e4), Some(60.0)),
        point("twin", Some(1e4), Some(60.0)),
    ];
    let other = vec![
        point("tiny", Some(1e4), Some(60.0)),
        point("middle", Some(1e5), Some(75.5)),
        point("dominated", Some(5e5), Some(75.0)),
        point("unmeasured", Some(1.0), None),
        point("untimed", None, Some(99.0)),
    ];
    vec![line("a", one), line("b", other)]
}

fn front(lines: &[Line]) -> Front {
    let points = lines.iter().flat_map(|line| &line.points);
    Front::of(Footprint::Parameters, points.filter_map(PointResult::network))
}

#[test]
fn the_front_is_of_the_networks_that_no_other_beats() {
    let front = front(&lines());
    let nodes: Vec<&str> = front.networks.iter().map(|on| &*on.node).collect();
    assert_eq!(nodes, ["tiny", "twin", "middle", "large"]);
    assert_eq!(front.untimed, 1);
}

#[test]
fn a_picture_has_the_front_and_its_names() {
    let mut figure = figure();
    (figure.lines, figure.rule) = (lines(), None);
    figure.front = Some(front(&figure.lines));
    let svg = figure.picture().svg();
    for name in ["tiny", "twin", "middle", "large"] {
        assert!(svg.contains(&format!(">{name}</text>")), "{name}: {svg}");
    }
    // Sizes that are far apart stand on a logarithmic axis.
    for tick in ["10 k", "100 k", "1 M"] {
        assert!(svg.contains(&format!(">{tick}</text>")), "{tick}: {svg}");
    }
    assert!(
        !svg.contains(">dominated</text>") && svg.contains("dashed: the Pareto front"),
        "{svg}"
    );
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    insta::assert_snapshot!(figure.csv());
    // Nothing is measured yet.
    for point in figure.lines.iter_mut().flat_map(|line| &mut line.points) {
        point.ours = None;
    }
    figure.front = Some(front(&figure.lines));
    let svg = figure.picture().svg();
    assert!(svg.contains("nothing in the cache yet") && !svg.contains("NaN"), "{svg}");
}

const FIGURES: &str = r#"
[figure.all]
pareto = "parameters"

[figure.some]
title  = "Some"
pareto = "size"
series = [{ label = "S", points = [{ node = "*kd" }, { node = "teacher" }] }]

[figure.time]
pareto = "latency"
series = [{ label = "S", points = [{ node = "nokd" }] }]
"#;

#[test]
fn networks_stand_where_tables_have_them() {
    let workspace = Workspace::new();
    let columns = "\n[table.t]\ncolumns = [\"top1\", \"parameters\", \"size\", \"latency\"]\n";
    workspace.run(&["tiny.toml"]);
    workspace.write("tiny.toml", format!("{PIPELINE}{FIGURES}"));
    let text = workspace.ok(&["report", "tiny.toml"]);
    let untimed = "1 network without a latency on this machine's CPU: `takd run` measures it";
    assert!(text.contains(untimed), "{text}");
    let run = workspace.takd(&["run", "tiny.toml"]);
    assert!(run.stderr.contains("measuring the latency of 1 network on one"), "{}", run.stderr);
    assert!(run.stderr.contains("trained 0, measured 0"), "keys stay: {}", run.stderr);
    workspace.write("tiny.toml", format!("{PIPELINE}{FIGURES}{columns}"));
    workspace.ok(&["run", "tiny.toml"]);
    let text = workspace.ok(&["report", "tiny.toml", "--format", "json", "--figures", "out"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let rows = report["tables"][0]["rows"].as_array().unwrap();
    let row = |node: &Value| {
        rows.iter().map(|row| &row["ours"]).find(|ours| ours["node"] == *node).unwrap()
    };
    let figures = report["figures"].as_array().unwrap();
    let points = |figure: usize| {
        let lines = figures[figure]["lines"].as_array().unwrap().iter();
        lines.flat_map(|line| line["points"].as_array().unwrap()).collect::<Vec<_>>()
    };
    for (figure, takes) in [(0, "parameters"), (1, "size")] {
        for point in points(figure) {
            let x = point["x"].as_f64().unwrap();
            assert_eq!(x, row(&point["node"])[takes].as_f64().unwrap(), "{point}");
        }
    }
    let time = points(2)[0];
    assert_eq!(time["x"], row(&time["node"])["latency"]["median"]);
    // Every measured network, by whether it had a teacher.
    let labels = figures[0]["lines"].as_array().unwrap().iter().map(|line| &line["label"]);
    assert_eq!(labels.collect::<Vec<_>>(), ["without a teacher", "distilled"]);
    assert_eq!(points(0).len(), rows.len());
    assert_eq!(figures[1]["front"]["takes"], "size");
    for name in ["all", "some", "time"] {
        let csv = fs::read_to_string(workspace.path(format!("out/{name}.csv"))).unwrap();
        let fronts = csv.lines().skip(1).filter(|line| line.ends_with(",true")).count();
        let number = figures.iter().position(|figure| figure["name"] == name).unwrap();
        let networks = figures[number]["front"]["networks"].as_array().unwrap().len();
        assert!(fronts >= 1 && fronts == networks, "{csv}");
    }
}

#[test]
fn wrong_pareto_figures() {
    insta::assert_snapshot!(with(
        r#"
[eval.test]
of = ["teacher"]
[train.unmeasured]
net = "small"
data = "d"
recipe = "r"
[figure.a]
pareto = "multiply_add"
[figure.b]
pareto = "parameters"
teachers = { metric = "entropy" }
series = [{ label = "S", points = [{ node = "teacher" }] }]
[figure.c]
pareto = "size"
gain = "points"
series = [{ label = "S", points = [
  { x = 3, node = "teacher" },
  { node = "teacher", over = "teacher", paper = 3 },
  { node = "unmeasured" },
  { node = "none*" },
  {},
] }]
"#
    ));
}
