//! BatchNorm (Ioffe and Szegedy 2015, algorithm 1) with the ReLU, the sum with a shortcut and the
//! 2×2 max-pool that follow it, each way in one pass over an image.

use super::lanes::{LANES, padded, vectorised};

/// Pixels of a block, whose values stay in the first-level cache, 8 KiB of an array, from one vector of channels to
/// the next: a vector of channels along all of an image would bring in each line of memory anew.
fn block(channels: usize) -> usize {
    (2048 / channels).max(1)
}

/// What follows the normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum After {
    /// Nothing.
    Nothing,
    /// ReLU.
    Relu,
    /// min(ReLU, 6) (Howard et al. 2017).
    Relu6,
    /// ReLU, then the maximum of each 2×2 pixels; an odd last row or column is dropped.
    Pool,
}

impl After {
    /// Rows and columns of what comes out of an image.
    pub fn shape(self, image: [usize; 2]) -> [usize; 2] {
        if self == Self::Pool { image.map(|length| length / 2) } else { image }
    }
}

/// Sums of a value and of its square for each channel, of some pixels.
pub(crate) struct Sums {
    sum: Vec<f64>,
    square: Vec<f64>,
}

impl Sums {
    pub fn new(channels: usize) -> Self {
        Self { sum: vec![0.0; channels], square: vec![0.0; channels] }
    }

    /// Takes what `sum` and `square` have gathered, and clears them. They are f32, for some hundred
    /// pixels; from there on sums are f64, so that their difference keeps f32's digits.
    pub fn take(&mut self, sum: &mut [f32], square: &mut [f32]) {
        for (totals, part) in [(&mut self.sum, sum), (&mut self.square, square)] {
            totals
                .iter_mut()
                .zip(part)
                .for_each(|(total, part)| *total += f64::from(std::mem::take(part)));
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (totals, parts) in [(&mut self.sum, &other.sum), (&mut self.square, &other.square)] {
            totals.iter_mut().zip(parts).for_each(|(total, part)| *total += part);
        }
    }

    /// Behind the channels of these come those of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.sum.extend(&other.sum);
        self.square.extend(&other.square);
    }

    /// Mean and biased variance of each channel over `count` pixels.
    pub fn moments(&self, count: usize) -> (Vec<f64>, Vec<f64>) {
        let count = count as f64;
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / count).collect();
        let pairs = self.square.iter().zip(&mean);
        let variance =
            pairs.map(|(square, mean)| (square / count - mean * mean).max(0.0)).collect();
        (mean, variance)
    }

    /// The sums themselves.
    pub fn parts(&self) -> (&[f64], &[f64]) {
        (&self.sum, &self.square)
    }
}

/// `values` as f32, filled up with zeros to whole vectors.
pub(crate) fn lane_values(values: impl ExactSizeIterator<Item = f64>) -> Vec<f32> {
    let length = padded(values.len());
    let mut out: Vec<f32> = values.map(|value| value as f32).collect();
    out.resize(length, 0.0);
    out
}

/// `y · scale + shift` for each channel; both are filled up to whole vectors.
#[derive(Debug)]
pub(crate) struct Affine {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// γ/√(σ²+ε) and β − μ·γ/√(σ²+ε).
pub(crate) fn affine(
    [gamma, beta]: [&[f32]; 2],
    [mean, variance]: [&[f64]; 2],
    epsilon: f64,
) -> Affine {
    let scale: Vec<f64> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, variance)| f64::from(gamma) / (variance + epsilon).sqrt())
        .collect();
    let shift = beta.iter().zip(mean).zip(&scale);
    let shift = shift.map(|((&beta, mean), scale)| f64::from(beta) - mean * scale);
    Affine { shift: lane_values(shift), scale: lane_values(scale.iter().copied()) }
}

vectorised! {
    /// One image: `out = after(y · scale + shift + shortcut)`, pixels `[row, column, channel]`.
    fn apply<L>(
        y: &[f32], shortcut: Option<&[f32]>, affine: &Affine, image: [usize; 2], after: After, out: &mut [f32],
    ) {
        let channels = y.len() / (image[0] * image[1]);
        let [rows, columns] = after.shape(image);
        let zero = L::splat(0.0);
        if after == After::Pool {
            for row in 0..rows {
                for column in 0..columns {
                    let start = (row * 2 * image[1] + column * 2) * channels;
                    let below = start + image[1] * channels;
                    let out = &mut out[(row * columns + column) * channels..][..channels];
                    for at in (0..channels).step_by(LANES) {
                        let (scale, shift) = (L::load_at(&affine.scale, at), L::load_at(&affine.shift, at));
                        let mut top = zero;
                        for pixel in [start, start + channels, below, below + channels] {
                            let z = L::load_at(&y[pixel..pixel + channels], at).mul_add(scale, shift);
                            top = top.max(z);
                        }
                        top.store_at(out, at);
                    }
                }
            }
            return;
        }
        let pixels = y.len() / channels;
        for first in (0..pixels).step_by(block(channels)) {
            for at in (0..channels).step_by(LANES) {
                let (scale, shift) = (L::load_at(&affine.scale, at), L::load_at(&affine.shift, at));
                for pixel in first..pixels.min(first + block(channels)) {
                    let place = pixel * channels..(pixel + 1) * channels;
                    let mut z = L::load_at(&y[place.clone()], at).mul_add(scale, shift);
                    if let Some(shortcut) = shortcut {
                        z = z.add(L::load_at(&shortcut[place.clone()], at));
                    }
                    if after == After::Relu {
                        // In this order a NaN stays one, so that a loss shows it.
                        z = zero.max(z);
                    } else if after == After::Relu6 {
                        // min(z, 6) = −max(−6, −z), and a NaN stays one.
                        z = zero.sub(L::splat(-6.0).max(zero.sub(zero.max(z))));
                    }
                    z.store_at(&mut out[place], at);
                }
            }
        }
    }
}

