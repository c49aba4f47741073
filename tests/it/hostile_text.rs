//! Text that users choose means nothing to a terminal, a spreadsheet, a browser or LaTeX, whatever it is.

use crate::workspace::{PIPELINE, Workspace};

/// A title, label or note that would do something in each of the formats.
const TEXTS: [&str; 8] = [
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[1;31mred",
    "one\ntwo\r\nthree\u{85}four",
    "=HYPERLINK(\"http://x\")",
    "+1|-1|@SUM(A1)",
    "-2+3\tcmd",
    "<script>alert(1)</script> <!-- & \"q\" 'q' --> ]]>",
    "100 % _a_ \\input{/etc/passwd} $x^2$ {#1} ~ [*]",
    "a \u{202e}txt.exe\u{202c} | `b` *c* # d",
];

fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// The pipeline with `text` wherever a file can say something of its own.
fn workspace(text: &str) -> Workspace {
    let workspace = Workspace::new();
    let text = toml(text);
    let more = format!(
        "[table.t]\ntitle = {text}\nnote = {text}\neval = \"test\"\nrows = [\
         {{ node = \"nokd\", label = {text}, paper = 50.0 }}, {{ node = \"takd\", label = {text} }},\
         {{ label = {text}, paper = 50.0 }}]\n\
         [figure.f]\ntitle = {text}\nx = {text}\nnote = {text}\neval = \"test\"\nseries = [{{ label = {text}, \
         points = [{{ x = 1, node = \"nokd\", paper = 40.0 }}] }}]\n"
    );
    let file =
        PIPELINE.replacen("name  = \"tiny\"", &format!("name = {text}\npaper_note = {text}"), 1);
    workspace.write("hostile.toml", format!("{file}{more}"));
    workspace
}

fn is_unprintable(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c)
}

#[test]
fn terminals_see_no_control_characters() {
    for text in TEXTS {
        let workspace = workspace(text);
        for args in [
            &["report", "hostile.toml"][..],
            &["report", "hostile.toml", "--format", "md"],
            &["report", "hostile.toml", "--format", "latex"],
            &["report", "hostile.toml", "--format", "csv"],
            &["plan", "hostile.toml"],
            &["check", "hostile.toml"],
            &["graph", "hostile.toml"],
        ] {
            let out = workspace.ok(args);
            let bad = out.chars().find(|&c| is_unprintable(c));
            assert_eq!(bad, None, "{args:?}: {out:?}");
        }
    }
}

#[test]
fn errors_show_what_was_typed_and_do_nothing() {
    let workspace = Workspace::new();
    for word in ["\u{1b}[31mred", "\u{1b}]0;owned\u{7}", "a\u{202e}b"] {
        for args in [&["data", "check", word][..], &["plan", word], &["run", "tiny.toml", word]] {
            let output = workspace.takd(args);
            assert!(output.code != 0 && !output.stderr.chars().any(is_unprintable), "{output:?}");
        }
    }
}

#[test]
fn tables_keep_their_shape() {
    for text in TEXTS {
        let workspace = workspace(text);
        let latex = workspace.ok(&["report", "hostile.toml", "--format", "latex"]);
        for line in latex.lines().filter(|line| !line.starts_with('%')) {
            // Outside commands of ours nothing is left that LaTeX would take for one.
            assert!(!line.contains("\\input"), "{line}");
            let row = line.ends_with("\\\\") && line.contains(" & ");
            assert!(!row || line.matches(" & ").count() == 8, "{line}");
        }
        let md = workspace.ok(&["report", "hostile.toml", "--format", "md"]);
        assert!(!md.replace("\\<", "").contains('<'), "{md}");
        for line in md.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 10, "{line}");
        }
        let plain = workspace.ok(&["report", "hostile.toml"]);
        let lines = |text: &str| text.lines().count();
        let tame = self::workspace("tame");
        assert!(lines(&plain) <= lines(&tame.ok(&["report", "hostile.toml"])) + 9, "{plain}");
    }
}

#[test]
fn spreadsheets_find_no_formula() {
    for text in TEXTS {
        let workspace = workspace(text);
        let out = workspace.ok(&["report", "hostile.toml", "--format", "csv"]);
        workspace.ok(&["report", "hostile.toml", "--figures", "figures"]);
        let figure = std::fs::read_to_string(workspace.path("figures/f.csv")).unwrap();
        for csv in [out, figure] {
            let fields = fields(&csv);
            let width = fields[0].len();
            assert!(fields.iter().all(|row| row.len() == width), "{csv}");
            for field in fields.iter().flatten() {
                let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula || field.parse::<f64>().is_ok(), "{field}");
            }
        }
    }
}

/// A CSV file's fields, as RFC 4180 has them.
fn fields(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = csv.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    rows
}

#[test]
fn browsers_run_nothing_and_programs_get_the_text_as_it_is() {
    for text in TEXTS {
        let workspace = workspace(text);
        let html = workspace.ok(&["report", "hostile.toml", "--format", "html"]);
        assert!(!html.contains("<script>alert") && !html.contains("<!-- &"), "{text:?}");
        workspace.ok(&["report", "hostile.toml", "--figures", "figures"]);
        let svg = std::fs::read_to_string(workspace.path("figures/f.svg")).unwrap();
        assert!(!svg.contains("<script>"), "{svg}");
        let json = workspace.ok(&["report", "hostile.toml", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["tables"][0]["title"], text);
    }
}
