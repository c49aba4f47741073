//! The arguments that say which pipeline a command is about.

use super::{exit::Problem, home::folder};
use crate::{
    pipeline::Pipeline,
    remote::Remote,
    session::{Absent, Opening, Session},
    store::Store,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The pipeline file and what is laid over it.
#[derive(clap::Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline file
    file: PathBuf,
    #[command(flatten)]
    given: Given,
}

/// What a pipeline is read with.
#[derive(clap::Args)]
pub(crate) struct Given {
    /// Replace a value of the file, such as recipe.plain.epochs=5; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Lay the file's [preset.NAME] over it
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

/// Where data sets are.
#[derive(clap::Args)]
pub(crate) struct DataArgs {
    /// Folder of fetched data sets
    #[arg(
        long,
        value_name = "DIR",
        env = "TAKD_DATA",
        hide_env_values = true,
        default_value = "data",
        value_parser = folder()
    )]
    pub data: PathBuf,
}

/// A cache that machines share.
#[derive(clap::Args)]
pub(crate) struct RemoteArgs {
    /// A cache to share: s3://BUCKET/PREFIX, gs://, az:// or file:///DIR
    #[arg(long, value_name = "URL", env = "TAKD_REMOTE", hide_env_values = true)]
    remote: Option<String>,
}

impl RemoteArgs {
    /// The remote, if one is named.
    pub fn open(&self) -> Result<Option<Arc<Remote>>, Problem> {
        // `TAKD_REMOTE=` means none.
        let url = self.remote.as_deref().filter(|url| !url.is_empty());
        Ok(url.map(Remote::open).transpose()?.map(Arc::new))
    }
}

impl Given {
    /// A pipeline file with what was given.
    pub fn opening(&self, file: &Path) -> Opening {
        let opening = self.other(file);
        let opening = self.preset.iter().fold(opening, Opening::preset);
        self.set.iter().fold(opening, Opening::set)
    }

    /// Another file as it stands, its data sets in the same folder.
    pub fn other(&self, file: &Path) -> Opening {
        Opening::new(file).data(&self.data.data)
    }

    /// Whether files are not read as they stand.
    pub fn changes_files(&self) -> bool {
        self.preset.is_some() || !self.set.is_empty()
    }
}

impl PipelineArgs {
    /// The file with all that is laid over it.
    pub fn opening(&self) -> Opening {
        self.given.opening(&self.file)
    }

    /// The same file with another preset, where known data sets may be absent.
    pub fn open_preset(&self, preset: &str) -> Result<Pipeline, Problem> {
        Ok(self.opening().preset(preset).absent(Absent::Planned).pipeline()?)
    }

    /// Another file as it stands, its data sets in the same folder, its results in `store`.
    pub fn open_other(&self, file: &Path, store: &Store) -> Result<Pipeline, Problem> {
        Ok(self.given.other(file).session(store.clone())?.pipeline)
    }

    /// What is laid over the file, as arguments.
    pub fn words(&self) -> Vec<String> {
        let sets = self.given.set.iter().flat_map(|set| ["--set", set]);
        let presets = self.given.preset.iter().flat_map(|preset| ["--preset", preset]);
        let data = self.given.data.data.to_string_lossy();
        sets.chain(presets).chain(["--data", &data]).map(str::to_owned).collect()
    }

    /// The pipeline with its results in `store`.
    pub fn session(&self, store: &Store) -> Result<Session, Problem> {
        Ok(self.opening().session(store.clone())?)
    }

    /// The same, where known data sets may be absent.
    pub fn planned_session(&self, store: &Store) -> Result<Session, Problem> {
        Ok(self.opening().absent(Absent::Planned).session(store.clone())?)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The file as it was given.
    pub fn file(&self) -> std::path::Display<'_> {
        self.file.display()
    }
}
