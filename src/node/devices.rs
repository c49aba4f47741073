//! One device or several of a kind, on each of which some of the nodes run.

use super::{
    device::{Choice, ChoiceError, DeviceError, Selected, count},
    jobs::Jobs,
};
use crate::mutex::lock;
use std::{fmt, ops::Deref, str::FromStr, sync::Mutex};

/// Which devices a run has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Devices {
    /// One.
    One(Choice),
    /// The GPUs of a kind with these numbers, two at least.
    Several(Gpu, Vec<usize>),
    /// All GPUs of a kind.
    All(Gpu),
}

/// A kind of GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gpu {
    /// NVIDIA's, by CUDA.
    Cuda,
    /// By Vulkan, Metal or DirectX.
    Wgpu,
}

impl Gpu {
    /// The one with this number.
    pub fn number(self, number: usize) -> Choice {
        match self {
            Self::Cuda => Choice::Cuda(number),
            Self::Wgpu => Choice::Wgpu(number),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Wgpu => "wgpu",
        }
    }
}

impl From<Choice> for Devices {
    fn from(choice: Choice) -> Self {
        Self::One(choice)
    }
}

/// `cuda:1`, `cuda:0,2`, `cuda:all`.
impl FromStr for Devices {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, ChoiceError> {
        let wrong = || ChoiceError::new(text);
        let gpu = [Gpu::Cuda, Gpu::Wgpu].into_iter().find_map(|gpu| {
            let numbers = text.strip_prefix(gpu.name())?.strip_prefix(':')?;
            Some((gpu, numbers))
        });
        match gpu {
            Some((gpu, "all")) => Ok(Self::All(gpu)),
            Some((gpu, list)) if list.contains(',') => {
                let numbers = list.split(',').map(|number| number.parse().map_err(|_| wrong()));
                let numbers = numbers.collect::<Result<Vec<usize>, _>>()?;
                let mut distinct = numbers.clone();
                distinct.sort_unstable();
                distinct.dedup();
                if distinct.len() < numbers.len() {
                    return Err(wrong());
                }
                Ok(Self::Several(gpu, numbers))
            }
            _ => text.parse().map(Self::One).map_err(|_: ChoiceError| wrong()),
        }
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(choice) => choice.fmt(f),
            Self::All(gpu) => write!(f, "{}:all", gpu.name()),
            Self::Several(gpu, numbers) => {
                let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                write!(f, "{}:{}", gpu.name(), numbers.join(","))
            }
        }
    }
}

impl Devices {
    /// The devices, if all of them are there and can be used.
    ///
    /// # Errors
    /// As [`Choice::select`], of the first that is not.
    pub fn select(&self) -> Result<Pool, DeviceError> {
        let choices = match self {
            Self::One(choice) => vec![*choice],
            Self::Several(gpu, numbers) => {
                numbers.iter().map(|&number| gpu.number(number)).collect()
            }
            // Without any, the first says why.
            Self::All(gpu) => {
                (0..count(gpu.number(0)).max(1)).map(|number| gpu.number(number)).collect()
            }
        };
        let each = choices.into_iter().map(Choice::select).collect::<Result<Vec<_>, _>>()?;
        Ok(Pool::new(each))
    }
}

/// Devices, and what is on each.
#[derive(Debug)]
pub struct Pool {
    each: Vec<Selected>,
    jobs: Jobs,
    /// Bytes of each one's memory that nodes may take, where they are counted.
    room: Vec<Option<u128>>,
    loads: Mutex<Vec<Load>>,
}

/// What runs on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    nodes: usize,
    bytes: u128,
}

impl Load {
    /// Whether another node may join, that takes so many bytes. Whoever is alone is never refused.
    fn admits(self, jobs: Jobs, room: Option<u128>, bytes: u128) -> bool {
        self.nodes == 0
            || match jobs {
                Jobs::Auto | Jobs::InAll(_) => true,
                Jobs::PerDevice(count) => self.nodes < count.get(),
                Jobs::ByMemory => room.is_some_and(|room| self.bytes + bytes <= room),
            }
    }
}

