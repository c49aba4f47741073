//! `takd`, the command line of the library with that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    takd::commands::main()
}
