//! Whether the best is better than the second best by more than chance.

use super::{ask::Ask, found::Verdict};
use crate::statistics::{Evidence, Paired, Spread, seeds_to_see};

/// Of nodes that are measured with all seeds the best, and what may be said of it.
pub(super) fn best(ask: &Ask<'_>, nodes: &[&str]) -> Option<(Option<String>, Verdict)> {
    let scored: Vec<(&str, Option<f64>)> =
        nodes.iter().map(|&node| (node, ask.mean(node))).collect();
    let mut ranked = Vec::with_capacity(scored.len());
    for (node, mean) in scored {
        ranked.push((node, mean?));
    }
    // Of equal ones the first.
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.retain(|(_, mean)| mean.is_finite());
    let Some(&(first, _)) = ranked.first() else { return Some((None, Verdict::Nothing)) };
    let chosen = Some(first.to_owned());
    let Some(&(second, _)) = ranked.get(1) else { return Some((chosen, Verdict::Chosen)) };
    let all = |node: &str| ask.values(node, ask.seeds.len()).flatten().unwrap_or_default();
    let differences: Vec<f64> = all(first).iter().zip(all(second)).map(|(a, b)| a - b).collect();
    let paired = Paired::of(&differences)?;
    let (second, mean) = (second.to_owned(), paired.mean);
    let verdict = match paired.evidence {
        Evidence::Interval { low, high, .. } if low > 0.0 || high < 0.0 => {
            Verdict::Clear { second, mean, interval: [low, high] }
        }
        Evidence::Interval { .. } => {
            let std = Spread::of(&differences).and_then(|spread| spread.std);
            let seeds = std.and_then(|std| seeds_to_see(std, mean.abs()));
            let more = seeds.map(|seeds| seeds.saturating_sub(differences.len()).max(1));
            Verdict::CannotTell { second, mean, seeds: more }
        }
        Evidence::OneSeed | Evidence::NoSpread => Verdict::CannotTell { second, mean, seeds: None },
    };
    Some((chosen, verdict))
}
