//! No two files of `src` import each other, however long the way round is.

use crate::tidy::sources;
use std::collections::{BTreeMap, BTreeSet};

/// A module's names from the crate's root.
type Module = Vec<String>;

/// The code of each module of `src`.
fn modules() -> BTreeMap<Module, String> {
    let found = sources().into_iter().filter_map(|(path, text)| {
        let inside = path.strip_prefix("src").ok()?.with_extension("");
        let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
        let mut module: Module = names.collect();
        module.pop_if(|name| name == "mod");
        Some((module, code(&text)))
    });
    found.collect()
}

/// A text without comments and tests.
pub fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that a use tree stands for: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let names = |path: &str| -> Vec<String> {
        let names = path.split("::").map(|name| name.split(" as ").next().unwrap_or(name).trim());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let Some((before, inner)) = tree.split_once('{') else { return vec![names(tree)] };
    let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
    let (mut paths, mut depth, mut part) = (Vec::new(), 0, String::new());
    for c in inner.chars().chain([',']) {
        match c {
            ',' if depth == 0 => {
                for rest in expand(&std::mem::take(&mut part)) {
                    paths.push([names(before), rest].concat());
                }
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        part.push(c);
    }
    paths
}

/// `use` declarations of a text that begin with `start`.
fn declared(text: &str, start: &str) -> Vec<Vec<String>> {
    let found = text.match_indices(start).map(|(at, _)| {
        let rest = &text[at + start.len()..];
        rest.split(';').next().unwrap_or(rest)
    });
    found.flat_map(expand).collect()
}

/// The paths that code names: its imports, and what it calls by a path from the root or from above.
pub fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = declared(text, "use ")
        .into_iter()
        .filter(|path| ["crate", "super", "self"].contains(&path[0].as_str()))
        .collect();
    // What follows a declaration's end.
    let mut parts = text.split("use ");
    let first = parts.next().map(str::to_owned);
    let rest = parts.filter_map(|part| part.split_once(';')).map(|(_, rest)| rest.to_owned());
    let text = &first.into_iter().chain(rest).collect::<String>();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let end = text[at..].find(|c| !part(c)).unwrap_or(text.len() - at);
            found.extend(expand(text[at..at + end].trim_end_matches(':')));
        }
    }
    found
}

struct Crate {
    modules: BTreeMap<Module, String>,
    /// What a module hands on under a name: the module that it comes from.
    handed: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn new(modules: BTreeMap<Module, String>) -> Self {
        let mut all = Self { modules, handed: BTreeMap::new() };
        let mut handed = BTreeMap::new();
        for (module, text) in &all.modules {
            for start in ["pub use ", "pub(crate) use ", "pub(super) use "] {
                for path in declared(text, start) {
                    if let Some(from) = all.home(module, &path)
                        && from != *module
                        && let Some(name) = path.last()
                    {
                        handed.insert((module.clone(), name.clone()), from);
                    }
                }
            }
        }
        all.handed = handed;
        all
    }

    /// The module that a path in `module` leads to.
    fn home(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut at: Module = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            _ => {}
        }
        let full = [at, rest.to_vec()].concat();
        let found = (1..=full.len()).rev().map(|length| &full[..length]);
        let mut found = found.into_iter().find(|start| self.modules.contains_key(*start))?.to_vec();
        let name = path.last()?;
        while let Some(next) = self.handed.get(&(found.clone(), name.clone())) {
            found.clone_from(next);
        }
        Some(found)
    }

    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |module: &Module, text: &str| -> BTreeSet<Module> {
            let homes = paths(text).into_iter().filter_map(|path| self.home(module, &path));
            homes.filter(|home| home != module).collect()
        };
        self.modules.iter().map(|(module, text)| (module.clone(), of(module, text))).collect()
    }
}

/// A way from a module back to itself.
fn circle(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut done = BTreeSet::new();
    for start in imports.keys() {
        let mut way = vec![start.clone()];
        if let Some(circle) = walk(imports, &mut way, &mut done) {
            return Some(circle);
        }
    }
    None
}

fn walk(
    imports: &BTreeMap<Module, BTreeSet<Module>>,
    way: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
) -> Option<Vec<Module>> {
    let here = way.last()?.clone();
    if done.contains(&here) {
        return None;
    }
    for next in imports.get(&here).into_iter().flatten() {
        if let Some(at) = way.iter().position(|module| module == next) {
            return Some([&way[at..], std::slice::from_ref(next)].concat());
        }
        way.push(next.clone());
        if let Some(circle) = walk(imports, way, done) {
            return Some(circle);
        }
        way.pop();
    }
    done.insert(here);
    None
}

fn told(circle: &[Module]) -> String {
    circle.iter().map(|module| module.join("/")).collect::<Vec<_>>().join(" → ")
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = Crate::new(modules()).imports();
    let edges: usize = imports.values().map(BTreeSet::len).sum();
    assert!(imports.len() > 150 && edges > 500, "imports are found: {edges}");
    if let Some(circle) = circle(&imports) {
        panic!("{}", told(&circle));
    }
}

#[test]
fn a_circle_is_found_also_through_names_that_are_handed_on() {
    let texts = [
        ("a", "mod b;\nmod c;\npub use b::Thing;"),
        ("a/b", "use super::c::{self, Other};\nstruct Thing;"),
        ("a/c", "use super::Thing;"),
        ("d", "use crate::a::Thing; // use crate::a::b;"),
    ];
    let modules =
        texts.map(|(name, text)| (name.split('/').map(str::to_owned).collect(), code(text)));
    let imports = Crate::new(modules.into()).imports();
    assert_eq!(told(&circle(&imports).unwrap()), "a/b → a/c → a/b");
    assert!(imports[&vec!["d".to_owned()]].contains(&vec!["a".to_owned(), "b".to_owned()]));
}
