//! How long a network takes for an image: one thread of the CPU, one image at a time.

use super::device::{Choice, DeviceError};
use crate::{
    architecture::Architecture,
    network::Network,
    processor,
    rng::{Purpose, Stream},
    store::{Latency, host, now},
};
use burn::tensor::{Tensor, TensorData};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Before passes count: caches fill and the clock of the core rises.
const WARM_UP: Duration = Duration::from_millis(300);
/// Passes are made for as long,
const LONG: Duration = Duration::from_secs(1);
/// but no fewer than these,
const FEWEST: usize = 11;
/// and no more.
const MOST: usize = 5_000;

/// Why there is no latency.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// The CPU as a device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No thread of its own.
    #[error("cannot start a thread: {0}; `ulimit -u` may be too small")]
    Thread(#[from] rayon::ThreadPoolBuildError),
}

/// Measures `net` here; nothing if it was stopped. Its weights are initial ones: how long it takes does not
/// depend on them.
///
/// # Errors
/// [`LatencyError`] if the system gives no thread.
pub fn latency(net: &Architecture, stop: &AtomicBool) -> Result<Option<Latency>, LatencyError> {
    let device = Choice::Cpu.select()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let times = pool.install(|| {
        let network = Network::init(net, 0, &device.device).with_kernels(device.kernels);
        let input = net.input();
        let dims = [1, input.channels, input.height, input.width];
        let mut noise = Stream::new(0, Purpose::Init("latency"), 0, 0);
        let pixels = (0..dims.iter().product()).map(|_| noise.normal() as f32).collect();
        let image = Tensor::<4>::from_data(TensorData::new(pixels, dims), &device.device);
        let pass = || {
            let started = Instant::now();
            // A value on the host: what is lazy has been done by then.
            std::hint::black_box(network.infer(image.clone()).into_data());
            started.elapsed()
        };
        passes(pass, stop)
    });
    let Some(mut times) = times else { return Ok(None) };
    times.sort_unstable();
    let [first, median, third] =
        [0.25, 0.5, 0.75].map(|share| quantile(&times, share).as_secs_f64() * 1e3);
    Ok(Some(Latency {
        net: net.into(),
        cpu: processor::model().to_owned(),
        takd: env!("CARGO_PKG_VERSION").to_owned(),
        median,
        quartiles: [first, third],
        passes: times.len(),
        host: host(),
        measured: now(),
    }))
}

/// Times of the passes that count; nothing if it was stopped.
fn passes(mut pass: impl FnMut() -> Duration, stop: &AtomicBool) -> Option<Vec<Duration>> {
    let mut spent = Duration::ZERO;
    while spent < WARM_UP {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        spent += pass();
    }
    let (mut times, mut spent) = (Vec::new(), Duration::ZERO);
    while times.len() < FEWEST || (spent < LONG && times.len() < MOST) {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let time = pass();
        spent += time;
        times.push(time);
    }
    Some(times)
}

/// Of sorted times, the one that so large a share does not exceed; between two, their mean.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len() - 1) as f64 * share;
    let [low, high] = [place.floor(), place.ceil()].map(|place| sorted[place as usize]);
    low + (high - low).mul_f64(place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pass that takes 1 ms, 2 ms, … 60 ms, in turn.
    fn clock() -> impl FnMut() -> Duration {
        let mut turn = 0;
        move || {
            turn += 1;
            Duration::from_millis((turn - 1) % 60 + 1)
        }
    }

    #[test]
    fn passes_count_after_the_warm_up() {
        let go_on = AtomicBool::new(false);
        // 1 + … + 24 = 300 ms are the warm-up; 25 + … + 51 = 1,026 ms count.
        let times = passes(clock(), &go_on).unwrap();
        assert_eq!((times.len(), times[0].as_millis(), times[26].as_millis()), (27, 25, 51));
        let slow = passes(|| Duration::from_secs(2), &go_on).unwrap();
        assert_eq!(slow.len(), FEWEST);
        assert_eq!(passes(|| Duration::from_micros(1), &go_on).unwrap().len(), MOST);
        assert!(passes(clock(), &AtomicBool::new(true)).is_none());
    }

    #[test]
    fn quantiles_lie_between_the_times_around_them() {
        let ms =
            |list: &[u64]| list.iter().map(|&ms| Duration::from_millis(ms)).collect::<Vec<_>>();
        let at = |list: &[u64], share| quantile(&ms(list), share).as_secs_f64() * 1e3;
        // numpy.quantile([1, 2, 4, 8], …)
        for (share, want) in [(0.25, 1.75), (0.5, 3.0), (0.75, 5.0)] {
            assert!((at(&[1, 2, 4, 8], share) - want).abs() < 1e-9);
        }
        assert!((at(&[1, 2, 9], 0.5) - 2.0).abs() < 1e-9);
    }
}
