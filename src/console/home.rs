//! `~` in folders that are named where no shell expands it: in an environment file, after `--cache=`.

use clap::builder::{PathBufValueParser, TypedValueParser};
use std::path::{Path, PathBuf};

/// Reads a folder's name; `~` and what begins with `~/` are the home folder and what is in it.
pub(crate) fn folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| expand(&path, std::env::home_dir().as_deref()))
}

fn expand(path: &Path, home: Option<&Path>) -> Result<PathBuf, String> {
    let mut parts = path.components();
    let first = parts.next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    match first.as_deref() {
        Some("~") => match home {
            Some(home) => Ok(home.join(parts.as_path())),
            None => Err("`~` has no meaning here: HOME is not set".to_owned()),
        },
        Some(user) if user.starts_with('~') => Err(format!(
            "`{user}` is not expanded: name the whole path, or ./{user} if it is in this folder"
        )),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_what_it_says() {
        let home = Some(Path::new("/home/me"));
        for (path, want) in [
            ("~", Ok("/home/me")),
            ("~/cache", Ok("/home/me/cache")),
            ("cache/~", Ok("cache/~")),
            ("./~you", Ok("./~you")),
            ("/~", Ok("/~")),
            ("~you/cache", Err(())),
        ] {
            let got = expand(Path::new(path), home).map_err(|_| ());
            assert_eq!(got, want.map(PathBuf::from), "{path}");
        }
        assert!(expand(Path::new("~/cache"), None).is_err());
    }
}
