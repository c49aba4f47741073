//! What a step does beside its layers, by a kernel each where there is one: on any device but the CPU, which makes
//! the same of several operations and waits for none of them.

#[cfg(not(feature = "cube"))]
use super::absent as gpu;
#[cfg(feature = "cube")]
use super::cube as gpu;
use super::{
    asked::{Descent, Frame, Moments, Weights},
    on_cpu,
};
use burn::tensor::{DType, Int, Tensor};

/// The weighted sum over a batch of cross entropies with the labels and of divergences from the teacher, `[1]`; no
/// gradient flows into the teacher. Logits are `[batch, classes]`, labels `[batch]`, i32. None on the CPU.
pub fn soft_loss(
    student: &Tensor<2>,
    labels: &Tensor<1, Int>,
    teacher: Option<&Tensor<2>>,
    weights: Weights,
) -> Option<Tensor<1>> {
    let is_here = !on_cpu(&student.device()) && labels.dtype() == DType::I32;
    is_here.then(|| gpu::soft_loss(student.clone(), labels.clone(), teacher.cloned(), weights))
}

/// `numbers` with a loss, `[1]`, and the count of images whose largest logit is at their label in the `places`
/// given; logits `[batch, classes]`, labels `[batch]`.
///
/// # Errors
/// `numbers` as they were, on the CPU.
#[allow(clippy::result_large_err, reason = "it is what was given")]
pub fn score(
    numbers: Tensor<1>,
    loss: &Tensor<1>,
    logits: &Tensor<2>,
    labels: &Tensor<1, Int>,
    places: [usize; 2],
) -> Result<Tensor<1>, Tensor<1>> {
    if on_cpu(&numbers.device()) || labels.dtype() != DType::I32 {
        return Err(numbers);
    }
    // Numbers that nobody else has are changed where they lie.
    Ok(gpu::score_step(numbers, loss.clone(), logits.clone(), labels.clone(), places))
}

/// The mean over an image's pixels, `[batch, 1, 1, channels]` out of `[batch, row, column, channels]`. None on the
/// CPU.
pub fn mean(x: &Tensor<4>) -> Option<Tensor<4>> {
    (!on_cpu(&x.device())).then(|| gpu::mean_pixels(x.clone()))
}

/// Parameters, `[length]`, and their velocity after a step. None on the CPU.
pub fn descend(
    value: &Tensor<1>,
    gradient: &Tensor<1>,
    velocity: &Tensor<1>,
    descent: Descent,
) -> Option<[Tensor<1>; 2]> {
    let is_here = !on_cpu(&value.device());
    is_here.then(|| gpu::descend_all(value.clone(), gradient.clone(), velocity.clone(), descent))
}

/// Parameters, `[length]`, and the first and second moments of their gradients after a step. None on the CPU.
pub fn adapt(
    value: &Tensor<1>,
    gradient: &Tensor<1>,
    [first, second]: [&Tensor<1>; 2],
    moments: Moments,
) -> Option<[Tensor<1>; 3]> {
    let is_here = !on_cpu(&value.device());
    is_here.then(|| {
        let before = [first, second].map(Clone::clone);
        gpu::adapt_all(value.clone(), gradient.clone(), before, moments)
    })
}

/// A batch `[batch, channels, height, width]` out of `samples`, `[samples, channels × height × width]` bytes: less
/// the channels' mean, times their scale. `numbers` are the samples' indices, `[batch]`, or `[8 × batch]`: these,
/// then how far each is moved down and right and in which step, and the rows and columns that then are pixels and
/// not black. None on the CPU.
pub fn frame(
    samples: &Tensor<2, Int>,
    numbers: &Tensor<1, Int>,
    [mean, scale]: [&Tensor<4>; 2],
    frame: Frame,
) -> Option<Tensor<4>> {
    let is_here = !on_cpu(&samples.device()) && numbers.dtype() == DType::I32;
    is_here.then(|| {
        let [mean, scale] = [mean, scale].map(Clone::clone);
        gpu::frame_batch(samples.clone(), numbers.clone(), [mean, scale], frame)
    })
}
