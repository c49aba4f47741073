//! The JSON schema says what the parser says, and the page on the language shows every key.

use crate::{documents::page_probe, keys::parse_preset};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};
use takd::pipeline::Diagnostics;

const SCHEMA: &str = include_str!("../../schema/takd.schema.json");
const PAGE: &str = include_str!("../../docs/pipeline.md");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Whether `schema`, a part of `root`, accepts `value`: the part of draft 07 that takd's schema uses.
fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    let number = |bound: &Value| bound.as_f64().unwrap();
    let own = value.as_f64();
    let (items, fields) = (value.as_array(), value.as_object());
    let list = |schemas: &Value| schemas.as_array().unwrap().clone();
    schema.as_object().unwrap().iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "title" | "description" | "$defs" => true,
        "$ref" => {
            assert_eq!(
                schema.as_object().unwrap().len(),
                1,
                "draft 07 ignores what is beside $ref"
            );
            accepts(root, root.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value)
        }
        "allOf" => list(rule).iter().all(|schema| accepts(root, schema, value)),
        "anyOf" => list(rule).iter().any(|schema| accepts(root, schema, value)),
        "enum" => list(rule).contains(value),
        "type" => {
            let types = if rule.is_array() { list(rule) } else { vec![rule.clone()] };
            types.iter().any(|kind| match kind.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => own.is_some_and(|number| number.fract() == 0.0),
                other => panic!("type {other}"),
            })
        }
        "pattern" => {
            let pattern = regex_lite::Regex::new(rule.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "properties" => fields.is_none_or(|fields| {
            let known = |(name, value): (&String, &Value)| {
                rule.get(name).is_none_or(|schema| accepts(root, schema, value))
            };
            fields.iter().all(known)
        }),
        "additionalProperties" => fields.is_none_or(|fields| {
            let named =
                |name: &str| schema.get("properties").is_some_and(|p| p.get(name).is_some());
            let mut others = fields.iter().filter(|(name, _)| !named(name));
            others.all(|(_, value)| *rule != Value::Bool(false) && accepts(root, rule, value))
        }),
        "required" => fields
            .is_none_or(|f| list(rule).iter().all(|name| f.contains_key(name.as_str().unwrap()))),
        "minProperties" => fields.is_none_or(|fields| fields.len() as f64 >= number(rule)),
        "maxProperties" => fields.is_none_or(|fields| fields.len() as f64 <= number(rule)),
        "items" => items.is_none_or(|items| items.iter().all(|item| accepts(root, rule, item))),
        "minItems" => items.is_none_or(|items| items.len() as f64 >= number(rule)),
        "maxItems" => items.is_none_or(|items| items.len() as f64 <= number(rule)),
        "uniqueItems" => items.is_none_or(|items| {
            (1..items.len()).all(|place| !items[..place].contains(&items[place]))
        }),
        "minimum" => own.is_none_or(|own| own >= number(rule)),
        "maximum" => own.is_none_or(|own| own <= number(rule)),
        "exclusiveMinimum" => own.is_none_or(|own| own > number(rule)),
        "exclusiveMaximum" => own.is_none_or(|own| own < number(rule)),
        other => panic!("the checker does not know `{other}`"),
    })
}

fn is_valid(text: &str) -> bool {
    let (schema, value) = (schema(), toml::from_str::<Value>(text).unwrap());
    accepts(&schema, &schema, &value)
}

/// What the parser finds wrong with a text; nothing if it is right.
fn problems(text: &str) -> Option<Diagnostics> {
    parse_preset(text, None, &page_probe).err()
}

