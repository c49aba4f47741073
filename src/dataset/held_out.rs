//! Which images of a set that is not split are for testing: by a hash of their files' names, so that each stays
//! on its side, whatever comes or goes beside it.

use super::listed::Listed;
use std::collections::BTreeMap;

/// What is for testing where nothing says how much, in percent.
pub(crate) const USUAL: u8 = 20;

/// Training and test images: `percent` of each class are for testing, but neither all of it nor none where it has
/// two.
pub(super) fn split(all: Listed, percent: u8) -> (Listed, Listed) {
    let hashes: Vec<u64> = all.names.iter().map(|name| hash(name)).collect();
    // Of each class the smallest and the largest hash, and the places of their files.
    let mut ends = BTreeMap::<u16, [(u64, usize); 2]>::new();
    for (place, (&hash, &label)) in hashes.iter().zip(&all.labels).enumerate() {
        let [low, high] = ends.entry(label).or_insert([(hash, place); 2]);
        *low = (*low).min((hash, place));
        *high = (*high).max((hash, place));
    }
    let empty = || Listed { folder: all.folder.clone(), names: Vec::new(), labels: Vec::new() };
    let (mut train, mut test) = (empty(), empty());
    for (place, (name, &label)) in all.names.into_iter().zip(&all.labels).enumerate() {
        let [(_, low), (_, high)] = ends[&label];
        let below = hashes[place] % 100 < u64::from(percent);
        let is_test = if low == high { false } else { place != high && (below || place == low) };
        let side = if is_test { &mut test } else { &mut train };
        side.names.push(name);
        side.labels.push(label);
    }
    (train, test)
}

/// Of the name without the folders above it: a set may be moved, and its classes renamed.
fn hash(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hash = blake3::hash(name.as_bytes());
    let bytes = hash.as_bytes();
    u64::from_le_bytes([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[String]) -> Listed {
        let labels = names.iter().map(|name| u16::from(name.starts_with('b'))).collect();
        Listed { folder: ".".to_owned(), names: names.to_vec(), labels }
    }

    #[test]
    fn an_image_stays_on_its_side() {
        let names: Vec<String> = (0..400).map(|n| format!("a/{n}.png")).collect();
        let (train, test) = split(listed(&names), 20);
        assert_eq!(train.names.len() + test.names.len(), 400);
        assert!((50..110).contains(&test.names.len()), "{}", test.names.len());
        let fewer: Vec<String> = names.iter().step_by(2).cloned().collect();
        let (_, later) = split(listed(&fewer), 20);
        assert!(later.names.iter().all(|name| test.names.contains(name)));
        let known: Vec<&str> = test.names.iter().take(3).map(String::as_str).collect();
        assert_eq!(known, ["a/13.png", "a/16.png", "a/22.png"], "the same for ever");
    }

    #[test]
    fn no_side_is_left_without_a_class() {
        let names = ["a/1.png", "a/2.png", "b/1.png"].map(str::to_owned);
        for percent in [1, 90] {
            let (train, test) = split(listed(&names), percent);
            assert_eq!((train.labels, test.labels), (vec![0, 1], vec![0]), "{percent}");
        }
    }
}
