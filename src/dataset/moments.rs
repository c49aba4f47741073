//! Mean and deviation of a data set's training images.

use super::{
    DataError,
    images::{Dataset, Images, Part},
};
use crate::{dataset::Normalisation, shape::Shape};

impl Dataset {
    /// Mean and standard deviation of each channel, of pixels scaled to [0, 1], with which images are
    /// normalised.
    ///
    /// # Errors
    /// [`DataError`] if they are to be measured on images in files, and one of them cannot be read.
    pub fn moments(
        &self,
        normalisation: &Normalisation,
    ) -> Result<(Vec<f64>, Vec<f64>), DataError> {
        moments(&self.train, self.shape, normalisation)
    }
}

/// Per-channel mean and standard deviation of pixels scaled to [0, 1].
pub(super) fn moments(
    train: &Part,
    shape: Shape,
    normalisation: &Normalisation,
) -> Result<(Vec<f64>, Vec<f64>), DataError> {
    if let Normalisation::Given { mean, std } = normalisation {
        return Ok((mean.clone(), std.clone()));
    }
    let (sums, count) = match &train.images {
        Images::Bytes(images) => {
            let plane = shape.height * shape.width;
            let mut sums = vec![(0u64, 0u64); shape.channels];
            for (index, pixels) in images.chunks_exact(plane).enumerate() {
                let (sum, squares) = &mut sums[index % shape.channels];
                for &pixel in pixels {
                    *sum += u64::from(pixel);
                    *squares += u64::from(pixel) * u64::from(pixel);
                }
            }
            (sums, (train.labels.len() * plane) as f64)
        }
        Images::Files(files) => {
            let sums = files.sums(&|| false)?;
            (sums.colours.to_vec(), sums.count as f64)
        }
    };
    let moments = sums.iter().map(|&(sum, squares)| {
        let mean = sum as f64 / count / 255.0;
        let variance = squares as f64 / count / (255.0 * 255.0) - mean * mean;
        // A channel without any contrast is centred and left unscaled.
        (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
    });
    Ok(moments.unzip())
}
