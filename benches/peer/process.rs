//! takd as a user runs it: a process of its own.

use std::{error::Error, path::Path, process::Command, time::Instant};

/// Seconds of a command, its start included.
pub fn takd(word: &str, file: &Path, cache: &Path, args: &[&str]) -> Result<f64, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_takd"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.arg(word).arg(file).args(args).arg("--cache").arg(cache);
    let started = Instant::now();
    let output = command.output()?;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(seconds)
}