/// Tables of the language, and where the schema describes them; a `?` stands for what is looked for.
const PLACES: [(&str, &str); 37] = [
    ("? = 1", ""),
    ("[executor]\n? = 1", "/$defs/executor"),
    ("[executor.slurm]\n? = 1", "/$defs/executor/properties/slurm"),
    ("[executor.slurm.train]\n? = 1", "/$defs/resources"),
    ("[executor.slurm.distill]\n? = 1", "/$defs/resources"),
    ("[executor.slurm.eval]\n? = 1", "/$defs/resources"),
    ("[data.x]\n? = 1", "/$defs/data"),
    ("[recipe.x]\n? = 1", "/$defs/recipe"),
    ("[recipe.x.optimizer]\n? = 1", "/$defs/recipe/properties/optimizer"),
    ("[recipe.x.optimizer.sgd]\n? = 1", "/$defs/recipe/properties/optimizer/properties/sgd"),
    ("[recipe.x.optimizer.adam]\n? = 1", "/$defs/recipe/properties/optimizer/properties/adam"),
    ("[recipe.x.optimizer.adamw]\n? = 1", "/$defs/recipe/properties/optimizer/properties/adamw"),
    ("[recipe.x.schedule]\n? = 1", "/$defs/recipe/properties/schedule"),
    (
        "[recipe.x.schedule.constant]\n? = 1",
        "/$defs/recipe/properties/schedule/properties/constant",
    ),
    ("[recipe.x.schedule.step]\n? = 1", "/$defs/recipe/properties/schedule/properties/step"),
    ("[recipe.x.schedule.cosine]\n? = 1", "/$defs/recipe/properties/schedule/properties/cosine"),
    ("[net.x]\n? = 1", "/$defs/net"),
    ("[train.x]\n? = 1", "/$defs/train"),
    ("[train.x.objective]\n? = 1", "/$defs/loss"),
    ("[distill.x]\n? = 1", "/$defs/distill"),
    ("[distill.x.teacher]\n? = 1", "/$defs/distill/properties/teacher/anyOf/1"),
    ("[distill.x.objective]\n? = 1", "/$defs/objective"),
    ("[distill.x.objective.kd]\n? = 1", "/$defs/objective/properties/kd"),
    ("[chain.x]\n? = 1", "/$defs/chain"),
    ("[eval.x]\n? = 1", "/$defs/eval"),
    ("[search.x]\n? = 1", "/$defs/search"),
    ("[search.x.stop]\n? = 1", "/$defs/search/properties/stop"),
    ("[search.x.stop.halving]\n? = 1", "/$defs/search/properties/stop/properties/halving"),
    ("[search.x.stop.median]\n? = 1", "/$defs/search/properties/stop/properties/median"),
    ("[search.x.stop.patience]\n? = 1", "/$defs/search/properties/stop/properties/patience"),
    ("[choose.x]\n? = 1", "/$defs/choose"),
    ("[table.x]\n? = 1", "/$defs/table"),
    ("[figure.x]\n? = 1", "/$defs/figure"),
    ("[[figure.x.series]]\n? = 1", "/$defs/figure/properties/series/items"),
    (
        "[[figure.x.series]]\n[[figure.x.series.points]]\n? = 1",
        "/$defs/figure/properties/series/items/properties/points/items",
    ),
    ("[figure.x.teachers]\n? = 1", "/$defs/figure/properties/teachers"),
    ("[figure.x.mean_rule]\n? = 1", "/$defs/figure/properties/mean_rule"),
];

/// A name that is near no other.
const STRANGER: &str = "zzzzzzzzzzzzzzzz";

/// What the parser would have taken instead of [`STRANGER`], by the help that it gives.
fn taken_by_the_parser(text: &str) -> BTreeSet<String> {
    let wrong = problems(&text.replace('?', STRANGER)).expect("the stranger is reported");
    let about = |message: &str| message.contains("unknown") && message.contains(STRANGER);
    let found = wrong.list().iter().find(|problem| about(&problem.message));
    let help = found.unwrap_or_else(|| panic!("{text}: {wrong}")).help.clone().unwrap();
    match help.strip_prefix("there are: ") {
        Some(names) => names.split(", ").map(str::to_owned).collect(),
        None => {
            assert_eq!(help, "none is defined", "{text}: the parser must list what it takes");
            BTreeSet::new()
        }
    }
}

#[test]
fn the_schema_knows_the_keys_that_the_parser_takes_and_no_others() {
    let schema = schema();
    for (text, place) in PLACES {
        let properties = schema.pointer(&format!("{place}/properties")).expect(place);
        let mut known: BTreeSet<String> = properties.as_object().unwrap().keys().cloned().collect();
        // These two are taken before the parser's tables are read.
        known.remove("matrix");
        known.remove("preset");
        assert_eq!(known, taken_by_the_parser(text), "schema{place} against the parser");
        assert!(!is_valid(&text.replace('?', STRANGER)), "{text}");
    }
    let row = "[table.x]\nrows = [{ ? = 1 }]";
    let rows = schema.pointer("/$defs/table/properties/rows/items/anyOf/1/properties").unwrap();
    let known: BTreeSet<String> = rows.as_object().unwrap().keys().cloned().collect();
    assert_eq!(known, taken_by_the_parser(row));
    assert!(!is_valid(&row.replace('?', STRANGER)));
    let mut root = schema["properties"].as_object().unwrap().clone();
    root.remove("preset");
    let preset = schema["$defs"]["preset"]["properties"].as_object().unwrap();
    assert!(root.keys().eq(preset.keys()), "a preset holds what a pipeline does");
}

#[test]
fn the_schema_knows_the_words_that_the_parser_knows() {
    let schema = schema();
    for (text, place) in [
        ("[data.x]\nformat = \"?\"", "/$defs/data/properties/format/enum"),
        ("[recipe.x]\nselect = \"?\"", "/$defs/recipe/properties/select/enum"),
        ("[recipe.x]\naugment = [\"?\"]", "/$defs/recipe/properties/augment/items/enum"),
        ("[net.x]\nlike = \"plain2\"\nshortcut = \"?\"", "/$defs/net/properties/shortcut/enum"),
        ("[eval.x]\nsplit = \"?\"", "/$defs/eval/properties/split/anyOf/0/enum"),
        ("[search.x]\nsampler = \"?\"", "/$defs/search/properties/sampler/enum"),
        ("[search.x]\nmetric = \"?\"", "/$defs/search/properties/metric/enum"),
        ("[search.x]\nsplit = \"?\"", "/$defs/search/properties/split/enum"),
        ("[choose.x]\nrule = \"?\"", "/$defs/choose/properties/rule/enum"),
        ("[choose.x]\nmetric = \"?\"", "/$defs/choose/properties/metric/enum"),
        (
            "[distill.x.objective.kd]\nreduction = \"?\"",
            "/$defs/objective/properties/kd/properties/reduction/anyOf/0/enum",
        ),
    ] {
        let words = schema.pointer(place).expect(place).as_array().unwrap();
        let words: BTreeSet<String> =
            words.iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        assert_eq!(words, taken_by_the_parser(text), "{place}");
    }
}

