//! A network with its weights on a device.

use crate::{
    architecture::Architecture,
    kernels::Precision,
    layer::{Activation, Images, Kernels, Mode, Modules, Pass, Source},
    onnx::{Drawing, Pixels},
    recipe::BatchnormWeight,
    tap::{Tap, Tapped},
    tensors::{self, AnyTensor, Flat, LoadError, NamedTensor, Role, Visitor},
};
use burn::tensor::{Device, Tensor};
use std::collections::BTreeMap;

/// Layers with their tensors.
#[derive(Clone)]
pub struct Network {
    modules: Modules,
    kernels: Kernels,
    precision: Precision,
    taps: Vec<Tapped>,
}

impl Network {
    /// Builds `net` on `device` with initial weights drawn from `seed`: PyTorch's defaults for plain
    /// layers, He's for residual ones.
    pub fn init(net: &Architecture, seed: u64, device: &Device) -> Self {
        Self::init_with(net, seed, BatchnormWeight::Ones, device)
    }

    /// As [`init`](Self::init), with other BatchNorm weights in plain layers.
    pub fn init_with(
        net: &Architecture,
        seed: u64,
        batchnorm_weight: BatchnormWeight,
        device: &Device,
    ) -> Self {
        let from = Source { seed: Some(seed), batchnorm_weight, device };
        let modules = Modules::new(net.walk(), net.is_residual(), from);
        let precision = Precision::F32;
        Self { modules, kernels: Kernels::Takd, precision, taps: net.taps() }
    }

    /// The same network, on burn's operations if `kernels` says so.
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels: if kernels == Kernels::Burn { kernels } else { self.kernels }, ..self }
    }

    /// The same network, whose convolutions multiply with `precision` in training.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`, with running
    /// statistics: what a trained network says.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        self.infer_with(images, &[]).0
    }

    /// As [`infer`](Self::infer), and its features `[batch, channels, height, width]` at `taps`.
    ///
    /// # Panics
    /// If it has no such tap; see [`taps`](Self::taps).
    pub fn infer_with(&self, images: Tensor<4>, taps: &[Tap]) -> (Tensor<2>, Vec<Tensor<4>>) {
        // Tensors are shared by the copy, which is there for the mode's sake only.
        self.clone().forward(images, Mode::Infer, taps)
    }

    /// Logits as [`infer`](Self::infer), with each batch's own statistics, which also move the
    /// running ones.
    pub fn train(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.train_with(images, &[]).0
    }

    /// As [`train`](Self::train), and its features as [`infer_with`](Self::infer_with).
    ///
    /// # Panics
    /// If it has no such tap.
    pub fn train_with(&mut self, images: Tensor<4>, taps: &[Tap]) -> (Tensor<2>, Vec<Tensor<4>>) {
        self.forward(images, Mode::Train, taps)
    }

    /// Logits as [`infer`](Self::infer), and the gradient by the images of Σ logits · `weights`,
    /// `[batch, classes]`; both without gradient.
    pub fn input_gradient(&self, images: Tensor<4>, weights: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        struct Lift;

        impl Visitor for Lift {
            fn visit(&mut self, _: &str, _: Role, tensor: &mut dyn AnyTensor) {
                tensor.lift();
            }
        }

        let mut net = self.clone();
        net.visit(&mut Lift);
        let images = images.autodiff().require_grad();
        let logits = net.forward(images.clone(), Mode::Infer, &[]).0;
        let told = logits.clone().inner();
        let gradients = (logits * weights.autodiff()).sum().backward();
        let gradient = images.grad(&gradients).expect("logits depend on the images");
        (told, gradient)
    }

    /// Itself in the ONNX format: `[batch, channels, height, width]` to logits `[batch, classes]`, with running
    /// statistics. `folds` puts BatchNorms into the convolutions before them.
    ///
    /// # Errors
    /// Why it cannot, as the end of a sentence that begins with the network: a layer of somebody's own.
    pub fn onnx(
        &self,
        net: &Architecture,
        pixels: &Pixels,
        folds: bool,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, String> {
        let (mut graph, x) = Drawing::new(net.input(), pixels, folds);
        let x = self.modules.draw(&mut graph, x)?;
        Ok(graph.finish(&x, net.classes(), metadata))
    }

    /// Places where it can be asked for features.
    pub fn taps(&self) -> &[Tapped] {
        &self.taps
    }

    fn forward(
        &mut self,
        images: Tensor<4>,
        mode: Mode,
        taps: &[Tap],
    ) -> (Tensor<2>, Vec<Tensor<4>>) {
        let pass = Pass { mode, kernels: self.kernels };
        let precision = match mode {
            Mode::Train => self.precision,
            Mode::Infer => Precision::F32,
        };
        let mut x = Activation::Images(Images::new(images, self.kernels, precision));
        let places = taps.iter().map(|tap| {
            let tapped = self.taps.iter().find(|tapped| tapped.tap == *tap);
            (*tap, self.modules.of_layer[tapped.expect("the network has this tap").layer])
        });
        let places: Vec<(Tap, usize)> = places.collect();
        let mut features: Vec<Option<Tensor<4>>> = vec![None; taps.len()];
        for (index, module) in self.modules.each.iter_mut().enumerate() {
            x = module.forward(x, pass);
            for (feature, (tap, _)) in
                features.iter_mut().zip(&places).filter(|(_, (_, at))| *at == index)
            {
                *feature = Some(match tap {
                    Tap::Pooled => x.clone().features().unsqueeze_dims(&[-1, -1]),
                    Tap::Stem | Tap::Stage(_) => x.clone().images().channels_first(),
                });
            }
        }
        (x.features(), features.into_iter().flatten().collect())
    }

    /// Starts recording gradients of its parameters.
    pub fn track(&mut self) {
        struct Track;

        impl Visitor for Track {
            fn visit(&mut self, _: &str, role: Role, tensor: &mut dyn AnyTensor) {
                if role == Role::Parameter {
                    tensor.track();
                }
            }
        }

        self.visit(&mut Track);
    }

    /// Walks all tensors, input side first.
    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.modules.visit(visitor);
    }

    /// Copies every tensor, running statistics included, to the host.
    pub fn save(&self) -> Vec<NamedTensor> {
        tensors::read(self.flat())
    }

    /// Every tensor where it is, running statistics included.
    pub(crate) fn flat(&self) -> Vec<Flat> {
        tensors::flat(|visitor| self.clone().visit(visitor))
    }

    /// Replaces every tensor.
    ///
    /// # Errors
    /// [`LoadError`] lists each missing, unexpected or wrongly shaped tensor; the network is then
    /// to be thrown away.
    pub fn load(&mut self, tensors: Vec<NamedTensor>) -> Result<(), LoadError> {
        tensors::load(tensors, |visitor| self.visit(visitor))
    }
}
