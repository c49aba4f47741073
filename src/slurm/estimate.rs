//! How long a job may take, where nobody says it.

use super::{SlurmError, tools::Partition};
use crate::{
    executor::{Costs, Profile},
    key::Kind,
    pipeline::{Resources, TimeLimit},
    plan::Step,
};

/// Reading data and waiting for a teacher's logits is in no pace.
const START: f64 = 600.0;

/// Seconds that a time limit must leave before the notice, or a job has no time to train: slurmctld looks at limits
/// every 30 s (`PERIODIC_TIMEOUT` in its slurmctld.h) and tells jobs up to that much earlier, and one that is told
/// within ten seconds is not queued again (`script::REQUEUE`).
const EARLY: u64 = 40;

/// The time limit that a step's record of paces suggests; nothing while there is none. A training that comes
/// to its limit resumes, so twice its time is plenty; a measurement begins anew.
pub fn estimate(step: &Step, costs: &Costs) -> Option<TimeLimit> {
    let seconds = costs.expect(&Profile::of(step)).filter(|&seconds| seconds > 0.0)?;
    let margin = if step.inputs.kind == Kind::Eval { 4.0 } else { 2.0 };
    Some(TimeLimit(((seconds * margin + START) / 60.0).ceil() as u64 * 60))
}

/// The time limit of a job that asks for `resources`: what is said, if its partition allows it, or else the
/// estimate, as far as it does.
pub fn limit(
    resources: &Resources,
    estimate: Option<TimeLimit>,
    partitions: &[Partition],
    notice: u64,
) -> Result<Option<TimeLimit>, SlurmError> {
    let mut most: Option<TimeLimit> = None;
    // Several partitions may be named, of which the first that is free takes the job.
    for name in resources.partition.iter().flat_map(|names| names.split(',')) {
        let Some((_, bound)) = partitions.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = partitions.iter().map(|(name, _)| &**name).collect();
            let (name, known) = (name.to_owned(), known.join(", "));
            return Err(SlurmError::Partition { name, known });
        };
        match (resources.time, bound) {
            (Some(time), &Some(most)) if time > most => {
                return Err(SlurmError::Time { partition: name.to_owned(), most, time });
            }
            _ => {}
        }
        if let &Some(bound) = bound {
            most = Some(most.map_or(bound, |most| most.min(bound)));
        }
    }
    // Without any limit of its own a job has its partition's.
    if let Some(time) = resources.time.or(most)
        && time.0 < notice + EARLY
    {
        return Err(SlurmError::Notice { notice, time });
    }
    let estimate = || estimate.map(|estimate| most.map_or(estimate, |most| most.min(estimate)));
    Ok(resources.time.or_else(estimate))
}

#[cfg(test)]
mod tests {
    use super::{SlurmError, limit};
    use crate::pipeline::{Resources, TimeLimit};

    #[test]
    fn a_time_limit_is_what_is_said_or_the_estimate_and_never_more_than_allowed() {
        let hours = |hours: u64| Some(TimeLimit(hours * 3600));
        let partitions = [
            ("day".to_owned(), hours(24)),
            ("ever".to_owned(), None),
            ("short".to_owned(), hours(1)),
        ];
        let ask = |partition: &str, time| {
            let partition = (!partition.is_empty()).then(|| partition.to_owned());
            Resources { partition, time, ..Resources::default() }
        };
        for (partition, time, estimate, want) in [
            ("", None, None, None),
            ("", None, hours(2), hours(2)),
            ("", hours(3), hours(2), hours(3)),
            ("short", None, hours(2), hours(1)),
            ("day,short", None, hours(2), hours(1)),
            ("ever", hours(100), None, hours(100)),
            ("day", hours(24), None, hours(24)),
        ] {
            let found = limit(&ask(partition, time), estimate, &partitions, 120);
            assert_eq!(found.unwrap(), want, "{partition} {time:?} {estimate:?}");
        }
        let refused =
            |partition, time| limit(&ask(partition, time), None, &partitions, 120).unwrap_err();
        assert!(
            matches!(refused("night", None), SlurmError::Partition { known, .. } if known == "day, ever, short")
        );
        assert!(matches!(refused("short", hours(2)), SlurmError::Time { .. }));
        assert!(matches!(refused("ever", Some(TimeLimit(159))), SlurmError::Notice { .. }));
        let brief = [("brief".to_owned(), Some(TimeLimit(159)))];
        let refused = limit(&ask("brief", None), hours(2), &brief, 120);
        assert!(matches!(refused, Err(SlurmError::Notice { .. })));
        let enough = limit(&ask("ever", Some(TimeLimit(160))), None, &partitions, 120);
        assert_eq!(enough.unwrap(), Some(TimeLimit(160)));
    }
}
