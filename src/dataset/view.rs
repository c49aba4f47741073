//! A split of a data set: its pixels lie on a device as bytes, or are decoded out of files when a
//! batch needs them.

use super::{DataError, Dataset, files::Files, images::Images, moments::moments, shifted::Grid};
use crate::{
    augment::{Augment, shifts},
    dataset::{Data, Split},
    kind,
    rng::{Purpose, Stream},
    shape::Shape,
    tensors::is_host,
};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// The samples of one split.
#[derive(Clone)]
pub struct View {
    pub(super) pixels: Pixels,
    pub(super) shape: Shape,
    pub(super) mean: Tensor<4>,  // [1, channels, 1, 1]
    pub(super) scale: Tensor<4>, // [1, channels, 1, 1]
    /// The labels on the device.
    pub(super) targets: Tensor<1, Int>,
    /// A label for each sample.
    pub labels: Vec<u16>,
    /// Each sample's id: its index in the data set's training or test images.
    pub ids: Vec<u32>,
}

/// Where a batch's pixels come from.
#[derive(Clone)]
pub(super) enum Pixels {
    /// All samples lie on the device.
    Held {
        /// `[samples, channels × height × width]`.
        device: Box<Tensor<2, Int>>,
        /// Where images are changed before they are used, if they are.
        changed: Option<Changed>,
    },
    /// Decoded while they are needed: never more than a few batches.
    Files(Arc<Files>),
}

/// Where held images are changed at random.
#[derive(Clone)]
pub(super) enum Changed {
    /// On the host, out of a copy there.
    Host(Arc<[u8]>),
    /// Where they lie.
    Device(Box<Grid>),
}

/// Ids of the training split, of the validation split and of the scoring split, each ascending. What is
/// held out to score by moves no image into or out of the validation split.
///
/// The held-out samples are drawn with a fixed seed: no run's seed moves an image from one split to
/// the other.
pub fn holdout(train: usize, validation: usize, scoring: usize) -> [Vec<u32>; 3] {
    let mut ids: Vec<u32> = (0..train as u32).collect();
    Stream::new(0, Purpose::Holdout, 0, 0).shuffle(&mut ids);
    let validation = ids.split_off(train - validation.min(train));
    let scoring = ids.split_off(ids.len() - scoring.min(ids.len()));
    let mut splits = [ids, validation, scoring];
    splits.iter_mut().for_each(|ids| ids.sort_unstable());
    splits
}

impl View {
    /// `split` of `dataset`, for `device`; see [`changing`](Self::changing) for augmentation.
    ///
    /// # Errors
    /// [`DataError`] if mean and deviation are to be measured on images in files, and one of them
    /// cannot be read.
    pub fn new(
        dataset: &Dataset,
        data: &Data,
        split: Split,
        device: &Device,
    ) -> Result<Self, DataError> {
        let part = if split == Split::Test { &dataset.test } else { &dataset.train };
        let [train, validation, scoring] =
            holdout(dataset.train.labels.len(), data.validation, data.scoring);
        let ids = match split {
            Split::Train => train,
            Split::Validation => validation,
            Split::Scoring => scoring,
            Split::Test => (0..dataset.test.labels.len() as u32).collect(),
        };
        let pixels = match &part.images {
            Images::Files(files) => Pixels::Files(files.clone()),
            Images::Bytes(images) => {
                let size = dataset.shape.size();
                let samples = TensorData::new(gather(images, &ids, size), [ids.len(), size]);
                let samples = Tensor::from_data(samples, (device, pixel_type(device)));
                Pixels::Held { device: Box::new(samples), changed: None }
            }
        };
        let (mean, std) = moments(&dataset.train, dataset.shape, &data.normalisation)?;
        let channel = |values: Vec<f32>| {
            Tensor::<1>::from_data(values.as_slice(), device).reshape([
                1,
                dataset.shape.channels,
                1,
                1,
            ])
        };
        let labels: Vec<u16> = ids.iter().map(|&id| part.labels[id as usize]).collect();
        let targets: Vec<i32> = labels.iter().map(|&label| label.into()).collect();
        Ok(Self {
            pixels,
            shape: dataset.shape,
            targets: Tensor::from_data(targets.as_slice(), device),
            mean: channel(mean.iter().map(|mean| (mean * 255.0) as f32).collect()),
            scale: channel(std.iter().map(|std| (1.0 / (std * 255.0)) as f32).collect()),
            labels,
            ids,
        })
    }

    /// Ready for changes of the training images at random. A GPU moves pixels where they lie, if that is
    /// all that `augment` does; otherwise a copy of the images is kept on the host and changed there.
    pub fn changing(self, dataset: &Dataset, augment: &[kind::Choice<dyn Augment>]) -> Self {
        let on_host = is_host(&self.mean.device()) || !shifts(augment);
        self.changing_on(dataset, on_host)
    }

    pub(super) fn changing_on(mut self, dataset: &Dataset, on_host: bool) -> Self {
        let (shape, device) = (self.shape, self.mean.device());
        if let (Pixels::Held { changed, .. }, Images::Bytes(images)) =
            (&mut self.pixels, &dataset.train.images)
        {
            *changed = Some(if on_host {
                Changed::Host(gather(images, &self.ids, shape.size()).into())
            } else {
                Changed::Device(Box::new(Grid::new(shape, &device)))
            });
        }
        self
    }

    /// Where it lies.
    pub fn device(&self) -> Device {
        self.mean.device()
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the split holds no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// The images of `ids`, `size` bytes each, one after another.
fn gather(images: &[u8], ids: &[u32], size: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(ids.len() * size);
    for &id in ids {
        pixels.extend_from_slice(&images[id as usize * size..][..size]);
    }
    pixels
}

/// Bytes, where the device's language knows them: WGSL has no type below 32 bits.
pub(super) fn pixel_type(device: &Device) -> DType {
    if device.supports_dtype(DType::U8) { DType::U8 } else { DType::I32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{FashionMini, Normalisation, Storage};

    #[test]
    fn the_holdout_is_a_fixed_partition() {
        assert_eq!(holdout(10, 3, 2)[1], [4, 6, 7], "a change here moves images between splits");
        let [train, held, _] = holdout(100, 20, 0);
        assert_eq!((train.len(), held.len()), (80, 20));
        let mut all = [train, held.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        assert_eq!(held, holdout(100, 20, 0)[1]);
        let [less, same, scoring] = holdout(100, 20, 10);
        assert!(same == held && scoring.iter().all(|id| !less.contains(id) && !same.contains(id)));
        assert_eq!((less.len(), scoring.len()), (70, 10));
        assert!(holdout(5, 0, 0)[1].is_empty());
    }

    #[test]
    fn batches_are_normalised_to_zero_mean_and_unit_variance() {
        let data = FashionMini.load().unwrap();
        let info = FashionMini.probe().unwrap();
        let format = FashionMini.into();
        let data_config = Data {
            format,
            validation: 0,
            scoring: 0,
            normalisation: Normalisation::Measured,
            info,
        };
        let view = View::new(&data, &data_config, Split::Train, &Device::flex()).unwrap();
        let all: Vec<u32> = (0..view.len() as u32).collect();
        let images = view.batches(&all, all.len(), None).unwrap().next().unwrap().unwrap().images;
        let mean: f32 = images.clone().mean().into_scalar();
        let square: f32 = (images.clone() * images).mean().into_scalar();
        assert!(mean.abs() < 1e-3 && (square - 1.0).abs() < 1e-3, "{mean} {square}");
    }
}
