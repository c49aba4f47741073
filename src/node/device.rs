//! Which device the nodes run on.

#[cfg(feature = "cuda")]
use super::cuda;
use crate::network::Kernels;
use burn::tensor::Device;
use std::{fmt, str::FromStr};

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// CUDA, then another GPU, then the CPU.
    Auto,
    /// burn's flex.
    Cpu,
    /// The CUDA device with this number.
    Cuda(usize),
    /// The wgpu adapter with this number: AMD, Intel, Apple, and whatever speaks Vulkan.
    Wgpu(usize),
}

/// Text that is not a device.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a valid device: write auto, cpu, cuda, cuda:N or wgpu:N, or for a run cuda:0,2 or cuda:all"
)]
pub struct ChoiceError(String);

impl ChoiceError {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for Choice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, ChoiceError> {
        let (kind, number) = text.split_once(':').unwrap_or((text, "0"));
        let number = number.parse().map_err(|_| ChoiceError(text.to_owned()))?;
        match (kind, text.contains(':')) {
            ("auto", false) => Ok(Self::Auto),
            ("cpu", false) => Ok(Self::Cpu),
            ("cuda", _) => Ok(Self::Cuda(number)),
            ("wgpu", _) => Ok(Self::Wgpu(number)),
            _ => Err(ChoiceError(text.to_owned())),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Wgpu(number) => write!(f, "wgpu:{number}"),
        }
    }
}

/// A device that is there.
#[derive(Clone, Debug)]
pub struct Selected {
    /// burn's handle, without autodiff.
    pub device: Device,
    /// Its name: `cpu`, `cuda:0`.
    pub name: String,
    /// The number in it.
    pub number: usize,
    /// Whether the nodes' threads do the arithmetic.
    pub is_cpu: bool,
    /// Which operations the networks use.
    pub kernels: Kernels,
}

impl Selected {
    /// Bytes of a GPU's own memory that nodes may take, where it is known: a tenth is the driver's, the kernels' and
    /// what an estimate misses.
    pub(super) fn room(&self) -> Option<u128> {
        self.memory().map(|bytes| bytes / 10 * 9)
    }

    /// Bytes of a GPU's own memory, where that is known.
    pub(super) fn memory(&self) -> Option<u128> {
        #[cfg(feature = "cuda")]
        if self.name.starts_with("cuda") {
            return cuda::memory(self.number).map(|bytes| bytes as u128);
        }
        None
    }

    /// Itself, if this machine has all that it needs.
    fn checked(self) -> Result<Self, DeviceError> {
        self.usable().map(|()| self)
    }

    fn usable(&self) -> Result<(), DeviceError> {
        #[cfg(feature = "cuda")]
        if self.name.starts_with("cuda") {
            let checked = cuda::check(cuda::driver_version());
            return checked.map_err(|problem| DeviceError::Unusable {
                name: self.name.clone(),
                why: problem.to_string(),
            });
        }
        Ok(())
    }

    /// The same device, on burn's operations alone. It gets another name, since it has another speed
    /// and gives other last bits.
    pub fn with_burn_ops(self) -> Self {
        Self { kernels: Kernels::Burn, name: format!("{}, burn ops", self.name), ..self }
    }
}

/// A device that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// It does not exist.
    #[error("there is no device {wanted}: {why}; there is: {}", available.join(", "))]
    Absent {
        /// As it was asked for.
        wanted: String,
        /// Why there is none.
        why: String,
        /// What there is.
        available: Vec<String>,
    },
    /// It exists, and lacks something.
    #[error("{name} cannot be used: {why}. `--device cpu` needs none of it")]
    Unusable {
        /// The device.
        name: String,
        /// What it lacks, and what to do.
        why: String,
    },
}

/// Names of all devices that this build finds on this machine.
pub fn available() -> Vec<String> {
    let gpus = cuda().into_iter().chain(wgpu());
    std::iter::once("cpu".to_owned()).chain(gpus.map(|selected| selected.name)).collect()
}

/// The devices of one kind of GPU.
pub struct Inventory {
    /// `cuda` or `wgpu`.
    pub kind: &'static str,
    /// Whether this build can use it.
    pub built_in: bool,
    /// Names of the devices, and what burn calls them.
    pub devices: Vec<(String, String)>,
    /// Why they cannot be used, if they cannot.
    pub problem: Option<String>,
}

