//! Reading a pipeline from its file, with the real data sets and weights.

use super::Session;
use crate::{
    dataset::{DataError, DataInfo, Format, Presence},
    input::{self, MOST_PIPELINE, MOST_WEIGHTS},
    kinds::Kinds,
    network,
    onnx::OnnxFile,
    pipeline::{self, Catalogue, Diagnostics, Pipeline, Sources, setting},
    search::Told,
    store::{Store, StoreError},
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What a pipeline is read with: its file, and what is laid over it.
#[derive(Clone)]
pub struct Opening {
    file: PathBuf,
    submitted: Option<PathBuf>,
    sets: Vec<String>,
    preset: Option<String>,
    data: PathBuf,
    absent: Absent,
    kinds: Kinds,
}

/// Name of the profile beside a pipeline.
const PROFILE: &str = "takd.toml";

/// What to make of known data sets whose files are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// An error, unless the digests of their official files are built in.
    Refused,
    /// Their nodes are planned, if need be without keys.
    Planned,
}

impl Absent {
    fn lets(self, presence: Presence) -> bool {
        match self {
            Self::Refused => presence != Presence::Unknown,
            Self::Planned => true,
        }
    }
}

/// Why a pipeline could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The pipeline has errors: all of them, with their spans.
    #[error("{0}")]
    Pipeline(Box<Diagnostics>),
    /// The cache, which decides what a search tries next.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A setting without `=`.
    #[error("--set {0}: expected KEY=VALUE, such as recipe.plain.epochs=5")]
    Set(String),
}

