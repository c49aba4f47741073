//! The JSON schema of pipelines, for editors: what the language itself has stands in `schema.json`, what
//! the kinds have comes from the tables of their fields.

use crate::{
    column::Column,
    footprint::Footprint,
    kind::{Bound, Field, Kind, Range},
    kinds::Kinds,
    metric::METRICS,
};
use serde_json::{Map, Value, json};

/// The tables of the language. `{"$kinds": "optimizers"}` stands for one of that sort of kinds.
const LANGUAGE: &str = include_str!("schema.json");

/// The schema, as JSON with a line break at its end.
pub fn schema(kinds: &Kinds) -> String {
    let mut schema: Value = serde_json::from_str(LANGUAGE).expect("a file of ours is JSON");
    fill(&mut schema, kinds);
    serde_json::to_string_pretty(&schema).expect("JSON can be written") + "\n"
}

fn fill(value: &mut Value, kinds: &Kinds) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(sort)) = fields.remove("$kinds") {
                fields.extend(of_sort(&sort, kinds));
            }
            fields.values_mut().for_each(|value| fill(value, kinds));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| fill(value, kinds)),
        _ => {}
    }
}

fn of_sort(sort: &str, kinds: &Kinds) -> Map<String, Value> {
    match sort {
        "supervised" => one_of(&kinds.supervised, true),
        "distillation" => one_of(&kinds.distillation, true),
        "columns" => {
            let names = Column::all().into_iter().map(Column::name);
            let class = json!({
                "description": "The accuracy of one class, by its name in the data or its number.",
                "type": "string",
                "pattern": "^class:.",
            });
            object(json!({ "anyOf": [{ "enum": names.collect::<Vec<_>>() }, class] }))
        }
        "footprints" => {
            let names = Footprint::ALL.map(Footprint::name);
            object(json!({ "enum": names.to_vec() }))
        }
        "metrics" => {
            let names = METRICS.map(|metric| metric.name);
            object(json!({ "enum": names.to_vec() }))
        }
        "terms" => {
            let mut schema = one_of(&kinds.distillation, true);
            let weight = json!({
                "description": "What it is multiplied by; 1 if absent.",
                "anyOf": [
                    { "type": "number", "minimum": 0 },
                    {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["from", "to", "epochs"],
                        "properties": {
                            "from": { "type": "number", "minimum": 0 },
                            "to": { "type": "number", "minimum": 0 },
                            "epochs": {
                                "type": "array",
                                "items": { "type": "integer", "minimum": 1 },
                                "minItems": 2,
                                "maxItems": 2,
                            },
                        },
                    },
                    { "$ref": "#/$defs/hole" },
                ],
            });
            schema["properties"]["weight"] = weight;
            schema["maxProperties"] = json!(2);
            schema
        }
        "optimizers" => one_of(&kinds.optimizers, false),
        "schedules" => one_of(&kinds.schedules, false),
        "augments" => words(&kinds.augments),
        "layers" => texts(&kinds.layers),
        "formats" => formats(&kinds.formats),
        other => unreachable!("the language has no kinds called {other}"),
    }
}

/// A table with exactly one of `kinds`. In a node's table a value may be one of its matrix.
fn one_of<T: ?Sized>(kinds: &[&'static Kind<T>], in_node: bool) -> Map<String, Value> {
    let properties = kinds.iter().map(|kind| (kind.name.to_owned(), table(kind, in_node)));
    object(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
        "minProperties": 1,
        "maxProperties": 1,
    }))
}

