//! The numbers behind a figure, a line a point.

use super::FigureResults;
use crate::report::escape::csv as quote;

impl FigureResults {
    /// As CSV (RFC 4180); a line of its own holds the mean of teacher and student.
    pub fn csv(&self) -> String {
        let mut text =
            "series,x,node,over,mean,std,n,paper,split,test_selected,picked\n".to_owned();
        let split = format!("{:?}", self.split).to_lowercase();
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
                ];
                text += &(fields.join(",") + "\n");
            }
        }
        if let Some(rule) = &self.rule {
            let label = quote(&rule.label());
            text += &format!("{label},,,,{},,,,{split},,\n", number(rule.mean));
        }
        text
    }
}
