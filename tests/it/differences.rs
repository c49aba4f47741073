//! `takd diff`, and what a table says of TAKD against BLKD.

use crate::{
    keys::parse,
    workspace::{PIPELINE, Workspace, key},
};
use serde_json::Value;
use takd::{
    graph::Graph,
    key::keys,
    report::{Comparison, Entries, Report},
    store::Store,
};

const HARDER: (&str, &str) = ("lambda = 0.25", "lambda = 0.75");

/// A folder with [`PIPELINE`] and one in which the assistant differs, neither run yet.
fn two() -> Workspace {
    let workspace = Workspace::new();
    let changed = PIPELINE.replace(HARDER.0, HARDER.1).replace("[20, 31]", "[31, 20, 4]");
    workspace.write("changed.toml", changed);
    workspace
}

fn json(workspace: &Workspace, args: &[&str]) -> Value {
    serde_json::from_str(&workspace.ok(&[args, &["--json"]].concat())).unwrap()
}

fn node<'a>(diff: &'a Value, name: &str) -> &'a Value {
    diff["nodes"].as_array().unwrap().iter().find(|node| node["node"] == name).expect(name)
}

#[test]
fn pipelines_differ_in_fields_before_anything_has_run() {
    let text = two().ok(&["diff", "changed.toml", "--against", "tiny.toml"]);
    insta::assert_snapshot!(text);
}

#[test]
fn pipelines_differ_in_results_paired_by_seed() {
    let workspace = two();
    let (old, new) = (workspace.run(&["tiny.toml"]), workspace.run(&["changed.toml"]));
    let args = ["diff", "changed.toml", "--against", "tiny.toml"];
    let diff = json(&workspace, &args);
    assert_eq!(diff["seeds"], serde_json::json!([31, 20]), "common ones");
    assert_eq!(node(&diff, "test/blkd")["same"], true);
    let changed = node(&diff, "test/takd");
    let top1 = &changed["results"][0];
    let value = |run: &Value, seed: u64| -> f64 {
        let rows = run["tables"][0]["rows"].as_array().unwrap().iter();
        let ours = rows.map(|row| &row["ours"]).find(|ours| ours["node"] == "takd").unwrap();
        let mut seeds = ours["seeds"].as_array().unwrap().iter();
        let found = seeds.find(|found| found["seed"] == seed).unwrap();
        found["metrics"]["top1"].as_f64().unwrap() * 100.0
    };
    let mean = [20, 31].map(|seed| value(&new, seed) - value(&old, seed)).iter().sum::<f64>() / 2.0;
    let told = top1["difference"]["mean"].as_f64().unwrap();
    assert!((told - mean).abs() < 1e-9, "{told} {mean}");
    assert_eq!((&top1["metric"], &top1["difference"]["n"]), (&"top-1".into(), &2.into()));
    let text = workspace.ok(&args);
    assert!(text.contains("paired Student's t") && text.contains("calibration error: "), "{text}");

    let [old, new] = [&old, &new].map(|run| key(run, "test/takd@20").to_owned());
    let diff = json(&workspace, &["diff", &new[..12], "--against", &old]);
    assert_eq!((&diff["old"]["key"], &diff["new"]["key"]), (&old.clone().into(), &new.into()));
    assert!(diff["inputs"][0]["field"].as_str().unwrap().starts_with("parents."), "{diff}");
    let same = workspace.ok(&["diff", &old, "--against", &old]);
    assert!(same.ends_with("the same inputs\nthe same outcome\n"), "{same}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let workspace = Workspace::new();
    let other = PIPELINE.replace("[20, 31]", "[5]").replace("blkd", "direct");
    workspace.write("other.toml", other);
    let text = workspace.ok(&["diff", "other.toml", "--against", "tiny.toml"]);
    assert_eq!(
        text,
        "tiny.toml → other.toml\nonly in tiny.toml: blkd, test/blkd\nonly in other.toml: direct, \
         test/direct\nno seed is in both: nothing can be compared\n"
    );
    let missing = workspace.takd(&["diff", "0123abcd", "--against", "4567ef01"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(missing.stderr.contains("no entry's key starts with `4567ef01`"), "{missing:?}");
}

/// The comparisons of the one table of a pipeline, with nothing in the cache.
fn compared(text: &str) -> Vec<Comparison> {
    let pipeline = parse(text);
    let (graph, empty) = (Graph::new(&pipeline), tempfile::tempdir().unwrap());
    let report = {
        let store = Store::new(empty.path());
        Report::gather(&graph, &keys(&graph), &mut Entries::new(&store)).unwrap()
    };
    report.tables.into_iter().next().unwrap().comparisons
}

#[test]
fn an_assistants_student_is_compared_with_the_first_teachers_alike_one() {
    let pairs = |text: &str| -> Vec<(String, String)> {
        compared(text).into_iter().map(|found| (found.node, found.baseline)).collect()
    };
    let want = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    assert_eq!(pairs(PIPELINE), want(&[("takd", "blkd")]));
    // Of two that the teacher teaches, the one with the same objective; a longer chain counts too.
    let more = format!(
        "{PIPELINE}{}",
        r#"
[distill.a-cold]
net       = "small"
teacher   = "teacher"
objective = { kd = { temperature = 1.0, lambda = 0.5 } }

[distill.again]
net       = "middle"
teacher   = "assistant"
objective = { kd = { temperature = 4.0, lambda = 0.25 } }

[distill.far]
net       = "small"
teacher   = "again"
objective = { kd = { temperature = 1.0, lambda = 0.5 } }
"#
    );
    assert_eq!(pairs(&more), want(&[("takd", "blkd"), ("again", "assistant"), ("far", "a-cold")]));
    // Nothing to compare with: no student of the teacher itself is measured.
    let alone = PIPELINE.replace("of    = [\"*\"]", "of    = [\"takd\", \"nokd\"]");
    assert!(pairs(&alone).is_empty());
}

#[test]
fn a_table_tells_the_difference_over_the_seeds() {
    let workspace = Workspace::new();
    let result = workspace.run(&["tiny.toml"]);
    let told = &result["tables"][0]["comparisons"][0];
    assert_eq!((&told["node"], &told["baseline"]), (&"takd".into(), &"blkd".into()));
    assert_eq!(told["difference"]["n"], 2);
    let text = workspace.ok(&["report", "tiny.toml"]);
    assert!(
        text.contains("Δ: points over `blkd`, 1 comparison") && text.contains("Δ [95 % CI]"),
        "{text}"
    );
}
