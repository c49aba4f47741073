//! What a step asks of a device beside its layers.

/// What a loss is made of.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// Of each image's −log p, p the softmax at its label.
    pub labels: f64,
    /// Of each image's KL(softmax(teacher/τ) ‖ softmax(student/τ)).
    pub teacher: f64,
    /// τ.
    pub temperature: f64,
}

/// A step of `torch.optim.SGD` with momentum.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// Learning rate.
    pub lr: f64,
    /// Momentum.
    pub momentum: f64,
    /// L2 penalty, added to the gradient.
    pub weight_decay: f64,
    /// Whether it looks ahead.
    pub nesterov: bool,
}

/// A step of `torch.optim.Adam` or `AdamW`.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first and second moments.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub epsilon: f64,
    /// Steps made with this one, from 1: the moments are corrected by them.
    pub steps: i32,
    /// L2 penalty, added to the gradient.
    pub penalty: f64,
    /// What is left of the parameters before the step.
    pub keep: f64,
}

/// Images of bytes that a batch is made of.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Images of the batch.
    pub batch: usize,
    /// Channels, rows and columns of an image.
    pub shape: [usize; 3],
    /// Whether each image is moved.
    pub is_shifted: bool,
}

/// On a GPU: a cube's units, so that each cube reads one tensor, and a KiB, where every device takes a tensor that
/// begins there.
pub(super) const SPACING: usize = 256;