impl Pool {
    /// Of at least one device, for any number of nodes.
    pub fn new(each: Vec<Selected>) -> Self {
        let (room, loads) = (vec![None; each.len()], Mutex::new(vec![Load::default(); each.len()]));
        Self { each, jobs: Jobs::Auto, room, loads }
    }

    /// The same devices, with so many nodes on each.
    #[must_use]
    pub fn with_jobs(self, jobs: Jobs) -> Self {
        // A CPU's nodes are counted, not weighed.
        let room = |device: &Selected| match device.is_cpu {
            true => Some(u128::MAX),
            false => device.room(),
        };
        let room = self.each.iter().map(room).collect();
        Self { jobs, room, ..self }
    }

    /// The same devices on burn's operations alone; see [`Selected::with_burn_ops`].
    pub fn with_burn_ops(self) -> Self {
        Self::new(self.each.into_iter().map(Selected::with_burn_ops).collect())
    }

    /// All of them.
    pub fn each(&self) -> &[Selected] {
        &self.each
    }

    /// The device with the fewest nodes, of several the first, for as long as the result lives, for a node that takes so
    /// many bytes of it; nothing where none has room.
    pub(super) fn lend(&self, bytes: u128) -> Option<Lent<'_>> {
        let mut loads = lock(&self.loads);
        let admits = |&at: &usize| loads[at].admits(self.jobs, self.room[at], bytes);
        let at = (0..loads.len()).filter(admits).min_by_key(|&at| loads[at])?;
        loads[at].nodes += 1;
        loads[at].bytes += bytes;
        Some(Lent { pool: self, at, bytes })
    }
}

/// A device that a node runs on.
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    at: usize,
    bytes: u128,
}

impl Deref for Lent<'_> {
    type Target = Selected;

    fn deref(&self) -> &Selected {
        &self.pool.each[self.at]
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let load = &mut lock(&self.pool.loads)[self.at];
        load.nodes -= 1;
        load.bytes -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Kernels;
    use burn::tensor::Device;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for (text, shown) in [
            ("auto", "auto"),
            ("cuda", "cuda:0"),
            ("cuda:1", "cuda:1"),
            ("cuda:all", "cuda:all"),
            ("wgpu:2,0", "wgpu:2,0"),
        ] {
            assert_eq!(text.parse::<Devices>().unwrap().to_string(), shown);
        }
        for text in ["cpu:all", "cuda:", "cuda:0,0", "cuda:0,", "cuda:a,b", "cuda:0,cuda:1", "all"]
        {
            let error = text.parse::<Devices>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}` is not")), "{error}");
        }
    }

    #[test]
    fn a_node_gets_the_device_with_the_fewest() {
        let pool = Pool::new(two());
        let [first, second, third] = [1, 1, 1].map(|bytes| pool.lend(bytes).unwrap());
        assert_eq!((first.number, second.number, third.number), (0, 1, 0));
        drop((first, third));
        assert_eq!(pool.lend(1).unwrap().number, 0);
        drop(second);
        assert_eq!(pool.lend(1).unwrap().number, 0, "what nobody has is free again");
    }

    #[test]
    fn nodes_share_a_device_that_has_room() {
        let room = vec![Some(100), None];
        let pool = Pool { jobs: Jobs::ByMemory, room, ..Pool::new(two()) };
        let large = pool.lend(1000).unwrap();
        assert_eq!(large.number, 0, "whatever it takes, where it is alone");
        let unknown = pool.lend(1).unwrap();
        assert_eq!(unknown.number, 1);
        assert!(pool.lend(1).is_none());
        drop(large);
        let [first, second] = [60, 40].map(|bytes| pool.lend(bytes).unwrap());
        assert_eq!((first.number, second.number), (0, 0));
        assert!(pool.lend(1).is_none());
        let two_each = Jobs::PerDevice(std::num::NonZeroUsize::MIN.saturating_add(1));
        let pool = Pool::new(two()).with_jobs(two_each);
        let all = [(); 4].map(|()| pool.lend(1).unwrap());
        assert!(pool.lend(0).is_none());
        drop(all);
    }

    fn two() -> Vec<Selected> {
        let device = |number: usize| Selected {
            device: Device::flex(),
            name: format!("cuda:{number}"),
            number,
            is_cpu: false,
            kernels: Kernels::Burn,
        };
        vec![device(0), device(1)]
    }
}
