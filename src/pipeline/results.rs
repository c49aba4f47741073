//! What is measured and shown: evals and tables, over the trainings that are resolved by now.

use super::{
    adjust::Adjust,
    measure::{Eval, Measured},
    moment::AT,
    names::{is_glob, suggestion},
    resolve::Resolver,
    resolved::{Learn, Row, Table, Teacher},
    tables::{RawEval, RawRow, RawTable, Role},
    value::Name,
};
use crate::{
    column::Column,
    dataset::{Data, Split},
};

impl<'a> Resolver<'a> {
    pub fn eval(&mut self, raw: &RawEval, learns: &[Option<Learn>]) -> Vec<(String, Eval)> {
        let mut of: Vec<usize> = Vec::new();
        for name in &raw.of {
            of.extend(self.matching(name));
        }
        of.sort_unstable();
        of.dedup();
        let against = raw.against.as_ref().and_then(|name| Some((self.node(name)?, name)));
        let mut evals = Vec::with_capacity(of.len());
        for index in of {
            let learn = learns[index].as_ref();
            let held = |data: &Data| match raw.split {
                Split::Validation => data.validation,
                Split::Scoring => data.scoring,
                Split::Train | Split::Test => usize::MAX,
            };
            if learn.is_some_and(|learn| held(&learn.data) == 0) {
                let (name, split) = (&self.raw.learns[index].name.text, raw.split.name());
                let message = format!("`{name}` holds no images out for {split}");
                self.errors.push(&raw.split_span, message);
            }
            let teacher = learn.and_then(Learn::teacher);
            let own = teacher.and_then(|teacher| teacher.objective.temperature()).unwrap_or(1.0);
            let name = format!("{}/{}", raw.name.text, self.raw.learns[index].name.text);
            let temperature = raw.temperature.unwrap_or(own);
            let (group, split) = (raw.name.text.clone(), raw.split);
            let teacher = teacher.filter(|_| raw.agreement).and_then(Teacher::first);
            let scores = raw.scores;
            let (softness, int8) = (raw.softness, raw.int8);
            let against = against.and_then(|(other, name)| {
                // Beside itself a network is no other.
                (other != index).then(|| self.fitting(other, index, name, learns))
            });
            let against = against.flatten();
            let of = index;
            let eval =
                Eval { group, of, split, temperature, teacher, softness, against, int8, scores };
            evals.push((name, eval));
        }
        evals
    }

    /// `other`, if it takes the images of `index` and knows as many classes.
    fn fitting(
        &mut self,
        other: usize,
        index: usize,
        asked: &Name,
        learns: &[Option<Learn>],
    ) -> Option<usize> {
        let (own, others) = (learns[index].as_ref()?, learns[other].as_ref()?);
        let takes = |learn: &Learn| (learn.data.info.shape, learn.net.classes());
        if takes(own) != takes(others) {
            let name = &self.raw.learns[index].name.text;
            let message =
                format!("`{}` does not fit the images and classes of `{name}`", asked.text);
            self.errors.push(&asked.span, message);
            return None;
        }
        Some(other)
    }

