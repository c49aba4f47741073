//! The text of a batch script.

use super::array::ranges;
use crate::{
    pipeline::{Resources, TimeLimit},
    shell::word,
};
use std::fmt::Write as _;

/// How a job calls takd.
#[derive(Clone, Debug)]
pub struct Call {
    /// takd itself.
    pub takd: String,
    /// The folder that the call's paths are relative to.
    pub folder: String,
    /// The pipeline file.
    pub file: String,
    /// Arguments after the node.
    pub words: Vec<String>,
}

/// One job, or one job array.
pub struct Script<'a> {
    /// The job's name, for people.
    pub name: &'a str,
    /// The submission's own name, by which its jobs are recognised.
    pub token: &'a str,
    /// Folder of the logs.
    pub logs: &'a str,
    /// Index and task of each; a single one is no array.
    pub tasks: &'a [(usize, String)],
    /// Whether a task that is stopped resumes where it was, so that being stopped costs nothing.
    pub resumes: bool,
    /// What to ask for.
    pub resources: &'a Resources,
    /// Its time limit.
    pub time: Option<TimeLimit>,
    /// Most tasks that run at a time.
    pub at_a_time: Option<usize>,
    /// Seconds before the time limit at which it is told.
    pub notice: u64,
    /// How takd is called.
    pub call: &'a Call,
}

/// The start of the comment of takd's jobs.
pub const MARK: &str = "takd:";

impl Script<'_> {
    /// The script.
    pub fn text(&self) -> String {
        let Resources {
            partition,
            account,
            qos,
            gres,
            memory,
            cpus,
            modules,
            setup,
            options,
            time: _,
        } = self.resources;
        // A shell that reads no profile may not know `module`.
        let mut text = format!("#!/bin/bash{}\n", if modules.is_empty() { "" } else { " -l" });
        let mut option = |name: &str, value: &str| {
            let _ = writeln!(text, "#SBATCH --{name}={}", quoted(value));
        };
        option("job-name", self.name);
        option("comment", &format!("{MARK}{}", self.token));
        option("chdir", &self.call.folder);
        let (number, indices) = match self.tasks {
            [_] => ("%j", None),
            tasks => ("%A_%a", Some(tasks.iter().map(|(index, _)| *index).collect::<Vec<_>>())),
        };
        option("output", &format!("{}/{number}.log", self.logs.replace('%', "%%")));
        option("open-mode", "append");
        if let Some(indices) = indices {
            let bound = self.at_a_time.map(|tasks| format!("%{tasks}")).unwrap_or_default();
            option("array", &format!("{}{bound}", ranges(&indices)));
        }
        let said = [
            ("partition", partition.clone()),
            ("account", account.clone()),
            ("qos", qos.clone()),
            ("gres", gres.clone()),
            ("time", self.time.map(|time| time.to_string())),
            ("mem", memory.clone()),
            ("cpus-per-task", cpus.map(|cpus| cpus.to_string())),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                option(name, &value);
            }
        }
        option("signal", &format!("B:USR1@{}", self.notice));
        text += "#SBATCH --requeue\n";
        for option in options {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        text += SIGNALS;
        if !modules.is_empty() {
            let modules: Vec<String> = modules.iter().map(|module| word(module)).collect();
            let _ = writeln!(text, "module load {} || exit 1", modules.join(" "));
        }
        for line in setup {
            text += line;
            text += "\n";
        }
        text += &self.nodes();
        text += &self.body();
        text
    }

    /// Which node it is.
    fn nodes(&self) -> String {
        if let [(_, node)] = self.tasks {
            return format!("node={}\n", word(node));
        }
        let mut text = "case $SLURM_ARRAY_TASK_ID in\n".to_owned();
        for (index, node) in self.tasks {
            let _ = writeln!(text, "    {index}) node={} ;;", word(node));
        }
        text + "esac\n"
    }

    /// Runs the node, passes the notice on, and asks for the job to be queued again.
    fn body(&self) -> String {
        let Call { takd, file, words, .. } = self.call;
        let words: String = words.iter().map(|argument| format!(" {}", word(argument))).collect();
        let (takd, file) = (word(takd), word(file));
        let requeue = if self.resumes { REQUEUE } else { "" };
        format!(
            "\n{takd} run {file} \"$node\" --executor local{words} &\n{WAIT}{requeue}exit \"$code\"\n"
        )
    }
}

/// Slurm tells the shell alone of the time limit (`B:USR1`), and every process of SIGTERM.
const SIGNALS: &str = r#"
takd= again= code=0
trap 'again=1; [ -z "$takd" ] || kill -USR1 "$takd"' USR1
trap 'again=1' TERM
"#;

/// A signal ends `wait` before takd has ended.
const WAIT: &str = r#"takd=$!
while :; do
    again=
    wait "$takd"
    status=$?
    [ "$status" = 127 ] || code=$status
    [ -n "$again" ] || break
done
"#;

/// 75 says that its time was up and a checkpoint is written. Without time to train it would be so for ever.
const REQUEUE: &str = r#"if [ "$code" = 75 ] && [ "$SECONDS" -ge 10 ]; then
    scontrol requeue "$SLURM_JOB_ID" && exec sleep 60
fi
"#;

/// A value as sbatch reads it in a script.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
