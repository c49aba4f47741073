//! Slurm's own commands, and what they answer.

use super::SlurmError;
use crate::pipeline::TimeLimit;
use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

/// A line of `squeue`: a job, or a task of a job array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `12`, or `12_3` of a task.
    pub id: String,
    /// `PENDING`, `RUNNING`.
    pub state: String,
    /// Why it waits, or how it ended: `Resources`, `DependencyNeverSatisfied`.
    pub reason: String,
    /// Its comment.
    pub comment: String,
}

/// What takd wants to know of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Indices of job arrays are below this.
    pub max_array: Option<usize>,
}

/// A partition, and the longest that a job may run there, if there is a bound.
pub type Partition = (String, Option<TimeLimit>);

/// What the commands that only ask are told to do about it when they fail.
const ASK: &str = "`sinfo` shows whether the cluster answers";

/// Runs a command; what it wrote to stdout.
fn call(program: &'static str, args: &[&str], hint: &'static str) -> Result<String, SlurmError> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    // Ctrl-C is meant for takd: a submission that has begun is carried through.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let output = command.output().map_err(|error| SlurmError::Absent { program, error })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = match lines.is_empty() {
        true => output.status.to_string(),
        false => lines.join("; "),
    };
    Err(SlurmError::Refused { program, said, hint })
}

/// Name and bounds of the cluster.
pub fn cluster() -> Result<Cluster, SlurmError> {
    Ok(read_cluster(&call("scontrol", &["show", "config"], ASK)?))
}

fn read_cluster(text: &str) -> Cluster {
    let value = |key: &str| {
        let found = text.lines().filter_map(|line| line.split_once('='));
        found
            .filter(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
            .next()
    };
    let max_array = value("MaxArraySize").and_then(|value| value.parse().ok());
    Cluster { name: value("ClusterName").unwrap_or_default(), max_array }
}

/// All partitions.
pub fn partitions() -> Result<Vec<Partition>, SlurmError> {
    Ok(read_partitions(&call("sinfo", &["--noheader", "--format=%R|%l"], ASK)?))
}

fn read_partitions(text: &str) -> Vec<Partition> {
    let lines = text.lines().filter_map(|line| line.trim().split_once('|'));
    let found: BTreeSet<Partition> =
        lines.map(|(name, limit)| (name.to_owned(), limit.parse().ok())).collect();
    found.into_iter().collect()
}

/// The jobs of these users that the controller knows: all that wait or run, and what ended lately.
pub fn queue(users: &BTreeSet<u32>) -> Result<Vec<Line>, SlurmError> {
    let users: Vec<String> = users.iter().map(ToString::to_string).collect();
    let users = format!("--user={}", users.join(","));
    let args = ["--noheader", "--array", "--states=all", &users, "--format=%i|%T|%r|%k"];
    Ok(read_queue(&call("squeue", &args, ASK)?))
}

fn read_queue(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let mut parts = line.trim().splitn(4, '|').map(str::to_owned);
        let [id, state] = [parts.next()?, parts.next()?];
        let [reason, comment] = [parts.next()?, parts.next()?];
        Some(Line { id, state, reason, comment })
    };
    text.lines().filter_map(line).collect()
}

/// Submits a script; the job's number.
pub fn submit(script: &Path, dependency: Option<&str>) -> Result<String, SlurmError> {
    let script = script.to_string_lossy();
    let dependency = dependency.map(|dependency| format!("--dependency={dependency}"));
    let mut args = vec!["--parsable"];
    if let Some(dependency) = &dependency {
        args.extend([dependency, "--kill-on-invalid-dep=yes"]);
    }
    args.push(&script);
    let hint = "see [executor.slurm], or give another value with --set executor.slurm.KEY=VALUE";
    let said = call("sbatch", &args, hint)?;
    // `12;cluster` where there are several.
    let number = said.trim().split(';').next().unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        let said = format!("it answered {said:?}");
        return Err(SlurmError::Refused { program: "sbatch", said, hint });
    }
    Ok(number.to_owned())
}

/// The exit code of a job that has ended, while the controller still knows it.
pub fn exit_code(id: &str) -> Option<u8> {
    let text = call("scontrol", &["show", "job", "--oneliner", id], ASK).ok()?;
    read_exit_code(&text)
}

fn read_exit_code(text: &str) -> Option<u8> {
    let found = text.split_whitespace().find_map(|word| word.strip_prefix("ExitCode="))?;
    found.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Cluster, Line, read_cluster, read_exit_code, read_partitions, read_queue};
    use crate::pipeline::TimeLimit;

    #[test]
    fn what_slurm_answers_is_read() {
        let text = "AccountingStorageType   = accounting_storage/none\nClusterName             = takdtest\n\
                    MaxArraySize            = 1001\n";
        let cluster = Cluster { name: "takdtest".to_owned(), max_array: Some(1001) };
        assert_eq!(read_cluster(text), cluster);
        let text = "debug|30:00\nmain|infinite\nmain|infinite\nlong|14-00:00:00\n";
        let limit = |seconds| Some(TimeLimit(seconds));
        let want = [("debug", limit(1800)), ("long", limit(1_209_600)), ("main", None)];
        assert_eq!(read_partitions(text), want.map(|(name, limit)| (name.to_owned(), limit)));
        let line = |id: &str, state: &str, reason: &str, comment: &str| {
            let [id, state, reason, comment] = [id, state, reason, comment].map(str::to_owned);
            Line { id, state, reason, comment }
        };
        assert_eq!(
            read_queue("12_3|PENDING|(ReqNodeNotAvail, n1)|takd:ab\n13|RUNNING|None|(null)\nx\n"),
            [
                line("12_3", "PENDING", "(ReqNodeNotAvail, n1)", "takd:ab"),
                line("13", "RUNNING", "None", "(null)")
            ]
        );
        assert_eq!(read_exit_code("JobId=3 JobState=FAILED ExitCode=75:0 X=1"), Some(75));
        assert_eq!(read_exit_code("JobId=3"), None);
    }
}
