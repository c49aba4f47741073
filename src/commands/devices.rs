//! `takd devices`.

use crate::{
    console::{
        exit::{self, Problem},
        print,
    },
    node::{Choice, Inventory, inventory},
};
use std::{num::NonZeroUsize, thread::available_parallelism};

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd devices
  takd run pipelines/quickstart.toml --device cpu")]
pub(super) struct Args {}

pub(super) fn run() -> Result<u8, Problem> {
    let auto = Choice::Auto.select().map(|selected| selected.name).unwrap_or_default();
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let mut text = format!("cpu      {threads} threads{}\n", taken("cpu", &auto));
    for Inventory { kind, built_in, devices, problem } in inventory() {
        if !built_in {
            let help = format!("cargo build --release --features {kind}");
            text += &format!("{kind:<8} not in this build: {help}\n");
        } else if devices.is_empty() {
            text += &format!("{kind:<8} no device or driver found\n");
        }
        for (name, what) in devices {
            text += &format!("{name:<8} {what}{}\n", taken(&name, &auto));
        }
        if let Some(problem) = problem {
            text += &format!("{:<8} {problem}\n", "");
        }
    }
    print(&text)?;
    Ok(exit::OK)
}

fn taken(name: &str, auto: &str) -> &'static str {
    if name == auto { "  (what --device auto takes)" } else { "" }
}
