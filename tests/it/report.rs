//! The four formats of a report, from results that are made up here.

use crate::{keys::parse, workspace::PIPELINE};
use takd::{
    config::{Select, Split},
    graph::Graph,
    key::{Key, keys},
    metrics::Metrics,
    report::{Comparison, Format, OursRow, Paired, Report, Results, SeedResult, TableRow},
};

fn seed(seed: u64, key: Key, top1: Option<f64>) -> SeedResult {
    let metrics = top1.map(|top1| Metrics {
        top1,
        top5: (seed == 20).then_some(0.99),
        loss: 0.5,
        ece: 0.03,
        entropy: 0.25,
        entropy_at_temperature: 1.5,
        samples: 1000,
    });
    let (seconds, selected_epoch) = (metrics.as_ref().map(|_| 61.25), metrics.as_ref().map(|_| 7));
    let failed = false;
    SeedResult { seed, key, eval_key: key, metrics, seconds, selected_epoch, failed }
}

fn report() -> Report {
    let pipeline = parse(PIPELINE);
    let key = keys(&Graph::new(&pipeline))[0].1;
    let row = |label: &str, select, results: [Option<f64>; 2], paper| TableRow {
        label: label.to_owned(),
        paper,
        ours: Some(OursRow {
            node: "student".to_owned(),
            net: "plain2".to_owned(),
            parameters: 13_082,
            classes: 10,
            teaches: true,
            select: Some(select),
            seeds: [20, 31].into_iter().zip(results).map(|(s, top1)| seed(s, key, top1)).collect(),
        }),
    };
    let fair = Select::BestValidation;
    let rows = vec![
        row("teacher", fair, [Some(0.8725), Some(0.88)], Some(88.0)),
        row("a | \"b\", c_d", Select::BestTest, [Some(0.5), Some(0.52)], Some(50.0)),
        row("half", fair, [Some(0.5), None], None),
        row("nothing", fair, [None, None], Some(70.16)),
        TableRow { label: "FitNet".to_owned(), paper: Some(86.73), ours: None },
    ];
    let comparison = |differences: &[f64]| Comparison {
        label: "TAKD".to_owned(),
        node: "takd".to_owned(),
        baseline_label: "BLKD".to_owned(),
        baseline: "blkd".to_owned(),
        difference: Paired::of(differences),
    };
    let comparisons = [&[0.3, -0.2, 0.5][..], &[0.9, 1.0, 1.2], &[0.4], &[]];
    let comparisons = comparisons.map(comparison).to_vec();
    let table = Results {
        title: "Table 1, plain".to_owned(),
        split: Split::Test,
        note: Some("50.00 is 50.10 in a_text".to_owned()),
        paper_note: Some(
            "test accuracies of the best of 120 trials, chosen on the test set".to_owned(),
        ),
        rows,
        comparisons,
    };
    let other = Results {
        title: "other".to_owned(),
        split: Split::Validation,
        note: None,
        paper_note: Some("quoted nowhere".to_owned()),
        rows: vec![row("teacher", Select::Last, [Some(0.8725), Some(0.88)], None)],
        comparisons: Vec::new(),
    };
    Report { pipeline: "tiny".to_owned(), tables: vec![table, other], figures: Vec::new() }
}

#[test]
fn latex() {
    insta::assert_snapshot!(report().render(Format::Latex));
}

#[test]
fn latex_labels_are_written_so_that_they_compile() {
    let mut report = report();
    report.tables.truncate(1);
    let mut row = report.tables[0].rows.pop().unwrap();
    report.tables[0].rows.clear();
    row.label = String::new();
    for label in [
        "10 → 8 → 2, Δ = 0.3, τ = 4, λ ≤ ½",
        "\\ { } $ & # ^ _ ~ % < > | \"x\" *[1]",
        "[a]*, Ωμέγα, naïve Škoda, 网, tab\there",
    ] {
        report.tables[0].rows.push(TableRow { label: label.to_owned(), ..row.clone() });
    }
    let text = report.render(Format::Latex);
    let body = text.split("\\midrule\n").nth(1).unwrap().split("\\bottomrule").next().unwrap();
    let plain: String = body.chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(plain, "ïŠ", "only letters that LaTeX composes are left: {body}");
    insta::assert_snapshot!(body);
}

#[test]
fn text() {
    insta::assert_snapshot!(report().render(Format::Text));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(report().render(Format::Md));
}

#[test]
fn csv() {
    insta::assert_snapshot!(report().render(Format::Csv));
}

#[test]
fn json_holds_everything() {
    let value: serde_json::Value = serde_json::from_str(&report().render(Format::Json)).unwrap();
    assert_eq!(value["tables"][0]["rows"][0]["ours"]["seeds"][1]["metrics"]["top1"], 0.88);
    assert_eq!(value["tables"][0]["rows"][1]["ours"]["select"], "best-test");
}
