#![no_main]
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder in which files may be written"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| takd_fuzz::idx(bytes, FOLDER.path()));
