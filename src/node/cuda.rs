//! What CUDA needs of a machine besides a device. burn looks for it when a kernel is first compiled, in the
//! middle of a step: here it is looked for before.

use std::path::{Path, PathBuf};

/// Where burn's compiler looks for a toolkit that `CUDA_PATH` does not name.
const TOOLKITS: [&str; 4] = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"];
/// NVIDIA's mathematical functions, in a toolkit.
const LIBDEVICE: &str = "nvvm/libdevice/libdevice.10.bc";
/// CUDA 12.0, as a driver numbers it: the first whose PTX has all targets.
const OLDEST: i32 = 12_000;

/// Why CUDA cannot be used, though there is a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CudaProblem {
    /// A driver that does not know what is compiled for it.
    #[error(
        "NVIDIA's driver is too old: it knows CUDA {}.{}, and CUDA 12.0 is needed, driver 525 or later",
        .0 / 1000, .0 % 1000 / 10
    )]
    Driver(i32),
    /// No mathematical functions.
    #[error(
        "libdevice.10.bc of the CUDA toolkit is missing: {looked}. Install the toolkit, or `pip install \
         nvidia-cuda-nvcc-cu12` and set CUDA_PATH to its folder nvidia/cuda_nvcc"
    )]
    Libdevice {
        /// Where it is not.
        looked: String,
    },
}

/// Whether a driver of this version knows what is compiled for it.
fn driver(version: i32) -> Result<(), CudaProblem> {
    if version < OLDEST { Err(CudaProblem::Driver(version)) } else { Ok(()) }
}

/// The mathematical functions in the toolkit at `named`, which is CUDA_PATH, or in the first of `usual` that
/// has a folder for them: where burn looks.
fn libdevice(named: Option<&Path>, usual: &[&Path]) -> Result<PathBuf, CudaProblem> {
    if let Some(root) = named {
        let file = root.join(LIBDEVICE);
        let looked = || format!("CUDA_PATH names {}, where it is not", root.display());
        return if file.is_file() {
            Ok(file)
        } else {
            Err(CudaProblem::Libdevice { looked: looked() })
        };
    }
    let file = usual.iter().map(|root| root.join(LIBDEVICE));
    let mut file = file.filter(|file| file.parent().is_some_and(Path::is_dir));
    file.next().filter(|file| file.is_file()).ok_or_else(|| {
        let roots: Vec<String> = usual.iter().map(|root| root.display().to_string()).collect();
        let looked = format!("CUDA_PATH is not set, and it is not in {}", roots.join(", "));
        CudaProblem::Libdevice { looked }
    })
}

/// What is missing on this machine, which has a device. `version` is its driver's.
pub(super) fn check(version: i32) -> Result<(), CudaProblem> {
    driver(version)?;
    let named = std::env::var_os("CUDA_PATH").map(PathBuf::from);
    libdevice(named.as_deref(), &TOOLKITS.map(Path::new)).map(drop)
}

/// The CUDA that the driver knows: 12080 is 12.8. There must be a driver.
#[cfg(feature = "cuda")]
pub(super) fn driver_version() -> i32 {
    let mut version = 0;
    // SAFETY: it writes one number there.
    #[allow(unsafe_code)]
    let asked = unsafe { cudarc::driver::sys::cuDriverGetVersion(&raw mut version) };
    // A driver that does not tell is one that burn will complain of.
    if asked.result().is_ok() { version } else { OLDEST }
}

/// Bytes of memory of a device.
#[cfg(feature = "cuda")]
pub(super) fn memory(number: usize) -> Option<usize> {
    cudarc::driver::CudaContext::new(number).ok()?.total_mem().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_missing_libdevice_is_told_with_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let [full, empty] = ["full", "empty"].map(|name| folder.path().join(name));
        fs::create_dir_all(full.join("nvvm/libdevice")).unwrap();
        fs::write(full.join(LIBDEVICE), "").unwrap();
        assert_eq!(libdevice(Some(&full), &[]), Ok(full.join(LIBDEVICE)));
        assert_eq!(libdevice(None, &[&empty, &full]), Ok(full.join(LIBDEVICE)));
        // As burn has it, what CUDA_PATH names is all that counts.
        let told = libdevice(Some(&empty), &[&full]).unwrap_err().to_string();
        assert!(told.contains("CUDA_PATH names") && told.contains("pip install"), "{told}");
        let told = libdevice(None, &[&empty]).unwrap_err().to_string();
        assert!(told.contains("CUDA_PATH is not set, and it is not in"), "{told}");
    }

    #[test]
    fn an_old_driver_is_told_with_what_is_needed() {
        assert_eq!(driver(12_000), Ok(()));
        let told = driver(11_080).unwrap_err().to_string();
        assert!(told.contains("CUDA 11.8, and CUDA 12.0 is needed"), "{told}");
        assert!(check(11_080).is_err());
    }
}
