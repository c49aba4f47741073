//! A kind, and one of its sort that has been chosen.

use super::{Chosen, Field};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{fmt, ops::Deref, sync::Arc};

/// One kind of a sort of things, `T` the trait of the sort.
pub struct Kind<T: ?Sized + 'static> {
    /// As it is written in a pipeline.
    pub name: &'static str,
    /// What it is, in a line.
    pub doc: &'static str,
    /// Where it comes from: paper and equation, or the code whose definition it follows.
    pub source: &'static str,
    /// Its parameters.
    pub fields: &'static [Field],
    /// Makes one of its parameters, which are complete and in their ranges.
    pub make: fn(Value) -> Result<Arc<T>, Conflict>,
}

/// Parameters that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Conflict {
    /// What does not go together with what.
    pub message: String,
    /// The field that is to blame, if it is one.
    pub field: Option<&'static str>,
    /// What to do.
    pub help: Option<&'static str>,
}

impl Conflict {
    /// A conflict of several fields.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), field: None, help: None }
    }

    /// One that `field` is to blame for.
    pub fn of(field: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self { message: message.into(), field: Some(field), help: Some(help) }
    }
}

impl<T: ?Sized> Kind<T> {
    /// Reads the parameters that `make` is given.
    ///
    /// # Panics
    /// If the table of fields does not have the fields of `P`; a test makes one of every kind.
    pub fn read<P: DeserializeOwned>(fields: Value) -> P {
        serde_json::from_value(fields).expect("a kind's table has its parameters' fields")
    }

    /// One with these fields, those of them that are not at their default.
    ///
    /// # Errors
    /// [`Conflict`] for fields that do not go together, and for unknown or missing ones.
    pub fn choose(&self, given: &[(String, Value)]) -> Result<Choice<T>, Conflict> {
        let (mut full, mut fields) = (Map::new(), Vec::new());
        if let Some((name, _)) = given.iter().find(|(name, _)| self.field(name).is_none()) {
            return Err(Conflict::new(format!("`{}` has no field `{name}`", self.name)));
        }
        for field in self.fields {
            let default = field.default.map(super::Scalar::json);
            let value = given.iter().find(|(name, _)| name == field.name).map(|(_, v)| v.clone());
            let value = match (value, &default) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone(),
                (None, None) => {
                    return Err(Conflict::new(format!("`{}` needs `{}`", self.name, field.name)));
                }
            };
            if default.as_ref() != Some(&value) {
                fields.push((field.name.to_owned(), value.clone()));
            }
            full.insert(field.name.to_owned(), value);
        }
        let chosen = Chosen { kind: self.name.to_owned(), fields };
        Ok(Choice { chosen, made: (self.make)(Value::Object(full))? })
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// One with the parameters of `made`.
    ///
    /// # Panics
    /// If `made` is not of this kind.
    pub fn with(&self, made: &impl Serialize) -> Choice<T> {
        let value = serde_json::to_value(made).expect("parameters are plain data");
        let fields = match value {
            Value::Object(fields) => fields.into_iter().collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        self.choose(&fields).unwrap_or_else(|conflict| panic!("{conflict}"))
    }
}

/// A thing of some kind, and what it was made of.
pub struct Choice<T: ?Sized> {
    chosen: Chosen,
    made: Arc<T>,
}

impl<T: ?Sized> Choice<T> {
    /// One that is made of others of its sort, and stored as `chosen`.
    pub fn composed(chosen: Chosen, made: Arc<T>) -> Self {
        Self { chosen, made }
    }

    /// Kind and parameters as plain data.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }
}

impl<T: ?Sized> Clone for Choice<T> {
    fn clone(&self) -> Self {
        Self { chosen: self.chosen.clone(), made: self.made.clone() }
    }
}

impl<T: ?Sized> PartialEq for Choice<T> {
    fn eq(&self, other: &Self) -> bool {
        self.chosen == other.chosen
    }
}

impl<T: ?Sized> fmt::Debug for Choice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chosen.fmt(f)
    }
}

impl<T: ?Sized> Deref for Choice<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.made
    }
}
