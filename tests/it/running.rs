//! A `takd` that a test has started does not outlive that test, however it ends.

use crate::{resume::checkpoints, workspace::Workspace};
use std::{
    io,
    ops::{Deref, DerefMut},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

/// Epochs that take minutes: more than any test waits for, and few enough that a run ends by itself
/// where the test's own process was killed.
pub const EPOCHS: u64 = 50_000;

/// As a setting.
pub const MINUTES: &str = "recipe.short.epochs=50000";

/// A child that is killed when it is dropped.
pub struct Running(Option<Child>);

impl Running {
    pub fn new(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// Waits for its end; what it wrote to its pipes.
    pub fn output(mut self) -> io::Result<Output> {
        self.0.take().expect("it is there until it is dropped").wait_with_output()
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // One that has ended already is no problem.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_test_that_fails_leaves_no_run_behind() {
    let workspace = Workspace::new();
    let mut pid = 0;
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let mut command = workspace.command(&["run", "tiny.toml", "nokd@20", "--set", MINUTES]);
        let mut run = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()));
        pid = run.id();
        while checkpoints(&workspace).is_empty() {
            assert!(run.try_wait().unwrap().is_none(), "it runs");
            sleep(Duration::from_millis(5));
        }
        std::panic::resume_unwind(Box::new("a failed assertion"));
    }));
    assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"a failed assertion"));
    let alive = Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status();
    assert!(!alive.unwrap().success(), "process {pid} lives on");
}
