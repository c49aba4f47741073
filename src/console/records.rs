//! Records of takd and the crates under it (burn, wgpu, the downloader), for those who set RUST_LOG.
//!
//! They go through the `log` facade, since that is what those crates use; without RUST_LOG nobody
//! listens.

use super::{
    progress::tell,
    stderr::{self, Worth},
};
use crate::report::printable;
use env_logger::Target;
use serde_json::json;

/// Writes records to stderr as RUST_LOG asks for: lines, or JSON objects among a run's events.
pub(crate) fn listen(as_json: bool) {
    if std::env::var_os("RUST_LOG").is_none_or(|value| value.is_empty()) {
        return;
    }
    let mut builder = env_logger::Builder::from_default_env();
    // Nothing reaches its own output, which would wait for whoever reads it.
    builder.target(Target::Pipe(Box::new(std::io::sink())));
    builder.format(move |_, record| {
        let (level, target) = (record.level().as_str().to_lowercase(), record.target());
        let message = record.args().to_string();
        if as_json {
            tell("record", json!({ "level": level, "target": target, "message": message }));
            return Ok(());
        }
        let worth = if record.level() <= log::Level::Warn { Worth::Word } else { Worth::Progress };
        let text = format!("{level} {target}: {message}");
        stderr::line(printable(&text, false).into_owned(), worth);
        Ok(())
    });
    // Another logger can only be there if the library's user has set one, who then hears of it all.
    let _ = builder.try_init();
}
