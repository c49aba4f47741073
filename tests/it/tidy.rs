//! The project's own rules: imports run one way, files stay small.

use crate::circles::{code, paths};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Modules in layers: one may import those above it in this list, never those below or beside it.
const LAYERS: [&[&str]; 21] = [
    &[
        "rng",
        "dag",
        "footprint",
        "memory",
        "metric",
        "mutex",
        "history",
        "input",
        "file_lock",
        "keep",
        "kernels",
        "kind",
        "shape",
        "shell",
    ],
    &["fetch", "tensors"],
    &["onnx", "processor", "search", "statistics", "tap"],
    &["augment", "column", "objective", "optimizer", "schedule"],
    &["recipe"],
    &["layer", "dataset"],
    &["kinds"],
    &["architecture"],
    &["network", "schema", "reference"],
    &["pipeline"],
    &["graph", "training", "pytorch"],
    &["key"],
    &["plan", "store"],
    &["executor"],
    &["report"],
    &["node", "slurm"],
    &["remote"],
    &["session"],
    &["console"],
    &["commands"],
    &["main", "lib"],
];

/// What a module may import beyond its layer's rule: nothing else in the whole crate knows files,
/// and networks know nothing of what they learn from.
const NEVER: [(&str, &[&str]); 7] = [
    ("plan", &["store", "network", "training"]),
    ("executor", &["store", "dataset", "network", "training"]),
    ("network", &["pipeline", "dataset", "store", "key", "graph"]),
    ("training", &["pipeline", "store", "key", "graph", "plan"]),
    ("dataset", &["pipeline", "network", "store", "key"]),
    ("pipeline", &["network", "training", "store"]),
    ("report", &["plan", "executor", "network", "training"]),
];

/// Lines that a source file may have.
const LONGEST: usize = 400;

pub fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("src"), root.join("tests"), root.join("examples")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 40, "the sources are where they are looked for");
    found
}

/// The top-level module that a file of `src` belongs to.
fn module(path: &Path) -> Option<String> {
    let first = path.strip_prefix("src").ok()?.iter().next()?;
    Some(Path::new(first).file_stem()?.to_str()?.to_owned())
}

/// Top-level modules that a text names as `crate::…`.
fn imports(text: &str) -> Vec<String> {
    let named = paths(&code(text)).into_iter().filter(|path| path[0] == "crate");
    let mut modules: Vec<String> = named.filter_map(|path| path.get(1).cloned()).collect();
    modules.dedup();
    modules
}

#[test]
fn imports_run_one_way() {
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(place, names)| names.iter().map(move |name| (*name, place)))
        .collect();
    let mut seen = 0;
    for (path, text) in sources() {
        let Some(own) = module(&path) else { continue };
        let place = *layer.get(own.as_str()).unwrap_or_else(|| panic!("{own} has no layer"));
        for import in imports(&text).into_iter().filter(|import| *import != own) {
            seen += 1;
            let other =
                *layer.get(import.as_str()).unwrap_or_else(|| panic!("{path:?}: {import}?"));
            assert!(other < place, "{path:?} imports {import}, which is not above {own}");
            let never =
                NEVER.iter().find(|(name, _)| *name == own).map_or(&[][..], |(_, never)| never);
            assert!(!never.contains(&import.as_str()), "{path:?} must not import {import}");
        }
    }
    assert!(seen > 50, "imports are found: {seen}");
}

#[test]
fn burn_lives_in_few_modules() {
    for (path, text) in sources() {
        let burns = text.contains("use burn::") || text.contains(" burn::");
        if let (true, Some(module)) = (burns, module(&path)) {
            assert!(
                [
                    "network",
                    "training",
                    "dataset",
                    "node",
                    "kernels",
                    "objective",
                    "optimizer",
                    "layer",
                    "tensors"
                ]
                .contains(&module.as_str()),
                "{path:?} uses burn"
            );
        }
    }
}

#[test]
fn files_are_small_and_named_for_what_they_hold() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{path:?} has {lines} lines");
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let vague = ["base", "utils", "util", "common", "helpers", "misc", "error", "errors"];
        assert!(path.starts_with("tests") || !vague.contains(&stem), "{path:?} says nothing");
        for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("use ")) {
            // CubeCL's macro writes calls of its many traits' methods into a kernel.
            let kernel = line == "use cubecl::prelude::*;" && path.starts_with("src/kernels/cube");
            let all = line == "use super::*;" || kernel;
            assert!(!line.contains("::*") || all, "{path:?}: {line}");
        }
    }
}

/// A child that nobody guards lives on when its test fails.
#[test]
fn tests_start_children_in_one_place() {
    // In two parts, so that this file does not have it.
    let spawn = [".spawn", "()"].concat();
    for (path, text) in sources() {
        let allowed = !path.starts_with("tests") || path.ends_with("running.rs");
        assert!(allowed || !text.contains(&spawn), "{path:?} starts a child without `Running`");
    }
}

#[test]
fn unsafe_code_lives_in_three_files() {
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("src")) {
        let allowed = path.ends_with("kernels/lanes.rs");
        // One call of NVIDIA's driver, which burn makes and does not pass on.
        let driver = path.ends_with("node/cuda.rs");
        // Launches of kernels that do not check each index.
        let launches = path.ends_with("kernels/cube/conv.rs");
        // A page's policy has a word of that name.
        let text = text.replace("unsafe-inline", "");
        assert!(
            allowed || driver || launches || !text.contains("unsafe"),
            "{path:?} has unsafe code"
        );
        // Only after a look at the processor, which `lanes` takes.
        let bare = ["Avx2", "target_feature", "std::arch"].iter().any(|word| text.contains(word));
        let tests = path.ends_with("kernels/lanes/tests.rs");
        assert!(allowed || tests || !bare, "{path:?} uses a processor's own instructions");
    }
}

#[test]
fn the_import_reader_reads_imports() {
    let text = "use crate::{a::{b, c}, \n d, e::{f}};\nuse crate::g::h; let x = crate::i::j();";
    assert_eq!(imports(text), ["a", "d", "e", "g", "i"]);
}

/// What commands share is in `console`.
#[test]
fn no_command_imports_another() {
    let mut commands = 0;
    for (path, text) in sources() {
        let Ok(inside) = path.strip_prefix("src/commands") else { continue };
        if inside == Path::new("mod.rs") {
            continue;
        }
        commands += 1;
        let own =
            inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        for named in paths(&code(&text)) {
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            let other = match named.as_slice() {
                ["crate", "commands", other, ..] => *other != own,
                // Two rooms up from a file of a command's folder, one from a command's own file.
                ["super", "super", ..] => true,
                ["super", ..] => inside.iter().count() == 1,
                _ => false,
            };
            assert!(!other, "{path:?} imports {named:?}: what commands share belongs to console");
        }
    }
    assert!(commands > 15, "commands are found: {commands}");
}
