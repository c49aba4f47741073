//! A node with other values in some of its fields.

use super::super::{
    diagnostic::Diagnostics,
    fields::Fields,
    hyper::{self, RawRecipe},
    tables::{RawLearn, RawPipeline},
    value::{Kind, Name, Table, Value},
};
use super::{put::put, space::RawDimension};
use crate::{kinds::Kinds, search::Coordinate};
use std::sync::Arc;

/// What trials are made from.
pub(super) struct Base<'a> {
    pub raw: &'a RawPipeline,
    /// The tables of the file.
    pub root: &'a Table,
    pub kinds: &'a Kinds,
    /// The node that varies.
    pub node: &'a RawLearn,
    pub dimensions: &'a [RawDimension],
}

/// A node that was made from another, and the recipe that was made for it.
pub(super) struct Varied {
    pub node: RawLearn,
    pub recipe: Option<(Name, Option<RawRecipe>)>,
}

impl Base<'_> {
    /// The node as `name`, with the values at `point`.
    pub fn at(&self, point: &[Coordinate], name: &str, errors: &mut Diagnostics) -> Option<Varied> {
        let mut node = self.node.clone();
        node.name = Name { text: name.to_owned(), span: self.node.name.span.clone() };
        let values = self.dimensions.iter().zip(point);
        let mut set: Vec<(&RawDimension, Value)> =
            values.filter_map(|(d, coordinate)| Some((d, d.value(coordinate)?))).collect();
        // What holds another comes first.
        set.sort_by_key(|(dimension, _)| dimension.path.len());
        let (mut objective, mut recipe, mut recipe_name) = (None, None, None);
        for (dimension, value) in &set {
            let path: Vec<&str> = dimension.path.iter().map(String::as_str).collect();
            let span = &dimension.field.span;
            match path.as_slice() {
                ["net"] => node.net = string(value, errors)?,
                ["seed"] => node.seeds = Some(Arc::from([seed(value, errors)?])),
                ["recipe"] => {
                    let named = string(value, errors)?;
                    node.recipe = Some(named.clone());
                    recipe_name = Some(named);
                }
                ["recipe", rest @ ..] => {
                    if recipe.is_none() {
                        recipe = self.recipe_table(recipe_name.as_ref());
                    }
                    let Some((_, table)) = &mut recipe else {
                        let message = format!("`{}` has no recipe", self.node.name.text);
                        errors.push(span, message);
                        return None;
                    };
                    put(table, rest, value, ("recipe", span), errors);
                }
                ["objective", rest @ ..] => {
                    let own = || self.node.objective.clone();
                    let empty =
                        || Value { span: span.clone(), kind: Kind::Table(Table::default()) };
                    let table = objective.get_or_insert_with(|| own().unwrap_or_else(empty));
                    put(table, rest, value, ("objective", span), errors);
                }
                _ => {
                    let message = format!("`{}` is one value", dimension.path[0]);
                    errors.push(span, message);
                    return None;
                }
            }
        }
        if let Some(value) = objective {
            let mut fields = Fields::new(self.root, &value.span, name, errors);
            match &mut node.teacher {
                Some(teacher) => {
                    teacher.objective = fields.distillation(&value, &self.kinds.distillation)?;
                }
                None => node.loss = fields.kind(&value, &self.kinds.supervised)?,
            }
            node.objective = Some(value);
        }
        let recipe = match recipe {
            None => None,
            Some((written, value)) => {
                let Kind::Table(table) = &value.kind else { return None };
                let read = hyper::recipe(&written, table, self.kinds, errors)?;
                let own = Name { text: format!("{name} {}", written.text), span: written.span };
                node.recipe = Some(own.clone());
                Some((own, Some(read)))
            }
        };
        Some(Varied { node, recipe })
    }

    /// Epochs that the node trains at `point`; 0 where something about it is wrong, which is told elsewhere.
    pub fn epochs(&self, point: &[Coordinate]) -> usize {
        let varies = self.dimensions.iter().zip(point).any(|(dimension, coordinate)| {
            let path = &dimension.path;
            let of_epochs = path[0] == "recipe" && (path.len() == 1 || path[1] == "epochs");
            of_epochs && *coordinate != Coordinate::Absent
        });
        let own =
            |node: &RawLearn| self.raw.recipe_of(node).map_or(0, |recipe| recipe.recipe.epochs);
        if !varies {
            return own(self.node);
        }
        let Some(Varied { node, recipe }) = self.at(point, "", &mut Diagnostics::none()) else {
            return 0;
        };
        match recipe {
            Some((_, recipe)) => recipe.map_or(0, |recipe| recipe.recipe.epochs),
            None => own(&node),
        }
    }

    /// The table of the recipe called `name`, or of the node's own.
    fn recipe_table(&self, name: Option<&Name>) -> Option<(Name, Value)> {
        let name = name.cloned().or_else(|| self.raw.recipe_name(self.node).cloned())?;
        let Kind::Table(recipes) = &self.root.get("recipe")?.kind else { return None };
        let (written, value) = recipes.0.iter().find(|(known, _)| known.text == name.text)?;
        Some((written.clone(), value.clone()))
    }
}

fn string(value: &Value, errors: &mut Diagnostics) -> Option<Name> {
    match &value.kind {
        Kind::String(text) => Some(Name { text: text.clone(), span: value.span.clone() }),
        _ => {
            errors.push(&value.span, format!("expected a string, found {}", value.type_name()));
            None
        }
    }
}

fn seed(value: &Value, errors: &mut Diagnostics) -> Option<u64> {
    match value.kind {
        Kind::Integer(seed) if seed >= 0 => Some(seed as u64),
        _ => {
            errors.push(&value.span, "expected a seed: a whole number of at least 0");
            None
        }
    }
}
