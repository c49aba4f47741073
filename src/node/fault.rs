//! A device that fails in the middle of a step, as the step's error.

use super::{device::Selected, failure::memory, memory::in_words};
use crate::{
    executor::{StepError, StepErrorKind},
    pipeline::GpuMemory,
    tensors::DeviceFault,
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// What burn says where a device has no more memory, in words of cubecl 0.11 and of CUDA.
const EXHAUSTED: [&str; 4] =
    ["out of device memory", "can't allocate buffer", "OUT_OF_MEMORY", "out of memory"];

/// What `work`, which is estimated to take `need`, makes on `device`. A fault of a GPU is an error of the step; what the CPU panics at is a bug,
/// and goes on.
pub(super) fn guarded<T>(
    device: &Selected,
    need: GpuMemory,
    work: impl FnOnce() -> Result<T, StepError>,
) -> Result<T, StepError> {
    let panic = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(made) => return made,
        Err(panic) => panic,
    };
    match said(&*panic).filter(|_| !device.is_cpu) {
        Some(text) => Err(error(device, need, &text)),
        None => resume_unwind(panic),
    }
}

fn said(panic: &(dyn Any + Send)) -> Option<String> {
    let fault = panic.downcast_ref::<DeviceFault>().map(|DeviceFault(text)| text.clone());
    // burn's own threads panic where the driver refuses, and whoever waits for them with them.
    let text = fault.or_else(|| panic.downcast_ref::<String>().cloned());
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
}

fn error(device: &Selected, need: GpuMemory, text: &str) -> StepError {
    let (name, cause) = (&device.name, cause(text));
    if EXHAUSTED.iter().any(|words| text.contains(words)) {
        let of =
            device.memory().map(|bytes| format!(" of {}", in_words(bytes))).unwrap_or_default();
        let advice = advice(need, device.room());
        return memory(format!("{name} has no more memory{of}: {cause}. {advice}"));
    }
    let message = format!(
        "{name} failed: {cause}. Run again: what is finished is kept. If it fails again, `takd devices` \
         and NVIDIA's nvidia-smi tell more of the device"
    );
    StepError::new(StepErrorKind::Device, message)
}

/// What to do where memory is short, with what the node is estimated to take beside the `room` that there is.
fn advice(need: GpuMemory, room: Option<u128>) -> String {
    let least = "Halve batch_size, take a smaller network, or run one node at a time".to_owned();
    let Some(room) = room.filter(|_| need.bytes() > 0) else { return least };
    let takes = format!("This node takes about {}", in_words(need.bytes()));
    match need.batch_within(room) {
        _ if need.bytes() <= room => {
            format!("{takes}, which should fit alone: run one node at a time, or halve batch_size")
        }
        Some(batch) => {
            format!("{takes}: batch_size = {batch} would fit, or take a smaller network")
        }
        None => format!(
            "{takes}, and no batch_size would fit: take a smaller network or another device"
        ),
    }
}

/// The innermost cause in a text of burn's, which begins with what failed last and ends with where from.
fn cause(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines = lines
        .take_while(|line| !["Backtrace:", "No backtrace available", "Asked at:"].contains(line));
    let mut innermost = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line == "Caused by:" {
            innermost.clear();
        } else {
            innermost.push(line);
        }
    }
    innermost.first().unwrap_or(&"it does not say why").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Kernels;
    use burn::tensor::Device;

    fn device(is_cpu: bool) -> Selected {
        let (device, name, number) = (Device::flex(), "cuda:0".to_owned(), 0);
        Selected { device, name, number, is_cpu, kernels: Kernels::Burn }
    }

    /// As the stand-in driver of `.ci/cuda` has burn say it.
    const EXHAUSTED: &str = "An error happened during execution\nCaused by:\n  Several failures at once\n\
        Caused by:\n  The bytes were never written (failure #80, still claiming 1 buffer(s))\n\
        Caused by:\n  An IO error happened\nCaused by:\n  out of device memory allocating 8388608 bytes\n\
        No backtrace available\nAsked at:\nNo backtrace available\n   0: <unknown>";

    #[test]
    fn a_fault_of_a_gpu_is_the_steps_error() {
        let unwind = |text: &str| -> Result<(), StepError> {
            resume_unwind(Box::new(DeviceFault(text.to_owned())))
        };
        let nothing = GpuMemory::default();
        let error = guarded(&device(false), nothing, || unwind(EXHAUSTED)).unwrap_err();
        assert_eq!(error.kind, StepErrorKind::Memory);
        let start =
            "cuda:0 has no more memory: out of device memory allocating 8388608 bytes. Halve";
        assert!(error.message.starts_with(start), "{error}");
        let error = guarded(&device(false), nothing, || unwind("lost.")).unwrap_err();
        assert_eq!(error.kind, StepErrorKind::Device);
        assert!(error.message.starts_with("cuda:0 failed: lost. Run again"), "{error}");
        assert_eq!(guarded(&device(false), nothing, || Ok(5)), Ok(5));
    }

    #[test]
    fn what_would_fit_is_said() {
        let need = GpuMemory::of(100 << 20, 1 << 20, 100);
        let told = |mebibytes: u128| advice(need, Some(mebibytes << 20));
        assert!(
            told(300).starts_with("This node takes about 200 MiB, which should fit"),
            "{}",
            told(300)
        );
        assert!(
            told(180).starts_with("This node takes about 200 MiB: batch_size = 50 "),
            "{}",
            told(180)
        );
        assert!(told(100).contains("no batch_size would fit"), "{}", told(100));
        assert!(told(103).contains("batch_size = 3 "), "{}", told(103));
        assert!(advice(need, None).starts_with("Halve batch_size"));
    }

    #[test]
    fn a_panic_on_the_cpu_goes_on() {
        let panic = catch_unwind(|| {
            let nothing = GpuMemory::default();
            guarded(&device(true), nothing, || -> Result<(), StepError> {
                resume_unwind(Box::new("bug"))
            })
        });
        assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"bug"));
    }
}
