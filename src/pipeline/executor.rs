//! `[executor.slurm]`: how nodes are submitted to a cluster. None of it is hashed.

use super::{
    diagnostic::Diagnostics,
    fields::Fields,
    time_limit::{TimeLimit, TimeLimitError},
    value::{Kind, Value},
};

/// How a pipeline's nodes are submitted to Slurm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slurm {
    /// What jobs of train nodes ask for; of distill nodes; of evals.
    pub train: Resources,
    /// The same of distill nodes.
    pub distill: Resources,
    /// The same of evals.
    pub eval: Resources,
    /// Most tasks of one job array.
    pub array_size: usize,
    /// Most tasks of one array that run at a time, where there is such a bound.
    pub at_a_time: Option<usize>,
    /// Seconds before a job's time limit at which it is told to write a checkpoint.
    pub notice: u64,
}

/// What a job asks for. What is absent is left to Slurm and its partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// `--partition`.
    pub partition: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--qos`.
    pub qos: Option<String>,
    /// `--gres`.
    pub gres: Option<String>,
    /// `--time`.
    pub time: Option<TimeLimit>,
    /// `--mem`.
    pub memory: Option<String>,
    /// `--cpus-per-task`.
    pub cpus: Option<u64>,
    /// Environment modules to load.
    pub modules: Vec<String>,
    /// Lines of shell to run before takd.
    pub setup: Vec<String>,
    /// Other options of sbatch.
    pub options: Vec<String>,
}

/// Slurm's own `MaxArraySize` is 1001.
const ARRAY_SIZE: usize = 1000;
/// The manual page allows Slurm to be a minute early; a checkpoint takes seconds.
const NOTICE: u64 = 120;

impl Default for Slurm {
    fn default() -> Self {
        let [train, distill, eval] = Default::default();
        Self { train, distill, eval, array_size: ARRAY_SIZE, at_a_time: None, notice: NOTICE }
    }
}

/// Options of sbatch that takd gives itself.
const OURS: [&str; 12] = [
    "--array",
    "-a",
    "--dependency",
    "-d",
    "--comment",
    "--output",
    "-o",
    "--signal",
    "--wrap",
    "--parsable",
    "--no-requeue",
    "--open-mode",
];

/// Reads `[executor]`.
pub(super) fn read(value: &Value, errors: &mut Diagnostics) -> Slurm {
    let Kind::Table(table) = &value.kind else {
        let found = value.type_name();
        errors
            .push(&value.span, format!("expected a table such as [executor.slurm], found {found}"));
        return Slurm::default();
    };
    let mut fields = Fields::new(table, &value.span, "executor", errors);
    let slurm = fields.take("slurm").map(|value| slurm(value, &mut fields));
    fields.finish();
    slurm.unwrap_or_default()
}

fn slurm(value: &Value, outer: &mut Fields<'_, '_>) -> Slurm {
    let usual = Slurm::default();
    let Kind::Table(table) = &value.kind else {
        outer.wrong_type(value, "a table");
        return usual;
    };
    let mut fields = Fields::new(table, &value.span, "executor.slurm", outer.errors);
    let all = resources(&mut fields, &Resources::default());
    let mut count = |key, most| {
        let value = fields.take(key)?;
        fields.whole(value, 1, most)
    };
    let array_size = count("array_size", 4_000_000).map_or(usual.array_size, |size| size as usize);
    let at_a_time = count("at_a_time", 4_000_000).map(|tasks| tasks as usize);
    let notice = count("notice", 65_535).unwrap_or(usual.notice);
    let [train, distill, eval] = ["train", "distill", "eval"].map(|sort| {
        let Some(value) = fields.take(sort) else { return all.clone() };
        let Kind::Table(table) = &value.kind else {
            fields.wrong_type(value, "a table");
            return all.clone();
        };
        let what = format!("executor.slurm.{sort}");
        let mut fields = Fields::new(table, &value.span, what, fields.errors);
        let own = resources(&mut fields, &all);
        fields.finish();
        own
    });
    fields.finish();
    Slurm { train, distill, eval, array_size, at_a_time, notice }
}

/// What a table asks for; what it does not say is as in `all`.
fn resources(fields: &mut Fields<'_, '_>, all: &Resources) -> Resources {
    let mut text = |key, all: &Option<String>| {
        let value = fields.take(key);
        value.map_or_else(|| all.clone(), |value| line(value, fields))
    };
    let partition = text("partition", &all.partition);
    let account = text("account", &all.account);
    let qos = text("qos", &all.qos);
    let gres = text("gres", &all.gres);
    let memory = text("memory", &all.memory);
    let time = fields.take("time").map_or(all.time, |value| time(value, fields));
    let cpus = fields.take("cpus").map_or(all.cpus, |value| fields.whole(value, 1, 65_535));
    let mut lines = |key, all: &[String]| {
        let Some(value) = fields.take(key) else { return all.to_vec() };
        let items = fields.array(value, "strings");
        items.iter().filter_map(|item| line(item, fields)).collect()
    };
    let modules = lines("modules", &all.modules);
    let setup = lines("setup", &all.setup);
    let options = lines("options", &all.options);
    if let Some(value) = fields.take("options") {
        check_options(value, fields);
    }
    Resources { partition, account, qos, gres, time, memory, cpus, modules, setup, options }
}

/// One line of text: a script's lines are made of it.
fn line(value: &Value, fields: &mut Fields<'_, '_>) -> Option<String> {
    let name = fields.string(value)?;
    if name.text.trim().is_empty() || name.text.chars().any(char::is_control) {
        fields.errors.push(&name.span, "expected one line of text");
        return None;
    }
    Some(name.text)
}

fn time(value: &Value, fields: &mut Fields<'_, '_>) -> Option<TimeLimit> {
    let text = match &value.kind {
        // `--set executor.slurm.time=90`.
        Kind::Integer(minutes) => minutes.to_string(),
        _ => fields.string(value)?.text,
    };
    let limit: Result<TimeLimit, TimeLimitError> = text.parse();
    let help = "such as \"4:00:00\" for four hours, \"2-00:00:00\" for two days, or minutes";
    limit.map_err(|error| fields.errors.push_help(&value.span, error.to_string(), help)).ok()
}

fn check_options(value: &Value, fields: &mut Fields<'_, '_>) {
    let Kind::Array(items) = &value.kind else { return };
    for item in items {
        let Kind::String(text) = &item.kind else { continue };
        let name = text.split(['=', ' ']).next().unwrap_or_default();
        if !name.starts_with('-') {
            let help = "such as \"--exclude=node7\"";
            fields.errors.push_help(
                &item.span,
                format!("`{text}` is not an option of sbatch"),
                help,
            );
        } else if OURS.contains(&name) {
            let help = "leave it out";
            fields.errors.push_help(&item.span, format!("takd itself gives sbatch `{name}`"), help);
        }
    }
}
