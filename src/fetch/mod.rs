//! Getting data sets from their own sites: resumed when broken off, verified before use.

mod download;

pub use download::{FetchError, fetch, unpack};

/// Something that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What `takd data fetch` calls it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The file's name once it is here.
    pub file: String,
}

/// The data sets that are fetched by name: A. Krizhevsky's binary distributions
/// (<https://www.cs.toronto.edu/~kriz/cifar.html>).
pub fn sources() -> Vec<Source> {
    let cifar = |name: &str, file: &str, sha256: &str| Source {
        name: name.to_owned(),
        url: format!("https://www.cs.toronto.edu/~kriz/{file}"),
        sha256: sha256.to_owned(),
        file: file.to_owned(),
    };
    vec![
        cifar(
            "cifar10",
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
        cifar(
            "cifar100",
            "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ]
}
