//! The numbers behind a figure, a line a point.

use super::FigureResults;
use crate::report::escape::csv as quote;

impl FigureResults {
    /// As CSV (RFC 4180); a line of its own holds the mean of teacher and student.
    pub fn csv(&self) -> String {
        let mut text =
            "series,x,node,over,mean,std,n,paper,split,test_selected,picked,quantity,note,paper_note\n".to_owned();
        let split = format!("{:?}", self.split).to_lowercase();
        let quantity = serde_json::to_value(self.quantity).expect("a word is always JSON");
        let quantity = quantity.as_str().unwrap_or_default().to_owned();
        let note = quote(self.note.as_deref().unwrap_or_default());
        let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
        let picked = self.rule.as_ref().and_then(|rule| rule.pick.as_ref()).map(|pick| &pick.node);
        for line in &self.lines {
            for point in &line.points {
                let name = |node: &Option<String>| quote(node.as_deref().unwrap_or_default());
                let fields = [
                    quote(&line.label),
                    point.x.to_string(),
                    name(&point.node),
                    name(&point.over),
                    number(point.ours.map(|ours| ours.mean)),
                    number(point.ours.and_then(|ours| ours.std)),
                    point.ours.map_or(0, |ours| ours.n).to_string(),
                    number(point.paper),
                    split.clone(),
                    point.test_selected.to_string(),
                    (picked.is_some() && point.node.as_ref() == picked).to_string(),
                    quantity.clone(),
                    note.clone(),
                    quote(
                        self.paper_note.as_deref().filter(|_| point.paper.is_some()).unwrap_or(""),
                    ),
                ];
                text += &(fields.join(",") + "\n");
            }
        }
        if let Some(rule) = &self.rule {
            let label = quote(&rule.label());
            text += &format!("{label},,,,{},,,,{split},,,{quantity},{note},\n", number(rule.mean));
        }
        text
    }
}
