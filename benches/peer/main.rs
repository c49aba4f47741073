//! takd beside PyTorch, in one run: the same weights, images and thread count, by turns.
//!
//!     python3 -m venv venv && venv/bin/pip install torch numpy safetensors
//!     TAKD_TORCH=venv/bin/python cargo bench --bench peer                 everything
//!     TAKD_TORCH=venv/bin/python cargo bench --bench peer -- steps        or layers, distill, lattice, own
//!
//! Prints tables of medians with the smallest and largest turn, and writes those beside PyTorch as JSON
//! to `target/peer.json`. Without `TAKD_TORCH` it says so and measures `own`, takd beside itself.

mod images;
mod layers;
mod own;
mod process;
mod steps;
mod torch;
mod turns;
mod wholes;

use std::{error::Error, thread::available_parallelism};
use turns::Row;

/// Images of a training step: the paper's batch size in the authors' code.
const BATCH: usize = 128;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds `--bench`.
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if let [one, net, turns] = asked.as_slice()
        && one == "one"
    {
        return steps::alone(net, turns.parse()?);
    }
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("skipped: this measures under `cargo bench` only");
        return Ok(());
    }
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    if wants("own") {
        own::measure()?;
    }
    let Some(python) = std::env::var_os("TAKD_TORCH") else {
        println!("the rest is skipped: TAKD_TORCH names no Python with torch");
        return Ok(());
    };
    let threads = available_parallelism()?.get();
    let mut rows: Vec<Row> = Vec::new();
    println!("{threads} threads, batch {BATCH}; median (least to most) of the turns\n");
    if wants("steps") {
        rows.extend(steps::compare(&python, threads)?);
    }
    if wants("layers") {
        rows.extend(layers::compare(&python, threads)?);
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