    /// Train and distill nodes that a name or glob means.
    pub fn matching(&mut self, name: &Name) -> Vec<usize> {
        if !is_glob(&name.text) {
            return self.node(name).into_iter().collect();
        }
        let pattern = match glob::Pattern::new(&name.text) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.errors.push(&name.span, format!("not a valid glob pattern: {error}"));
                return Vec::new();
            }
        };
        let nodes = self.raw.learns.iter().enumerate();
        let found: Vec<usize> = nodes
            .filter(|(_, node)| node.role != Role::Trial)
            // A network at an epoch is meant by what says an epoch.
            .filter(|(_, node)| node.moment.is_none() || name.text.contains(AT))
            .filter(|(_, node)| pattern.matches(&node.name.text))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() && self.raw.broken.is_empty() && self.raw.pending.is_empty() {
            self.errors.push(&name.span, format!("`{}` matches no node", name.text));
        }
        found
    }

    pub fn default_table(&self, evals: &[(String, Eval)]) -> Option<Table> {
        let (_, first) = evals.iter().find(|(_, eval)| !eval.scores)?;
        let rows = evals.iter().enumerate().filter(|(_, (_, eval))| eval.group == first.group);
        let rows = rows.map(|(index, (_, eval))| self.row(None, eval.of, index, None)).collect();
        let (columns, adjust) = (Column::usual(), Adjust::default());
        let (title, split) = (first.group.clone(), first.split);
        let classes = Vec::new();
        Some(Table { title, split, note: None, columns, classes, adjust, rows })
    }

    pub fn table(
        &mut self,
        raw: &RawTable,
        evals: &[(String, Eval)],
        learns: &[Option<Learn>],
    ) -> Option<Table> {
        let group = self.group("table", &raw.name, raw.eval.as_ref())?;
        let star = Some(Name { text: "*".to_owned(), span: raw.name.span.clone() });
        let every = [RawRow { span: raw.name.span.clone(), label: None, node: star, paper: None }];
        let mut rows = Vec::new();
        for row in raw.rows.as_deref().unwrap_or(&every) {
            let (label, paper) = (row.label.clone(), row.paper);
            let Some(name) = &row.node else {
                rows.push(Row { label: label.unwrap_or_default(), measured: None, paper });
                continue;
            };
            let nodes = self.matching(name);
            if nodes.is_empty() && self.raw.pending.contains(&name.text) {
                let label = label.unwrap_or_else(|| name.text.clone());
                rows.push(Row { label, measured: None, paper });
                continue;
            }
            if nodes.len() > 1 && paper.is_some() {
                self.errors.push(&row.span, format!("one paper's value for {} nodes", nodes.len()));
            }
            for node in nodes {
                let all = raw.rows.is_none();
                let is_measured =
                    |(_, eval): &(String, Eval)| eval.of == node && eval.group == group.name.text;
                if all && !evals.iter().any(is_measured) {
                    continue;
                }
                if let Some(eval) = self.measured(node, &group.name, name, evals) {
                    rows.push(self.row(label.clone(), node, eval, paper));
                }
            }
        }
        let title = raw.title.clone().unwrap_or_else(|| raw.name.text.clone());
        let (columns, classes) = self.columns(&raw.columns, &rows, learns);
        let (note, adjust) = (raw.note.clone(), raw.adjust);
        Some(Table { title, split: group.split, note, columns, classes, adjust, rows })
    }

    /// The eval that a table or figure shows: the one that it names, or the only one there is.
    pub fn group(&mut self, kind: &str, name: &Name, given: Option<&Name>) -> Option<&'a RawEval> {
        let groups = self.raw.evals.iter().filter(|eval| !eval.scores);
        let groups: Vec<&Name> = groups.map(|eval| &eval.name).collect();
        let group = match (given, groups.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => *only,
            (None, _) => {
                let message = format!("`{kind}.{}` needs `eval`", name.text);
                self.errors.push_help(&name.span, message, "the [eval.NAME] table to show");
                return None;
            }
        };
        let found = self.raw.evals.iter().find(|eval| eval.name.text == group.text);
        if found.is_none() && !self.raw.is_broken(&group.text) {
            let help = suggestion(&group.text, groups.iter().map(|name| &*name.text));
            self.errors.push_help(&group.span, format!("no eval is named `{}`", group.text), help);
        }
        found
    }

    /// Index among the evals of the one that measures `node` in `group`; `asked` is where it is
    /// asked for.
    pub fn measured(
        &mut self,
        node: usize,
        group: &Name,
        asked: &Name,
        evals: &[(String, Eval)],
    ) -> Option<usize> {
        let found = evals.iter().position(|(_, eval)| eval.of == node && eval.group == group.text);
        if found.is_none() {
            let node = &self.raw.learns[node].name.text;
            let message = format!("`{node}` is not measured by `eval.{}`", group.text);
            self.errors.push_help(&asked.span, message, "add it to `of` there");
        }
        found
    }

    /// A node and the eval at an index among the evals, which follow the trainings in the list of
    /// nodes.
    pub fn measurement(&self, node: usize, eval: usize) -> Measured {
        Measured { node, eval: self.raw.learns.len() + eval }
    }

    fn row(&self, label: Option<String>, node: usize, eval: usize, paper: Option<f64>) -> Row {
        let label = label.unwrap_or_else(|| self.raw.learns[node].name.text.clone());
        Row { label, measured: Some(self.measurement(node, eval)), paper }
    }
}
