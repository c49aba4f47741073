//! `--executor slurm`, with stand-ins for Slurm's commands. `.ci/slurm` does the same on a real one.

use crate::workspace::{Output, PIPELINE, Workspace};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// Where nodes run.
const SLURM: [&str; 2] = ["--executor", "slurm"];

/// A workspace beside a Slurm that runs each job as it is submitted.
struct Cluster {
    workspace: Workspace,
}

impl Cluster {
    fn new() -> Self {
        let workspace = Workspace::new();
        fs::create_dir(workspace.path("fake")).unwrap();
        Self { workspace }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.workspace.command(args);
        let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/fake");
        let path = format!("{}:{}", fakes.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("FAKE", self.workspace.path("fake"));
        command
    }

    fn takd(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("takd ends by itself");
        Output { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// `takd run tiny.toml --executor slurm` with these arguments, which ends with `code`.
    fn run(&self, args: &[&str], code: i32) -> Output {
        let output = self.takd(&[&["run", "tiny.toml"], args, &SLURM].concat());
        assert_eq!(output.code, code, "{args:?}: {output:?}");
        output
    }

    /// What the next submissions come to.
    fn fates(&self, fates: &[&str]) {
        self.workspace.write("fake/fates", fates.join("\n") + "\n");
    }

    /// How sbatch was called, without the script.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.workspace.path("fake/calls")).unwrap_or_default();
        text.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    }

    /// Lets every job go on that waits.
    fn forget_the_queue(&self) {
        self.workspace.write("fake/queue", "");
    }

    /// Without what differs from one folder to the next.
    fn filtered(&self, text: &str) -> String {
        let folder = fs::canonicalize(self.workspace.path("")).unwrap();
        let text = text.replace(env!("CARGO_BIN_EXE_takd"), "/bin/takd");
        let text = text.replace(&*folder.to_string_lossy(), "/here");
        text.replace(self.workspace.path("").to_string_lossy().trim_end_matches('/'), "/here")
    }
}

#[test]
fn a_plan_runs_as_jobs_to_the_bits_of_a_local_run() {
    let cluster = Cluster::new();
    let output = cluster.run(&[], 0);
    assert!(output.stderr.contains("submitted 20 nodes as 10 jobs, 1 to 10"), "{output:?}");
    assert!(output.stderr.contains("trained 10, measured 10, reused 0, in "), "{output:?}");
    assert!(output.stderr.contains("distill takd@31: done in "), "{output:?}");
    let local = cluster.workspace.takd(&["run", "tiny.toml", "--cache", "local"]);
    let table = |text: &str| text.lines().filter(|l| l.contains("blkd")).map(str::to_owned).next();
    assert_eq!(cluster.workspace.entry_files("cache"), cluster.workspace.entry_files("local"));
    assert!(table(&output.stdout).is_some(), "{output:?}\n{local:?}");
    // Seeds are arrays, in which each waits for its own.
    let calls = cluster.calls();
    let count = |text: &str| calls.iter().filter(|call| call.contains(text)).count();
    assert_eq!(
        (calls.len(), count("--dependency=aftercorr:"), count("afterok")),
        (10, 8, 0),
        "{calls:?}"
    );
    assert_eq!(count("--kill-on-invalid-dep=yes"), 8, "{calls:?}");
    // All is there: nothing is submitted, nor is Slurm asked.
    let asked = || fs::read_to_string(cluster.workspace.path("fake/asked")).unwrap_or_default();
    let before = asked();
    assert!(cluster.run(&[], 0).stderr.contains("reused 20"));
    assert_eq!(asked(), before);
    assert_eq!(cluster.calls().len(), 10);
}

#[test]
fn the_scripts_are_printed_and_say_what_to_ask_for() {
    let cluster = Cluster::new();
    cluster.workspace.write(
        "takd.toml",
        "[executor.slurm]\npartition = \"low\"\naccount = \"vision\"\nmemory = \"8G\"\ntime = \"8:00:00\"\n\
         modules = [\"cuda/12\"]\nsetup = [\"export X='a b'\"]\noptions = [\"--exclude=n7\"]\n",
    );
    let own = "[executor.slurm]\npartition = \"gpu\"\ngres = \"gpu:1\"\nat_a_time = 4\n\
               [executor.slurm.eval]\ngres = \"none\"\ntime = \"10\"\ncpus = 2\n";
    cluster.workspace.write("tiny.toml", format!("{PIPELINE}{own}"));
    let args = [
        "teacher",
        "test/takd@20",
        "--print",
        "--set",
        "executor.slurm.memory=\"9G\"",
        "--device",
        "cpu",
    ];
    let output = cluster.run(&args, 0);
    insta::assert_snapshot!(cluster.filtered(&output.stdout));
    assert!(cluster.calls().is_empty());
    assert!(!cluster.workspace.path("cache").exists(), "nothing is written");
}

#[test]
fn how_nodes_are_submitted_changes_no_key() {
    let cluster = Cluster::new();
    let keys = |cluster: &Cluster| -> Vec<Value> {
        let plan: Value =
            serde_json::from_str(&cluster.workspace.ok(&["plan", "tiny.toml", "--json"])).unwrap();
        plan["steps"].as_array().unwrap().iter().map(|step| step["key"].clone()).collect()
    };
    let plain = keys(&cluster);
    assert_eq!(plain.len(), 20);
    let own = "[executor.slurm]\npartition = \"gpu\"\ntime = \"1:00:00\"\narray_size = 3\n[executor.slurm.train]\ncpus = 8\n";
    cluster.workspace.write("tiny.toml", format!("{PIPELINE}{own}"));
    cluster.workspace.write("takd.toml", "[executor.slurm]\nsetup = [\"true\"]\n");
    assert_eq!(keys(&cluster), plain);
}

#[test]
fn jobs_are_found_again_and_not_submitted_twice() {
    let cluster = Cluster::new();
    cluster.fates(&["PENDING"; 14]);
    let output = cluster.run(&["--detach"], 0);
    assert!(output.stdout.is_empty() && output.stderr.contains("submitted 20 nodes"), "{output:?}");
    let status = cluster.takd(&["status", "tiny.toml"]);
    assert!(status.stdout.contains("queued  train teacher@20; job 1_0: None\n"), "{status:?}");
    assert!(status.stdout.ends_with("20 to go, 20 of them in Slurm's queue\n"), "{status:?}");
    let output = cluster.run(&["--detach"], 0);
    assert!(output.stderr.contains("20 nodes found in Slurm's queue"), "{output:?}");
    assert_eq!(cluster.calls().len(), 10);
    // A plan that needs more submits that alone, after the jobs that are there.
    let more = ["--detach", "--set", "distill.takd.objective.kd.lambda=0.25"];
    assert!(cluster.run(&more, 0).stderr.contains("submitted 4 nodes"));
    assert!(cluster.calls()[10].contains("--dependency=afterok:4_0"), "{:?}", cluster.calls());
    assert_eq!(cluster.calls().len(), 14, "{:?}", cluster.calls());
    // Jobs that have gone without an entry are submitted anew, and their records are forgotten.
    cluster.forget_the_queue();
    assert!(cluster.run(&[], 0).stderr.contains("trained 10, measured 10"));
    let records = fs::read_dir(cluster.workspace.path("cache/slurm/jobs")).unwrap();
    let json = records.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "json");
    assert_eq!(json.count(), 10);
}

#[test]
fn jobs_read_the_pipeline_as_it_was_submitted() {
    let cluster = Cluster::new();
    cluster.fates(&["PENDING"]);
    cluster.run(&["nokd@20", "--detach"], 0);
    cluster.workspace.write("tiny.toml", "this is no pipeline any more");
    let jobs = fs::read_dir(cluster.workspace.path("cache/slurm/jobs")).unwrap();
    let scripts = jobs.map(|file| file.unwrap().path());
    let script = scripts.into_iter().find(|path| path.extension().unwrap() == "sh").unwrap();
    let mut bash = Command::new("bash");
    let output =
        bash.arg(script).env("NO_COLOR", "1").current_dir(cluster.workspace.path("")).output();
    let output = output.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("trained 1"), "{told}");
    assert!(output.stdout.is_empty(), "no job prints the tables");
}

