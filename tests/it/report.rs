//! The formats of a report's tables, from results that are made up here.

use crate::{
    keys::parse,
    workspace::{PIPELINE, Workspace},
};
use takd::{
    column::Column,
    dataset::Split,
    graph::Graph,
    key::{Key, keys},
    metric::Metrics,
    pipeline::Adjust,
    recipe::Select,
    report::{
        Comparison, MeasuredRow, Report, Results, SeedResult, TableRow, Takes,
        render::{Contents, format},
    },
    statistics::Paired,
};

fn seed(seed: u64, key: Key, top1: Option<f64>) -> SeedResult {
    let metrics = top1.map(|top1| {
        let soft = [("entropy", 0.25), ("entropy_at_temperature", 1.5)];
        let values = [("top1", top1), ("loss", 0.5), ("ece", 0.03)].into_iter().chain(soft);
        let values: Vec<_> = values.chain((seed == 20).then_some(("top5", 0.99))).collect();
        Metrics::of(&values, 1000)
    });
    let (seconds, selected_epoch) = (metrics.as_ref().map(|_| 61.25), metrics.as_ref().map(|_| 7));
    let failed = false;
    let answers = None;
    SeedResult { seed, key, eval_key: key, metrics, seconds, selected_epoch, answers, failed }
}

