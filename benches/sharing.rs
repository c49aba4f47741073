//! Work shared out: between two processes on one cache, and between the threads of one process.
//!
//!     cargo bench --bench sharing
//!
//! Two processes of one thread each share six trainings on one cache; beside them one process does all
//! six. Then a teacher trains beside a short student on all cores; beside them each alone on all cores, one
//! after the other. By turns, five times. Of the second, whose parts differ much in length, the least times
//! are compared: noise only adds to them. At last sixteen trainings on one cache by one process, by two and by eight
//! that nobody pins or tells how many nodes to run, by turns, three times. Linux only, for `taskset`.

use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

const TURNS: usize = 5;
const ROUNDS: usize = 3;

const HEAD: &str = "
[data.fashion]
format     = \"fashion-mini\"
validation = 500

[recipe.long]
epochs     = 6
batch_size = 64
optimizer  = { sgd = { lr = 0.01, momentum = 0.9, nesterov = true } }

[recipe.short]
epochs     = 2
batch_size = 64
optimizer  = { sgd = { lr = 0.01, momentum = 0.9, nesterov = true } }
";

fn node(name: &str, net: &str, recipe: &str) -> String {
    format!("\n[train.{name}]\nnet = \"{net}\"\ndata = \"fashion\"\nrecipe = \"{recipe}\"\n")
}

/// `takd run` in `folder`, on these cores where some are named.
fn start(folder: &Path, cores: Option<&str>, args: &[&str]) -> Child {
    let takd = env!("CARGO_BIN_EXE_takd");
    let mut command = match cores {
        None => Command::new(takd),
        Some(cores) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cores, takd]);
            command
        }
    };
    command.current_dir(folder).args(["run", "-q"]).args(args).stdout(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("takd does not start: {error}"))
}

/// Seconds until all of these have ended well, on a new cache.
fn seconds(folder: &Path, runs: &[(Option<&str>, &[&str])]) -> f64 {
    let _ = fs::remove_dir_all(folder.join("cache"));
    let started = Instant::now();
    let children: Vec<Child> =
        runs.iter().map(|(cores, args)| start(folder, *cores, args)).collect();
    for mut child in children {
        assert!(child.wait().expect("takd was started").success(), "takd failed");
    }
    started.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let folder = std::env::temp_dir().join(format!("takd-sharing-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let mut six = HEAD.to_owned();
    for seed in 0..6 {
        let _ = write!(
            six,
            "{}",
            node(&format!("n{seed}"), "plain2", "short")
                .replace("recipe = \"short\"", &format!("recipe = \"r{seed}\""),)
        );
        let recipe = HEAD.split("[recipe.short]").nth(1).unwrap_or_default();
        let _ =
            write!(six, "[recipe.r{seed}]{}", recipe.replace("0.01", &format!("0.0{}", seed + 1)));
    }
    let pair =
        HEAD.to_owned() + &node("teacher", "plain8", "long") + &node("student", "plain2", "short");
    fs::write(folder.join("six.toml"), six).expect("the folder can be written");
    fs::write(folder.join("pair.toml"), pair).expect("the folder can be written");

    fs::write(folder.join("sixteen.toml"), sixteen()).expect("the folder can be written");

    let (one, two): (&[&str], &[&str]) = (&["six.toml"], &["pair.toml"]);
    let (mut processes, mut least) = (Vec::new(), [f64::INFINITY; 3]);
    for turn in 1..=TURNS {
        let alone = seconds(&folder, &[(Some("0"), one)]);
        let shared = seconds(&folder, &[(Some("0"), one), (Some("1"), one)]);
        println!("turn {turn}: one process {alone:.2} s, two {shared:.2} s, {:.3}", shared / alone);
        processes.push(shared / alone);
        let teacher = seconds(&folder, &[(None, &["pair.toml", "teacher"])]);
        let student = seconds(&folder, &[(None, &["pair.toml", "student"])]);
        let both = seconds(&folder, &[(None, two)]);
        let ratio = both / (teacher + student);
        println!(
            "turn {turn}: teacher alone {teacher:.2} s, student {student:.2} s, both {both:.2} s, {ratio:.3}"
        );
        for (least, time) in least.iter_mut().zip([both, teacher, student]) {
            *least = least.min(time);
        }
    }
    println!("two processes take {:.3} of one's time (goal: under 0.65)", median(processes));
    let [both, teacher, student] = least;
    let ratio = both / (teacher + student);
    println!("a teacher beside a student takes {ratio:.3} of both in turn (goal: under 1.1)");
    let sixteen: &[&str] = &["sixteen.toml"];
    let mut ratios = [Vec::new(), Vec::new()];
    for turn in 1..=ROUNDS {
        let alone = seconds(&folder, &[(None, sixteen)]);
        for (count, ratios) in [2, 8].into_iter().zip(&mut ratios) {
            let shared = seconds(&folder, &vec![(None, sixteen); count]);
            println!(
                "turn {turn}: one process {alone:.2} s, {count} {shared:.2} s, {:.3}",
                shared / alone
            );
            ratios.push(shared / alone);
        }
    }
    let [two, eight] = ratios.map(median);
    println!("sixteen trainings: two processes take {two:.3} of one's time (goal: within 1.1)");
    println!(
        "sixteen trainings: eight processes take {eight:.3} of one's time (goal: within 1.15)"
    );
    let _ = fs::remove_dir_all(&folder);
}

/// Eight seeds of two networks.
fn sixteen() -> String {
    let seeds = "seeds = [1, 2, 3, 4, 5, 6, 7, 8]\n".to_owned();
    seeds + HEAD + &node("four", "plain4", "short") + &node("two", "plain2", "short")
}
