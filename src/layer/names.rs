//! PyTorch's names for parameters.

/// Hands out PyTorch's names.
///
/// Plain layers are called as in the authors' `ConvNetMaker`: a `conv_layers` sequence in which a
/// convolution, its BatchNorm, its ReLU and a max-pool each take a number, then `fc_layers`, in
/// which a ReLU follows each layer but the last. Residual networks are called as in torchvision:
/// `conv1`, `bn1`, `layer1.0`, …, `fc`; a new `layer` starts where width or stride change.
pub struct Names {
    residual: bool,
    conv: usize,
    fc: usize,
    stage: usize,
    block: usize,
    width: usize,
    norms: usize,
}

impl Names {
    /// For a network that is named as torchvision's ResNets are, or as the authors' plain ones.
    pub fn new(residual: bool) -> Self {
        Self { residual, conv: 0, fc: 0, stage: 0, block: 0, width: 0, norms: 0 }
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

    /// A residual network's first convolution and its BatchNorm.
    pub fn stem(&mut self) -> (String, String) {
        self.norms += 1;
        ("conv1".to_owned(), format!("bn{}", self.norms))
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
        if self.residual { "fc".to_owned() } else { format!("fc_layers.{number}") }
    }
}
