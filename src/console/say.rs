//! Words for people on stderr.

use super::stderr::{self, Worth};
use crate::report::printable;
use std::io::{self, IsTerminal};

/// Writes a line to stderr.
pub(crate) fn say(line: &str) {
    stderr::line(printable(line, coloured()).into_owned(), Worth::Word);
}

/// Whether messages are coloured: as NO_COLOR, CLICOLOR_FORCE and CLICOLOR say
/// (<https://no-color.org>, <https://bixense.com/clicolors>), else on terminals that can.
pub(crate) fn coloured() -> bool {
    if anstyle_query::no_color() {
        return false;
    }
    anstyle_query::clicolor_force()
        || (io::stderr().is_terminal()
            && anstyle_query::term_supports_color()
            && anstyle_query::clicolor().unwrap_or(true))
}