#[test]
fn a_job_that_the_cluster_ends_is_submitted_again() {
    let cluster = Cluster::new();
    cluster.fates(&["NODE_FAIL", "TIMEOUT"]);
    let output = cluster.run(&["nokd@20"], 0);
    for told in [
        "nokd@20: job 1 was ended by the cluster (NODE_FAIL): submitted again",
        "nokd@20: job 2 came to its time limit (TIMEOUT): submitted again",
        "submitted 1 node as job 3",
        "trained 1, ",
    ] {
        assert!(output.stderr.contains(told), "{told}: {output:?}");
    }
    // Not for ever.
    cluster.fates(&["PREEMPTED"; 4]);
    let output = cluster.run(&["nokd@31"], 1);
    assert!(output.stderr.contains("(PREEMPTED), as 3 before it"), "{output:?}");
    let output = Cluster::new();
    output.fates(&["CANCELLED"]);
    assert!(output.run(&["nokd@20"], 130).stderr.contains("job 1 was cancelled; run again"));
}

#[test]
fn a_failure_and_what_waits_for_it_are_told_as_of_a_local_run() {
    let sets = ["--set", "recipe.short.optimizer.sgd.lr=1e30", "--set", "seeds=[20]"];
    let cluster = Cluster::new();
    let local = cluster
        .workspace
        .takd(&[&["run", "tiny.toml", "test/takd", "--cache", "l"], &sets[..]].concat());
    let output = cluster.run(&[&["test/takd"], &sets[..]].concat(), local.code);
    let lines = |text: &str| -> Vec<String> {
        let told =
            text.lines().filter(|line| line.contains(": failed: ") || line.contains(": not run, "));
        told.map(|line| line.split(" (job ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(lines(&local.stderr).len(), 4, "{local:?}");
    assert_eq!(lines(&output.stderr), lines(&local.stderr));
}

#[test]
fn what_slurm_refuses_is_said_and_nothing_is_lost() {
    let cluster = Cluster::new();
    cluster.fates(&["PENDING", "REFUSED"]);
    let output = cluster.run(&["teacher", "nokd", "--detach"], 1);
    assert!(output.stderr.contains("Invalid account"), "{output:?}");
    assert!(output.stderr.contains("1 of 2 jobs are submitted, and go on"), "{output:?}");
    assert!(
        cluster
            .run(&["teacher", "nokd", "--detach"], 0)
            .stderr
            .contains("submitted 2 nodes as job 3")
    );
    let partition = cluster.run(&["--set", "executor.slurm.partition=gpu"], 2).stderr;
    assert!(partition.contains("has no partition `gpu`; it has: main, short"), "{partition}");
    let time = ["--set", "executor.slurm.partition=short", "--set", "executor.slurm.time=11"];
    assert!(cluster.run(&time, 2).stderr.contains("run for 0:10:00 at most"));
    for (args, told) in [
        (&["--jobs", "2"][..], "`--jobs` is for nodes that run here"),
        (&["--force", "teacher"], "`--force` is for nodes that run here"),
        (&["--watch"], "`--watch` is for nodes that run here"),
    ] {
        assert!(cluster.run(args, 2).stderr.contains(told), "{args:?}");
    }
    let local = cluster.takd(&["run", "tiny.toml", "--detach"]);
    assert_eq!(local.code, 2, "{local:?}");
    let args = [&["run", "tiny.toml"], &SLURM[..]].concat();
    let output = cluster.workspace.command(&args).env("PATH", "/nowhere").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("cannot start `scontrol`") && told.contains("login node"), "{told}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn mistakes_in_a_profile_are_shown_where_they_are() {
    let cluster = Cluster::new();
    cluster.workspace.write("takd.toml", "seeds = [1]\n[executor.slurm]\npartitoin = \"gpu\"\n");
    let own = "[executor.slurm]\ntime = \"4h\"\noptions = [\"exclude=n7\", \"--array=3\"]\nsetup = [\"a\\nb\"]\n";
    cluster.workspace.write("tiny.toml", format!("{PIPELINE}{own}"));
    insta::assert_snapshot!(cluster.workspace.refusal());
}
