//! What the documents say is true.

use crate::{
    keys::{parse_preset, parse_with},
    tiny,
};
use std::{collections::BTreeSet, fs, path::Path};
use takd::{
    console::exit,
    dataset::{DataInfo, Format},
    graph::Graph,
    key::{Kind, keys},
    pipeline::Pipeline,
    plan::{Known, Plan},
    shape::Shape,
};

const README: &str = include_str!("../../README.md");

#[test]
fn the_book_has_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> =
        summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let names = fs::read_dir(&docs).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    let pages = names.iter().filter(|name| name.ends_with(".md") && *name != "SUMMARY.md");
    assert_eq!(listed, pages.map(String::as_str).collect());
}

#[test]
fn the_manuals_rust_is_the_examples() {
    let manual = include_str!("../../docs/export.md");
    let example = include_str!("../../examples/predict_onnx.rs");
    let code = manual.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let (uses, function) = code.split_once("///").unwrap();
    assert!(example.contains(uses.trim()) && example.ends_with(function), "{code}");
}

#[test]
fn the_readmes_pipeline_is_one() {
    let text = README.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let found = parse_with(text, &page_probe);
    let pipeline = found.unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = pipeline.nodes.iter().map(|node| &*node.name).collect();
    for name in ["ta/plain2", "ta/plain2-small", "ta/small", "test/ta/small"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

#[test]
fn the_readmes_exit_codes_are_the_constants() {
    let table = README.split("| exit code | meaning |").nth(1).unwrap();
    let codes: Vec<u8> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.split(" |").next()?.trim().parse().ok())
        .collect();
    let constants = [
        exit::OK,
        exit::FAILED,
        exit::USAGE,
        exit::PIPELINE,
        exit::CACHE,
        exit::TIME_LIMIT,
        exit::BUG,
        exit::INTERRUPTED,
        exit::TERMINATED,
    ];
    assert_eq!(codes, constants);
}

#[test]
fn the_quickstart_is_free_of_errors() {
    let text = include_str!("../../pipelines/quickstart.toml");
    let probe = |format: &Format| format.probe().map_err(|error| error.to_string());
    let pipeline = parse_with(text, &probe).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((pipeline.seeds.len(), pipeline.nodes.len()), (2, 10));
}

/// What the data sets of the page on the language would be, if they were here.
pub fn page_probe(format: &Format) -> Result<DataInfo, String> {
    let tiny = tiny::info();
    let (shape, classes, train, test) = match (format.path(), format.known(), format.fit()) {
        (None, ..) => return format.probe().map_err(|error| error.to_string()),
        (_, Some(DataInfo { shape, classes, train, test, .. }), _) => (shape, classes, train, test),
        (_, None, Some(fit)) => {
            let side = fit.size as usize;
            (Shape { channels: 3, height: side, width: side }, 1000, 1_281_167, 50_000)
        }
        (_, None, None) => (tiny.shape, 10, 60_000, 10_000),
    };
    Ok(DataInfo { shape, classes, train, test, ..tiny })
}

/// A file of `pipelines`, as if the data sets were there.
pub fn paper(name: &str, preset: Option<&str>) -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name);
    let text = fs::read_to_string(path).unwrap();
    parse_preset(&text, preset, &page_probe).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

#[test]
fn all_paths_need_one_teacher_fifteen_distillations_and_four_scratch_trainings_a_seed() {
    let pipeline = paper("multistep.toml", None);
    let graph = Graph::new(&pipeline);
    let all: Vec<usize> = (0..graph.tasks.len()).collect();
    let plan = Plan::new(&graph, keys(&graph), &Known::default(), &all, &[]);
    let count = |kind| plan.running().filter(|step| step.inputs.kind == kind).count();
    assert_eq!((count(Kind::Train), count(Kind::Distill)), (3 * (1 + 4), 3 * 15));
    assert_eq!(plan.distillations(), (3 * 15, 3 * 20));
    // One after another, each path would train all its nets: 20 distillations.
    let students = pipeline.nodes.iter().filter(|node| node.kind() == "distill");
    let ends = students.filter(|node| node.name.ends_with("plain2"));
    let steps: Vec<usize> = ends.map(|node| node.name.matches("plain").count()).collect();
    assert_eq!((steps.len(), steps.iter().sum::<usize>()), (8, 20));
}

