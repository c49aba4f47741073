//! A folder with a small data set, pipelines and a cache, in which `takd` is called as a user would.

use crate::tiny;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Trains in well under a second: teacher, assistant, and one student three ways.
pub const PIPELINE: &str = r#"
name  = "tiny"
seeds = [20, 31]

[data.bars]
format     = "idx"
path       = "bars"
validation = 12

[recipe.short]
epochs     = 2
batch_size = 16
optimizer  = { sgd = { lr = 0.05, momentum = 0.9, nesterov = true } }

[net.large]
layers = ["conv6", "maxpool", "fc8", "fc3"]

[net.middle]
layers = ["conv4", "maxpool", "fc3"]

[net.small]
layers = ["conv2", "maxpool", "fc3"]

[train.teacher]
net    = "large"
data   = "bars"
recipe = "short"

[train.nokd]
net    = "small"
data   = "bars"
recipe = "short"

[distill.blkd]
net       = "small"
teacher   = "teacher"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[distill.assistant]
net       = "middle"
teacher   = "teacher"
objective = { kd = { temperature = 4.0, lambda = 0.25 } }

[distill.takd]
net       = "small"
teacher   = "assistant"
objective = { kd = { temperature = 5.0, lambda = 0.5 } }

[eval.test]
of    = ["*"]
split = "test"
"#;

/// A folder that goes with the test.
pub struct Workspace {
    dir: TempDir,
}

/// What a call of `takd` gave.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    /// With the data set in `bars/` and [`PIPELINE`] in `tiny.toml`.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        tiny::write_idx(&dir.path().join("bars"));
        let workspace = Self { dir };
        workspace.write("tiny.toml", PIPELINE);
        workspace
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// `takd` with these arguments, in the folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_takd"));
        command.args(args).current_dir(self.dir.path());
        command
            .env_remove("TAKD_CACHE")
            .env_remove("TAKD_DATA")
            .env_remove("TAKD_REMOTE")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn takd(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        Output {
            code: output.status.code().expect("takd ends by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `takd` with these arguments, which must succeed; its stdout.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.takd(args);
        assert_eq!(output.code, 0, "takd {args:?}: {output:?}");
        output.stdout
    }

    /// What `takd check` tells of `tiny.toml`, which must be refused.
    pub fn refusal(&self) -> String {
        let output = self.takd(&["check", "tiny.toml"]);
        assert_eq!(output.code, 3, "{}", fs::read_to_string(self.path("tiny.toml")).unwrap());
        output.stderr
    }

    /// `takd run --json` with these arguments; its result.
    pub fn run(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[&["run", "--json"], args].concat())).unwrap()
    }

    /// Runs, and names the train and distill tasks that were made.
    pub fn trained(&self, args: &[&str]) -> Vec<String> {
        let result = self.run(args);
        let steps = result["steps"].as_array().unwrap().iter();
        let made = steps.filter(|step| step["status"] == "done" && step["kind"] != "eval");
        made.map(|step| step["nodes"][0].as_str().unwrap().to_owned()).collect()
    }

    /// Every file of every entry with its content, sorted by path; manifests left out, since they
    /// hold times. What has a dot in its name is no entry: gc takes it.
    pub fn entry_files(&self, cache: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let root = self.path(cache).join("entries");
        let mut files = Vec::new();
        let entries = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
        for entry in entries.filter(|entry| entry.extension().is_none()) {
            for file in fs::read_dir(entry).unwrap() {
                let path = file.unwrap().path();
                if path
                    .file_name()
                    .is_some_and(|name| !name.to_string_lossy().starts_with("manifest"))
                {
                    let content = fs::read(&path).unwrap();
                    files.push((path.strip_prefix(&root).unwrap().to_owned(), content));
                }
            }
        }
        files.sort();
        files
    }
}

/// A task's step in the result of a run.
pub fn step<'a>(result: &'a Value, task: &str) -> &'a Value {
    let mut steps = result["steps"].as_array().unwrap().iter();
    steps.find(|step| step["nodes"][0] == task).unwrap()
}

/// A task's key in the result of a run.
pub fn key<'a>(result: &'a Value, task: &str) -> &'a str {
    step(result, task)["key"].as_str().unwrap()
}
