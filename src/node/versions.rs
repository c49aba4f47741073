//! The versions that a result is made with.

use std::sync::LazyLock;

/// takd's own manifest, which pins burn to one release.
const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));

static BURN: LazyLock<String> = LazyLock::new(|| pinned(MANIFEST, "burn").unwrap_or_default());

/// burn's version: `0.22.1`.
pub(super) fn burn() -> &'static str {
    &BURN
}

/// The version that a manifest pins a dependency to, in either way of writing it.
fn pinned(manifest: &str, name: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let dependency = manifest.get("dependencies")?.get(name)?;
    let version = dependency.get("version").unwrap_or(dependency).as_str()?;
    version.strip_prefix('=').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burns_version_is_the_one_that_is_built() {
        let lock: toml::Table = include_str!("../../Cargo.lock").parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        let built = packages.iter().find(|package| package["name"].as_str() == Some("burn"));
        assert_eq!(built.unwrap()["version"].as_str(), Some(burn()));
    }

    #[test]
    fn only_a_pin_is_a_version() {
        for (version, want) in [("\"=1.2.3\"", Some("1.2.3")), ("\"1.2.3\"", None)] {
            let manifest = format!("[dependencies]\nburn = {version}\n");
            assert_eq!(pinned(&manifest, "burn").as_deref(), want);
        }
    }
}
