//! The report as a page: one file that is whole, well-formed, and loads nothing. `.ci/browser` looks
//! at it in a browser.

use crate::{
    keys::parse,
    workspace::{PIPELINE, Workspace},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};
use takd::{
    graph::Graph,
    key::keys,
    report::{
        Entries, NodeResults, Report,
        render::{Contents, format},
    },
    store::{Epochs, KeyLock, Reached, Store},
};

/// Elements without an end.
const VOID: [&str; 3] = ["meta", "input", "br"];

/// Labels and titles that HTML, a script or a template could mistake.
fn hostile() -> String {
    format!(
        "{PIPELINE}{}",
        r#"
[table.main]
title = "</script><!-- & \"q\" 'a' {{script}}"
rows  = [{ node = "takd", label = "<img src=x onerror=alert(1)>" }, { label = "a & b", paper = 9.5 }]

[figure.sizes]
title  = "<b>τ & λ</b>"
x      = "\"size\" <of> net"
series = [{ label = "</svg>", points = [{ x = 1, node = "takd", paper = 50 }] }]
"#
    )
}

/// The page of a pipeline with nothing in the cache.
fn page(text: &str) -> String {
    let empty = tempfile::tempdir().unwrap();
    page_from(text, &Store::new(empty.path()))
}

fn page_from(text: &str, store: &Store) -> String {
    let pipeline = parse(text);
    let graph = Graph::new(&pipeline);
    let keys = keys(&graph);
    let mut entries = Entries::new(store);
    let report = Report::gather(&graph, &keys, &mut entries).unwrap();
    let nodes = NodeResults::gather(&graph, &keys, &mut entries).unwrap();
    format("html").unwrap().render(&Contents { graph: &graph, report: &report, nodes: &nodes })
}

/// What the script of a page reads.
fn data(page: &str) -> Value {
    let start = page.split("<script id=\"data\" type=\"application/json\">").nth(1).unwrap();
    serde_json::from_str(start.split("</script>").next().unwrap()).unwrap()
}

/// Takes a page apart: every element must end where it should, every attribute be in quotes. Gives
/// each start tag.
fn tags(page: &str) -> Vec<&str> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("the document's type");
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a lone > in {:?}", &rest[..start]);
        rest = &rest[start + 1..];
        let mut quoted = false;
        let is_end = |c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        };
        let end = rest.find(is_end).expect("a tag ends");
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "after {:?}", found.last());
            continue;
        }
        found.push(tag);
        let name = tag.split([' ', '/']).next().unwrap();
        let unquoted: String = tag.split('"').step_by(2).collect();
        assert!(!unquoted.contains('<') && tag.matches('"').count().is_multiple_of(2), "<{tag}>");
        assert_eq!(unquoted.matches('=').count(), tag.matches("=\"").count(), "<{tag}>");
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}>")).expect("it ends");
            rest = &rest[end + name.len() + 3..];
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

/// The value of an attribute.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

#[test]
fn the_body_of_a_page() {
    let page = page(PIPELINE);
    let body = page.split("<body>").nth(1).unwrap();
    insta::assert_snapshot!(body.split("<noscript>").next().unwrap());
}

#[test]
fn a_page_is_well_formed_whatever_labels_hold() {
    for text in [PIPELINE.to_owned(), hostile()] {
        let page = page(&text);
        let tags = tags(&page);
        let ids: Vec<&str> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{ids:?}");
        for tag in &tags {
            for id in attribute(tag, "aria-labelledby").unwrap_or_default().split_whitespace() {
                assert!(unique.contains(id), "<{tag}>");
            }
        }
        let scripts = tags.iter().filter(|tag| tag.starts_with("script")).count();
        assert_eq!((scripts, page.matches("</script>").count()), (2, 2));
        assert!(!tags.iter().any(|tag| ["img", "b"].contains(tag) || tag.starts_with("img ")));
        let nodes = data(&page)["nodes"].as_array().unwrap().len();
        let buttons: Vec<&&str> =
            tags.iter().filter(|tag| attribute(tag, "role") == Some("button")).collect();
        assert_eq!((nodes, buttons.len()), (10, 10));
        assert_eq!(buttons.iter().filter(|tag| tag.contains("tabindex=\"0\"")).count(), 1);
    }
    assert!(page(&hostile()).contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(page(&hostile()).contains("'a' {{script}}"), "a label is no template");
}

#[test]
fn the_legend_names_the_paper_only_where_it_is_quoted() {
    assert!(page(&hostile()).contains(">ours ●, paper ○<"));
    assert!(!page(PIPELINE).contains("paper ○"));
}

#[test]
fn a_row_leads_to_its_node() {
    let page = page(PIPELINE);
    let tags = tags(&page);
    let ids: BTreeSet<&str> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
    let links: Vec<&str> = tags.iter().filter_map(|tag| attribute(tag, "href")).collect();
    assert!(links.contains(&"#node-takd"), "{links:?}");
    for link in links {
        assert!(ids.contains(&link[1..]), "{link} leads nowhere");
    }
}

#[test]
fn a_page_loads_nothing() {
    let page = page(&hostile());
    for word in ["http:", "https:", "url(", "@import", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(word), "{word}");
    }
    for tag in tags(&page) {
        assert!(attribute(tag, "src").is_none() && !tag.starts_with("link"), "<{tag}>");
        assert!(attribute(tag, "href").is_none_or(|link| link.starts_with('#')), "<{tag}>");
    }
    assert!(page.contains("default-src 'none'"), "and the browser is told so");
}

