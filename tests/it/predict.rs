//! `takd predict`: a trained network about pictures of one's own.

use crate::{image_runs::PIPELINE, pictures::write, workspace::Workspace};
use image::{GrayImage, Luma};

/// A workspace whose teacher is trained, with a picture of each class: a bright bar in its row, `scale` times
/// as large as the network's images.
fn with_pictures(scale: u32) -> Workspace {
    let workspace = Workspace::new();
    let epochs = ["--set", "recipe.short.epochs=6"];
    workspace.ok(&[&["run", "tiny.toml", "teacher"][..], &epochs].concat());
    for class in 0..3 {
        let picture = GrayImage::from_fn(8 * scale, 8 * scale, |_, y| {
            Luma([if y / scale == 2 * class + 1 { 160 } else { 40 }])
        });
        picture.save(workspace.path(format!("{class}.png"))).unwrap();
    }
    workspace
}

const TEACHER: [&str; 3] = ["predict", "tiny.toml", "teacher@20"];
const EPOCHS: [&str; 2] = ["--set", "recipe.short.epochs=6"];

#[test]
fn pictures_are_seen_as_the_training_images_were() {
    for scale in [1, 4] {
        let workspace = with_pictures(scale);
        let args = [&TEACHER[..], &["0.png", "1.png", "2.png"], &EPOCHS].concat();
        let text = workspace.ok(&args);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        for (class, line) in lines.iter().enumerate() {
            let want = format!("{class}.png: class {class} (");
            assert!(line.starts_with(&want) && line.ends_with(" %)"), "at {scale}: {text}");
        }
        let csv = workspace.ok(&[&args[..], &["--top", "2", "--format", "csv"]].concat());
        assert!(csv.starts_with("image,rank,class,name,probability,logit\n0.png,1,0,,0."), "{csv}");
        assert_eq!(csv.lines().count(), 7);
        let json = workspace.ok(&[&args[..], &["--top", "9", "--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let classes = json[2]["classes"].as_array().unwrap();
        let sum: f64 = classes.iter().map(|class| class["probability"].as_f64().unwrap()).sum();
        assert!(classes.len() == 3 && (sum - 1.0).abs() < 1e-9, "{json}");
        assert_eq!(classes[0]["class"], 2);
    }
}

#[test]
fn an_exported_network_sees_the_same_without_its_pipeline() {
    let workspace = with_pictures(2);
    let pictures = ["0.png", "1.png", "2.png"];
    let json = ["--top", "3", "--format", "json"];
    let logits = |args: &[&str], more: &[&str]| -> Vec<f64> {
        let found = workspace.ok(&[args, &pictures, &json, more].concat());
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        let each = found.as_array().unwrap().iter();
        let each = each.flat_map(|picture| picture["classes"].as_array().unwrap().clone());
        each.map(|class| class["logit"].as_f64().unwrap()).collect()
    };
    let want = logits(&TEACHER, &EPOCHS);
    for (file, more) in [
        ("teacher.safetensors", &[][..]),
        ("teacher.onnx", &[]),
        ("teacher.onnx", &["--pixels", "normalised", "--fold"]),
    ] {
        let export = ["export", "tiny.toml", "teacher@20", "-o", file];
        workspace.ok(&[&export[..], more, &EPOCHS].concat());
        let found = logits(&["predict", "--model", file], &[]);
        let apart = found.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(found.len() == 9 && apart < 1e-4, "{file}: {apart}");
    }
    workspace.write("none.safetensors", "no network");
    let output = workspace.takd(&["predict", "--model", "none.safetensors", "0.png"]);
    assert!(output.code == 1 && output.stderr.contains("neither ONNX"), "{output:?}");
    assert_eq!(workspace.takd(&["predict", "--model", "none.onnx", "0.png"]).code, 1);
}

#[test]
fn what_cannot_be_seen_is_told() {
    let workspace = with_pictures(1);
    workspace.write("text.png", "no picture");
    for (node, image, told) in [
        ("teacher@20", "text.png", "text.png: its content is neither JPEG nor PNG"),
        ("teacher@20", "none.png", "cannot read none.png"),
        ("nokd@20", "0.png", "nokd@20 is not in the cache"),
        ("teacher", "0.png", "`teacher` means teacher@20, teacher@31: name one"),
        ("teecher", "0.png", "`teecher` matches no node"),
    ] {
        let output =
            workspace.takd(&[&["predict", "tiny.toml", node, image][..], &EPOCHS].concat());
        assert!(output.code != 0 && output.stderr.contains(told), "{node} {image}: {output:?}");
    }
}

#[test]
fn classes_that_have_names_are_told_by_them() {
    let workspace = Workspace::new();
    write(&workspace.path("set"));
    workspace.write("own.toml", PIPELINE);
    workspace.run(&["own.toml"]);
    let picture = "set/train/n02/image4.JPEG";
    let is_named = |text: &str| text.contains(": n01 (") || text.contains(": n02 (");
    let text = workspace.ok(&["predict", "own.toml", "student", picture]);
    assert!(is_named(&text), "{text}");
    for file in ["student.safetensors", "student.onnx"] {
        workspace.ok(&["export", "own.toml", "student", "-o", file]);
        let text = workspace.ok(&["predict", "--model", file, picture]);
        assert!(is_named(&text), "{file}: {text}");
    }
    workspace.ok(&["export", "own.toml", "student", "-o", "student/"]);
    let config = std::fs::read_to_string(workspace.path("student/config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["id2label"]["1"], "n02");
}
