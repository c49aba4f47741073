//! Names: which are allowed, and the one that was probably meant.

/// The candidate nearest to `name`, if one is near enough to be a slip of the pen.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + candidate.chars().count().max(name.chars().count()) / 3
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or the list of what there is.
pub(super) fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => "none is defined".to_owned(),
        None if candidates.len() > 17 => {
            format!("there are {}, none of them near", candidates.len())
        }
        None => format!("there are: {}", candidates.join(", ")),
    }
}

/// Whether a name means those that match it, and not itself.
pub(super) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Whether a name can stand in messages, in globs and on a command line.
pub(super) fn is_valid(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_.+=".contains(c);
    // Dots alone are folders elsewhere.
    name.chars().any(|c| c != '.') && name.len() <= 200 && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["teacher", "assistant", "student"];
        assert_eq!(nearest("techer", names), Some("teacher"));
        assert_eq!(nearest("zebra", names), None);
    }
}
