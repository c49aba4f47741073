//! The four formats of a report, from results that are made up here.

use crate::{keys::parse, workspace::PIPELINE};
use takd::{
    config::{Select, Split},
    graph::Graph,
    key::{Key, keys},
    metrics::Metrics,
    report::{Format, OursRow, Report, Results, SeedResult, TableRow},
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
    SeedResult { seed, key, eval_key: key, metrics, seconds, selected_epoch }
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
    let table = Results { title: "Table 1, plain".to_owned(), split: Split::Test, rows };
    let other = Results {
        title: "other".to_owned(),
        split: Split::Validation,
        rows: vec![row("teacher", Select::Last, [Some(0.8725), Some(0.88)], None)],
    };
    Report { pipeline: "tiny".to_owned(), tables: vec![table, other] }
}

#[test]
fn latex() {
    insta::assert_snapshot!(report().render(Format::Latex));
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
