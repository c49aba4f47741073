//! Whether a training can fit this machine's memory at all.
//!
//! An allocation that fails ends the whole process, with every node in it: what cannot fit is
//! refused before it is tried. The need is a lower bound, so that nothing is refused that would
//! have worked.

use crate::{
    architecture::Architecture,
    recipe::{Recipe, Select},
};

/// Bytes of a 32-bit number.
const WORD: u128 = 4;

/// Bytes that training `net` on `samples` images takes at least: weights, gradients, optimizer
/// state, the best epoch's weights, and each layer's output for one batch, which the backward pass
/// reads.
pub(super) fn need(net: &Architecture, recipe: &Recipe, samples: usize) -> u128 {
    let state = recipe.optimizer.states() as u128;
    let best = u128::from(recipe.select != Select::Last);
    let batch = recipe.batch_size.min(samples) as u128;
    // What each layer reads, and what the last one gives.
    let inputs = net.walk().map(|(_, input)| input.size() as u128).sum::<u128>();
    let outputs = inputs + net.classes() as u128;
    WORD * (net.parameters() as u128 * (2 + state + best) + batch * outputs)
}

/// What to tell if `need` bytes do not fit `limit`.
pub(super) fn refusal(need: u128, limit: Option<u128>) -> Option<String> {
    let limit = limit.filter(|&limit| need > limit)?;
    Some(format!(
        "it needs at least {} of memory, and this machine has {}: lower batch_size, or take a smaller network",
        in_words(need),
        in_words(limit)
    ))
}

/// Bytes in words.
pub(super) fn in_words(bytes: u128) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1024.0 {
        format!("{mebibytes:.0} MiB")
    } else {
        format!("{:.1} GiB", mebibytes / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{optimizer::Sgd, schedule::Constant};
    use crate::{
        recipe::{BatchnormWeight, Precision},
        shape::Shape,
    };

    #[test]
    fn the_need_is_counted_by_hand() {
        let input = Shape { channels: 1, height: 2, width: 2 };
        let net = Architecture::new(vec!["fc3".parse().unwrap()], input, 3).unwrap();
        let optimizer = Sgd { lr: 0.1, momentum: 0.9, nesterov: false, weight_decay: 0.0 }.into();
        let (schedule, warmup, augment) = (Constant {}.into(), 0, Vec::new());
        let (select, batchnorm_weight) = (Select::BestValidation, BatchnormWeight::Ones);
        let recipe = Recipe {
            epochs: 1,
            batch_size: 10,
            optimizer,
            schedule,
            warmup,
            augment,
            select,
            batchnorm_weight,
            precision: Precision::F32,
        };
        // 15 parameters four times, and 4 pixels and 3 outputs for each of 5 images.
        assert_eq!(need(&net, &recipe, 5), 4 * (15 * 4 + 5 * 7));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_gibibytes() {
        assert!(refusal(5, None).is_none() && refusal(5, Some(5)).is_none());
        let told = refusal(3 << 30, Some(2 << 30)).unwrap();
        assert!(told.starts_with("it needs at least 3.0 GiB of memory, and this machine has 2.0"));
        assert_eq!(in_words(3 << 29), "1.5 GiB");
        assert_eq!(in_words(200 << 20), "200 MiB");
    }
}
