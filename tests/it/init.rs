//! `takd init` writes a pipeline that is right, for the data set that one has.

use crate::{pictures::save, workspace::Workspace};
use image::RgbImage;
use std::fs;

#[test]
fn without_a_folder_it_takes_the_images_inside_takd() {
    let workspace = Workspace::new();
    let output = workspace.takd(&["init"]);
    assert_eq!(output.code, 0, "{output:?}");
    let text = fs::read_to_string(workspace.path("pipeline.toml")).unwrap();
    insta::assert_snapshot!(format!("{}\n{text}", output.stderr));
    let checked = workspace.ok(&["check", "pipeline.toml"]);
    assert_eq!(checked, "pipeline.toml: no errors; 10 nodes × 2 seeds = 20 tasks\n");
}

#[test]
fn a_folder_is_recognised_and_gets_networks_that_fit() {
    let workspace = Workspace::new();
    let output = workspace.takd(&["init", "bars", "-o", "bars.toml"]);
    assert_eq!(output.code, 0, "{output:?}");
    let text = fs::read_to_string(workspace.path("bars.toml")).unwrap();
    insta::assert_snapshot!(format!("{}\n{text}", output.stderr));
    let checked = workspace.ok(&["data", "check", "bars"]);
    assert!(checked.starts_with("bars: 72 training and 24 test images of 1×8×8"), "{checked}");
    // It runs as it stands, from another folder too.
    fs::create_dir(workspace.path("elsewhere")).unwrap();
    workspace.ok(&["init", "bars", "-o", "elsewhere/bars.toml"]);
    for file in ["bars.toml", "elsewhere/bars.toml"] {
        let run = ["run", file, "--set", "recipe.usual.epochs=1", "--set", "seeds=[1]"];
        assert!(workspace.ok(&run).contains("student, TAKD"));
    }
}

#[test]
fn cifar_is_recognised() {
    let workspace = Workspace::new();
    let record = |label: u8| [&[label][..], &[label; 3072]].concat();
    for (folder, coarse, names) in [
        ("ten", None, vec!["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4"]),
        ("hundred", Some(0), vec!["train"]),
    ] {
        fs::create_dir(workspace.path(folder)).unwrap();
        let last = if coarse.is_some() { vec!["test"] } else { vec!["data_batch_5", "test_batch"] };
        for name in names.into_iter().chain(last) {
            let records = (0..4).flat_map(|label| coarse.into_iter().chain(record(label)));
            let records: Vec<u8> = records.collect();
            workspace.write(&format!("{folder}/{name}.bin"), records);
        }
        let file = format!("{folder}.toml");
        workspace.ok(&["init", folder, "-o", &file]);
        workspace.ok(&["check", &file]);
        let text = fs::read_to_string(workspace.path(&file)).unwrap();
        let format = if coarse.is_some() { "\"cifar100\"" } else { "\"cifar10\"" };
        assert!(
            text.contains(&format!("format     = {format}\npath       = \"{folder}\"")),
            "{text}"
        );
    }
}

#[test]
fn images_are_brought_to_a_size_near_their_own() {
    let workspace = Workspace::new();
    for (side, size, net) in
        [(30, 32, "plain2"), (70, 64, "plain2"), (150, 224, "imagenet-resnet14")]
    {
        let name = format!("photos{side}");
        for class in ["train/a", "train/b", "val/a", "val/b"] {
            for image in 1..3 {
                let place = workspace.path(format!("{name}/{class}/{image}.png"));
                save(place, RgbImage::new(side + 10, side));
            }
        }
        let file = format!("{name}.toml");
        workspace.ok(&["init", &name, "-o", &file]);
        let text = fs::read_to_string(workspace.path(&file)).unwrap();
        assert!(text.contains(&format!("\nsize       = {size} ")), "{text}");
        assert!(text.contains(&format!("\nnet    = \"{net}\"\n")), "{text}");
        workspace.ok(&["check", &file]);
    }
}

#[test]
fn nothing_is_overwritten_and_what_is_missing_is_said() {
    let workspace = Workspace::new();
    workspace.write("pipeline.toml", "mine");
    fs::create_dir(workspace.path("empty")).unwrap();
    let mut text = String::new();
    for args in [
        &["init"][..],
        &["init", "empty", "-o", "new.toml"],
        &["init", "nowhere", "-o", "new.toml"],
        &["init", "-o", "no/such.toml"],
    ] {
        let output = workspace.takd(args);
        text +=
            &format!("$ takd {}\n{}exit code {}\n\n", args.join(" "), output.stderr, output.code);
    }
    insta::assert_snapshot!(text);
    assert_eq!(fs::read(workspace.path("pipeline.toml")).unwrap(), b"mine");
    assert!(!workspace.path("new.toml").exists());
}

