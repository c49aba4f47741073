//! Training steps: forward, backward and update on one batch.

use super::{
    BATCH,
    images::{self, Noise},
    torch::{LAYOUTS, Torch},
    turns::{Row, Turns},
};
use burn::tensor::{Device, Int, Tensor};
use std::{error::Error, ffi::OsStr, fs, process::Command, time::Instant};
use takd::{network::Network, objective::cross_entropy, optimizer::Sgd, training::OptimizerState};

/// A network, and the steps of a turn: a second or two.
const NETS: [(&str, usize); 5] =
    [("plain2", 60), ("resnet8", 10), ("resnet20", 4), ("plain10", 4), ("mobilenetv2-half", 6)];
const ROUNDS: usize = 7;
/// Steps of the first turn: the second one's loss shows the first one's gradients too. Later ones tell
/// less, since training makes any rounding grow.
const CHECK: usize = 2;
/// Largest relative difference of the two sides' losses after the first turn, or else what PyTorch's own layouts
/// differ by: in MobileNetV2, 19 BatchNorms deep, rounding moves the second loss by 1e-3.
const SAME: f64 = 2e-4;

const SGD: Sgd = Sgd { lr: 0.01, momentum: 0.9, nesterov: true, weight_decay: 1e-4 };

struct Takd {
    net: Network,
    optimizer_state: OptimizerState,
    images: Tensor<4>,
    labels: Vec<i32>,
}

impl Takd {
    fn new(name: &str, noise: &Noise) -> Result<Self, Box<dyn Error>> {
        let mut net = images::network(name)?;
        net.track();
        let labels = noise.labels.iter().map(|&label| i32::from(label)).collect();
        Ok(Self {
            net,
            optimizer_state: OptimizerState::new(SGD.into(), &Device::flex()),
            images: images::tensor(noise),
            labels,
        })
    }

    /// Seconds of `steps` steps, and the last one's loss.
    fn turn(&mut self, steps: usize) -> (f64, f64) {
        let (started, mut loss) = (Instant::now(), 0.0);
        for _ in 0..steps {
            let labels = Tensor::<1, Int>::from_data(self.labels.as_slice(), &Device::flex());
            let logits = self.net.train(self.images.clone().autodiff());
            let step = cross_entropy(logits, labels.autodiff());
            loss = f64::from(step.clone().into_scalar::<f32>());
            self.optimizer_state.step(&mut self.net, step.backward(), 0.01);
        }
        (started.elapsed().as_secs_f64(), loss)
    }
}

/// Some steps in a process of their own; prints its peak memory in bytes.
pub fn alone(name: &str, steps: usize) -> Result<(), Box<dyn Error>> {
    Takd::new(name, &Noise::new(BATCH))?.turn(steps);
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{}", kib * 1024);
    Ok(())
}

pub fn compare(python: &OsStr, threads: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let noise = Noise::new(BATCH);
    let file = images::folder("steps")?.join("steps.safetensors");
    noise.write(&NETS.map(|(name, _)| name), &file)?;
    let product = Torch::start(python, &[OsStr::new("peak")], threads)?.hear()?;
    let peak_rate = product.flops.ok_or("peer.py counts")? / product.seconds;
    println!("a large matrix product: {:.0} GFLOP/s", peak_rate / 1e9);
    println!("training steps, images/s; memory in MiB, takd's and PyTorch's");
    println!(
        "{:16}  {:22}  {:22}  {:22}  {:5}  {:7}  memory",
        "net", "takd", "PyTorch", "channels_last", "ratio", "of peak"
    );
    let mut rows = Vec::new();
    for (name, steps) in NETS {
        let mut takd = Takd::new(name, &noise)?;
        let start = |layout: &&str| {
            let args =
                [OsStr::new("steps"), OsStr::new(name), file.as_os_str(), OsStr::new(layout)];
            Torch::start(python, &args, threads)
        };
        let mut torches = LAYOUTS.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let mut ours = Turns(Vec::new());
        let mut theirs = LAYOUTS.map(|layout| (layout.to_owned(), Turns(Vec::new())));
        let (mut peak, mut flops) = (0, 0.0);
        for round in 0..=ROUNDS {
            let steps = if round == 0 { CHECK } else { steps };
            let (seconds, loss) = takd.turn(steps);
            let said = torches.iter_mut().map(|torch| torch.ask(&steps.to_string()));
            let said = said.collect::<Result<Vec<_>, _>>()?;
            // The first turn warms up, and shows that both sides compute the same.
            if round == 0 {
                let [one, other] = [0, 1].map(|layout| said[layout].loss.unwrap_or(f64::NAN));
                let allowed = (SAME * loss.abs().max(0.1)).max((one - other).abs());
                let is_same = (loss - one).abs().min((loss - other).abs()) <= allowed;
                if !is_same || one.is_nan() || other.is_nan() {
                    let problem = format!("{name}: loss {loss}, but PyTorch has {one} and {other}");
                    return Err(problem.into());
                }
                (peak, flops) = (said[0].peak, said[0].flops.ok_or("peer.py counts")?);
                continue;
            }
            ours.0.push(seconds);
            for ((_, turns), said) in theirs.iter_mut().zip(said) {
                turns.0.push(said.seconds);
            }
        }
        let own = Command::new(std::env::current_exe()?).args(["one", name, "3"]).output()?;
        let own: u64 = String::from_utf8(own.stdout)?.trim().parse()?;
        let mut row = Row::new(name, ours, theirs.to_vec());
        row.peak = Some([own, peak]);
        let of_peak = flops * steps as f64 / row.takd.median() / peak_rate;
        row.of_peak = Some(of_peak);
        let work = (BATCH * steps) as f64;
        println!(
            "{name:16}  {:22}  {:22}  {:22}  {:5.2}  {of_peak:7.2}  {} / {}",
            row.takd.rate(work),
            row.torch[0].1.rate(work),
            row.torch[1].1.rate(work),
            row.ratio,
            own >> 20,
            peak >> 20
        );
        rows.push(row);
    }
    println!();
    Ok(rows)
}