/// What [`unapply`] reads of one image.
#[derive(Clone, Copy)]
pub(crate) struct Passed<'a> {
    /// The convolution's outputs.
    pub y: &'a [f32],
    /// What [`apply`] made of them, where it had a shortcut to add.
    pub out: Option<&'a [f32]>,
    /// The gradient of what it made.
    pub gradient: &'a [f32],
    pub image: [usize; 2],
    pub after: After,
}

vectorised! {
    /// The gradient of `y · scale + shift` for one image, from the gradient of what followed: through
    /// the ReLU, and to the first of the greatest of each pool's four pixels.
    fn unapply<L>(passed: Passed<'_>, affine: &Affine, dz: &mut [f32]) {
        let Passed { y, out, gradient, image, after } = passed;
        let channels = y.len() / (image[0] * image[1]);
        let [rows, columns] = after.shape(image);
        if after == After::Nothing {
            dz.copy_from_slice(gradient);
            return;
        }
        if after == After::Pool {
            // Pixels that no pool covers.
            if image.iter().any(|length| length % 2 == 1) {
                dz.fill(0.0);
            }
            for row in 0..rows {
                for column in 0..columns {
                    let start = (row * 2 * image[1] + column * 2) * channels;
                    let below = start + image[1] * channels;
                    let four = [start, start + channels, below, below + channels];
                    let gradient = &gradient[(row * columns + column) * channels..][..channels];
                    for at in (0..channels).step_by(LANES) {
                        let (scale, shift) = (L::load_at(&affine.scale, at), L::load_at(&affine.shift, at));
                        let mut z = [scale; 4];
                        for pixel in 0..4 {
                            let y = &y[four[pixel]..four[pixel] + channels];
                            z[pixel] = L::load_at(y, at).mul_add(scale, shift);
                        }
                        let top = z[0].max(z[1]).max(z[2].max(z[3]));
                        // What is left to give: all where the ReLU lets it through, nothing after
                        // the first pixel that took it.
                        let mut left = top.where_positive(L::load_at(gradient, at));
                        for pixel in 0..4 {
                            let taken = z[pixel].where_equal(top, left);
                            left = left.sub(taken);
                            taken.store_at(&mut dz[four[pixel]..four[pixel] + channels], at);
                        }
                    }
                }
            }
            return;
        }
        let pixels = dz.chunks_exact_mut(channels).zip(y.chunks_exact(channels)).zip(gradient.chunks_exact(channels));
        for (index, ((dz, y), gradient)) in pixels.enumerate() {
            for at in (0..channels).step_by(LANES) {
                let sign = match out {
                    Some(out) => L::load_at(&out[index * channels..][..channels], at),
                    None => L::load_at(y, at)
                        .mul_add(L::load_at(&affine.scale, at), L::load_at(&affine.shift, at)),
                };
                let mut dz_here = sign.where_positive(L::load_at(gradient, at));
                if after == After::Relu6 {
                    dz_here = L::splat(6.0).sub(sign).where_positive(dz_here);
                }
                dz_here.store_at(dz, at);
            }
        }
    }
}

vectorised! {
    /// Adds Σ dz and Σ dz·(y − mean) of one image to `sums` and `products`.
    fn gather_sums<L>(dz: &[f32], y: &[f32], mean: &[f32], channels: usize, sums: &mut [f32], products: &mut [f32]) {
        let floats = block(channels) * channels;
        for (dz, y) in dz.chunks(floats).zip(y.chunks(floats)) {
            for at in (0..channels).step_by(LANES) {
                let center = L::load_at(mean, at);
                let (mut sum, mut product) = (L::load_at(sums, at), L::load_at(products, at));
                for (dz, y) in dz.chunks_exact(channels).zip(y.chunks_exact(channels)) {
                    let dz = L::load_at(dz, at);
                    sum = sum.add(dz);
                    product = dz.mul_add(L::load_at(y, at).sub(center), product);
                }
                sum.store_at(sums, at);
                product.store_at(products, at);
            }
        }
    }
}

vectorised! {
    /// The gradient of the convolution's outputs, `dz · scale − y · slope + shift` with a value of
    /// each for every channel. Without a `dz`, `out` holds it and is written over.
    fn through_norm<L>(
        dz: Option<&[f32]>, y: &[f32], affine: &Affine, slope: &[f32], channels: usize, out: &mut [f32],
    ) {
        for (index, (out, y)) in out.chunks_exact_mut(channels).zip(y.chunks_exact(channels)).enumerate() {
            for at in (0..channels).step_by(LANES) {
                let fixed = L::load_at(&affine.shift, at);
                let from_y = L::splat(0.0).sub(L::load_at(slope, at)).mul_add(L::load_at(y, at), fixed);
                let dz = match dz {
                    Some(dz) => L::load_at(&dz[index * channels..][..channels], at),
                    None => L::load_at(out, at),
                };
                dz.mul_add(L::load_at(&affine.scale, at), from_y).store_at(out, at);
            }
        }
    }
}
