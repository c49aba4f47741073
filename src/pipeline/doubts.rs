//! What is legal, and surely not meant.

use super::{Learn, Pipeline, Work};
use std::collections::BTreeMap;

/// A temperature beyond which softmaxes tell no classes apart: ten times the largest that the paper searched.
const HOT: f64 = 50.0;

impl Pipeline {
    /// A sentence for each thing that is most likely a mistake, with the nodes that it is about.
    pub fn doubts(&self) -> Vec<String> {
        // One sentence stands for all nodes that it is said of, in the order of the file.
        let mut order: Vec<String> = Vec::new();
        let mut of: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| !node.is_trial) {
            let Work::Learn(learn) = &node.work else { continue };
            for doubt in self.of_learn(learn) {
                if !of.contains_key(&doubt) {
                    order.push(doubt.clone());
                }
                of.entry(doubt).or_default().push(&node.name);
            }
        }
        let sentence = |doubt: &String| {
            let names = &of[doubt];
            let more = names.len().saturating_sub(SHOWN);
            let shown: Vec<String> =
                names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}: {doubt}", shown.join(", "))
        };
        order.iter().map(sentence).collect()
    }

    fn of_learn(&self, learn: &Learn) -> Vec<String> {
        let mut doubts = Vec::new();
        if let Some(teacher) = learn.teacher() {
            if teacher.objective.teacher_weight(learn.net.classes()) == Some(0.0) {
                doubts.push("the teacher's term weighs 0: nothing is learned from it".to_owned());
            }
            if let Some(hot) = teacher.objective.temperature().filter(|&t| t > HOT) {
                let text = "all classes look alike to a softmax; the paper searched 1 to 20";
                doubts.push(format!("at a temperature of {hot} {text}"));
            }
            let first = teacher.first().map(|first| self.learn(first));
            let own = learn.net.parameters();
            if let Some(first) = first
                && let of_teacher = first.net.parameters()
                && of_teacher < own
            {
                let (net, small) = (&learn.net_name, &first.net_name);
                doubts.push(format!(
                    "`{net}` learns from `{small}`, which has fewer parameters ({of_teacher} against {own})"
                ));
            }
        }
        if let Some(recipe) = learn.recipe() {
            let fields = recipe.schedule.chosen().fields.iter();
            let milestones = fields.filter(|(name, _)| name == "milestones");
            let milestones =
                milestones.flat_map(|(_, value)| value.as_array().into_iter().flatten());
            let late = milestones
                .filter_map(serde_json::Value::as_u64)
                .filter(|&milestone| milestone as usize + recipe.warmup >= recipe.epochs)
                .min();
            if let Some(late) = late {
                let epochs = recipe.epochs;
                doubts.push(format!(
                    "the milestone {late} never comes: it trains for {epochs} epochs"
                ));
            }
        }
        doubts
    }
}

/// Nodes that a sentence names.
const SHOWN: usize = 3;