#[test]
fn a_page_holds_curves_configuration_and_provenance() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    let write = ["report", "tiny.toml", "--format", "html", "-o", "report.html"];
    assert_eq!(workspace.ok(&write), "");
    let page = fs::read_to_string(workspace.path("report.html")).unwrap();
    assert_eq!(workspace.ok(&write[..4]), page, "the same cache gives the same bytes");
    tags(&page);
    let data = data(&page);
    let node = |name: &str| {
        data["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
    };
    let takd = node("takd");
    assert_eq!((&takd["state"], &takd["kind"]), (&"done".into(), &"distill".into()));
    assert_eq!(takd["config"]["objective"]["kd"]["temperature"], 5.0);
    assert_eq!(takd["accuracy"], node("test/takd")["accuracy"]);
    let task = &takd["tasks"][1];
    assert_eq!((&task["seed"], task["key"].as_str().unwrap().len()), (&31.into(), 64));
    let made = &task["made"];
    for curve in ["loss", "accuracy"] {
        let curve = made["curve"][curve].as_array().unwrap();
        assert!(curve.len() == 2 && curve.iter().all(Value::is_number), "{made}");
    }
    let above = page.split("<section id=\"nodes\"").next().unwrap();
    for (title, drawn) in [
        ("What an assistant brings", "takd over blkd: "),
        ("Accuracy by epoch", "assistant from "),
        ("Loss by epoch", "assistant from "),
    ] {
        let picture = above.split("<svg").find(|svg| svg.contains(&format!(">{title}</title>")));
        assert!(
            picture.is_some_and(|svg| svg.contains(drawn)),
            "{title} is drawn, no click needed"
        );
    }
    assert!(made["provenance"]["host"].is_string() && made["selected"].is_number(), "{made}");
    let measured = &node("test/takd")["tasks"][0]["made"]["metrics"];
    assert!(measured["ece"].is_number() && measured["entropy_at_temperature"].is_number());
    for role in ["teacher", "assistant", "student", "no teacher"] {
        assert!(page.contains(&format!("<td class=\"word\">{role}</td>")), "{role}");
    }

    let answers = &node("test/takd")["answers"];
    let count = |pairs: &Value| -> i64 {
        pairs.as_array().unwrap().iter().map(|pair| pair[2].as_i64().unwrap()).sum()
    };
    assert_eq!((count(&answers["confusion"]), &takd["answers"]), (2 * 24, &Value::Null));
    assert_eq!(answers["bins"].as_array().unwrap().len(), 15);

    let kept = &page.split("<noscript>").nth(1).unwrap();
    assert!(kept.contains("; kept epoch ") && kept.contains("; top-1 "), "{kept}");

    // A damaged entry is shown, not used.
    let key = task["key"].as_str().unwrap();
    let file = format!("cache/entries/{key}/metrics.jsonl");
    let length = fs::metadata(workspace.path(&file)).unwrap().len() as usize;
    fs::write(workspace.path(&file), vec![b' '; length]).unwrap();
    let page = workspace.ok(&write[..4]);
    let damaged = page.matches("class=\"node damaged\"").count();
    assert_eq!(damaged, 1);
    assert!(page.contains("does not match its digest"), "and why");
}

