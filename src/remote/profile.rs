//! The files of the AWS command line, which `object_store` does not read: `~/.aws/credentials` and `~/.aws/config`.

use object_store::aws::AmazonS3ConfigKey;
use std::{collections::BTreeMap, env, fs, io::ErrorKind, path::PathBuf};

/// What says in the environment who one is: with one of these, files are not asked.
const CREDENTIALS: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
];
/// The same of the region.
const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Fields of a profile that are used.
const SECRETS: [(&str, AmazonS3ConfigKey); 3] = [
    ("aws_access_key_id", AmazonS3ConfigKey::AccessKeyId),
    ("aws_secret_access_key", AmazonS3ConfigKey::SecretAccessKey),
    ("aws_session_token", AmazonS3ConfigKey::Token),
];

/// What the files say that the environment does not; or which file cannot be read.
pub(super) fn settings() -> Result<Vec<(AmazonS3ConfigKey, String)>, String> {
    let is_set = |names: &[&str]| names.iter().any(|name| env::var_os(name).is_some());
    let profile = env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    let mut found = Vec::new();
    if !is_set(&CREDENTIALS) {
        let fields = section(&file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?, &profile);
        let named = SECRETS.into_iter();
        found.extend(named.filter_map(|(name, key)| Some((key, fields.get(name)?.clone()))));
        if found.is_empty() && env::var_os("AWS_PROFILE").is_some() {
            return Err(format!(
                "AWS_PROFILE names the profile `{profile}`, which has no access key"
            ));
        }
    }
    if !is_set(&REGION) {
        // There all profiles but the default one are called so.
        let name = if profile == "default" { profile } else { format!("profile {profile}") };
        let fields = section(&file("AWS_CONFIG_FILE", "config")?, &name);
        found
            .extend(fields.get("region").map(|region| (AmazonS3ConfigKey::Region, region.clone())));
    }
    Ok(found)
}

/// The text of a file that a variable names, or of `~/.aws/NAME`; empty if it is not there.
fn file(variable: &str, name: &str) -> Result<String, String> {
    let named = env::var_os(variable).map(PathBuf::from);
    let path = named.or_else(|| Some(env::home_dir()?.join(".aws").join(name)));
    let Some(path) = path else { return Ok(String::new()) };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// The fields of `[name]`.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let (mut fields, mut inside) = (BTreeMap::new(), false);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = title.trim() == name;
        } else if let Some((field, value)) = line.split_once('=').filter(|_| inside) {
            fields.insert(field.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn a_profile_is_found_among_others() {
        let text = "# mine\n[default]\naws_access_key_id = A\n[ work ]\nAWS_ACCESS_KEY_ID=B\n;x=y\nregion = eu\n";
        let field = |name: &str, field: &str| section(text, name).get(field).cloned();
        assert_eq!(field("default", "aws_access_key_id").as_deref(), Some("A"));
        assert_eq!(field("work", "aws_access_key_id").as_deref(), Some("B"));
        assert_eq!(field("work", "region").as_deref(), Some("eu"));
        assert_eq!((field("default", "region"), field("none", "region")), (None, None));
    }
}
