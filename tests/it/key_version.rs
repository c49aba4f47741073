//! A key names one sequence of bytes: if a new takd gives others, `KEY_VERSION` is raised.

use crate::workspace::{PIPELINE, Workspace};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};
use takd::{
    key::KEY_VERSION,
    store::{Depth, Lookup, Store},
};

/// A line a `KEY_VERSION` and CPU: both, and what [`digest`] gave.
const RECORDED: &str = "tests/golden/digests.txt";

/// Writes this takd's line.
const RECORD: &str = "TAKD_RECORD=1 cargo test --test it key_version";

/// The CPU's instructions that kernels choose by: other ones add in another order.
fn cpu() -> String {
    let mut text = std::env::consts::ARCH.to_owned();
    #[cfg(target_arch = "x86_64")]
    for (name, there) in [
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
    ] {
        if there {
            write!(text, " {name}").unwrap();
        }
    }
    text
}

/// Trains and measures a network with every kind of layer and a student of it, with both kinds of
/// optimizer and of distillation; the digest of every file of every entry.
fn digest() -> String {
    let workspace = Workspace::new();
    let head = PIPELINE.split("[train.teacher]").next().unwrap().replace("[20, 31]", "[20]");
    let nodes = r#"
[recipe.adam]
epochs = 2
batch_size = 16
augment = ["crop", "flip"]
optimizer = { adam = { lr = 0.01, weight_decay = 1e-3 } }
schedule = { cosine = {} }
warmup = 1

[net.residual]
layers = ["stem4", "basic4", "basic8/2", "bottleneck2", "padbasic8/2", "avgpool", "fc3"]

[train.plain]
net = "large"
data = "bars"
recipe = "short"

[train.residual]
net = "residual"
data = "bars"
recipe = "adam"

[distill.stored]
net = "small"
teacher = "residual"
recipe = "short"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[distill.live]
net = "small"
teacher = "plain"
recipe = "adam"
objective = { kd = { temperature = 2.0, lambda = 0.9, reduction = "mean" } }
"#;
    workspace.write("known.toml", format!("{head}{nodes}"));
    workspace.run(&["known.toml"]);
    let store = Store::new(workspace.path("cache"));
    let mut files = BTreeMap::new();
    for key in store.keys().unwrap() {
        let Lookup::Whole(entry) = store.find(&key, Depth::Content).unwrap() else {
            panic!("{key} is whole")
        };
        let kind = entry.manifest.inputs.kind;
        for (name, file) in entry.manifest.files {
            files.insert(format!("{} {kind} {name}", entry.manifest.provenance.node), file.blake3);
        }
    }
    assert_eq!(files.len(), 9, "weights and history of four networks, logits of one: {files:#?}");
    let text: String = files.iter().map(|(name, digest)| format!("{name} {digest}\n")).collect();
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

#[test]
fn other_bytes_need_another_key_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED);
    let (recorded, digest) = (fs::read_to_string(&path).unwrap(), digest());
    let head = format!("{KEY_VERSION} | {} | ", cpu());
    if std::env::var_os("TAKD_RECORD").is_some() {
        let others = recorded.lines().filter(|line| !line.starts_with(&head));
        let lines: Vec<String> =
            others.map(str::to_owned).chain([format!("{head}{digest}")]).collect();
        return fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let version = |line: &str| line.split(' ').next()?.parse().ok();
    let newest: Option<u32> = recorded.lines().filter_map(version).max();
    assert_eq!(newest, Some(KEY_VERSION), "KEY_VERSION was changed: record its digest: {RECORD}");
    match recorded.lines().find_map(|line| line.strip_prefix(&head)) {
        Some(known) => assert_eq!(
            digest, known,
            "a training gives other bytes under the same keys, so that caches would mix them: raise \
             KEY_VERSION in src/key.rs if a released takd has this one, and record: {RECORD}"
        ),
        // Nothing to compare with; `same_bits::a_known_training_gives_what_it_gave` still holds.
        None => println!("no digest is recorded for `{head}`; to guard it: {RECORD}"),
    }
}
