//! Which store an address means, with what the environment says of it.

use super::{Address, RemoteError, Scheme, profile};
use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    local::LocalFileSystem,
};
use std::{env, sync::Arc, time::Duration};

/// How long a lost connection, or a server in trouble, is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// As [`PATIENCE`], or as many seconds as `TAKD_REMOTE_TIMEOUT` says.
pub(super) fn patience() -> Duration {
    let told = env::var("TAKD_REMOTE_TIMEOUT").ok().and_then(|text| text.parse().ok());
    told.map_or(PATIENCE, Duration::from_secs)
}

/// Longest wait for a connection, and for an answer with all its bytes, which are a part of a file at most. Whoever
/// knows better sets `AWS_TIMEOUT` and the like.
const WAITS: [(ClientConfigKey, &str); 2] =
    [(ClientConfigKey::ConnectTimeout, "10 seconds"), (ClientConfigKey::Timeout, "60 seconds")];

/// Those of the waits that the environment does not set.
fn waits(sort: &'static str) -> impl Iterator<Item = (ClientConfigKey, &'static str)> {
    let is_set = move |key: &ClientConfigKey| {
        env::var_os(format!("{sort}_{}", key.as_ref().to_ascii_uppercase())).is_some()
    };
    WAITS.into_iter().filter(move |(key, _)| !is_set(key))
}

fn retries() -> RetryConfig {
    let (init_backoff, max_backoff) = (Duration::from_millis(200), Duration::from_secs(5));
    RetryConfig {
        backoff: BackoffConfig { init_backoff, max_backoff, base: 2.0 },
        max_retries: 1000,
        retry_timeout: patience(),
    }
}

/// The store at an address.
pub(super) fn store(address: &Address) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    // The one that downloads of data sets use as well. Whoever has chosen another before is right.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let name = address.to_string();
    let setup = |error: object_store::Error| {
        let problem = error.to_string();
        RemoteError::Setup { name: name.clone(), problem }
    };
    let bucket = &address.bucket;
    Ok(match address.scheme {
        Scheme::S3 => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
            for (key, value) in waits("AWS") {
                builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
            }
            let found = profile::settings().map_err(|problem| {
                let name = name.clone();
                RemoteError::Setup { name, problem }
            })?;
            for (key, value) in found {
                builder = builder.with_config(key, value);
            }
            Arc::new(builder.with_retry(retries()).build().map_err(setup)?)
        }
        Scheme::Gs => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            for (key, value) in waits("GOOGLE") {
                builder = builder.with_config(GoogleConfigKey::Client(key), value);
            }
            Arc::new(builder.with_retry(retries()).build().map_err(setup)?)
        }
        Scheme::Az => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            for (key, value) in waits("AZURE") {
                builder = builder.with_config(AzureConfigKey::Client(key), value);
            }
            Arc::new(builder.with_retry(retries()).build().map_err(setup)?)
        }
        Scheme::File => {
            let folder = format!("/{}", address.prefix);
            let store = LocalFileSystem::new_with_prefix(folder);
            Arc::new(store.map_err(|error| {
                let (name, problem) = (name.clone(), error.to_string());
                RemoteError::NoBucket { name, problem }
            })?)
        }
    })
}
