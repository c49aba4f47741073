//! Weights come in from PyTorch's files and go out to PyTorch.

use crate::{
    pytorch::Golden,
    workspace::{PIPELINE, Workspace},
};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use std::{collections::BTreeMap, fs, path::Path, process::Command};
use takd::{network::NamedTensor, node::read_weights, pytorch::read_state_dict};

const ZIP: &[u8] = include_bytes!("../golden/zip.pt");
const LEGACY: &[u8] = include_bytes!("../golden/legacy.th");

fn by_name(tensors: Vec<NamedTensor>) -> BTreeMap<String, NamedTensor> {
    tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect()
}

#[test]
fn both_formats_give_the_tensors_that_were_saved() {
    let want = by_name(Golden::read().state("saved"));
    assert_eq!(by_name(read_state_dict(ZIP).unwrap()), want);
    // The older file holds 16-bit numbers, under other names, inside a checkpoint.
    let got = by_name(read_state_dict(LEGACY).unwrap());
    assert!(got.keys().eq(want.keys()), "{:?}", got.keys());
    for (got, want) in got.values().zip(want.values()) {
        assert_eq!(got.shape, want.shape);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= b.abs() * 1e-3 + 1e-6;
        assert!(got.values.iter().zip(&want.values).all(near), "{}", got.name);
    }
}

#[test]
fn files_cut_short_are_errors() {
    for (bytes, name) in [(ZIP, "zip"), (LEGACY, "legacy")] {
        for length in (0..bytes.len()).step_by(97) {
            assert!(read_state_dict(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..Default::default() })]

    #[test]
    fn no_bytes_panic(
        start in prop::sample::select(vec![ZIP, LEGACY, &[]]),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        tail in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut bytes = [start, &tail].concat();
        for (place, byte) in places {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let _ = read_state_dict(&bytes);
    }
}

/// A teacher from a file instead of a training, on images that it fits.
fn imported(net: &str) -> Workspace {
    let workspace = Workspace::new();
    let text = PIPELINE
        .replace(
            "[train.teacher]\nnet    = \"large\"\ndata   = \"bars\"\nrecipe = \"short\"",
            "[train.teacher]\nnet = \"large\"\ndata = \"bars\"\nweights = \"teacher.safetensors\"",
        )
        .replace("teacher   = \"teacher\"", "teacher   = \"teacher\"\nrecipe = \"short\"")
        .replace("[\"conv6\", \"maxpool\", \"fc8\", \"fc3\"]", net);
    workspace.write("imported.toml", text);
    workspace
}

#[test]
fn an_exported_network_comes_back_as_a_teacher() {
    let workspace = imported("[\"conv6\", \"maxpool\", \"fc8\", \"fc3\"]");
    workspace.run(&["tiny.toml"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "teacher.safetensors"]);
    let again = workspace.trained(&["imported.toml"]);
    // Imported once, whatever the seeds; its logits are those of the trained one.
    assert_eq!(
        again,
        ["teacher@20", "blkd@20", "blkd@31", "assistant@20", "assistant@31", "takd@20", "takd@31"]
    );
    let result = workspace.run(&["imported.toml"]);
    assert_eq!(result["trained"], 0);
    let top1 = |result: &serde_json::Value, row: usize| {
        result["tables"][0]["rows"][row]["ours"]["seeds"][0]["metrics"]["top1"].clone()
    };
    let trained = workspace.run(&["tiny.toml"]);
    assert_eq!(top1(&result, 0), top1(&trained, 0));
    assert_eq!(
        workspace.takd(&["export", "tiny.toml", "teacher", "-o", "x.safetensors"]).code,
        2,
        "two seeds"
    );
    assert_eq!(workspace.takd(&["export", "tiny.toml", "te*@20", "-o", "x.safetensors"]).code, 0);
}

#[test]
fn an_export_says_what_whoever_uses_it_has_to_know() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "teacher", "test/teacher"]);
    let words = |name: &str| {
        let bytes = fs::read(workspace.path(name)).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let found = header.metadata().clone().unwrap();
        let word = |name: &str| found.get(name).cloned().unwrap_or_default();
        ["format", "node", "classes", "input", "layers", "parameters"].map(word)
    };
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "a.safetensors"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "b.safetensors"]);
    let same =
        ["a", "b"].map(|name| fs::read(workspace.path(format!("{name}.safetensors"))).unwrap());
    assert!(same[0] == same[1], "the same bytes each time");
    let want = ["pt", "teacher@20", "3", "[1,8,8]", r#"["conv6","maxpool","fc8","fc3"]"#, "875"];
    assert_eq!(words("a.safetensors"), want);
    // As a folder, for the hub.
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "hub/teacher/"]);
    assert_eq!(words("hub/teacher/model.safetensors"), want);
    let read =
        |name: &str| fs::read_to_string(workspace.path(format!("hub/teacher/{name}"))).unwrap();
    let config: serde_json::Value = serde_json::from_str(&read("config.json")).unwrap();
    let mean = config["mean"][0].as_f64().unwrap();
    assert!(config["classes"] == 3 && mean > 0.1 && mean < 0.5, "{config}");
    assert_eq!(config["std"].as_array().unwrap().len(), 1);
    let readme = read("README.md");
    for told in
        ["# teacher@20", "- teacher: ", " % on the test split", "load_file(\"model.safetensors\")"]
    {
        assert!(readme.contains(told), "{told}: {readme}");
    }
    assert!(readme.contains(config["key"].as_str().unwrap()), "{readme}");
}

#[test]
fn weights_that_do_not_fit_are_listed() {
    let workspace = imported("[\"conv5\", \"conv4\", \"maxpool\", \"fc3\"]");
    workspace.run(&["tiny.toml", "teacher@20"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "teacher.safetensors"]);
    let output = workspace.takd(&["run", "imported.toml"]);
    assert_eq!(output.code, 1);
    for told in [
        "`conv_layers.0.weight` has shape [6, 1, 3, 3], not [5, 1, 3, 3]",
        "missing `conv_layers.3.weight`",
        "unexpected `fc_layers.2.bias`",
    ] {
        assert!(output.stderr.contains(told), "{told}: {output:?}");
    }
    fs::remove_file(workspace.path("teacher.safetensors")).unwrap();
    let output = workspace.takd(&["check", "imported.toml"]);
    assert!(output.code == 3 && output.stderr.contains("teacher.safetensors"), "{output:?}");
}

/// A Python with torch: `TAKD_TORCH` names one, else `python3` is asked.
fn torch() -> Option<Command> {
    let python = std::env::var("TAKD_TORCH").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import torch, safetensors"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: no Python with torch and safetensors; TAKD_TORCH can name one");
    }
    found.then(|| Command::new(python))
}

#[test]
fn torch_loads_an_export_and_its_save_comes_back() {
    let Some(mut python) = torch() else { return };
    let workspace = imported("[\"conv6\", \"maxpool\", \"fc8\", \"fc3\"]");
    workspace.run(&["tiny.toml", "teacher@20"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "teacher.safetensors"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/round_trip.py");
    let folder = workspace.path("");
    let output = python.arg(script).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let exported = read_weights(&fs::read(workspace.path("teacher.safetensors")).unwrap()).unwrap();
    for name in ["teacher.pt", "teacher-legacy.pt"] {
        let back = read_state_dict(&fs::read(workspace.path(name)).unwrap()).unwrap();
        assert_eq!(by_name(back), by_name(exported.clone()), "{name}");
    }
}