fn report() -> Report {
    let pipeline = parse(PIPELINE);
    let key = keys(&Graph::new(&pipeline))[0].1;
    let row = |label: &str, select, results: [Option<f64>; 2], paper| TableRow {
        label: label.to_owned(),
        paper,
        ours: Some(MeasuredRow {
            node: "student".to_owned(),
            net: "plain2".to_owned(),
            parameters: 13_082,
            multiply_adds: 1_234_567,
            takes: Takes::default(),
            answers: None,
            classes: 10,
            teaches: true,
            steps: Some(1_000),
            objective: (label == "half").then(|| "kd".to_owned()),
            select: Some(select),
            searched: None,
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
    let comparison = |row: usize, differences: &[f64]| Comparison {
        row,
        label: "TAKD".to_owned(),
        node: "takd".to_owned(),
        baseline_label: "BLKD".to_owned(),
        baseline: "blkd".to_owned(),
        difference: Paired::of(differences),
        adjusted_p: None,
        seeds_to_see: None,
    };
    let mut comparisons = vec![
        comparison(0, &[0.3, -0.2, 0.5]),
        comparison(1, &[0.9, 1.0, 1.2]),
        comparison(2, &[0.4]),
        comparison(3, &[]),
    ];
    Comparison::adjust(&mut comparisons, Adjust::Holm);
    let table = Results {
        title: "Table 1, plain".to_owned(),
        split: Split::Test,
        note: Some("50.00 is 50.10 in a_text".to_owned()),
        paper_note: Some(
            "test accuracies of the best of 120 trials, chosen on the test set".to_owned(),
        ),
        columns: Column::usual(),
        classes: Vec::new(),
        uncounted: Vec::new(),
        rows,
        adjust: Adjust::Holm,
        comparisons,
    };
    let other = Results {
        title: "other".to_owned(),
        split: Split::Validation,
        note: None,
        paper_note: Some("quoted nowhere".to_owned()),
        columns: Column::usual(),
        classes: Vec::new(),
        uncounted: Vec::new(),
        rows: vec![row("teacher", Select::Last, [Some(0.8725), Some(0.88)], None)],
        adjust: Adjust::None,
        comparisons: Vec::new(),
    };
    let (figures, searches, choices) = (Vec::new(), Vec::new(), Vec::new());
    Report { pipeline: "tiny".to_owned(), tables: vec![table, other], figures, searches, choices }
}

fn render(report: &Report, name: &str) -> String {
    let pipeline = parse(PIPELINE);
    let graph = Graph::new(&pipeline);
    format(name).unwrap().render(&Contents { graph: &graph, report, nodes: &[] })
}

#[test]
fn a_table_shows_the_columns_that_it_asks_for() {
    let workspace = Workspace::new();
    let table = "[table.all]\ncolumns = [\"multiply_adds\", \"ece\", \"top1\", \"entropy\"]\n";
    workspace.write("tiny.toml", format!("{PIPELINE}{table}"));
    workspace.run(&["tiny.toml"]);
    let report = |format| workspace.ok(&["report", "tiny.toml", "--format", format]);
    let heads = ["network", "multiply-adds", "calibration error %", "accuracy %", "entropy"];
    let text = report("text");
    let line = text.lines().nth(1).unwrap();
    assert_eq!(
        line.split("  ").map(str::trim).filter(|head| !head.is_empty()).collect::<Vec<_>>(),
        heads
    );
    assert!(text.starts_with("all: on the test split"), "{text}");
    let row = report("md").lines().find(|line| line.starts_with("| teacher")).unwrap().to_owned();
    assert!(row.matches(" ± ").count() == 3 && row.matches('|').count() == 6, "{row}");
    for format in ["latex", "html"] {
        assert!(report(format).contains("multiply-adds"), "{format}");
    }
    for (columns, told) in
        [("[\"top2\"]", "unknown word `top2`"), ("[\"ece\", \"ece\"]", "`ece` stands there twice")]
    {
        workspace.write("tiny.toml", format!("{PIPELINE}[table.all]\ncolumns = {columns}\n"));
        let output = workspace.takd(&["check", "tiny.toml"]);
        assert!(output.code == 3 && output.stderr.contains(told), "{}", output.stderr);
    }
}

/// 61.25 s by 1,000 steps; the row "half" learns by `kd`.
#[test]
fn a_steps_time_is_told_beside_plain_kds() {
    let mut report = report();
    let wanted = |column: &Column| ["step", "cost"].contains(&column.name());
    report.tables[0].columns = Column::all().into_iter().filter(wanted).collect();
    if let Some(ours) = &mut report.tables[0].rows[0].ours {
        ours.steps = Some(500);
    }
    let text = render(&report, "md");
    let row = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(row("| network").contains("| ms a step | step / KD's |"), "{text}");
    assert!(row("| teacher").contains("| 122.5 | 2.00 |"), "{text}");
    assert!(row("| half").contains("| 61.2 | 1.00 |"), "{text}");
    assert!(row("| nothing").contains("| – | – |"), "{text}");
    // Without a row by `kd` there is nothing to set it beside.
    for row in &mut report.tables[0].rows {
        row.ours.iter_mut().for_each(|ours| ours.objective = None);
    }
    assert!(render(&report, "md").contains("| 122.5 | – |"));
}

#[test]
fn the_ending_of_a_file_names_its_format() {
    let workspace = Workspace::new();
    for (file, args, start) in [
        ("table.md", &[][..], "**test: top-1"),
        ("table.TEX", &[], "% test: top-1"),
        ("table", &[], "test: top-1"),
        ("table.csv", &["--format", "json"], "{\n"),
        ("page.html", &[], "<!DOCTYPE html>"),
    ] {
        workspace.ok(&[&["report", "tiny.toml", "-o", file], args].concat());
        let text = std::fs::read_to_string(workspace.path(file)).unwrap();
        assert!(text.starts_with(start), "{file}: {text}");
    }
    let output = workspace.takd(&["report", "tiny.toml", "--format", "pdf"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("text, md, latex, csv, json, html"), "{}", output.stderr);
}

#[test]
fn latex() {
    insta::assert_snapshot!(render(&report(), "latex"));
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
    let text = render(&report, "latex");
    let body = text.split("\\midrule\n").nth(1).unwrap().split("\\bottomrule").next().unwrap();
    let plain: String = body.chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(plain, "ïŠ", "only letters that LaTeX composes are left: {body}");
    insta::assert_snapshot!(body);
}

#[test]
fn text() {
    insta::assert_snapshot!(render(&report(), "text"));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(render(&report(), "md"));
}

#[test]
fn csv() {
    insta::assert_snapshot!(render(&report(), "csv"));
}

#[test]
fn json_holds_everything() {
    let value: serde_json::Value = serde_json::from_str(&render(&report(), "json")).unwrap();
    assert_eq!(value["tables"][0]["rows"][0]["ours"]["seeds"][1]["metrics"]["top1"], 0.88);
    assert_eq!(value["tables"][0]["rows"][1]["ours"]["select"], "best-test");
}

#[test]
fn a_difference_stands_in_its_row_and_what_it_is_below() {
    let mut report = report();
    let notes = |report: &Report| render(report, "text").replace("\n  ", " ");
    let text = notes(&report);
    assert!(text.contains("  Δ [95 % CI]  ") && text.contains("+1.03 [+0.65, +1.41]*"), "{text}");
    // Holm: 0.0072 counts twice; the first one's p is 0.44, so 0.5 points take more seeds.
    let want = "Δ: points over `BLKD`, 3 comparisons; [ ]: the 95 % interval";
    assert!(text.contains(want) && text.contains("adjusted over 2 by Holm (1979)"), "{text}");
    assert!(text.contains("to see 0.5 points takes about 7 seeds"), "{text}");
    assert!(text.contains("[–]: one seed, or no spread, gives no interval"), "{text}");
    for (how, told) in
        [(Adjust::Bh, "adjusted over 2 by Benjamini"), (Adjust::None, "not adjusted")]
    {
        report.tables[0].adjust = how;
        assert!(notes(&report).contains(told), "{how:?}");
    }
    // Who asks for other columns has none of it; a table that compares nothing has no column of it.
    report.tables[0].columns = Column::all().into_iter().take(1).collect();
    let text = notes(&report);
    assert!(!text.contains('Δ'), "{text}");
}

#[test]
fn a_table_says_how_its_comparisons_are_adjusted() {
    let adjusted = |text: &str| parse(&format!("{PIPELINE}[table.all]\n{text}")).tables[0].adjust;
    assert_eq!(adjusted(""), Adjust::Holm);
    assert_eq!(adjusted("adjust = \"bh\""), Adjust::Bh);
    assert_eq!(adjusted("adjust = \"none\""), Adjust::None);
    let workspace = Workspace::new();
    workspace.write("tiny.toml", format!("{PIPELINE}[table.all]\nadjust = \"bonferroni\"\n"));
    let output = workspace.takd(&["check", "tiny.toml"]);
    assert!(output.code == 3 && output.stderr.contains("unknown word `bonferroni`"), "{output:?}");
}
