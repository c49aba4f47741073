//! The rules. Each asks for scores and goes on with those that are known: `None` while it waits.

use super::{
    super::search::Named, super::tables::RawLearn, ask::Ask, found::Verdict, verdict::best,
};

/// What a rule chooses among.
pub(super) struct Candidates<'a> {
    pub named: &'a Named<'a>,
    pub nodes: Vec<&'a RawLearn>,
}

/// A choice, and what may be said of it.
pub(super) type Ruling = Option<(Option<String>, Verdict)>;

impl<'a> Candidates<'a> {
    fn names(&self) -> Vec<&'a str> {
        self.nodes.iter().map(|node| &*node.name.text).collect()
    }

    /// The first teacher of all.
    pub fn root(&self, node: &'a RawLearn) -> Option<&'a RawLearn> {
        self.named.path(node).last().copied()
    }

    /// The student whose assistant is nearest to the mean of the teacher and the student by itself
    /// (Mirzadeh et al. 2020, section "Why does the best assistant have the mean accuracy").
    pub fn mean_rule(&self, student: &str, ask: &Ask<'_>) -> Ruling {
        let with_assistant: Vec<(&str, &str, &str)> = self
            .nodes
            .iter()
            .filter_map(|node| match self.named.path(node)[..] {
                [assistant, root] => {
                    Some((&*node.name.text, &*assistant.name.text, &*root.name.text))
                }
                _ => None,
            })
            .collect();
        let Some(&(.., root)) = with_assistant.first() else {
            return Some((None, Verdict::Nothing));
        };
        let ends = [ask.mean(root), ask.mean(student)];
        let assistants: Vec<Option<f64>> =
            with_assistant.iter().map(|(_, assistant, _)| ask.mean(assistant)).collect();
        let [root_mean, student_mean] = ends;
        let target = f64::midpoint(root_mean?, student_mean?);
        ask.note(root, "teacher");
        ask.note(student, "student by itself");
        let mut nearest: Option<(f64, &str)> = None;
        for (&(student, assistant, _), mean) in with_assistant.iter().zip(assistants) {
            let distance = (mean? - target).abs();
            ask.note(assistant, format!("{:.4} from the mean", distance));
            if distance.is_finite() && nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, student));
            }
        }
        Some(match nearest {
            Some((_, student)) => (Some(student.to_owned()), Verdict::Chosen),
            None => (None, Verdict::Nothing),
        })
    }

    /// The best student of all, all of which are trained.
    pub fn best_student(&self, ask: &Ask<'_>) -> Ruling {
        // All are asked for before the first is waited for.
        ask.want(&self.names());
        best(ask, &self.names())
    }

    /// best(j, k) = the best of the networks j that learn from a best(i, k − 1), over all larger i; the best
    /// of best(student, k) over k (arXiv 1902.03393v1, section 3.3). It trains k·m² networks of the
    /// 2^m paths, and is right if at each size the most accurate assistant teaches best.
    pub fn dp(&self, ask: &Ask<'_>) -> Ruling {
        let mut all: Vec<&RawLearn> = Vec::new();
        for node in &self.nodes {
            for at in std::iter::once(*node).chain(self.named.assistants(node)) {
                if !all.iter().any(|known| known.name.text == at.name.text) {
                    all.push(at);
                }
            }
        }
        let teacher =
            |node: &RawLearn| node.teacher.as_ref()?.names.first().map(|name| name.text.clone());
        let is_end = |node: &RawLearn| self.nodes.iter().any(|end| end.name.text == node.name.text);
        let mut roots: Vec<String> = Vec::new();
        for root in self.nodes.iter().filter_map(|node| self.root(node)) {
            if !roots.contains(&root.name.text) {
                roots.push(root.name.text.clone());
            }
        }
        let (mut above, mut ends) = (roots, Vec::new());
        for stage in 0.. {
            let taught: Vec<&&RawLearn> = all
                .iter()
                .filter(|node| teacher(node).is_some_and(|teacher| above.contains(&teacher)))
                .collect();
            if taught.is_empty() {
                break;
            }
            let scores: Vec<Option<f64>> =
                taught.iter().map(|node| ask.mean(&node.name.text)).collect();
            let mut best_of: Vec<(&RawLearn, f64)> = Vec::new();
            for (node, score) in taught.into_iter().zip(scores) {
                let score = score?;
                let same = |(known, _): &&mut (&RawLearn, f64)| {
                    known.net.text == node.net.text && is_end(known) == is_end(node)
                };
                match best_of.iter_mut().find(same) {
                    Some(known) if score > known.1 => *known = (node, score),
                    Some(_) => {}
                    None => best_of.push((node, score)),
                }
            }
            for (node, _) in &best_of {
                let role = if is_end(node) { "student" } else { "assistant" };
                let note = format!("the best {} as {role} after {stage} assistants", node.net.text);
                ask.note(&node.name.text, note);
            }
            let (of_students, of_assistants): (Vec<_>, Vec<_>) =
                best_of.into_iter().partition(|(node, _)| is_end(node));
            ends.extend(of_students.iter().map(|(node, _)| node.name.text.clone()));
            above = of_assistants.iter().map(|(node, _)| node.name.text.clone()).collect();
        }
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        best(ask, &ends)
    }

    /// In how many cases the most accurate assistant of a size taught the best student, out of how many: a
    /// case is a size of which there are several, and a seed, as far as scores are known.
    pub fn dp_assumption(&self, ask: &Ask<'_>) -> (usize, usize) {
        let mut sizes: Vec<(&str, Vec<(&RawLearn, &RawLearn)>)> = Vec::new();
        for &student in &self.nodes {
            let path = self.named.path(student);
            let [assistant, _, ..] = path[..] else { continue };
            match sizes.iter_mut().find(|(net, _)| *net == assistant.net.text) {
                Some((_, pairs)) => pairs.push((assistant, student)),
                None => sizes.push((&assistant.net.text, vec![(assistant, student)])),
            }
        }
        let (mut held, mut cases) = (0, 0);
        for (_, pairs) in sizes.iter().filter(|(_, pairs)| pairs.len() > 1) {
            for &seed in ask.seeds {
                let score = |node: &RawLearn| {
                    ask.told
                        .score(&ask.eval(&node.name.text), seed)?
                        .value()
                        .map(|v| v * ask.sign())
                };
                let known: Option<Vec<(f64, f64)>> = pairs
                    .iter()
                    .map(|(assistant, student)| Some((score(assistant)?, score(student)?)))
                    .collect();
                let Some(known) = known else { continue };
                let most = |pick: fn(&(f64, f64)) -> f64| {
                    known.iter().map(pick).fold(f64::NEG_INFINITY, f64::max)
                };
                let (accurate, taught) = (most(|pair| pair.0), most(|pair| pair.1));
                cases += 1;
                held += usize::from(known.contains(&(accurate, taught)));
            }
        }
        (held, cases)
    }

    /// Successive halving: all students to `first` epochs with one seed, the better half to twice as many,
    /// and so on; the last two are trained whole, with all seeds.
    pub fn halving(&self, first: usize, epochs: usize, ask: &Ask<'_>) -> Ruling {
        let mut left = self.names();
        let mut rung = first;
        while left.len() > 2 && rung < epochs {
            let at = |node: &str| format!("{node}@{rung}");
            let scores: Vec<_> = left.iter().map(|node| ask.values(&at(node), 1)).collect();
            let mut ranked = Vec::with_capacity(left.len());
            for (&node, score) in left.iter().zip(scores) {
                let score = score?.and_then(|values| values.first().copied());
                ranked.push((node, score.unwrap_or(f64::NEG_INFINITY)));
            }
            let mut order: Vec<usize> = (0..ranked.len()).collect();
            order.sort_by(|&a, &b| ranked[b].1.total_cmp(&ranked[a].1));
            let kept = left.len().div_ceil(2).max(2);
            let mut goes_on: Vec<usize> = order.iter().copied().take(kept).collect();
            goes_on.sort_unstable();
            for (place, (node, _)) in ranked.iter().enumerate() {
                let note = if goes_on.contains(&place) { "goes on" } else { "stops" };
                ask.note(&at(node), note);
            }
            left = goes_on.into_iter().map(|place| ranked[place].0).collect();
            rung *= 2;
        }
        ask.want(&left);
        best(ask, &left)
    }

    /// The best of those whose path takes no more than so many seconds to train, the first teacher left out.
    pub fn within_seconds(&self, limit: f64, ask: &Ask<'_>) -> Ruling {
        let mut costs = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let trained = std::iter::once(*node).chain(self.named.assistants(node));
            let all: Vec<Option<f64>> = trained.map(|node| ask.seconds(&node.name.text)).collect();
            costs.push((&*node.name.text, all));
        }
        let mut fits = Vec::new();
        for (node, all) in costs {
            let seconds: f64 = all.into_iter().collect::<Option<Vec<f64>>>()?.iter().sum();
            ask.note(node, format!("{seconds:.1} s to train, assistants included"));
            if seconds <= limit {
                fits.push(node);
            }
        }
        best(ask, &fits)
    }

    /// The best of these, whose networks are small enough.
    pub fn of(&self, fits: &[&str], ask: &Ask<'_>) -> Ruling {
        ask.want(fits);
        best(ask, fits)
    }
}
