//! A network with its weights on a device.

use crate::{
    architecture::Architecture,
    layer::{Activation, Images, Kernels, Mode, Module, Names, Pass, Source},
    recipe::BatchnormWeight,
    tensors::{AnyTensor, LoadError, Loader, NamedTensor, Role, Saver, Visitor},
};
use burn::tensor::{Device, Tensor};

/// Layers with their tensors.
#[derive(Clone)]
pub struct Network {
    modules: Vec<Box<dyn Module>>,
    kernels: Kernels,
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
        let from = Source { seed, batchnorm_weight, device };
        let mut names = Names::new(net.is_residual());
        let mut modules: Vec<Box<dyn Module>> = Vec::with_capacity(net.layers().len());
        let last = net.layers().len().saturating_sub(1);
        for (index, (layer, input)) in net.walk().enumerate() {
            let previous = modules.last_mut();
            if !previous.is_some_and(|previous| layer.joins(&mut **previous, &mut names)) {
                modules.push(layer.init(input, index == last, &mut names, from));
            }
        }
        let is_cpu = device.clone().inner() == Device::flex();
        Self { modules, kernels: if is_cpu { Kernels::Takd } else { Kernels::Burn } }
    }

    /// The same network, on burn's operations if `kernels` says so.
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels: if kernels == Kernels::Burn { kernels } else { self.kernels }, ..self }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`, with running
    /// statistics: what a trained network says.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        // Tensors are shared by the copy, which is there for the mode's sake only.
        self.clone().forward(images, Mode::Infer)
    }

    /// Logits as [`infer`](Self::infer), with each batch's own statistics, which also move the
    /// running ones.
    pub fn train(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images, Mode::Train)
    }

    fn forward(&mut self, images: Tensor<4>, mode: Mode) -> Tensor<2> {
        let pass = Pass { mode, kernels: self.kernels };
        let images = Activation::Images(Images::new(images, self.kernels));
        self.modules.iter_mut().fold(images, |x, module| module.forward(x, pass)).features()
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
        self.modules.iter_mut().for_each(|module| module.visit(visitor));
    }

    /// Copies every tensor, running statistics included, to the host.
    pub fn save(&self) -> Vec<NamedTensor> {
        let mut saver = Saver::default();
        self.clone().visit(&mut saver);
        saver.0
    }

    /// Replaces every tensor.
    ///
    /// # Errors
    /// [`LoadError`] lists each missing, unexpected or wrongly shaped tensor; the network is then
    /// to be thrown away.
    pub fn load(&mut self, tensors: Vec<NamedTensor>) -> Result<(), LoadError> {
        let mut loader = Loader::new(tensors);
        self.visit(&mut loader);
        loader.finish()
    }
}
