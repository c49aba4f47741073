//! A kind and its parameters as plain data: what is hashed, and what stands in a manifest.
//!
//! Nothing here knows which kinds there are, so that an entry of a kind that this takd has not can still
//! be read, listed and kept.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Value;
use std::fmt;

/// `{"sgd":{"lr":0.1}}`: a kind's name, and its fields in the order of its table, without those that
/// are at their default.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Name of the kind.
    pub kind: String,
    /// Names and values.
    pub fields: Vec<(String, Value)>,
}

impl Chosen {
    /// The value of a field that is not at its default.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }
}

struct Map<'a>(&'a [(String, Value)]);

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct OwnedMap(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for OwnedMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = OwnedMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind's fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnedMap, A::Error> {
                let mut fields: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    fields.push((name, value));
                }
                Ok(OwnedMap(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Chosen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.kind, &Map(&self.fields))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Chosen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Chosen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one kind and its fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Chosen, A::Error> {
                let (kind, OwnedMap(fields)) = map
                    .next_entry()?
                    .ok_or_else(|| A::Error::custom("expected one kind, found none"))?;
                match map.next_key::<String>()? {
                    None => Ok(Chosen { kind, fields }),
                    Some(second) => Err(A::Error::custom(format!(
                        "expected one kind, found `{second}` as well"
                    ))),
                }
            }
        }
        deserializer.deserialize_map(One)
    }
}

/// Writes a list of kinds, those without fields as their names alone: `["crop","flip"]`.
///
/// # Errors
/// Those of `serializer`.
pub fn words<S: Serializer>(list: &[Chosen], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Word<'a> {
        Name(&'a str),
        Full(&'a Chosen),
    }
    serializer.collect_seq(list.iter().map(|chosen| match chosen.fields.as_slice() {
        [] => Word::Name(&chosen.kind),
        _ => Word::Full(chosen),
    }))
}

/// Reads what [`words`] writes.
///
/// # Errors
/// Those of `deserializer`.
pub fn read_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Chosen>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        Name(String),
        Full(Chosen),
    }
    let list = Vec::<Word>::deserialize(deserializer)?;
    let chosen = list.into_iter().map(|word| match word {
        Word::Name(kind) => Chosen { kind, fields: Vec::new() },
        Word::Full(chosen) => chosen,
    });
    Ok(chosen.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_are_kept() {
        let text = r#"{"other":{"z":5.0,"a":[1,2],"m":"word"}}"#;
        let chosen: Chosen = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&chosen).unwrap(), text);
        for wrong in [r#"{}"#, r#"{"a":{},"b":{}}"#, r#"{"a":1}"#, r#"{"a":{"x":1,"x":2}}"#] {
            assert!(serde_json::from_str::<Chosen>(wrong).is_err(), "{wrong}");
        }
    }
}
