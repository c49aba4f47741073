//! Reading the pipeline that a command is about.

use super::exit::Problem;
use crate::{
    config::{Format, Presence},
    data::{self, DataError},
    input::{self, MOST_PIPELINE, MOST_WEIGHTS},
    net,
    spec::{self, Catalogue, Pipeline, Sources, setting},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The pipeline file and what is laid over it.
#[derive(clap::Args)]
pub(super) struct PipelineArgs {
    /// The pipeline file
    file: PathBuf,
    /// Replace a value of the file, such as recipe.plain.epochs=5; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    given: Given,
}

/// What a pipeline is read with.
#[derive(clap::Args)]
pub(super) struct Given {
    /// Lay the file's [preset.NAME] over it
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

impl Given {
    /// The resolved pipeline of a file.
    pub fn open(&self, file: &Path) -> Result<Pipeline, Problem> {
        open(file, &[], self.preset.as_deref(), &self.data, Absent::Refused)
    }
}

/// What is made of data sets that takd knows and whose files are not here.
#[derive(Clone, Copy)]
pub(super) enum Absent {
    /// Errors, unless what their entries are called is known all the same.
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

/// Where data sets are.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// Folder of fetched data sets
    #[arg(
        long,
        value_name = "DIR",
        env = "TAKD_DATA",
        hide_env_values = true,
        default_value = "data",
        value_parser = super::home::folder()
    )]
    pub data: PathBuf,
}

impl PipelineArgs {
    /// The resolved pipeline.
    pub fn open(&self) -> Result<Pipeline, Problem> {
        self.open_with(Absent::Refused)
    }

    /// As [`open`](Self::open), where known data sets may be absent.
    pub fn open_with(&self, absent: Absent) -> Result<Pipeline, Problem> {
        open(&self.file, &self.set, self.given.preset.as_deref(), &self.given.data, absent)
    }

    /// The same file with another preset, where known data sets may be absent.
    pub fn open_preset(&self, preset: &str) -> Result<Pipeline, Problem> {
        open(&self.file, &self.set, Some(preset), &self.given.data, Absent::Planned)
    }

    /// Another file as it stands, its data sets in the same folder.
    pub fn open_other(&self, file: &Path) -> Result<Pipeline, Problem> {
        open(file, &[], None, &self.given.data, Absent::Refused)
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

fn open(
    file: &Path,
    sets: &[String],
    preset: Option<&str>,
    data: &DataArgs,
    absent: Absent,
) -> Result<Pipeline, Problem> {
    let unreadable = |error| Problem::Read { path: file.to_owned(), error };
    let bytes = input::read(file, MOST_PIPELINE).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let problem = format!("not UTF-8 text: byte {place} belongs to no character");
        unreadable(io::Error::new(io::ErrorKind::InvalidData, problem))
    })?;
    parse(file, text, sets, preset, &data.data, absent)
}

/// A pipeline that is not in its file yet.
pub(super) fn read_text(file: &Path, text: String) -> Result<Pipeline, Problem> {
    parse(file, text, &[], None, Path::new("data"), Absent::Refused)
}

fn parse(
    file: &Path,
    text: String,
    sets: &[String],
    preset: Option<&str>,
    folder_of_data: &Path,
    absent: Absent,
) -> Result<Pipeline, Problem> {
    let mut sources = vec![(file.display().to_string(), text)];
    for set in sets {
        sources.push(setting(set).ok_or_else(|| Problem::Set(set.clone()))?);
    }
    let folder = file.parent().unwrap_or(file);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let probe = |format: &Format| match data::probe(format) {
        Ok(info) => Ok(info),
        Err(error @ DataError::Missing { .. }) => {
            let known = data::known(format).filter(|known| absent.lets(known.presence));
            known.ok_or_else(|| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    let digest = |path: &Path| {
        let digest = input::digest(path, MOST_WEIGHTS);
        let digest = digest.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(digest.to_hex().to_string())
    };
    let catalogue = Catalogue {
        preset,
        data: folder_of_data,
        probe: &probe,
        digest: &digest,
        net: net::builtin,
        net_names: &net::BUILTIN,
    };
    spec::parse(Sources(sources), folder, &stem, catalogue)
        .map_err(|diagnostics| Problem::Pipeline(Box::new(diagnostics)))
}
