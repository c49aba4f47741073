//! Where a remote is. It holds no credentials: addresses stand in scripts, logs and shells' histories.

use super::RemoteError;
use std::{fmt, str::FromStr};

/// What keeps the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Amazon S3, or what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
    /// A folder.
    File,
}

impl Scheme {
    const ALL: [(&str, Self); 4] =
        [("s3", Self::S3), ("gs", Self::Gs), ("az", Self::Az), ("file", Self::File)];
}

/// A remote's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the bucket is.
    pub scheme: Scheme,
    /// The bucket, or container; nothing of a folder.
    pub bucket: String,
    /// What its objects' names begin with, without slashes around it; of a folder its path.
    pub prefix: String,
}

impl FromStr for Address {
    type Err = RemoteError;

    /// The error of an address that may hold a secret does not repeat it.
    fn from_str(url: &str) -> Result<Self, RemoteError> {
        let wrong = |problem: &str| RemoteError::Address {
            url: url.to_owned(),
            problem: problem.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        if rest.split('/').next().is_some_and(|host| host.contains('@')) || rest.contains('?') {
            return Err(RemoteError::Credentials);
        }
        let known = Scheme::ALL.into_iter().find(|(name, _)| *name == scheme);
        let (_, scheme) = known.ok_or_else(|| {
            wrong("expected s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER")
        })?;
        if rest.contains(['#', '%', '\\']) || rest.contains(char::is_control) {
            return Err(wrong(
                "`#`, `%` and `\\` have no place in it; characters stand for themselves",
            ));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        match scheme {
            Scheme::File if !bucket.is_empty() || prefix.trim_matches('/').is_empty() => {
                return Err(wrong("expected the whole path of a folder, as in file:///mnt/takd"));
            }
            Scheme::File => {}
            _ => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                if bucket.is_empty() || !bucket.chars().all(fits) {
                    return Err(wrong("expected the name of a bucket after `://`"));
                }
            }
        }
        let prefix = prefix.trim_end_matches('/');
        if prefix.split('/').any(|part| [".", ".."].contains(&part))
            || (!prefix.is_empty() && prefix.split('/').any(str::is_empty))
        {
            return Err(wrong("the prefix has an empty part, `.` or `..`"));
        }
        Ok(Self { scheme, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Scheme::ALL.iter().find(|(_, scheme)| *scheme == self.scheme);
        let scheme = known.map_or("", |(name, _)| name);
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "{scheme}://{}{slash}{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_said() {
        for (url, scheme, bucket, prefix) in [
            ("s3://papers/takd/vgg", Scheme::S3, "papers", "takd/vgg"),
            ("s3://papers", Scheme::S3, "papers", ""),
            ("gs://a.b_c-d/", Scheme::Gs, "a.b_c-d", ""),
            ("az://container/x y", Scheme::Az, "container", "x y"),
            ("file:///mnt/takd/", Scheme::File, "", "mnt/takd"),
        ] {
            let address: Address = url.parse().unwrap();
            let want = Address { scheme, bucket: bucket.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(address, want, "{url}");
            assert_eq!(address.to_string(), url.trim_end_matches('/'));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_secrets_are_not_repeated() {
        for url in [
            "papers/takd",
            "http://papers/takd",
            "s3:///takd",
            "s3://a b/takd",
            "file://mnt/takd",
            "file:///",
            "s3://papers/../takd",
            "s3://papers//takd",
            "s3://papers/a%2e%2e",
            "",
        ] {
            let error = url.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("is not a remote"), "{url}: {error}");
        }
        for url in
            ["s3://me:hush@papers/takd", "s3://hush@papers", "az://c/p?sig=hush", "me:hush@c"]
        {
            let error = url.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("environment") && !error.contains("hush"), "{error}");
        }
    }
}
