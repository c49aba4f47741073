//! Names of tensors: counters, what all names begin with, and other words for the same.

/// Whether it counts batches, which nothing here reads.
pub(super) fn is_counter(name: &str) -> bool {
    name == "num_batches_tracked" || name.ends_with(".num_batches_tracked")
}

/// What every name has before its first dot, if it is the same and more than a dot follows it.
pub(super) fn common_prefix<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let first = names.clone().next()?;
    let (prefix, _) = first.split_once('.')?;
    let begins = |name: &str| {
        name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| {
            // `fc.weight` of a network that is one layer is no prefix and a name.
            rest.contains('.')
        })
    };
    names.clone().all(begins).then(|| format!("{prefix}."))
}

/// Whether it is what PyTorch, its compiler and Lightning put before the names of what they wrap.
pub(super) fn is_wrapper(prefix: &str) -> bool {
    ["module.", "_orig_mod.", "model."].contains(&prefix)
}

/// The same name in the words of this crate.
pub(super) fn rename(name: &str) -> String {
    let parts = name.split('.').map(|part| match part {
        "linear" => "fc",
        "shortcut" => "downsample",
        other => other,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::common_prefix;

    #[test]
    fn what_all_names_begin_with_is_a_prefix() {
        let prefix = |names: &[&str]| common_prefix(names.iter().copied());
        assert_eq!(prefix(&["model.a.weight", "model.b.weight"]), Some("model.".to_owned()));
        assert_eq!(prefix(&["a.weight", "b.weight"]), None);
        assert_eq!(prefix(&["fc.weight", "fc.bias"]), None);
        assert_eq!(prefix(&["modelb.a.weight", "model.b.weight"]), None);
        assert_eq!(prefix(&[]), None);
    }
}