#[test]
fn the_schema_asks_for_what_the_parser_asks_for() {
    let schema = schema();
    for kind in [
        "data", "recipe", "net", "train", "distill", "chain", "mutual", "eval", "table", "figure",
        "search", "choose",
    ] {
        let wrong = problems(&format!("[{kind}.x]"));
        let needs = |message: &str| {
            let key = message.strip_prefix(&format!("`{kind}.x` needs `"))?.strip_suffix('`')?;
            (!key.contains('`')).then(|| key.to_owned())
        };
        let list = wrong.iter().flat_map(|wrong| wrong.list());
        let mut asked: BTreeSet<String> = list.filter_map(|p| needs(&p.message)).collect();
        // A training needs a recipe or weights, a table some eval, a distillation one teacher or a list
        // of them: the schema leaves that to the parser.
        assert_eq!(asked.remove("teacher"), kind == "distill");
        if kind != "mutual" {
            assert_eq!(asked.remove("recipe"), kind == "train");
        }
        assert_eq!(asked.remove("eval"), kind == "table");
        // Or `teachers`, whose measure labels it; or `pareto`, which shows every network.
        for key in ["x", "series"] {
            assert_eq!(asked.remove(key), kind == "figure");
        }
        let full = &schema["properties"][kind]["additionalProperties"];
        let parts = full["allOf"].as_array().into_iter().flatten();
        let required = parts.flat_map(|part| part["required"].as_array().into_iter().flatten());
        let required = required.map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(asked, required, "{kind}");
    }
}

#[test]
fn the_schema_accepts_every_pipeline() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert!(is_valid(&fs::read_to_string(&path).unwrap()), "{path:?}");
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

/// The TOML blocks of a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_block_of_the_page_on_the_language_is_right() {
    let blocks = blocks(PAGE);
    let (base, rest) = blocks.split_first().unwrap();
    assert!(rest.len() >= 13, "{}", rest.len());
    for block in std::iter::once(&"").chain(rest) {
        let text = format!("{base}\n{block}");
        let found = parse_preset(&text, None, &page_probe);
        let pipeline = found.unwrap_or_else(|wrong| panic!("{wrong}\n{block}"));
        for preset in &pipeline.presets {
            let found = parse_preset(&text, Some(preset), &page_probe);
            found.unwrap_or_else(|wrong| panic!("{wrong}\n{block}"));
        }
        assert!(is_valid(&text), "{block}");
    }
}

/// Names of all properties in a schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(fields) = schema.as_object() {
        let own = fields.get("properties").and_then(Value::as_object);
        names.extend(own.into_iter().flat_map(|own| own.keys().cloned()));
        fields.values().for_each(|value| properties(value, names));
    } else if let Some(items) = schema.as_array() {
        items.iter().for_each(|item| properties(item, names));
    }
}

/// Names of all fields in a value.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    if let Some(own) = value.as_object() {
        names.extend(own.keys().cloned());
        own.values().for_each(|value| fields(value, names));
    } else if let Some(items) = value.as_array() {
        items.iter().for_each(|item| fields(item, names));
    }
}

#[test]
fn the_page_on_the_language_shows_every_key() {
    let (mut keys, mut shown) = (BTreeSet::new(), BTreeSet::new());
    properties(&schema(), &mut keys);
    for block in blocks(PAGE) {
        fields(&toml::from_str(block).unwrap(), &mut shown);
    }
    let missing: Vec<&String> = keys.difference(&shown).collect();
    assert!(keys.len() > 40 && missing.is_empty(), "no example of {missing:?}");
}

/// The part of the page that takd writes itself; `UPDATE_DOCS=1 cargo test --test it schema` writes it.
#[test]
fn the_reference_of_the_kinds_is_that_of_their_tables() {
    let (begin, end) = ("<!-- kinds: begin -->\n", "<!-- kinds: end -->\n");
    let want = takd::reference::reference(&takd::kinds::Kinds::default());
    let (before, rest) = PAGE.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pipeline.md");
        fs::write(path, format!("{before}{begin}\n{want}\n{end}{after}")).unwrap();
        return;
    }
    assert_eq!(written.trim(), want.trim(), "UPDATE_DOCS=1 writes it");
}
