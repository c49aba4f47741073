//! A GPU gives what the CPU gives, within 1e-3: run by `.ci/gpu`, which builds the feature.
#![cfg(feature = "wgpu")]

use crate::tiny;
use burn::tensor::{Device, Tensor, TensorData};
use std::path::Path;
use takd::{
    architecture::Architecture,
    dataset::{Data, Format, Idx, Normalisation, Split, View},
    kinds::Kinds,
    network::{Kernels, NamedTensor, Network, builtin},
    node::Choice,
    objective::CrossEntropy,
    objective::Kd,
    shape::Shape,
    training::{self, Logits, Objective},
};

const TOLERANCE: f32 = 1e-3;

/// A split of the data set in `folder`, on `device`.
fn view(folder: &Path, split: Split, device: &Device) -> View {
    let format = Format::from(Idx(folder.to_owned()));
    let info = format.probe().unwrap();
    let dataset = format.load().unwrap();
    let data =
        Data { format, validation: 0, scoring: 0, normalisation: Normalisation::Measured, info };
    View::new(&dataset, &data, split, device).unwrap()
}

/// A network for it.
fn net(layers: &[&str]) -> Architecture {
    let layers = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    Architecture::new(layers, tiny::info().shape, tiny::CLASSES).unwrap()
}

struct Result {
    losses: Vec<f32>,
    logits: Vec<f32>,
    weights: Vec<NamedTensor>,
}

fn train(net: &Architecture, objective: Objective<'_>, folder: &Path, device: &Device) -> Result {
    let view = self::view(folder, Split::Train, device);
    let trained = tiny::train(net, objective, &view, device);
    let mut frozen = Network::init(net, 0, device);
    frozen.load(trained.weights.clone()).unwrap();
    Result {
        losses: trained.history.iter().map(|record| record.loss as f32).collect(),
        logits: training::infer(&frozen, &view).unwrap(),
        weights: trained.weights,
    }
}

fn assert_near(what: &str, cpu: &[f32], gpu: &[f32]) {
    assert_eq!(cpu.len(), gpu.len(), "{what}");
    let worst = cpu.iter().zip(gpu).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{what}: {} values, largest difference {worst:e}", cpu.len());
    assert!(worst < TOLERANCE, "{what}: {worst}");
}

#[test]
fn training_and_distillation_agree_with_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    tiny::write_idx(folder.path());
    let gpu = Choice::Wgpu(0).select().expect("a wgpu adapter: install mesa-vulkan-drivers").device;
    let cpu = Device::flex();
    let ids: Vec<u32> = (0..72).collect();
    let (teacher, student) =
        (net(&["conv8", "maxpool", "fc16", "fc3"]), net(&["conv4", "maxpool", "fc3"]));
    let [on_cpu, on_gpu] = [&cpu, &gpu]
        .map(|device| train(&teacher, Objective::Labels(&CrossEntropy {}), folder.path(), device));
    assert_near("teacher's losses", &on_cpu.losses, &on_gpu.losses);
    assert_near("teacher's logits", &on_cpu.logits, &on_gpu.logits);
    // Both students learn from the same teacher, so that only their own arithmetic differs.
    let logits = Logits::new(&ids, on_cpu.logits, tiny::CLASSES).unwrap();
    let kd = Kd::new(4.0, 0.7);
    let [on_cpu, on_gpu] = [&cpu, &gpu].map(|device| {
        train(&student, Objective::Stored(&kd, (&logits).into()), folder.path(), device)
    });
    assert_near("student's losses", &on_cpu.losses, &on_gpu.losses);
    assert_near("student's logits", &on_cpu.logits, &on_gpu.logits);
    for (cpu, gpu) in on_cpu.weights.iter().zip(&on_gpu.weights) {
        assert_near(&cpu.name, &cpu.values, &gpu.values);
    }
}

/// Blocks of every kind: pre-activation, depthwise and grouped convolutions, shuffles. BatchNorm over a few values
/// magnifies last digits, so the measure of outputs is how far burn's operations are from takd's on the CPU. Some value
/// lies so near to 0 or 6 that a ReLU opens on one side alone, so gradients agree but for a few such: a wrong one is
/// far off.
#[test]
fn whole_networks_and_their_gradients_are_the_cpus() {
    let gpu = Choice::Wgpu(0).select().expect("a wgpu adapter: install mesa-vulkan-drivers").device;
    let shape = Shape { channels: 3, height: 16, width: 16 };
    let pixels: Vec<f32> = (0..8 * 3 * 16 * 16)
        .map(|at| (at as f32 * 0.371 + (at as f32 * 0.0713).cos()).sin())
        .collect();
    for name in ["resnet8", "wrn-16-2", "mobilenetv2-half", "shufflenetv1", "shufflenetv2"] {
        let layers = builtin(name, 5).unwrap();
        let net = Architecture::read(&layers, shape, 5, &Kinds::default()).unwrap();
        let run = |device: &Device, kernels| {
            let mut net = Network::init(&net, 3, device).with_kernels(kernels);
            net.track();
            let data = TensorData::new(pixels.clone(), [8, 3, 16, 16]);
            let images = Tensor::<4>::from_data(data, device).autodiff().require_grad();
            let logits = net.train(images.clone());
            let gradients = (logits.clone() * logits.clone()).sum().backward();
            let host = |values: TensorData| values.try_into_vec::<f32>().unwrap();
            let gradient = host(images.grad(&gradients).unwrap().into_data());
            let frozen = host(net.infer(images.inner()).into_data());
            [host(logits.into_data()), gradient, frozen]
        };
        let cpu = run(&Device::flex(), Kernels::Takd);
        let burn = run(&Device::flex(), Kernels::Burn);
        let gpu = run(&gpu, Kernels::Takd);
        for (at, what) in ["logits", "gradient", "inference"].into_iter().enumerate() {
            let length = |values: &mut dyn Iterator<Item = f32>| {
                values.map(|value| f64::from(value * value)).sum::<f64>().sqrt()
            };
            let size = length(&mut cpu[at].iter().copied());
            let away =
                |other: &[f32]| length(&mut cpu[at].iter().zip(other).map(|(a, b)| a - b)) / size;
            let (burn, gpu) = (away(&burn[at]), away(&gpu[at]));
            println!("{name} {what}: burn's on the CPU {burn:e} away, a GPU's {gpu:e}");
            let most = if what == "gradient" { 0.05 } else { (4.0 * burn).max(2e-5) };
            assert!(gpu < most, "{name} {what}: {gpu}, burn's {burn}");
        }
    }
}