#[test]
fn the_papers_numbers_are_quoted() {
    let quoted = |name: &str| -> BTreeSet<String> {
        let pipeline = paper(name, None);
        let rows = pipeline.tables.iter().flat_map(|table| &table.rows);
        rows.filter_map(|row| row.paper).map(|paper| format!("{paper:.2}")).collect()
    };
    let plotted = |name: &str| -> BTreeSet<String> {
        let pipeline = paper(name, None);
        let lines = pipeline.figures.iter().flat_map(|figure| &figure.series);
        let points = lines.flat_map(|line| &line.points);
        points.filter_map(|point| point.paper).map(|paper| format!("{paper:.2}")).collect()
    };
    // What Table 1 tells of the figures: BLKD; its gain over NoKD in percent of NoKD, (72.57 − 70.16) / 70.16
    // and (44.57 − 41.09) / 41.09; NoKD of plain networks and of ResNets.
    for (name, values) in [
        ("teacher-size.toml", "72.57 44.57"),
        ("student-size.toml", "3.43 8.47"),
        ("mean-rule.toml", "70.16 41.09 88.52 61.37"),
    ] {
        let want: BTreeSet<String> = values.split(' ').map(str::to_owned).collect();
        assert_eq!(plotted(name), want, "{name}");
    }
    for (name, values) in [
        ("vgg.toml", "70.16 72.57 73.51 41.09 44.57 44.92 72.75 73.15 44.28"),
        ("resnet.toml", "88.52 88.65 88.98 61.37 61.41 61.82 88.70 88.73 88.90 61.47 61.55 61.50"),
        ("imagenet.toml", "65.20 66.60 67.36"),
        ("multistep.toml", "41.09 44.57 44.28 44.92"),
        ("teacher-size.toml", "72.57 44.57"),
        ("student-size.toml", "70.16 72.57 41.09 44.57"),
        ("mean-rule.toml", "70.16 41.09 88.52 61.37"),
        (
            "other-methods.toml",
            "86.02 86.66 86.73 86.86 87.07 87.32 87.71 88.01 89.11 89.75 89.72 89.84 89.92 90.34 90.54 91.23",
        ),
        (
            "crd.toml",
            "72.34 74.31 79.42 69.06 71.14 72.50 70.66 70.67 73.08 73.33 69.21 68.99 71.06 73.50 70.55 70.22 \
             72.31 73.44 69.67 70.04 72.69 72.94 69.61 69.25 71.82 71.90 71.75 71.65 73.69 76.31 71.97 74.11 \
             76.32 71.92 71.67 74.13 76.06 71.43 71.48 74.17 76.62",
        ),
    ] {
        let want: BTreeSet<String> = values.split(' ').map(str::to_owned).collect();
        assert_eq!(quoted(name), want, "{name}");
    }
}

/// Node names of a table's rows that have a published value, by it.
fn beside(name: &str, table: &str, paper_value: f64) -> String {
    let pipeline = paper(name, None);
    let tables = pipeline.tables.iter().filter(|found| found.title.contains(table));
    let mut rows = tables.flat_map(|table| &table.rows);
    let row = rows.find(|row| row.paper == Some(paper_value)).unwrap();
    pipeline.nodes[row.measured.unwrap().node].name.clone()
}

#[test]
fn the_assistants_of_the_comparison_are_the_papers() {
    assert_eq!(beside("other-methods.toml", "ResNet-8,", 88.01), "ta/resnet14a-resnet8a");
    assert_eq!(beside("other-methods.toml", "ResNet-14,", 91.23), "ta/resnet20a-resnet14a");
}

#[test]
fn whatever_quotes_says_what_the_quoted_numbers_are() {
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let pipeline = paper(&name, None);
        let quotes =
            pipeline.tables.iter().flat_map(|table| &table.rows).any(|r| r.paper.is_some());
        assert_eq!(quotes, pipeline.paper_note.is_some(), "{name}");
    }
}

#[test]
fn the_papers_contradictions_are_noted() {
    for (name, title, words) in [
        ("resnet.toml", "Table 1, ResNet, CIFAR-10 ", "88.90 in Table 3"),
        ("resnet.toml", "Table 3, ResNet, CIFAR-10:", "88.98 in Table 1"),
        ("vgg.toml", "Table 2, plain, CIFAR-100:", "below its BLKD"),
        ("multistep.toml", "student 2", "below its 10 → 2"),
    ] {
        let pipeline = paper(name, None);
        let table = pipeline.tables.iter().find(|table| table.title.contains(title)).unwrap();
        let note = table.note.as_deref().unwrap_or_default();
        assert!(note.contains(words), "{name}, {title}: {note}");
    }
}