impl Opening {
    /// Of `file` as it stands, with fetched data sets in `data/` and every built-in kind.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            submitted: None,
            sets: Vec::new(),
            preset: None,
            data: PathBuf::from("data"),
            absent: Absent::Refused,
            kinds: Kinds::default(),
        }
    }

    /// With the text in `copy`, which is the file's as it was when its jobs were submitted; all else is as if
    /// the file still held it. No profile is read: it has done its work.
    pub fn submitted(mut self, copy: impl Into<PathBuf>) -> Self {
        self.submitted = Some(copy.into());
        self
    }

    /// Replaces a value of the file: `recipe.plain.epochs=5`. May be repeated.
    pub fn set(mut self, setting: impl Into<String>) -> Self {
        self.sets.push(setting.into());
        self
    }

    /// Lays the file's `[preset.NAME]` over it.
    pub fn preset(mut self, name: impl Into<String>) -> Self {
        self.preset = Some(name.into());
        self
    }

    /// The folder of fetched data sets.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = folder.into();
        self
    }

    /// Whether known data sets may be absent.
    pub fn absent(mut self, absent: Absent) -> Self {
        self.absent = absent;
        self
    }

    /// The kinds that the pipeline may name: the built-in ones and the caller's own.
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// The resolved pipeline. Of its searches the first trials are decided.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read, or with every error in it.
    pub fn pipeline(&self) -> Result<Pipeline, OpenError> {
        self.parse(self.text()?)
    }

    /// The text of the file.
    fn text(&self) -> Result<String, OpenError> {
        let path = self.submitted.as_ref().unwrap_or(&self.file);
        text_in(path).map_err(|error| OpenError::Read { path: path.clone(), error })
    }

    /// The profile beside the file, if there is one: how its nodes are submitted, for all pipelines of the
    /// folder.
    fn profile(&self) -> Result<Option<(String, String)>, OpenError> {
        let path = self.file.with_file_name(PROFILE);
        if self.submitted.is_some() || self.file.file_name().is_some_and(|name| name == PROFILE) {
            return Ok(None);
        }
        match text_in(&path) {
            Ok(text) => Ok(Some((path.display().to_string(), text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::Read { path, error }),
        }
    }

    /// The resolved pipeline, were `text` in the file.
    ///
    /// # Errors
    /// [`OpenError`] with every error in the text.
    pub fn parse(&self, text: String) -> Result<Pipeline, OpenError> {
        self.parse_with(text, &Told::default(), false, &Probed::default())
    }

    /// The same, of whose searches is known what `told` says, and of whose files what `probed` has seen;
    /// with `open_only` without the trials that are over.
    pub(super) fn parse_with(
        &self,
        text: String,
        told: &Told,
        open_only: bool,
        probed: &Probed,
    ) -> Result<Pipeline, OpenError> {
        let mut sources = vec![(self.file.display().to_string(), text)];
        let profile = self.profile()?;
        let has_profile = profile.is_some();
        sources.extend(profile);
        for set in &self.sets {
            sources.push(setting(set).ok_or_else(|| OpenError::Set(set.clone()))?);
        }
        let folder = self.file.parent().unwrap_or(&self.file);
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let look = |format: &Format| match format.probe() {
            Ok(info) => Ok(info),
            Err(error @ DataError::Missing { .. }) => {
                let known = format.known();
                let known = known.filter(|known| self.absent.lets(known.presence));
                known.ok_or_else(|| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        let probe = |format: &Format| remember(&probed.data, format, || look(format));
        let digest = |path: &Path| remember(&probed.weights, &path.to_owned(), || digest(path));
        let onnx = |path: &Path| {
            let open = || OnnxFile::open(path).map_err(|error| error.to_string());
            remember(&probed.onnx, &path.to_owned(), open)
        };
        let catalogue = Catalogue {
            profile: has_profile,
            preset: self.preset.as_deref(),
            data: &self.data,
            told,
            open_only,
            probe: &probe,
            digest: &digest,
            onnx: &onnx,
            text: &text_of,
            kinds: &self.kinds,
            net: network::builtin,
            net_names: &network::BUILTIN,
        };
        pipeline::parse(Sources(sources), folder, &stem, catalogue)
            .map_err(|diagnostics| OpenError::Pipeline(Box::new(diagnostics)))
    }

    /// The pipeline with its results in `store`, its searches as far as these decide them.
    ///
    /// # Errors
    /// As [`pipeline`](Self::pipeline), and if the cache cannot be read.
    pub fn session(&self, store: Store) -> Result<Session, OpenError> {
        let text = self.text()?;
        let probed = Probed::default();
        let pipeline = self.parse_with(text.clone(), &Told::default(), false, &probed)?;
        let session = Session { text: Some(text.clone()), ..Session::new(pipeline, store) };
        session.reading(self.clone(), text, probed)
    }
}

/// What was seen of files: a pipeline that is read again in one session looks at them once.
#[derive(Default)]
pub(super) struct Probed {
    data: Seen<Format, DataInfo>,
    weights: Seen<PathBuf, String>,
    onnx: Seen<PathBuf, OnnxFile>,
}

type Seen<K, V> = Mutex<BTreeMap<K, Result<V, String>>>;

fn remember<K: Ord + Clone, V: Clone>(
    seen: &Seen<K, V>,
    key: &K,
    look: impl FnOnce() -> Result<V, String>,
) -> Result<V, String> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.entry(key.clone()).or_insert_with(look).clone()
}

/// Text, or why it cannot be read.
fn text_in(path: &Path) -> io::Result<String> {
    String::from_utf8(input::read(path, MOST_PIPELINE)?).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let problem = format!("not UTF-8 text: byte {byte} belongs to no character");
        io::Error::new(io::ErrorKind::InvalidData, problem)
    })
}

/// The text in a small file.
fn text_of(path: &Path) -> Result<String, String> {
    let unreadable = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", path.display());
    let bytes = input::read(path, MOST_PIPELINE).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|_| unreadable(&"not UTF-8 text"))
}

/// The digest of a file of weights, in hex.
fn digest(path: &Path) -> Result<String, String> {
    let digest = input::digest(path, MOST_WEIGHTS);
    let digest = digest.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(digest.to_hex().to_string())
}
