//! Many machines that share a bucket, simulated: `tests/simulation` says what is real of it.
//!
//!     cargo bench --bench scale                    4,080 nodes on 100 machines, of which some die: a minute
//!     cargo bench --bench scale -- 500 25 1000     students of each of four teachers, seeds, machines, with deaths alone: an hour
//!
//! The second one takes 9 GB of memory beside 11 GB of files in /dev/shm, of which Linux allows there too few:
//! `mount -o remount,nr_inodes=0 /dev/shm` before it. docs/scale.md has what it prints. Times in it are the simulation's;
//! only the first and the last line are this machine's.

#[path = "../tests/simulation/mod.rs"]
#[allow(clippy::unwrap_used, reason = "it is the tests' module")]
mod simulation;

use simulation::{Setting, pipeline, simulate};
use std::time::Instant;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let ([students, seeds, machines], deaths) = match numbers[..] {
        [] => ([50, 10, 100], &[0.0, 0.01][..]),
        [students, seeds, machines] => ([students, seeds, machines], &[0.01][..]),
        _ => panic!("give students, seeds and machines, or nothing"),
    };
    let started = Instant::now();
    println!(
        "| machines | nodes | deaths | makespan / bound | critical path h | makespan h | lost h | nodes made twice | operations a node |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---|");
    for &deaths in deaths {
        let setting = Setting { machines, deaths, replaced_after: 120.0, latency: 0.03 };
        let report = simulate(&pipeline(students, seeds), &setting);
        let each: Vec<String> = report
            .operations
            .iter()
            .map(|(name, count)| format!("{name} {:.1}", *count as f64 / report.nodes as f64))
            .collect();
        println!(
            "| {machines} | {} | {} | {:.3} | {:.2} | {:.2} | {:.2} | {} | {} |",
            report.nodes,
            report.deaths,
            report.makespan / report.bound(machines),
            report.critical_path / 3600.0,
            report.makespan / 3600.0,
            report.lost / 3600.0,
            report.repeated,
            each.join(", "),
        );
    }
    println!("simulated in {:.0} s", started.elapsed().as_secs_f64());
}
