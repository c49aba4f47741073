//! Whom a student learns from, by the nodes that are resolved by now.

use super::{
    resolve::Resolver,
    resolved::{Learn, Teacher},
    tables::RawTeacher,
};
use crate::dataset::Data;

impl Resolver<'_> {
    /// The teachers of a student on `data`, which are the nodes `teachers` of `learns`.
    pub fn taught(
        &mut self,
        raw: &RawTeacher,
        teachers: &[usize],
        learns: &[Option<Learn>],
        (data, data_name): (&Data, &str),
    ) -> Option<Teacher> {
        let RawTeacher { names, weights, objective } = raw;
        // Each has been found, and nothing is wrong with it.
        let found: Vec<&Learn> =
            teachers.iter().map(|&teacher| learns[teacher].as_ref()).collect::<Option<_>>()?;
        if found.len() != names.len() {
            return None;
        }
        if data.info.classes < 2 {
            let message = format!("`{data_name}` has one class: logits of it teach nothing");
            self.errors.push(&names[0].span, message);
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
        Some(Teacher { nodes, weights, objective: objective.clone() })
    }
}