#[test]
fn a_page_tells_what_runs_what_was_stopped_and_what_failed() {
    let pipeline = parse(PIPELINE);
    let graph = Graph::new(&pipeline);
    let keys = keys(&graph);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let reached = Epochs {
        epoch: 3,
        epochs: 8,
        share: 0.31,
        loss: Some(0.42),
        accuracy: Some(0.841),
        samples_per_second: 2310.0,
    };
    let reached = Reached::Epochs(reached);
    let begin = |name: &str| -> KeyLock {
        let task = (0..keys.len()).find(|&task| graph.name(task) == name).unwrap();
        let lock = store.lock(&keys[task].1, &mut || true).unwrap().unwrap();
        store.write_progress(&lock, name, Some(reached)).unwrap();
        lock
    };
    // What holds its lock runs, and what has let go of it was stopped, or left why it gave up.
    let running = begin("teacher@31");
    drop(begin("nokd@20"));
    let failing = begin("blkd@20");
    store.write_failure(&failing, "the loss is <NaN>", "diverged", true).unwrap();
    drop(failing);
    let page = page_from(PIPELINE, &store);
    tags(&page);
    let body = page.split("<body>").nth(1).unwrap();
    let (shown, hidden) = body.split_once("<noscript>").unwrap();
    let here = format!("process {} on {}", std::process::id(), running.holder().host);
    for (name, kind, class, mark, words) in [
        ("teacher", "train large, 875", "running", "▶", "running"),
        ("nokd", "train small, 123", "stopped", "■", "stopped"),
        ("blkd", "distill small, 123", "failed", "✗", "failed"),
    ] {
        let standing = format!("1 of 2 {words}, epoch 3/8, 31 %");
        let label = format!("aria-label=\"{name}, {kind} parameters, {standing}\"");
        let group = shown.split("<g ").find(|group| group.contains(&label)).expect(&label);
        assert!(group.contains(&format!("class=\"node {class}\"")), "{group}");
        assert!(group.contains(&format!("\">{mark}</text>")), "{group}");
        let line = format!(">{standing}</text>");
        assert!(group.contains(&line), "{group}");
        let legend = format!(
            "<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\">{mark}</span> \
             {words}: 1 node</li>"
        );
        assert!(shown.contains(&legend), "{legend}");
        let style = page.split("</style>").next().unwrap();
        assert!(style.contains(&format!(".{class} {{ --state: var(--{class}); }}")), "{class}");
        let whole = format!(
            "{words} at epoch 3/8, 31 % done, loss 0.4200, accuracy 84.10 %, 2310 images/s, in {here}"
        );
        assert!(hidden.contains(&whole), "{whole}");
    }
    assert!(hidden.contains(&format!("{here}: the loss is &lt;NaN&gt;, key ")), "why it failed");
    assert!(body.contains("0 of 20 results are in the cache, 1 running, 1 failed, 1 stopped;"));
    let teacher = &data(&page)["nodes"][0];
    assert_eq!(teacher["tasks"][0]["making"], Value::Null);
    assert_eq!(teacher["tasks"][1]["making"]["pid"], std::process::id());

    // Who begins anew says nothing of the failure before.
    let again = begin("blkd@20");
    let page = page_from(PIPELINE, &store);
    assert!(!page.contains("NaN") && !page.contains("node failed"));
    assert_eq!(page.matches("class=\"node running\"").count(), 2);
    drop(again);
}

#[test]
fn a_page_without_javascript_tells_each_nodes_details() {
    let page = page(&hostile());
    let details = page.split("<noscript>").nth(1).unwrap().split("</noscript>").next().unwrap();
    assert_eq!(details.matches("<details id=\"node-").count(), 10);
    for part in [
        "<summary>takd: distill small, 123 parameters, not in the cache</summary>",
        "<p>Needs: assistant<br>Needed by: test/takd</p>",
        "<li>seed 31: not in the cache, key ",
        "\nobjective.kd.temperature = 5.0\n",
        "\nrecipe.epochs = 2\n",
    ] {
        assert!(details.contains(part), "{part}: {details}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_an_error() {
    let workspace = Workspace::new();
    let output = workspace.takd(&["report", "tiny.toml", "--format", "html", "-o", "no/such.html"]);
    assert_eq!(output.code, 4);
    assert!(output.stderr.contains("cannot write no/such.html"), "{}", output.stderr);
}
