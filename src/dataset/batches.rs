//! Batches on a device, normalised; out of pixels that lie there or out of files.

use super::{
    DataError,
    changes::Changes,
    files::Decoding,
    shifted::Grid,
    view::{Changed, Pixels, View, pixel_type},
};
use crate::{
    augment::{Shift, augment, shift},
    kernels::{Frame, frame},
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
    /// Their indices in the split, `[batch]`.
    pub at: Tensor<1, Int>,
}

/// Batches, one after another.
pub struct Batches<'a> {
    view: &'a View,
    indices: std::slice::Chunks<'a, u32>,
    source: Source<'a>,
}

/// What batches are made of.
enum Source<'a> {
    /// As they lie on the device.
    Held(&'a Tensor<2, Int>),
    /// The same, changed.
    Changed {
        samples: &'a Tensor<2, Int>,
        place: &'a Changed,
        changes: Changes<'a>,
    },
    Files(Decoding),
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.indices.next()?;
        Some(match &mut self.source {
            Source::Held(samples) => Ok(self.view.held(samples, indices)),
            Source::Changed { samples, place, changes } => {
                Ok(self.view.changed(samples, place, indices, *changes))
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
    ///
    /// # Panics
    /// If there are `changes` and the view was made without [`changing`](Self::changing).
    pub fn batches<'a>(
        &'a self,
        indices: &'a [u32],
        size: usize,
        changes: Option<Changes<'a>>,
    ) -> Result<Batches<'a>, DataError> {
        let source = match &self.pixels {
            Pixels::Held { device: samples, changed } => match changes {
                None => Source::Held(samples),
                Some(changes) => {
                    let place =
                        changed.as_ref().expect("views whose images change are made `changing`");
                    Source::Changed { samples, place, changes }
                }
            },
            Pixels::Files(files) => {
                let ids =
                    |indices: &[u32]| indices.iter().map(|&at| self.ids[at as usize]).collect();
                Source::Files(files.decode(indices.chunks(size).map(ids).collect(), changes)?)
            }
        };
        Ok(Batches { view: self, indices: indices.chunks(size), source })
    }

    /// A batch out of pixels that are held.
    fn held(&self, samples: &Tensor<2, Int>, indices: &[u32]) -> Batch {
        let at = self.indices(indices);
        match frame(samples, &at, [&self.mean, &self.scale], self.frame(indices, false)) {
            Some(images) => self.labelled(images, at),
            None => self.batch(self.floats(samples.clone().select(0, at.clone())), at),
        }
    }

    /// The same after changes at random.
    fn changed(
        &self,
        samples: &Tensor<2, Int>,
        place: &Changed,
        indices: &[u32],
        changes: Changes<'_>,
    ) -> Batch {
        let Changes { augment: list, seed, epoch } = changes;
        let stream = |index: u32| {
            Stream::new(seed, Purpose::Augment, epoch, self.ids[index as usize].into())
        };
        match place {
            Changed::Host(host) => {
                let size = self.shape.size();
                let mut pixels = Vec::with_capacity(indices.len() * size);
                for &index in indices {
                    let image = &host[index as usize * size..][..size];
                    pixels.extend(augment(image, self.shape, list, &mut stream(index)));
                }
                self.on_device(pixels, indices)
            }
            Changed::Device(grid) => {
                let shifts = indices.iter();
                let shifts: Vec<Shift> =
                    shifts.map(|&index| shift(self.shape, list, &mut stream(index))).collect();
                let numbers = Grid::numbers(indices, &shifts, &samples.device());
                let own = self.frame(indices, true);
                let at = numbers.clone().slice(0..indices.len());
                if let Some(images) = frame(samples, &numbers, [&self.mean, &self.scale], own) {
                    return self.labelled(images, at);
                }
                let (pixels, is_pixel) = grid.shift(samples, numbers);
                self.batch(self.floats(pixels) * is_pixel.float(), at)
            }
        }
    }

    /// A batch out of pixels on the host.
    fn on_device(&self, pixels: Vec<u8>, indices: &[u32]) -> Batch {
        let device = self.mean.device();
        let data = TensorData::new(pixels, [indices.len(), self.shape.size()]);
        let pixels = Tensor::from_data(data, (&device, pixel_type(&device)));
        let at = self.indices(indices);
        let places =
            Tensor::from_data((0..indices.len() as i32).collect::<Vec<_>>().as_slice(), &device);
        match frame(&pixels, &places, [&self.mean, &self.scale], self.frame(indices, false)) {
            Some(images) => self.labelled(images, at),
            None => self.batch(self.floats(pixels), at),
        }
    }

    fn indices(&self, indices: &[u32]) -> Tensor<1, Int> {
        let at: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        Tensor::from_data(at.as_slice(), &self.mean.device())
    }

    /// `pixels` `[batch, channels × height × width]`, not yet normalised.
    fn floats(&self, pixels: Tensor<2, Int>) -> Tensor<4> {
        let Shape { channels, height, width } = self.shape;
        let batch = pixels.dims()[0];
        pixels.float().reshape([batch, channels, height, width])
    }

    /// `images`, normalised, with the labels of the samples `at` their indices.
    fn batch(&self, images: Tensor<4>, at: Tensor<1, Int>) -> Batch {
        self.labelled((images - self.mean.clone()) * self.scale.clone(), at)
    }

    /// What a batch is made of by one operation.
    fn frame(&self, indices: &[u32], is_shifted: bool) -> Frame {
        let Shape { channels, height, width } = self.shape;
        Frame { batch: indices.len(), shape: [channels, height, width], is_shifted }
    }

    /// Normalised `images` with the labels of the samples `at` their indices.
    fn labelled(&self, images: Tensor<4>, at: Tensor<1, Int>) -> Batch {
        Batch { images, labels: self.targets.clone().select(0, at.clone()), at }
    }
}
