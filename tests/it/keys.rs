//! What is in a key and what is not.

use crate::{tiny, workspace::PIPELINE};
use serde_json::Value;
use std::path::Path;
use takd::{
    dataset::{DataInfo, Digests, Format},
    graph::Graph,
    key::{KEY_VERSION, Key, KeyInputs, keys},
    kinds::Kinds,
    network,
    onnx::OnnxFile,
    pipeline::{self, Catalogue, Pipeline, Sources},
    search::Told,
};

/// A pipeline, with [`tiny::info`] as every data set.
pub fn parse(text: &str) -> Pipeline {
    parse_with(text, &|_| Ok(tiny::info())).unwrap_or_else(|errors| panic!("{errors}"))
}

pub fn parse_with(
    text: &str,
    probe: &dyn Fn(&Format) -> Result<DataInfo, String>,
) -> Result<Pipeline, pipeline::Diagnostics> {
    parse_preset(text, None, probe)
}

pub fn parse_preset(
    text: &str,
    preset: Option<&str>,
    probe: &dyn Fn(&Format) -> Result<DataInfo, String>,
) -> Result<Pipeline, pipeline::Diagnostics> {
    let digest = |_: &Path| Ok("22".repeat(32));
    let catalogue = Catalogue {
        profile: false,
        preset,
        data: Path::new("data"),
        told: &Told::default(),
        open_only: false,
        probe,
        digest: &digest,
        onnx: &|_| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx/vit.onnx");
            OnnxFile::open(&path).map_err(|error| error.to_string())
        },
        text: &|_| Ok("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n".to_owned()),
        kinds: &Kinds::default(),
        net: network::builtin,
        net_names: &network::BUILTIN,
    };
    let sources = Sources(vec![("tiny.toml".to_owned(), text.to_owned())]);
    pipeline::parse(sources, Path::new(""), "tiny", catalogue)
}

/// Inputs and key of `task` in `text`.
fn inputs(text: &str, task: &str) -> (KeyInputs, Key) {
    let pipeline = parse(text);
    let graph = Graph::new(&pipeline);
    let place = (0..graph.tasks.len()).find(|&place| graph.name(place) == task).expect(task);
    keys(&graph).swap_remove(place)
}

fn key(text: &str, task: &str) -> Key {
    inputs(text, task).1
}

/// [`PIPELINE`] with one text in place of another.
fn with(from: &str, to: &str) -> String {
    assert!(PIPELINE.contains(from), "{from}");
    PIPELINE.replace(from, to)
}

/// If one of these changes, results in every cache become unreachable: raise `KEY_VERSION` only if
/// the same inputs would now give other bytes.
#[test]
fn known_keys_stay() {
    assert_eq!(KEY_VERSION, 5);
    let shown = ["teacher@20", "takd@31", "test/takd@31"].map(|task| {
        let (inputs, key) = inputs(PIPELINE, task);
        let logits = inputs
            .teacher_logits()
            .first()
            .map_or("-".to_owned(), |logits| logits.key().to_string());
        format!(
            "{task}\n  key    {key}\n  logits {logits}\n  {}",
            serde_json::to_string(&inputs).unwrap()
        )
    });
    insta::assert_snapshot!(shown.join("\n"));
}

