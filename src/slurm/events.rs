//! What a run here would have told of a step that runs elsewhere, from what the cache has of it.

use crate::{
    executor::{Event, Pass},
    history::{self, EpochRecord},
    store::{Entry, Epochs, Outcome, Reached},
};

/// Of an entry that has come: what was measured, or the last epoch.
pub fn of_entry(step: usize, entry: &Entry) -> Option<Event> {
    if let Outcome::Metrics { metrics, .. } = &entry.manifest.outcome {
        return Some(Event::Measured { step, accuracy: metrics.top1() });
    }
    if !entry.manifest.files.contains_key(history::FILE) {
        return None;
    }
    let record = *history::read(&entry.read(history::FILE).ok()?).ok()?.last()?;
    let (epochs, samples_per_second) = (record.epoch, 0.0);
    Some(Event::Epoch { step, epochs, record, samples_per_second })
}

/// Of what has come so far: of a training its last whole epoch, if it is beyond those that were `told`, and
/// where it is in the next. What nobody wrote down, such as the learning rate, is zero or absent.
pub fn of_progress(step: usize, at: &Reached, told: &mut usize) -> Vec<Event> {
    match at {
        Reached::Epochs(at) => of_epochs(step, *at, told),
        Reached::Images(at) => {
            let what = if at.of_teacher { Pass::TeacherLogits } else { Pass::Measurement };
            let share = at.images as f64 / at.of.max(1) as f64;
            let samples_per_second = at.samples_per_second;
            vec![Event::Passed { step, what, share, samples_per_second }]
        }
    }
}

fn of_epochs(step: usize, at: Epochs, told: &mut usize) -> Vec<Event> {
    let Epochs { epoch, epochs, share, loss, accuracy, samples_per_second } = at;
    let (whole, mut events) = (epoch.saturating_sub(1), Vec::new());
    if let Some(loss) = loss.filter(|_| whole > *told) {
        *told = whole;
        let record = EpochRecord {
            epoch: whole,
            lr: 0.0,
            loss,
            accuracy,
            train_accuracy: None,
            temperature: None,
            constant: false,
        };
        events.push(Event::Epoch { step, epochs, record, samples_per_second });
    }
    let share = (share * epochs as f64 - whole as f64).clamp(0.0, 1.0);
    events.push(Event::Samples { step, epoch, epochs, share, samples_per_second });
    events
}

#[cfg(test)]
mod tests {
    use super::of_progress;
    use crate::{
        executor::Event,
        store::{Epochs, Reached},
    };

    #[test]
    fn an_epoch_is_told_once_when_it_is_whole() {
        let at = |epoch, share| Epochs {
            epoch,
            epochs: 4,
            share,
            loss: (epoch > 1).then_some(0.5),
            accuracy: None,
            samples_per_second: 10.0,
        };
        let mut told = 0;
        let mut ask = |at: Epochs| {
            let events = of_progress(7, &Reached::Epochs(at), &mut told);
            let epochs = events.iter().filter_map(|event| match event {
                Event::Epoch { record, .. } => Some(record.epoch),
                _ => None,
            });
            let share = events.iter().find_map(|event| match event {
                Event::Samples { step: 7, share, .. } => Some(*share),
                _ => None,
            });
            (epochs.collect::<Vec<_>>(), share)
        };
        assert_eq!(ask(at(1, 0.125)), (vec![], Some(0.5)));
        assert_eq!(ask(at(3, 0.5)), (vec![2], Some(0.0)));
        assert_eq!(ask(at(3, 0.625)), (vec![], Some(0.5)));
    }
}
