//! How soft networks are: what an eval measures when it is asked, and the figure that sets a measure of
//! teachers against the gain of their students.

use crate::{
    keys::parse,
    workspace::{PIPELINE, Workspace},
};
use serde_json::Value;
use std::fs;
use takd::{graph::Graph, key::keys, statistics::Spread};

const NEW: [&str; 10] = [
    "fitted_temperature",
    "fitted_loss",
    "adaptive_ece",
    "wrong_probability",
    "wrong_variance",
    "inherent_variance",
    "logit_std",
    "logsumexp",
    "scratch_rho",
    "scratch_kl",
];

fn metrics<'a>(run: &'a Value, table: usize, node: &str) -> Vec<&'a Value> {
    let rows = run["tables"][table]["rows"].as_array().unwrap().iter();
    let ours = rows.map(|row| &row["ours"]).find(|ours| ours["node"] == node).unwrap();
    ours["seeds"].as_array().unwrap().iter().map(|seed| &seed["metrics"]).collect()
}

/// Evals of the test and the training images, and a figure of both teachers.
fn soft() -> String {
    let asked = "[eval.test]\nsoftness = true\nagreement = true\nagainst = \"nokd\"";
    PIPELINE.replace("[eval.test]", asked)
        + r#"
[eval.train]
of       = ["teacher", "assistant"]
split    = "train"
softness = true

[table.test]
eval    = "test"
columns = ["top1", "fitted_temperature", "wrong_variance", "scratch_rho", "scratch_kl", "teacher_kl"]

[table.train]
eval    = "train"
columns = ["wrong_probability", "inherent_variance", "logit_std", "logsumexp"]

[figure.entropy]
eval     = "test"
teachers = { metric = "entropy", eval = "train" }
series   = [{ label = "small", points = [{ node = "[bt][la]k[ld]*", over = "nokd" }] }]
"#
}

#[test]
fn softness_is_measured_and_set_against_the_gain() {
    let workspace = Workspace::new();
    let plain = workspace.run(&["tiny.toml"]);
    workspace.write("soft.toml", soft());
    let output = workspace.takd(&["run", "soft.toml"]);
    assert!(output.stderr.contains("trained 0, measured 14, reused 10, in "), "{}", output.stderr);
    let run = workspace.run(&["soft.toml"]);
    for node in ["teacher", "nokd", "blkd", "assistant", "takd"] {
        for (with, without) in metrics(&run, 0, node).into_iter().zip(metrics(&plain, 0, node)) {
            assert_eq!((&with["top1"], &with["entropy"]), (&without["top1"], &without["entropy"]));
            // Beside itself a network says nothing; of its own teacher it says as before.
            let beside = |name: &str| with[name] != Value::Null;
            assert_eq!(beside("scratch_kl"), node != "nokd", "{node}");
            assert_eq!(beside("teacher_kl"), !["teacher", "nokd"].contains(&node), "{node}");
            for name in NEW {
                assert!(without[name] == Value::Null, "{node} was not asked for {name}");
            }
            assert!(with["logsumexp"].as_f64().is_some(), "{node}");
            if let Some(fitted) = with["fitted_loss"].as_f64() {
                assert!(fitted <= with["loss"].as_f64().unwrap() + 1e-9, "{node}");
            }
        }
    }

    // Each student stands at its own teacher's entropy on the training images.
    let folder = workspace.path("out");
    let printed = workspace.ok(&["report", "soft.toml", "--figures", "out"]);
    let csv = fs::read_to_string(folder.join("entropy.csv")).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| lines[0].iter().position(|&head| head == name).unwrap();
    assert_eq!(lines.len(), 3, "{csv}");
    for line in &lines[1..] {
        let (teacher, node) = (line[column("teacher")], line[column("node")]);
        assert_eq!(teacher, if node == "takd" { "assistant" } else { "teacher" });
        let entropies = metrics(&run, 1, teacher);
        let entropies: Vec<f64> =
            entropies.iter().map(|metrics| metrics["entropy"].as_f64().unwrap()).collect();
        let x: f64 = line[column("x")].parse().unwrap();
        assert!((x - Spread::of(&entropies).unwrap().mean).abs() < 1e-9, "{csv}");
        assert_eq!((line[column("spearman_n")], line[column("spearman_p")]), ("2", ""));
    }
    let told = "small: 2 measured, too few for a rank correlation";
    assert!(printed.contains(told), "{printed}");
    let svg = fs::read_to_string(folder.join("entropy.svg")).unwrap();
    assert!(svg.contains(told) && svg.contains("teachers measured on the training split"), "{svg}");
    let page = workspace.ok(&["report", "soft.toml", "--format", "html"]);
    assert!(page.contains(told) && page.contains("fitted τ"));
    assert!(workspace.ok(&["why", "soft.toml", "test/takd"]).contains("takd"));
}

#[test]
fn a_key_holds_softness_where_it_is_asked() {
    let json = |text: &str| -> Vec<String> {
        let pipeline = parse(text);
        let graph = Graph::new(&pipeline);
        let keys = keys(&graph).into_iter().map(|(inputs, _)| inputs);
        let evals = keys.filter(|inputs| inputs.temperature.is_some());
        evals.map(|inputs| serde_json::to_string(&inputs).unwrap()).collect()
    };
    assert!(json(PIPELINE).iter().all(|inputs| !inputs.contains("softness")));
    let alone = PIPELINE.replace("[eval.test]", "[eval.test]\nsoftness = true");
    assert!(json(&alone).iter().all(|inputs| inputs.contains(r#""softness":"alone""#)));
    // What a network is set against and what taught it are both a second parent, and not the same.
    let with = |more: &str| {
        json(&PIPELINE.replace("[eval.test]", &format!("[eval.test]\nsoftness = true\n{more}")))
    };
    let against = with(r#"against = "teacher""#);
    let beside = with("agreement = true");
    assert!(!against.iter().any(|inputs| beside.contains(inputs) && !inputs.contains("alone")));
    assert_eq!(against.iter().filter(|inputs| inputs.contains("alone")).count(), 2, "itself");
}
