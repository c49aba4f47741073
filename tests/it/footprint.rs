//! What a network takes of a device: each number is that of the file, or of the clock, that it speaks of.

use crate::workspace::{PIPELINE, Workspace};
use burn::tensor::Device;
use prost::Message;
use safetensors::SafeTensors;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};
use takd::{
    architecture::Architecture,
    kinds::Kinds,
    network::{BUILTIN, Network, builtin},
    node::write_weights,
    onnx::{Pixels, quantised},
    shape::Shape,
};
use tract_onnx::pb::ModelProto;

fn of(layers: &[String], shape: Shape, classes: usize) -> Architecture {
    Architecture::read(layers, shape, classes, &Kinds::default()).unwrap()
}

#[test]
fn the_size_is_that_of_the_weights_as_safetensors() {
    let shape = Shape { channels: 3, height: 32, width: 32 };
    let mut seen = 0;
    for name in BUILTIN.into_iter().filter(|name| !name.starts_with("imagenet")) {
        let net = of(&builtin(name, 10).unwrap(), shape, 10);
        let network = Network::init(&net, 1, &Device::flex());
        let file = write_weights(&network.save()).unwrap();
        assert_eq!(net.size(), file.len(), "{name}");
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn the_size_in_int8_is_that_of_the_quantised_graph() {
    let shape = Shape { channels: 3, height: 32, width: 32 };
    let image = vec![0.5; shape.size()];
    for name in ["plain2", "resnet8", "mobilenetv2-half", "shufflenetv2"] {
        let net = of(&builtin(name, 10).unwrap(), shape, 10);
        let network = Network::init(&net, 1, &Device::flex());
        let pixels = Pixels::Raw { mean: vec![0.5; 3], std: vec![0.25; 3] };
        let graph = network.onnx(&net, &pixels, true, &BTreeMap::new()).unwrap();
        assert_eq!(net.size_int8(), Some(quantised(&graph, &image).unwrap().len()), "{name}");
    }
}

const TABLE: &str = r#"
[table.sizes]
columns = ["parameters", "size", "size_int8", "top1"]
rows    = ["teacher", "nokd"]
"#;

/// The fields of a table's row in JSON, of the node.
fn row(report: &Value, node: &str) -> Value {
    let tables = report["tables"].as_array().unwrap().iter();
    let mut rows = tables.flat_map(|table| table["rows"].as_array().unwrap());
    rows.find(|row| row["ours"]["node"] == node).unwrap()["ours"].clone()
}

fn json(workspace: &Workspace) -> Value {
    let text = workspace.ok(&["report", "tiny.toml", "--format", "json"]);
    serde_json::from_str(&text).unwrap()
}

/// What is written has the card on top: node, key, layers, classes, mean and deviation.
#[test]
fn sizes_are_those_of_exported_files_without_their_cards() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", format!("{PIPELINE}{TABLE}"));
    workspace.run(&["tiny.toml"]);
    let report = json(&workspace);
    for node in ["teacher", "nokd"] {
        let row = row(&report, node);
        let export = |file: &str, int8: &[&str]| {
            let name = format!("{node}@20");
            workspace.ok(&[&["export", "tiny.toml", &name, "-o", file], int8].concat());
            fs::read(workspace.path(file)).unwrap()
        };
        let labelled = export("x.safetensors", &[]);
        let views = SafeTensors::deserialize(&labelled).unwrap();
        assert!(SafeTensors::read_metadata(&labelled).unwrap().1.metadata().is_some());
        let bare = safetensors::serialize(views.tensors(), None).unwrap();
        assert_eq!(row["size"], bare.len(), "{node}");
        let mut model = ModelProto::decode(&*export("x.onnx", &["--int8"])).unwrap();
        assert!(!model.metadata_props.is_empty());
        model.metadata_props.clear();
        assert_eq!(row["size_int8"], model.encode_to_vec().len(), "{node}");
        assert_eq!(row.get("latency"), None, "it was not asked for");
    }
    let text = workspace.ok(&["report", "tiny.toml"]);
    assert!(text.contains("size kB") && text.contains("int8 kB"), "{text}");
    assert!(text.contains("8 bits as ONNX; 1 kB is"), "{text}");
}

const TIMED: &str = r#"
[table.times]
columns = ["top1", "latency", "images_per_second"]
rows    = ["teacher", "nokd", "blkd"]
"#;

fn latencies(workspace: &Workspace) -> Vec<PathBuf> {
    let files = fs::read_dir(workspace.path("cache/latency")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn latency_is_measured_once_for_a_network_on_a_machine() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    workspace.write("tiny.toml", format!("{PIPELINE}{TIMED}"));
    // A report does not measure: it says who does.
    let text = workspace.ok(&["report", "tiny.toml"]);
    assert!(text.contains("3 rows without a latency on this machine's CPU: `takd run`"), "{text}");
    assert!(!workspace.path("cache/latency").exists());
    // What is not asked for is not measured.
    let first = workspace.takd(&["run", "tiny.toml", "test/nokd"]);
    assert!(first.stderr.contains("latency of 1 network on one thread of"), "{}", first.stderr);
    assert!(first.stderr.contains("small: ") && !first.stderr.contains("large: "));
    fs::remove_dir_all(workspace.path("cache/latency")).unwrap();
    let run = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("trained 0, measured 0"), "keys stay: {}", run.stderr);
    let told = "measuring the latency of 2 networks on one thread of ";
    assert!(run.stderr.contains(told), "two networks, three rows: {}", run.stderr);
    assert!(run.stderr.contains("large: ") && run.stderr.contains(" ms an image (quartiles "));
    let files = latencies(&workspace);
    assert_eq!(files.len(), 2);
    let again = workspace.takd(&["run", "tiny.toml"]);
    assert!(!again.stderr.contains("latency"), "{}", again.stderr);
    assert_eq!((again.stdout, latencies(&workspace)), (run.stdout, files.clone()));
    let report = json(&workspace);
    let [nokd, blkd] = ["nokd", "blkd"].map(|node| row(&report, node)["latency"].clone());
    assert_eq!(nokd, blkd, "they are one network");
    assert!(nokd["median"].as_f64().unwrap() > 0.0 && nokd["passes"].as_u64().unwrap() >= 11);
    // images/s are 1,000 over the milliseconds.
    let csv = workspace.ok(&["report", "tiny.toml", "--format", "csv"]);
    let mut lines = csv.lines();
    let heads: Vec<&str> = lines.next().unwrap().split(',').collect();
    let fields: Vec<&str> = lines.next().unwrap().split(',').collect();
    let field = |name: &str| {
        let place = heads.iter().position(|head| *head == name).unwrap();
        fields[place].parse::<f64>().unwrap()
    };
    assert!((field("images_per_second") * field("latency") - 1e3).abs() < 1e-6, "{csv}");
    // What another kind of CPU took is not this one's, and neither is a file that cannot be read.
    for (file, text) in files.iter().zip(["{", r#"{"cpu":"another"}"#]) {
        fs::write(file, text).unwrap();
    }
    let text = workspace.ok(&["report", "tiny.toml"]);
    assert!(text.contains("3 rows without a latency"), "{text}");
    let run = workspace.takd(&["run", "tiny.toml"]);
    assert!(run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn a_latency_that_cannot_be_kept_fails_nothing() {
    let workspace = Workspace::new();
    workspace.write("tiny.toml", format!("{PIPELINE}{TIMED}"));
    workspace.run(&["tiny.toml"]);
    for file in latencies(&workspace) {
        fs::remove_file(&file).unwrap();
        fs::create_dir_all(file.join("in the way")).unwrap();
    }
    let run = workspace.takd(&["run", "tiny.toml"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("the latency is not kept: cannot write"), "{}", run.stderr);
    assert!(run.stdout.contains("3 rows without a latency"), "{}", run.stdout);
}