/// A list of `kinds` by their names.
fn words<T: ?Sized>(kinds: &[&'static Kind<T>]) -> Map<String, Value> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    object(json!({ "type": "array", "items": { "enum": names } }))
}

/// What a data set's table holds for `kinds`: their names, and the fields that only some of them take.
fn formats<T: ?Sized>(kinds: &[&'static Kind<T>]) -> Map<String, Value> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    let about: Vec<String> =
        kinds.iter().map(|kind| format!("{}: {}", kind.name, kind.doc)).collect();
    let format = json!({ "description": format!("{}.", about.join("; ")), "enum": names });
    let mut properties = object(json!({ "format": format }));
    for field in kinds.iter().flat_map(|kind| kind.fields) {
        let takes = kinds.iter().filter_map(|kind| Some((kind.name, kind.field(field.name)?)));
        let takes: Vec<(&str, &Field)> = takes.collect();
        let mut schemas: Vec<Map<String, Value>> = Vec::new();
        for (_, field) in &takes {
            let schema = range(&field.range);
            if !schemas.contains(&schema) {
                schemas.push(schema);
            }
        }
        let mut schema = match schemas.pop() {
            Some(only) if schemas.is_empty() => only,
            last => {
                schemas.extend(last);
                object(json!({ "anyOf": schemas }))
            }
        };
        let about = takes.iter().map(|(name, field)| format!("Of {name}: {}", sentence(field)));
        schema.insert("description".to_owned(), about.collect::<Vec<_>>().join(" ").into());
        properties.insert(field.name.to_owned(), schema.into());
    }
    properties
}

/// The text of one of `kinds`: `conv16`, `basic32/2`.
fn texts<T: ?Sized>(kinds: &[&'static Kind<T>]) -> Map<String, Value> {
    let texts = kinds.iter().map(|kind| {
        let width = if kind.field("width").is_some() { "[1-9][0-9]*" } else { "" };
        let expand = if kind.field("expand").is_some() { "(x[1-9][0-9]*)?" } else { "" };
        let stride = if kind.field("stride").is_some() { "(/[12])?" } else { "" };
        json!({
            "description": format!("{} ({}).", upper(kind.doc), kind.source),
            "pattern": format!("^{}{width}{expand}{stride}$", kind.name),
        })
    });
    object(json!({ "type": "string", "anyOf": texts.collect::<Vec<_>>() }))
}

fn table<T: ?Sized>(kind: &Kind<T>, in_node: bool) -> Value {
    let properties = kind.fields.iter().map(|field| {
        let mut schema = range(&field.range);
        if in_node {
            schema = object(json!({ "anyOf": [schema, { "$ref": "#/$defs/hole" }] }));
        }
        schema.insert("description".to_owned(), sentence(field).into());
        (field.name.to_owned(), Value::Object(schema))
    });
    json!({
        "description": format!("{} ({}).", upper(kind.doc), kind.source),
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// What a field is, and its default.
fn sentence(field: &Field) -> String {
    let default = field.default.map(|default| format!("; {} if absent", default.words()));
    format!("{}{}.", upper(field.doc), default.unwrap_or_default()).replace('"', "")
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn range(range: &Range) -> Map<String, Value> {
    object(match *range {
        Range::Number { low, high, .. } => {
            let mut schema = Map::new();
            schema.insert("type".to_owned(), "number".into());
            let bounds =
                [(low, "minimum", "exclusiveMinimum"), (high, "maximum", "exclusiveMaximum")];
            for (bound, at, past) in bounds {
                match bound {
                    Bound::Free => {}
                    Bound::At(number) => drop(schema.insert(at.to_owned(), json!(number))),
                    Bound::Past(number) => drop(schema.insert(past.to_owned(), json!(number))),
                }
            }
            Value::Object(schema)
        }
        Range::Whole { low, high } => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Range::Flag => json!({ "type": "boolean" }),
        Range::Word(words) => json!({ "enum": words }),
        Range::Shares => json!({
            "type": "array",
            "items": { "type": "number", "minimum": 0, "exclusiveMaximum": 1 },
            "minItems": 2,
            "maxItems": 2,
        }),
        Range::Text => json!({ "type": "string" }),
        Range::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Range::Epochs => json!({ "type": "array", "items": { "type": "integer", "minimum": 1 } }),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