/// The GPUs that this build finds on this machine, and the kinds that it was built without.
pub fn inventory() -> [Inventory; 2] {
    let named = |found: Vec<Selected>| {
        found.into_iter().map(|gpu| (gpu.name, format!("{:?}", gpu.device))).collect()
    };
    let (cudas, wgpus) = (cuda(), wgpu());
    let problem = cudas.first().and_then(|gpu| gpu.usable().err());
    let (devices, built_in) = (named(cudas), cfg!(feature = "cuda"));
    let problem = problem.map(|error| error.to_string());
    let cuda = Inventory { kind: "cuda", built_in, devices, problem };
    let (devices, built_in) = (named(wgpus), cfg!(feature = "wgpu"));
    [cuda, Inventory { kind: "wgpu", built_in, devices, problem: None }]
}

impl Choice {
    /// The device, if it is there and can be used. `auto` takes nothing else in place of a GPU that lacks
    /// something.
    ///
    /// # Errors
    /// [`DeviceError`] says what is there instead, or what it lacks.
    pub fn select(self) -> Result<Selected, DeviceError> {
        self.find().and_then(Selected::checked)
    }

    fn find(self) -> Result<Selected, DeviceError> {
        let cpu = || Selected {
            device: Device::flex(),
            name: "cpu".to_owned(),
            number: 0,
            is_cpu: true,
            kernels: Kernels::Takd,
        };
        let (mut found, number, feature) = match self {
            Self::Cpu => return Ok(cpu()),
            // A software adapter is slower than the CPU that it runs on: auto leaves it alone.
            Self::Auto => {
                let hardware = wgpu().into_iter().filter(|gpu| !is_software(&gpu.device));
                return Ok(cuda().into_iter().chain(hardware).next().unwrap_or_else(cpu));
            }
            Self::Cuda(number) => (cuda(), number, cfg!(feature = "cuda").then_some("cuda")),
            Self::Wgpu(number) => (wgpu(), number, cfg!(feature = "wgpu").then_some("wgpu")),
        };
        if number < found.len() {
            return Ok(found.swap_remove(number));
        }
        let kind = if matches!(self, Self::Cuda(_)) { "cuda" } else { "wgpu" };
        let why = match feature {
            None => format!("this takd was built without it (cargo build --features {kind})"),
            Some(_) if found.is_empty() => format!("no {kind} device or driver was found"),
            Some(_) => format!("the numbers end at {}", found.len() - 1),
        };
        Err(DeviceError::Absent { wanted: self.to_string(), why, available: available() })
    }
}

/// How many GPUs of the kind of this one there are.
pub(super) fn count(like: Choice) -> usize {
    match like {
        Choice::Cuda(_) => cuda().len(),
        Choice::Wgpu(_) => wgpu().len(),
        Choice::Auto | Choice::Cpu => 1,
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Vec<Selected> {
    enumerate(burn::tensor::DeviceType::Cuda, "cuda")
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Vec<Selected> {
    Vec::new()
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Vec<Selected> {
    enumerate(burn::tensor::DeviceType::Wgpu, "wgpu")
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Vec<Selected> {
    Vec::new()
}

/// The devices of one kind. A missing driver makes burn panic; here it means that there are none.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn enumerate(kind: burn::tensor::DeviceType, name: &str) -> Vec<Selected> {
    let found = std::panic::catch_unwind(|| Device::enumerate(kind).into_vec()).unwrap_or_default();
    let named = found.into_iter().enumerate();
    named
        .map(|(number, device)| Selected {
            device,
            name: format!("{name}:{number}"),
            number,
            is_cpu: false,
            kernels: Kernels::Takd,
        })
        .collect()
}

/// Whether a wgpu adapter is a program, such as Mesa's llvmpipe.
fn is_software(device: &Device) -> bool {
    format!("{device:?}").contains("Cpu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_text_goes_there_and_back() {
        for (text, shown) in
            [("auto", "auto"), ("cpu", "cpu"), ("cuda", "cuda:0"), ("wgpu:3", "wgpu:3")]
        {
            assert_eq!(text.parse::<Choice>().unwrap().to_string(), shown);
        }
        for text in ["", "gpu", "cuda:", "cuda:-1", "cpu:1", "auto:0"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_device_that_is_not_built_in_says_what_is_there() {
        let error = Choice::Cuda(0).select().unwrap_err().to_string();
        assert!(error.contains("--features cuda") && error.contains("there is: cpu"), "{error}");
    }
}
