//! One line a row and seed (RFC 4180), for whatever reads tables.

use super::{Report, escape::csv as quote};

const HEAD: &str = "table,split,label,paper,node,net,parameters,test_selected,seed,key,top1,top5,loss,\
    ece,entropy,entropy_at_temperature,samples,train_seconds,selected_epoch,note,paper_note\n";

pub(super) fn render(report: &Report) -> String {
    let mut text = HEAD.to_owned();
    for table in &report.tables {
        let split = format!("{:?}", table.split).to_lowercase();
        for row in &table.rows {
            let quoted = table.paper_note.as_deref().filter(|_| row.paper.is_some());
            let said = [table.note.as_deref(), quoted].map(|text| quote(text.unwrap_or_default()));
            let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
            let Some(ours) = &row.ours else {
                let columns = HEAD.matches(',').count() + 1;
                let fields =
                    [quote(&table.title), split.clone(), quote(&row.label), number(row.paper)];
                text += &fields.join(",");
                text += &",".repeat(columns - fields.len() - said.len());
                text += &format!(",{}\n", said.join(","));
                continue;
            };
            for seed in &ours.seeds {
                let metrics = seed.metrics.as_ref();
                let count = |value: Option<usize>| value.map(|v| v.to_string()).unwrap_or_default();
                let fields = [
                    quote(&table.title),
                    split.clone(),
                    quote(&row.label),
                    number(row.paper),
                    quote(&ours.node),
                    quote(&ours.net),
                    ours.parameters.to_string(),
                    ours.is_test_selected().to_string(),
                    seed.seed.to_string(),
                    seed.key.to_string(),
                    number(metrics.map(|m| m.top1)),
                    number(metrics.and_then(|m| m.top5)),
                    number(metrics.map(|m| m.loss)),
                    number(metrics.map(|m| m.ece)),
                    number(metrics.map(|m| m.entropy)),
                    number(metrics.map(|m| m.entropy_at_temperature)),
                    count(metrics.map(|m| m.samples)),
                    number(seed.seconds),
                    count(seed.selected_epoch),
                    said[0].clone(),
                    said[1].clone(),
                ];
                text += &fields.join(",");
                text.push('\n');
            }
        }
    }
    text
}