/// As [`known_keys_stay`], of what came after it: every objective as it stands, lists of them, several
/// teachers, networks at an epoch, and less of the logits.
#[test]
fn keys_of_later_fields_stay() {
    let takd = "{ kd = { temperature = 5.0, lambda = 0.5 } }";
    let objective = |to: &str| with(takd, to);
    let kinds = Kinds::default().distillation;
    let mut cases: Vec<(String, String)> = kinds
        .iter()
        .filter(|kind| {
            kind.choose(&[]).is_ok()
                && !["at", "sp", "fitnet", "fsp", "bss", "dml"].contains(&kind.name)
        })
        .map(|kind| (kind.name.to_owned(), objective(&format!("{{ {} = {{}} }}", kind.name))))
        .collect();
    let ramp = "{ from = 4.0, to = 1.0, epochs = [1, 2] }";
    let teacher = "teacher   = \"assistant\"";
    for (name, text) in [
        ("a sum", objective("[{ nkd = {} }, { dist = { ce = 0.0 }, weight = 0.5 }]")),
        ("a ramp", objective(&format!("[{{ rkd = {{}}, weight = {ramp} }}]"))),
        (
            "features",
            objective("[{ at = {} }, { sp = {} }, { fitnet = { stage = 1, first = 1 } }]"),
        ),
        (
            "teachers",
            with(teacher, "teachers = [\"assistant\", \"teacher\"]\nteacher_weights = [2, 1]"),
        ),
        ("an epoch", with(teacher, "teacher = \"assistant@1\"")),
        ("16 bits", with(teacher, &format!("{teacher}\nlogits = {{ keep = \"f16\" }}"))),
        (
            "the largest",
            with(teacher, &format!("{teacher}\nlogits = {{ keep = \"top\", top = 2 }}")),
        ),
    ] {
        cases.push((name.to_owned(), text));
    }
    let line = |(name, text): &(String, String)| {
        let (inputs, key) = inputs(text, "takd@20");
        let logits: Vec<String> =
            inputs.teacher_logits().iter().map(|of| of.key().short()).collect();
        format!("{name}: {} {}", key.short(), logits.join(" "))
    };
    let mut lines: Vec<String> = cases.iter().map(line).collect();
    let pair =
        "[mutual.pair]\nnets = [\"small\", \"middle\"]\ndata = \"bars\"\nrecipe = \"short\"\n";
    let together = with("[train.nokd]", &format!("{pair}[train.nokd]"));
    for name in ["pair/small@20", "pair/middle@20"] {
        lines.push(format!("{name}: {}", key(&together, name).short()));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_at_its_default_is_not_hashed() {
    let step = "batch_size = 16\nschedule = { step = { milestones = [1]";
    for (written, left_out) in [
        ("batch_size = 16\nbatchnorm_weight = \"ones\"", "batch_size = 16"),
        ("batch_size = 16\nprecision = \"f32\"", "batch_size = 16"),
        (&*format!("{step}, restart = false }} }}"), &format!("{step} }} }}")),
    ] {
        let [written, left_out] = [written, left_out].map(|text| with("batch_size = 16", text));
        let (inputs, key) = inputs(&written, "takd@20");
        assert_eq!(key, self::key(&left_out, "takd@20"));
        let json = serde_json::to_string(&inputs).unwrap();
        assert!(
            !["batchnorm", "restart", "precision"].iter().any(|field| json.contains(field)),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<KeyInputs>(&json).unwrap(), inputs);
    }
}

#[test]
fn what_decides_a_training_is_in_its_key() {
    let base = key(PIPELINE, "takd@20");
    for (what, from, to) in [
        ("epochs", "epochs     = 2", "epochs     = 3"),
        ("batch size", "batch_size = 16", "batch_size = 17"),
        ("learning rate", "lr = 0.05", "lr = 0.06"),
        ("momentum", "momentum = 0.9", "momentum = 0.8"),
        ("nesterov", "nesterov = true", "nesterov = false"),
        ("weight decay", "nesterov = true", "nesterov = true, weight_decay = 1e-4"),
        (
            "optimizer",
            "{ sgd = { lr = 0.05, momentum = 0.9, nesterov = true } }",
            "{ adam = { lr = 0.05 } }",
        ),
        ("schedule", "batch_size = 16", "batch_size = 16\nschedule = { cosine = {} }"),
        (
            "a new optimizer at each fall of the rate",
            "batch_size = 16",
            "batch_size = 16\nschedule = { step = { milestones = [9], gamma = 1, restart = true } }",
        ),
        ("BatchNorm weights", "batch_size = 16", "batch_size = 16\nbatchnorm_weight = \"uniform\""),
        ("precision", "batch_size = 16", "batch_size = 16\nprecision = \"tf32\""),
        ("warm-up", "batch_size = 16", "batch_size = 16\nwarmup = 1"),
        ("augmentation", "batch_size = 16", "batch_size = 16\naugment = [\"flip\"]"),
        ("selection", "batch_size = 16", "batch_size = 16\nselect = \"last\""),
        ("layers", "layers = [\"conv2\"", "layers = [\"conv3\""),
        ("temperature", "temperature = 5.0", "temperature = 5.5"),
        ("reduction", "lambda = 0.5 ", "lambda = 0.5, reduction = \"mean\" "),
        ("lambda", "lambda = 0.5 ", "lambda = 0.6 "),
        ("hold-out", "validation = 12", "validation = 13"),
        ("normalisation", "validation = 12", "validation = 12\nmean = [0.5]\nstd = [0.5]"),
        ("the teacher's objective", "lambda = 0.25", "lambda = 0.3"),
        ("the teacher's net", "layers = [\"conv4\"", "layers = [\"conv5\""),
    ] {
        assert_ne!(key(&with(from, to), "takd@20"), base, "{what}");
    }
    assert_ne!(key(PIPELINE, "takd@31"), base, "seed");
    let folder = with("\"idx\"\npath ", "\"image-folder\"\nresize = 256\npath ");
    for resize in ["resize = 300", "resize = 300\nsize = 200"] {
        let other = folder.replace("resize = 256", resize);
        assert_ne!(key(&folder, "takd@20"), key(&other, "takd@20"), "size of images");
    }
    let trained = "data   = \"bars\"\nrecipe = \"short\"\n\n[train.nokd]";
    let imported = with(trained, "data = \"bars\"\nweights = \"w.pt\"\n[train.nokd]")
        .replace("teacher   = \"teacher\"", "teacher = \"teacher\"\nrecipe = \"short\"");
    assert_ne!(key(&imported, "takd@20"), base, "the teacher's weights");
    let path = imported.replace("w.pt", "v.pt");
    assert_eq!(key(&imported, "takd@20"), key(&path, "takd@20"), "where they lie");
    assert_ne!(key(PIPELINE, "blkd@20"), base, "teacher");
    assert_ne!(key(PIPELINE, "nokd@20"), base, "kind");
}

#[test]
fn what_does_not_decide_it_is_not() {
    let base = key(PIPELINE, "takd@20");
    for (what, from, to) in [
        ("the pipeline's name", "name  = \"tiny\"", "name  = \"huge\""),
        ("other seeds", "seeds = [20, 31]", "seeds = [7, 20]"),
        ("a comment", "[net.small]", "# small\n[net.small]"),
        ("an integer for a float", "temperature = 5.0", "temperature = 5"),
        ("a float for an integer", "epochs     = 2", "epochs     = 2.0"),
        ("another spelling", "lr = 0.05", "lr = 5e-2"),
        ("a default, written out", "nesterov = true", "nesterov = true, weight_decay = 0"),
        ("a default schedule", "batch_size = 16", "batch_size = 16\nschedule = { constant = {} }"),
        ("a default selection", "batch_size = 16", "batch_size = 16\nselect = \"best-validation\""),
        ("the data's path", "path       = \"bars\"", "path       = \"elsewhere\""),
        ("another node", "[train.nokd]\nnet    = \"small\"", "[train.nokd]\nnet    = \"large\""),
        ("an eval", "split = \"test\"", "split = \"train\""),
    ] {
        assert_eq!(key(&with(from, to), "takd@20"), base, "{what}");
    }
}

#[test]
fn an_evals_key_holds_split_temperature_and_network() {
    let base = key(PIPELINE, "test/takd@20");
    for to in ["split = \"train\"", "split = \"test\"\ntemperature = 2", "split = \"validation\""] {
        assert_ne!(key(&with("split = \"test\"", to), "test/takd@20"), base, "{to}");
    }
    assert_ne!(key(&with("layers = [\"conv2\"", "layers = [\"conv3\""), "test/takd@20"), base);
    // Its default temperature is the node's own.
    let given = with("split = \"test\"", "split = \"test\"\ntemperature = 5");
    assert_eq!(key(&given, "test/takd@20"), base);
}

/// Which tasks of [`PIPELINE`] get another key where the data is another: trainings, evaluations on the
/// test split and on the training split.
fn changed(text: &str, digests: Digests) -> [bool; 3] {
    let base = tiny::info().digests;
    let names = ["takd@20", "test/takd@20", "seen/takd@20"];
    let text = format!("{text}\n[eval.seen]\nof = [\"takd\"]\nsplit = \"train\"");
    let keys = |digests: &Digests| {
        let info = DataInfo { digests: digests.clone(), ..tiny::info() };
        let pipeline = parse_with(&text, &|_| Ok(info.clone())).ok().unwrap();
        let graph = Graph::new(&pipeline);
        let keys = keys(&graph);
        names.map(|name| {
            let place = (0..graph.tasks.len()).find(|&place| graph.name(place) == name).unwrap();
            keys[place].1
        })
    };
    let (old, new) = (keys(&base), keys(&digests));
    [0, 1, 2].map(|place| old[place] != new[place])
}

#[test]
fn the_parts_of_the_data_that_decide_an_artifact_are_in_its_key() {
    let base = tiny::info().digests;
    let other = || "ab".repeat(32);
    let train = || Digests { train: other(), ..base.clone() };
    let test = || Digests { test: other(), ..base.clone() };
    assert_eq!(changed(PIPELINE, train()), [true; 3]);
    assert_eq!(changed(PIPELINE, test()), [false, true, false]);
    let by_test = with("batch_size = 16", "batch_size = 16\nselect = \"best-test\"");
    assert_eq!(changed(&by_test, test()), [true; 3]);
    assert_eq!(changed(&by_test, train()), [true; 3]);
    let swapped = Digests { train: base.test.clone(), test: base.train.clone() };
    assert_eq!(changed(PIPELINE, swapped), [true; 3]);
}

#[test]
fn zero_has_one_sign() {
    let lambda = |text| key(&with("lambda = 0.5 ", text), "takd@20");
    assert_eq!(lambda("lambda = 0.0 "), lambda("lambda = -0.0 "));
    assert_eq!(lambda("lambda = 0 "), lambda("lambda = -0 "));
}

/// Whatever stands in a manifest's inputs is hashed: no field can be left out by mistake.
#[test]
fn every_value_of_the_inputs_counts() {
    for task in ["takd@20", "test/takd@20"] {
        let (inputs, base) = inputs(PIPELINE, task);
        let value = serde_json::to_value(&inputs).unwrap();
        let mut paths = Vec::new();
        leaves(&value, String::new(), &mut paths);
        let mut counted = 0;
        for path in &paths {
            let mut changed = value.clone();
            change(changed.pointer_mut(path).unwrap());
            // A value with only one meaning so far (the precision) cannot be changed.
            if let Ok(changed) = serde_json::from_value::<KeyInputs>(changed) {
                assert_ne!(changed.key(), base, "{task} {path}");
                counted += 1;
            }
        }
        assert!(counted + 6 >= paths.len(), "{task}: {counted} of {paths:?}");
    }
}

fn leaves(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, format!("{path}/{name}"), out));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| leaves(value, format!("{path}/{i}"), out));
        }
        _ => out.push(path),
    }
}

fn change(value: &mut Value) {
    *value = match value.take() {
        Value::Bool(value) => (!value).into(),
        Value::Number(number) if number.is_u64() => (number.as_u64().unwrap() + 1).into(),
        Value::Number(number) => (number.as_f64().unwrap() + 0.125).into(),
        Value::String(text) => match text.as_str() {
            "distill" => "train".into(),
            "eval" => "logits".into(),
            "test" => "train".into(),
            "best-validation" => "last".into(),
            "maxpool" => "conv9".into(),
            text => {
                let mut text = text.to_owned();
                let last = text.pop().unwrap();
                text.push(if last == '1' { '2' } else { '1' });
                text.into()
            }
        },
        other => other,
    };
}
