//! takd beside PyTorch, in one run: the same weights, images and thread count, by turns.
//!
//!     python3 -m venv venv && venv/bin/pip install torch numpy safetensors
//!     TAKD_TORCH=venv/bin/python cargo bench --bench peer                 everything
//!     TAKD_TORCH=venv/bin/python cargo bench --bench peer -- steps        or distill, lattice
//!
//! Prints tables of medians with the smallest and largest turn, and writes them as JSON to
//! `target/peer.json`. Without `TAKD_TORCH` it says so and measures nothing.

mod images;
mod steps;
mod torch;
mod turns;
mod wholes;

use std::{error::Error, thread::available_parallelism};
use turns::Row;

/// Images of a training step: the paper's batch size in the authors' code.
const BATCH: usize = 128;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --benches` and `cargo bench` add flags of their own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if let [one, net, turns] = asked.as_slice()
        && one == "one"
    {
        return steps::alone(net, turns.parse()?);
    }
    let Some(python) = std::env::var_os("TAKD_TORCH") else {
        println!("skipped: TAKD_TORCH names no Python with torch");
        return Ok(());
    };
    let threads = available_parallelism()?.get();
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    let mut rows: Vec<Row> = Vec::new();
    println!("{threads} threads, batch {BATCH}; median (least to most) of the turns\n");
    if wants("steps") {
        rows.extend(steps::compare(&python, threads)?);
    }
    if wants("distill") {
        rows.push(wholes::compare(&python, threads, wholes::DISTILL)?);
    }
    if wants("lattice") {
        rows.push(wholes::compare(&python, threads, wholes::LATTICE)?);
    }
    let json = serde_json::to_string_pretty(&rows)?;
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/target/peer.json"), json + "\n")?;
    Ok(())
}
