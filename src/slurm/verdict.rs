//! What it means that a job has ended without its entry.

use crate::{
    executor::{StepError, StepErrorKind},
    store::Progress,
};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// What becomes of a step whose job has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has failed.
    Failed(StepError),
    /// The cluster ended it, or lost it, or its time was up: how.
    Lost(String),
    /// It waited for a job that gave it nothing.
    Released,
    /// It ended well, so its entry must come.
    Awaited,
}

/// Bytes of a log's end that are shown, and lines.
const END: u64 = 2000;
const LINES: usize = 5;

/// takd's exit codes of steps that failed for the cache, for a bug, and at a time limit (`console::exit`).
const CACHE: u8 = 4;
const BUG: u8 = 101;
/// See `console::exit::TIME_LIMIT`.
const TIME_LIMIT: u8 = 75;

/// What becomes of the step of job `id`, which has `ended` in this state and for this reason, or is not known
/// any more. `said` is what the node itself said of its failure; `code` asks for the job's exit code.
pub fn fate(
    id: &str,
    ended: Option<(&str, &str)>,
    said: Option<&Progress>,
    code: impl FnOnce() -> Option<u8>,
    log: &Path,
) -> Fate {
    if let Some(Progress { failure: Some(failure), failed: kind, diverged, .. }) = said {
        let diverged = if *diverged { StepErrorKind::Diverged } else { StepErrorKind::Data };
        let kind = kind.as_deref().and_then(StepErrorKind::named).unwrap_or(diverged);
        return Fate::Failed(StepError::new(
            kind,
            format!("{failure} (job {id}, log {})", log.display()),
        ));
    }
    let Some((state, reason)) = ended else {
        return Fate::Lost("is not known to Slurm any more".to_owned());
    };
    match state {
        "COMPLETED" => Fate::Awaited,
        "CANCELLED" if reason == "DependencyNeverSatisfied" => Fate::Released,
        "CANCELLED" | "REVOKED" => {
            let message = format!("job {id} was cancelled; run again to submit it again");
            Fate::Failed(StepError::new(StepErrorKind::Interrupted, message))
        }
        "OUT_OF_MEMORY" => {
            let message = format!(
                "job {id} took more memory than it asked for: set `memory` in [executor.slurm] (log {})",
                log.display()
            );
            Fate::Failed(StepError::new(StepErrorKind::Job, message))
        }
        "TIMEOUT" | "DEADLINE" => Fate::Lost(format!("came to its time limit ({state})")),
        "FAILED" => match code() {
            Some(TIME_LIMIT) => Fate::Lost("came to its time limit".to_owned()),
            code => Fate::Failed(failed(id, code, log)),
        },
        state => Fate::Lost(format!("was ended by the cluster ({state})")),
    }
}

/// The error of a job whose node said nothing: it never came so far, or was killed.
fn failed(id: &str, code: Option<u8>, log: &Path) -> StepError {
    let kind = match code {
        Some(CACHE) => StepErrorKind::Cache,
        Some(BUG) => StepErrorKind::Bug,
        _ => StepErrorKind::Job,
    };
    let code = code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
    let end = match end_of(log) {
        Some(end) if !end.is_empty() => format!("; the end of its log {}:\n{end}", log.display()),
        _ => format!("; its log {} is empty or not here", log.display()),
    };
    StepError::new(kind, format!("job {id} failed{code}{end}"))
}

/// The last lines of a file, indented.
fn end_of(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = &lines[lines.len().saturating_sub(LINES)..];
    Some(shown.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{Fate, fate};
    use crate::{
        executor::StepErrorKind,
        store::{Holder, Progress},
    };
    use std::path::Path;

    #[test]
    fn what_a_node_says_of_itself_goes_before_what_slurm_says() {
        let maker = Holder { host: "n1".to_owned(), pid: 1, since: 0 };
        let said = |failure: Option<&str>, failed: Option<&str>, diverged| Progress {
            node: "teacher@20".to_owned(),
            maker: maker.clone(),
            updated: 0,
            reached: None,
            failure: failure.map(str::to_owned),
            failed: failed.map(str::to_owned),
            diverged,
        };
        let kind = |said: &Progress, state| match fate(
            "12",
            Some((state, "None")),
            Some(said),
            || Some(1),
            Path::new("12.log"),
        ) {
            Fate::Failed(error) => Some(error.kind),
            _ => None,
        };
        assert_eq!(
            kind(&said(Some("no"), Some("memory"), false), "FAILED"),
            Some(StepErrorKind::Memory)
        );
        assert_eq!(kind(&said(Some("no"), None, true), "TIMEOUT"), Some(StepErrorKind::Diverged));
        assert_eq!(
            kind(&said(Some("no"), Some("other"), false), "FAILED"),
            Some(StepErrorKind::Data)
        );
        assert_eq!(kind(&said(None, None, false), "TIMEOUT"), None);
    }

    #[test]
    fn jobs_that_the_cluster_ended_are_not_the_nodes_fault() {
        let of = |state, reason, code| match fate(
            "12",
            Some((state, reason)),
            None,
            || code,
            Path::new("no such log"),
        ) {
            Fate::Failed(error) => format!("{}: {error}", error.kind),
            Fate::Lost(how) => how,
            other => format!("{other:?}"),
        };
        for (state, reason, code, want) in [
            ("COMPLETED", "None", None, "Awaited"),
            ("CANCELLED", "DependencyNeverSatisfied", None, "Released"),
            (
                "CANCELLED",
                "None",
                None,
                "interrupted: job 12 was cancelled; run again to submit it again",
            ),
            ("TIMEOUT", "TimeLimit", None, "came to its time limit (TIMEOUT)"),
            ("FAILED", "NonZeroExitCode", Some(75), "came to its time limit"),
            ("NODE_FAIL", "None", None, "was ended by the cluster (NODE_FAIL)"),
            ("PREEMPTED", "None", None, "was ended by the cluster (PREEMPTED)"),
            (
                "FAILED",
                "NonZeroExitCode",
                Some(127),
                "job: job 12 failed with exit code 127; its log no such log is empty or not here",
            ),
        ] {
            assert_eq!(of(state, reason, code), want, "{state}");
        }
        assert!(matches!(fate("12", None, None, || None, Path::new("")), Fate::Lost(_)));
    }
}
