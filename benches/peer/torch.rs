//! PyTorch's process.

use serde::Deserialize;
use std::{
    error::Error,
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What `peer.py` says of a turn.
#[derive(Deserialize)]
pub struct Said {
    pub seconds: f64,
    /// The last step's, where there are steps.
    pub loss: Option<f64>,
    /// Of layers: of their outputs, and of the magnitudes of the first weight's gradient.
    pub sums: Option<[f64; 2]>,
    /// Multiplications and additions of a step, or of the matrix product.
    pub flops: Option<f64>,
    /// The process's largest resident size so far, in bytes.
    pub peak: u64,
}

/// PyTorch's memory layouts, the better of which counts.
pub const LAYOUTS: [&str; 2] = ["default", "channels_last"];

/// A `peer.py` that waits for its next line.
pub struct Torch {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Torch {
    pub fn start(python: &OsStr, args: &[&OsStr], threads: usize) -> Result<Self, Box<dyn Error>> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer/peer.py");
        let mut command = Command::new(python);
        command.arg(script).args(args).arg(threads.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = (to, from) else { return Err("no pipe".into()) };
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    /// Sends a line and waits for the answer.
    pub fn ask(&mut self, line: &str) -> Result<Said, Box<dyn Error>> {
        writeln!(self.to, "{line}")?;
        self.hear()
    }

    /// The next line that it says.
    pub fn hear(&mut self) -> Result<Said, Box<dyn Error>> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        Ok(serde_json::from_str(&line).map_err(|_| "peer.py ended early; its words are above")?)
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        // Whether it was still there is of no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
