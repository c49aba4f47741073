//! Batches on a device, normalised; out of pixels that lie there or out of files.

use super::{
    DataError,
    changes::Changes,
    files::Decoding,
    view::{Pixels, View, pixel_type},
};
use crate::{
    augment::augment,
    rng::{Purpose, Stream},
    shape::Shape,
};
use burn::tensor::{Int, Tensor, TensorData};

/// Images and labels of one step.
pub struct Batch {
    /// Normalised, `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// `[batch]`.
    pub labels: Tensor<1, Int>,
}

/// Batches, one after another.
pub struct Batches<'a> {
    view: &'a View,
    indices: std::slice::Chunks<'a, u32>,
    source: Source<'a>,
}

/// What batches are made of.
enum Source<'a> {
    Held { samples: &'a Tensor<2, Int>, host: Option<&'a [u8]>, changes: Option<Changes<'a>> },
    Files(Decoding),
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.indices.next()?;
        Some(match &mut self.source {
            Source::Held { samples, host, changes } => {
                Ok(self.view.held(samples, *host, indices, *changes))
            }
            Source::Files(decoding) => {
                decoding.take().map(|pixels| self.view.on_device(pixels, indices))
            }
        })
    }
}

impl View {
    /// The samples at `indices` in this split (not ids), normalised, `size` at a time and the rest
    /// in a last batch; changed at random before, if `changes` says how.
    ///
    /// Images in files are decoded ahead, on threads that the whole process shares; what
    /// they become does not depend on how many.
    ///
    /// # Errors
    /// [`DataError`] if there are no threads to be had. A batch is one if a file is damaged.
    pub fn batches<'a>(
        &'a self,
        indices: &'a [u32],
        size: usize,
        changes: Option<Changes<'a>>,
    ) -> Result<Batches<'a>, DataError> {
        let source = match &self.pixels {
            Pixels::Held { device: samples, host } => {
                Source::Held { samples, host: host.as_deref(), changes }
            }
            Pixels::Files(files) => {
                let ids =
                    |indices: &[u32]| indices.iter().map(|&at| self.ids[at as usize]).collect();
                Source::Files(files.decode(indices.chunks(size).map(ids).collect(), changes)?)
            }
        };
        Ok(Batches { view: self, indices: indices.chunks(size), source })
    }

    /// A batch out of pixels that are held.
    ///
    /// # Panics
    /// If there are `changes` and the view was made without [`with_host`](Self::with_host).
    fn held(
        &self,
        samples: &Tensor<2, Int>,
        host: Option<&[u8]>,
        indices: &[u32],
        changes: Option<Changes<'_>>,
    ) -> Batch {
        let Some(Changes { augment: list, seed, epoch }) = changes else {
            let at: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
            let at = Tensor::<1, Int>::from_data(at.as_slice(), &self.mean.device());
            return self.normalised(samples.clone().select(0, at), indices);
        };
        let host = host.expect("views whose images change are made with_host");
        let size = self.shape.size();
        let mut pixels = Vec::with_capacity(indices.len() * size);
        for &index in indices {
            let image = &host[index as usize * size..][..size];
            let mut stream =
                Stream::new(seed, Purpose::Augment, epoch, self.ids[index as usize].into());
            pixels.extend(augment(image, self.shape, list, &mut stream));
        }
        self.on_device(pixels, indices)
    }

    /// A batch out of pixels on the host.
    fn on_device(&self, pixels: Vec<u8>, indices: &[u32]) -> Batch {
        let device = self.mean.device();
        let data = TensorData::new(pixels, [indices.len(), self.shape.size()]);
        self.normalised(Tensor::from_data(data, (&device, pixel_type(&device))), indices)
    }

    /// `pixels` `[batch, channels × height × width]` with the labels of `indices`.
    fn normalised(&self, pixels: Tensor<2, Int>, indices: &[u32]) -> Batch {
        let Shape { channels, height, width } = self.shape;
        let images = pixels.float().reshape([indices.len(), channels, height, width]);
        let labels: Vec<i32> =
            indices.iter().map(|&index| i32::from(self.labels[index as usize])).collect();
        Batch {
            images: (images - self.mean.clone()) * self.scale.clone(),
            labels: Tensor::from_data(labels.as_slice(), &self.mean.device()),
        }
    }
}
