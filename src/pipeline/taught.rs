//! Whom a student learns from, by the nodes that are resolved by now.

use super::{
    outside::RawOutside,
    resolve::Resolver,
    resolved::{Learn, Teacher},
    tables::RawTeacher,
    value::Name,
};
use crate::{
    architecture::Architecture,
    dataset::Data,
    keep::Keep,
    recipe::{Recipe, leaves_one},
    tap::Tapped,
};

/// Who is taught, with its network and recipe as far as nothing is wrong with them.
type Student<'a> = (&'a Name, Option<&'a Architecture>, Option<&'a Recipe>);

impl Resolver<'_> {
    /// The teachers of a student on `data`, which are the nodes `teachers` of `learns`.
    pub fn taught(
        &mut self,
        raw: &RawTeacher,
        teachers: &[usize],
        learns: &[Option<Learn>],
        student: Student<'_>,
        (data, data_name): (&Data, &str),
    ) -> Option<Teacher> {
        let RawTeacher { names, outside, weights, objective, objective_span: _, keep: _ } = raw;
        let outside = match outside {
            Some(outside) => Some(self.outside(outside, data)?),
            None => None,
        };
        // Each has been found, and nothing is wrong with it.
        let found: Vec<&Learn> =
            teachers.iter().map(|&teacher| learns[teacher].as_ref()).collect::<Option<_>>()?;
        if found.len() != names.len() {
            return None;
        }
        if data.info.classes < 2 {
            let message = format!("`{data_name}` has one class: logits of it teach nothing");
            self.errors.push(raw.span(), message);
        }
        let (features, asked) = self.needs(raw, student, found.first().copied(), data);
        if outside.is_some() {
            self.check_outside(raw, student, asked);
        }
        for (name, taught) in names.iter().zip(found) {
            let classes = (taught.net.classes(), data.info.classes);
            if classes.0 != classes.1 {
                let message = format!(
                    "`{}` teaches {} classes, but the student's data has {}",
                    name.text, classes.0, classes.1
                );
                self.errors.push(&name.span, message);
            } else if *taught.data != *data {
                let message = format!(
                    "`{}` was trained on other data (`{}`) than its student (`{data_name}`)",
                    name.text, taught.data_name
                );
                let help = "a student learns from its teacher's logits on the same images: leave `data` out";
                self.errors.push_help(&name.span, message, help);
            }
        }
        let (nodes, weights) = (teachers.to_vec(), weights.clone());
        let keep = self.keep(raw, student, &features, asked);
        let objective = objective.clone();
        Some(Teacher { nodes, outside, weights, objective, features, asked, keep })
    }

    /// A file answers about the training images as they are, and about no others.
    fn check_outside(&mut self, raw: &RawTeacher, (.., recipe): Student<'_>, asked: bool) {
        let augments = recipe.is_some_and(|recipe| !recipe.augment.is_empty());
        let why = if augments {
            "this student's images are augmented: give it a recipe without `augment`, or an assistant \
             that learns from the file and teaches it"
        } else if asked {
            "this objective asks its teacher about images of its own making"
        } else {
            return;
        };
        let message = "a teacher in a file answers about the training images as they are";
        self.errors.push_help(raw.span(), message, why);
    }

    /// How much of the logits is stored; a student that asks its teachers at each step reads none.
    fn keep(
        &mut self,
        raw: &RawTeacher,
        (.., recipe): Student<'_>,
        features: &[Tapped],
        asked: bool,
    ) -> Keep {
        let Some((keep, span)) = &raw.keep else { return Keep::default() };
        let augments = recipe.is_some_and(|recipe| !recipe.augment.is_empty());
        if augments || asked || !features.is_empty() {
            let message = "this student reads no stored logits: it asks its teacher at each step";
            let why = if augments {
                "its images are augmented"
            } else if !features.is_empty() {
                "it compares features"
            } else {
                "it asks about images of its own making"
            };
            self.errors.push_help(span, message, format!("{why}: leave `logits` out"));
        }
        *keep
    }

    /// The features that the objective wants of its teacher, and whether it asks it about images.
    fn needs(
        &mut self,
        raw: &RawTeacher,
        (name, net, recipe): Student<'_>,
        teacher: Option<&Learn>,
        data: &Data,
    ) -> (Vec<Tapped>, bool) {
        let RawTeacher { names, objective, objective_span: span, .. } = raw;
        let Some(net) = net else { return (Vec::new(), false) };
        let images = data.trained();
        let norms = net.layers().iter().any(|layer| layer.layer().normalises());
        // Of networks with BatchNorm it is told already.
        let alone = recipe.filter(|recipe| !norms && leaves_one(images, recipe.batch_size));
        if let Some(recipe) = alone.filter(|_| objective.compares_images()) {
            let message = format!(
                "{images} training images in batches of {} leave a batch of one, and this objective \
                 compares the images of a batch",
                recipe.batch_size
            );
            self.errors.push(span, message);
        }
        let needs = match objective
            .needs(&net.taps(), &teacher.map_or_else(Vec::new, |t| t.net.taps()))
        {
            Ok(needs) => needs,
            Err(problem) => {
                let teacher = names.first().or(raw.outside.as_ref().map(RawOutside::path));
                let (student, teacher) = (&name.text, teacher.map_or("", |name| &*name.text));
                let message = format!("`{student}` cannot be compared with `{teacher}`: {problem}");
                self.errors.push(span, message);
                return (Vec::new(), false);
            }
        };
        let (features, asked) = (needs.teachers(), needs.asks());
        let alone = match (features.is_empty(), asked) {
            (false, _) => Some("compares features, and features have no mean"),
            (true, true) => Some("follows a teacher's gradient, and of several there is none"),
            (true, false) => None,
        };
        if let Some(why) = alone.filter(|_| names.len() > 1) {
            let message = format!("this objective {why}");
            let help = "name one teacher; objectives on logits learn from several";
            self.errors.push_help(span, message, help);
        }
        (features, asked)
    }
}