/// What a pipeline that `takd init` wrote says when it runs.
fn runs(workspace: &Workspace, file: &str) {
    let run = ["run", file, "--set", "recipe.usual.epochs=1", "--set", "seeds=[1]"];
    assert!(workspace.ok(&run).contains("student, TAKD"));
}

#[test]
fn class_folders_without_a_split_are_split_for_ever() {
    let workspace = Workspace::new();
    for (class, shade) in [("cat", 40), ("dog", 200)] {
        for image in 0..30 {
            let place = workspace.path(format!("flat/{class}/{image}.png"));
            save(place, RgbImage::from_pixel(32, 32, image::Rgb([shade, image, 0])));
        }
    }
    let output = workspace.takd(&["init", "flat", "-o", "flat.toml"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("  teacher plain6 ("), "{output:?}");
    assert!(output.stderr.ends_with("\n  takd run flat.toml\n"), "{output:?}");
    let text = fs::read_to_string(workspace.path("flat.toml")).unwrap();
    assert!(text.contains("\ntest_percent = 20 "), "{text}");
    runs(&workspace, "flat.toml");
    // More images leave every other on its side: what is tested stays, but for those.
    let counts = |told: &str| -> [usize; 2] {
        let numbers: Vec<usize> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
        [numbers[0], numbers[1]]
    };
    let [train, test] = counts(&output.stderr);
    assert!(train + test == 60 && (4..=20).contains(&test), "{output:?}");
    for image in 0..10 {
        save(workspace.path(format!("flat/cat/new{image}.png")), RgbImage::new(32, 32));
    }
    let more = workspace.takd(&["init", "flat", "-o", "more.toml"]);
    let [train_now, test_now] = counts(&more.stderr);
    assert!(train_now >= train && test_now >= test && train_now + test_now == 70, "{more:?}");
}

#[test]
fn a_list_of_images_is_a_data_set() {
    let workspace = Workspace::new();
    let mut list = "file_name,label\n".to_owned();
    for image in 0..40u8 {
        let name = format!("{image}.png");
        let shade = if image % 2 == 0 { 30 } else { 220 };
        save(
            workspace.path(format!("mixed/{name}")),
            RgbImage::from_pixel(32, 32, image::Rgb([shade; 3])),
        );
        list += &format!("{name},{}\n", if image % 2 == 0 { "dark" } else { "light" });
    }
    workspace.write("mixed/metadata.csv", &list);
    workspace.ok(&["init", "mixed/metadata.csv", "-o", "mixed.toml"]);
    let text = fs::read_to_string(workspace.path("mixed.toml")).unwrap();
    assert!(text.contains("\npath       = \"mixed\"\nlist       = \"metadata.csv\""), "{text}");
    runs(&workspace, "mixed.toml");
    let keys = || workspace.ok(&["plan", "mixed.toml", "--json"]);
    let known = keys();
    // A label is part of what decides a result.
    workspace.write("mixed/metadata.csv", list.replace("39.png,light", "39.png,dark"));
    assert_ne!(known, keys());
    for (wrong, told) in [
        ("0.png\n", "line 1: it must hold a path and a label"),
        ("0.png,a\n0.png,b\n", "line 2: 0.png comes twice"),
        ("../0.png,a\n1.png,b\n", "must start from the folder of the list"),
        ("0.png,a\n", "1 different labels"),
    ] {
        workspace.write("mixed/metadata.csv", wrong);
        let output = workspace.takd(&["check", "mixed.toml"]);
        assert!(output.code == 3 && output.stderr.contains(told), "{told}: {output:?}");
    }
}

#[test]
fn hugging_faces_layout_is_recognised() {
    let workspace = Workspace::new();
    for split in ["train", "validation"] {
        for class in ["a", "b"] {
            for image in 0..3 {
                save(
                    workspace.path(format!("hf/{split}/{class}/{image}.png")),
                    RgbImage::new(32, 32),
                );
            }
        }
    }
    let output = workspace.takd(&["init", "hf", "-o", "hf.toml"]);
    assert!(
        output.stderr.contains("6 training and 6 test images of 3×32×32, 2 classes"),
        "{output:?}"
    );
}
