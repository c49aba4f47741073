//! Pipelines on folders of images, as a user runs them.

use crate::{
    pictures::{cut, write},
    workspace::Workspace,
};
use std::{fs, path::Path};

/// Trains on `set/`, one epoch.
pub const PIPELINE: &str = r#"
seeds = [20]
[data.own]
format     = "image-folder"
path       = "set"
size       = 16
resize     = 18
validation = 4
[recipe.short]
epochs     = 2
batch_size = 5
optimizer  = { sgd = { lr = 0.05, momentum = 0.9 } }
[net.large]
layers = ["conv4", "maxpool", "fc2"]
[net.small]
layers = ["conv2", "maxpool", "fc2"]
[train.teacher]
net    = "large"
data   = "own"
recipe = "short"
[distill.student]
net       = "small"
teacher   = "teacher"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }
[eval.test]
of = ["*"]
"#;

#[test]
fn trainings_on_files_give_the_same_bits_on_one_thread_and_on_four() {
    let workspace = Workspace::new();
    write(&workspace.path("set"));
    workspace.write("own.toml", PIPELINE);
    // Without changes at random the teacher's logits are kept; with them it is asked at each step.
    for (augment, files) in [("[]", 7), ("[\"resized-crop\", \"flip\"]", 6)] {
        let set = format!("recipe.short.augment={augment}");
        let caches = ["1", "4"].map(|jobs| {
            let cache = format!("{jobs}-{files}");
            workspace.run(&["own.toml", "--jobs", jobs, "--cache", &cache, "--set", &set]);
            workspace.entry_files(&cache)
        });
        assert_eq!(caches[0].len(), files, "{augment}");
        assert!(caches[0] == caches[1], "{augment}: some file differs");
    }
    let again = workspace.run(&["own.toml", "--cache", "1-7"]);
    assert_eq!(again["trained"], 0);
    // How images are brought to size counts; where they lie does not.
    let plan =
        |more: &[&str]| workspace.ok(&[&["plan", "own.toml", "--cache", "1-7"], more].concat());
    let resized = plan(&["--set", "data.own.resize=20"]);
    assert!(resized.contains("data.fit.resize: 18 → 20"), "{resized}");
    fs::rename(workspace.path("set"), workspace.path("moved")).unwrap();
    let moved = plan(&["--set", "data.own.path=moved"]);
    assert!(moved.contains("0 to run"), "{moved}");
}

#[test]
fn a_damaged_image_ends_a_training_with_its_name() {
    let workspace = Workspace::new();
    write(&workspace.path("set"));
    cut(&workspace.path("set/train/n02/image4.JPEG"));
    workspace.write("own.toml", PIPELINE);
    let (mean, std) = ("data.own.mean=[0.5, 0.5, 0.5]", "data.own.std=[0.5, 0.5, 0.5]");
    let output = workspace.takd(&["run", "own.toml", "--set", mean, "--set", std]);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("n02/image4.JPEG: the JPEG is cut short"), "{output:?}");
    let checked = workspace.takd(&["data", "check", "set"]);
    assert_eq!(checked.code, 1);
    assert!(checked.stderr.contains("n02/image4.JPEG"), "{checked:?}");
}

#[test]
fn the_imagenet_pipeline_runs_on_a_folder_of_its_layout() {
    let workspace = Workspace::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/imagenet.toml");
    let file = file.to_str().unwrap();
    let output = workspace.takd(&["run", file]);
    assert_eq!(output.code, 3, "{output:?}");
    for part in ["data/imagenet/train/CLASS", "TAKD_DATA", "https://image-net.org"] {
        assert!(output.stderr.contains(part), "{part}: {output:?}");
    }
    let listed = workspace.ok(&["data", "list"]);
    assert!(listed.contains("imagenet       not here: put train/CLASS"), "{listed}");
    write(&workspace.path("data/imagenet"));
    let listed = workspace.ok(&["data", "list"]);
    let found = "imagenet       here   12 training and 4 test files in 2 class folders";
    assert!(listed.contains(found), "{listed}");
    let checked = workspace.ok(&["data", "check", "imagenet"]);
    assert!(checked.contains("12 training and 4 test images of 3×224×224, 2 classes"), "{checked}");
    // The paper's networks fit; ones of the same make are trained.
    let set = ["seeds=[1]", "data.imagenet.validation=4"].map(|set| ["--set", set]).concat();
    let plan = workspace.ok(&[&["plan", file], &set[..]].concat());
    assert!(plan.contains("10 to run, 0 to reuse"), "{plan}");
    let layers = "layers=[\"bigstem2\", \"bottleneck2\", \"bottleneck4/2\", \"avgpool\", \"fc2\"]";
    let nets = [14, 20, 50].map(|depth| format!("net.imagenet-resnet{depth}.{layers}"));
    let small = [
        "data.imagenet.size=32",
        "data.imagenet.resize=36",
        "recipe.resnet.epochs=1",
        "recipe.resnet.batch_size=4",
    ];
    let more = nets.iter().map(String::as_str).chain(small).flat_map(|set| ["--set", set]);
    let more: Vec<&str> = set.iter().copied().chain(more).collect();
    let table = workspace.ok(&[&["run", file], &more[..]].concat());
    assert!(table.contains("TAKD") && table.contains("67.36"), "{table}");
    let refused = workspace.takd(&["data", "fetch", "imagenet"]);
    assert!(refused.code == 2 && refused.stderr.contains("account"), "{refused:?}");
}
