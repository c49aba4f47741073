//! What this machine's processor is called.

use crate::kernels;
use std::sync::LazyLock;

static MODEL: LazyLock<String> = LazyLock::new(|| {
    let told = said().map(|model| model.split_whitespace().collect::<Vec<_>>().join(" "));
    // Where the system does not say it, what takd's kernels know.
    told.filter(|model| !model.is_empty()).unwrap_or_else(kernels::cpu)
});

/// Its model, as the system has it: `AMD EPYC 7763 64-Core Processor`.
pub fn model() -> &'static str {
    &MODEL
}

#[cfg(target_os = "linux")]
fn said() -> Option<String> {
    model_name(&std::fs::read_to_string("/proc/cpuinfo").ok()?)
}

#[cfg(target_os = "macos")]
fn said() -> Option<String> {
    let sysctl = std::process::Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]);
    String::from_utf8(sysctl.output().ok()?.stdout).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn said() -> Option<String> {
    std::env::var("PROCESSOR_IDENTIFIER").ok()
}

/// The first model in Linux's list of cores. Boards with ARM cores may have none.
#[cfg(any(target_os = "linux", test))]
fn model_name(list: &str) -> Option<String> {
    let fields = list.lines().filter_map(|line| line.split_once(':'));
    let mut models = fields.filter(|(name, _)| ["model name", "Model"].contains(&name.trim()));
    models.next().map(|(_, model)| model.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cores_says_the_model() {
        let list = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.60GHz\nflags : a\n";
        assert_eq!(model_name(list).as_deref(), Some("Intel(R) Xeon(R) CPU @ 2.60GHz"));
        let board = "processor : 0\nBogoMIPS : 108.00\n\nModel : Raspberry Pi 4 Model B Rev 1.4\n";
        assert_eq!(model_name(board).as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        assert_eq!(model_name("processor : 0\n"), None);
        assert!(!model().is_empty());
    }
}
