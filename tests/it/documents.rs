//! What the documents say is true.

use crate::{keys::parse_with, tiny};
use takd::{commands::exit, config::DataInfo};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readmes_pipeline_is_one() {
    let text = README.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut shape = tiny::info().shape;
    (shape.height, shape.width) = (28, 28);
    let probe =
        |_: &_| Ok(DataInfo { shape, classes: 10, train: 60_000, test: 10_000, ..tiny::info() });
    let pipeline = parse_with(text, &probe).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = pipeline.nodes.iter().map(|node| &*node.name).collect();
    for name in ["student0.1", "student0.9", "ta/plain8-plain2", "ta/plain2", "test/ta/plain8"] {
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
    let constants =
        [exit::OK, exit::FAILED, exit::USAGE, exit::PIPELINE, exit::CACHE, exit::INTERRUPTED];
    assert_eq!(codes, constants);
}

#[test]
fn the_quickstart_is_free_of_errors() {
    let text = include_str!("../../pipelines/quickstart.toml");
    let probe = |format: &_| takd::data::probe(format).map_err(|error| error.to_string());
    let pipeline = parse_with(text, &probe).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((pipeline.seeds.len(), pipeline.nodes.len()), (2, 10));
}
