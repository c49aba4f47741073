//! PyTorch's names for parameters.

/// Hands out PyTorch's names.
///
/// Plain layers are called as in the authors' `ConvNetMaker`: a `conv_layers` sequence in which a
/// convolution, its BatchNorm, its ReLU and a max-pool each take a number, then `fc_layers`, in
/// which a ReLU follows each layer but the last. Residual networks are called as in torchvision:
/// `conv1`, `bn1`, `layer1.0`, …, `fc`; a new `layer` starts where width or stride change. Inverted residuals
/// are called as in torchvision's MobileNetV2: `features.0`, …, `classifier.1`.
pub struct Names {
    residual: bool,
    conv: usize,
    fc: usize,
    stage: usize,
    block: usize,
    width: usize,
    convs: usize,
    norms: usize,
    features: usize,
    squeezes: usize,
}

impl Names {
    /// For a network that is named as torchvision's ResNets are, or as the authors' plain ones.
    pub fn new(residual: bool) -> Self {
        Self {
            residual,
            conv: 0,
            fc: 0,
            stage: 0,
            block: 0,
            width: 0,
            convs: 0,
            norms: 0,
            features: 0,
            squeezes: 0,
        }
    }

    /// A convolution and its BatchNorm.
    pub fn conv(&mut self) -> (String, String) {
        let number = self.conv;
        self.conv += 3;
        (format!("conv_layers.{number}"), format!("conv_layers.{}", number + 1))
    }

    /// A max-pool, which has no parameter but takes a number.
    pub fn pool(&mut self) {
        self.conv += 1;
    }

    /// A residual block.
    pub fn block(&mut self, width: usize, stride: usize) -> String {
        if self.stage == 0 || stride > 1 || width != self.width {
            (self.stage, self.block, self.width) = (self.stage + 1, 0, width);
        }
        self.block += 1;
        format!("layer{}.{}", self.stage, self.block - 1)
    }

    /// A stage of a network that is named as torchvision's MobileNetV2 is: `features.0`.
    pub fn feature(&mut self) -> String {
        self.features += 1;
        format!("features.{}", self.features - 1)
    }

    /// A squeeze-and-excitation.
    pub fn squeeze(&mut self) -> String {
        self.squeezes += 1;
        format!("se{}", self.squeezes)
    }

    /// A residual network's convolution outside of blocks, and its BatchNorm.
    pub fn stem(&mut self) -> (String, String) {
        self.norms += 1;
        (self.bare(), format!("bn{}", self.norms))
    }

    /// A convolution outside of blocks that no BatchNorm follows.
    pub fn bare(&mut self) -> String {
        self.convs += 1;
        format!("conv{}", self.convs)
    }

    /// A BatchNorm on its own: a residual network's last one, or a plain one's, which takes a number as its
    /// ReLU does.
    pub fn norm(&mut self) -> String {
        if self.residual {
            self.norms += 1;
            return format!("bn{}", self.norms);
        }
        let number = self.conv;
        self.conv += 2;
        format!("conv_layers.{number}")
    }

    /// A fully connected layer.
    pub fn fc(&mut self) -> String {
        let number = self.fc;
        self.fc += 2;
        if self.features > 0 {
            // A dropout comes first.
            format!("classifier.{}", number + 1)
        } else if self.residual {
            "fc".to_owned()
        } else {
            format!("fc_layers.{number}")
        }
    }
}
