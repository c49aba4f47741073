//! A split of a data set on a device, as bytes that are normalised when a batch is gathered.

use super::{Dataset, augment::augment, loaded::Part};
use crate::{
    config::{Augment, Data, Normalisation, Shape, Split},
    rng::{Purpose, Stream},
};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// The samples of one split, on a device.
#[derive(Clone)]
pub struct View {
    pixels: Tensor<2, Int>, // [samples, channels × height × width]
    /// The same pixels on the host, where images are changed before they are used.
    host: Option<Arc<[u8]>>,
    shape: Shape,
    mean: Tensor<4>,  // [1, channels, 1, 1]
    scale: Tensor<4>, // [1, channels, 1, 1]
    /// A label for each sample.
    pub labels: Vec<u8>,
    /// Each sample's id: its place in the data set's training or test images.
    pub ids: Vec<u32>,
}

/// Images and labels of one step.
pub struct Batch {
    /// Normalised, `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// `[batch]`.
    pub labels: Tensor<1, Int>,
}

/// Ids of the training split and of the validation split, both ascending.
///
/// The held-out samples are drawn with a fixed seed: no run's seed moves an image from one split to
/// the other.
pub fn holdout(train: usize, validation: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ids: Vec<u32> = (0..train as u32).collect();
    Stream::new(0, Purpose::Holdout, 0, 0).shuffle(&mut ids);
    let mut held = ids.split_off(train - validation.min(train));
    ids.sort_unstable();
    held.sort_unstable();
    (ids, held)
}

impl View {
    /// Puts `split` of `dataset` on `device`; see [`with_host`](Self::with_host) for augmentation.
    pub fn new(dataset: &Dataset, data: &Data, split: Split, device: &Device) -> Self {
        let part = if split == Split::Test { &dataset.test } else { &dataset.train };
        let (train, held) = holdout(dataset.train.labels.len(), data.validation);
        let ids = match split {
            Split::Train => train,
            Split::Validation => held,
            Split::Test => (0..dataset.test.labels.len() as u32).collect(),
        };
        let size = dataset.shape.size();
        let mut pixels = Vec::with_capacity(ids.len() * size);
        for &id in &ids {
            pixels.extend_from_slice(&part.images[id as usize * size..][..size]);
        }
        let (mean, std) = moments(&dataset.train, dataset.shape, &data.normalisation);
        let channel = |values: Vec<f32>| {
            Tensor::<1>::from_data(values.as_slice(), device).reshape([
                1,
                dataset.shape.channels,
                1,
                1,
            ])
        };
        Self {
            host: None,
            pixels: Tensor::from_data(
                TensorData::new(pixels, [ids.len(), size]),
                (device, pixel_type(device)),
            ),
            shape: dataset.shape,
            mean: channel(mean.iter().map(|mean| (mean * 255.0) as f32).collect()),
            scale: channel(std.iter().map(|std| (1.0 / (std * 255.0)) as f32).collect()),
            labels: ids.iter().map(|&id| part.labels[id as usize]).collect(),
            ids,
        }
    }

    /// Keeps a copy of the pixels on the host, which [`augmented`](Self::augmented) needs.
    pub fn with_host(mut self, dataset: &Dataset) -> Self {
        let size = self.shape.size();
        let images = self.ids.iter().map(|&id| &dataset.train.images[id as usize * size..][..size]);
        self.host = Some(images.flatten().copied().collect());
        self
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the split holds no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The samples at `places` in this split (not ids), normalised.
    pub fn batch(&self, places: &[u32]) -> Batch {
        let device = self.mean.device();
        let at: Vec<i32> = places.iter().map(|&place| place as i32).collect();
        let at = Tensor::<1, Int>::from_data(at.as_slice(), &device);
        self.normalised(self.pixels.clone().select(0, at), places)
    }

    /// The samples at `places`, changed at random and then normalised.
    ///
    /// # Panics
    /// If the view was made without [`with_host`](Self::with_host).
    pub fn augmented(&self, places: &[u32], changes: &[Augment], seed: u64, epoch: u64) -> Batch {
        let host = self.host.as_ref().expect("augmented views are made with_host");
        let size = self.shape.size();
        let mut pixels = Vec::with_capacity(places.len() * size);
        for &place in places {
            let image = &host[place as usize * size..][..size];
            let mut stream =
                Stream::new(seed, Purpose::Augment, epoch, self.ids[place as usize].into());
            pixels.extend(augment(image, self.shape, changes, &mut stream));
        }
        let device = self.mean.device();
        let data = TensorData::new(pixels, [places.len(), size]);
        self.normalised(Tensor::from_data(data, (&device, pixel_type(&device))), places)
    }

    /// `pixels` `[batch, channels × height × width]` with the labels of `places`.
    fn normalised(&self, pixels: Tensor<2, Int>, places: &[u32]) -> Batch {
        let Shape { channels, height, width } = self.shape;
        let images = pixels.float().reshape([places.len(), channels, height, width]);
        let labels: Vec<i32> =
            places.iter().map(|&place| i32::from(self.labels[place as usize])).collect();
        Batch {
            images: (images - self.mean.clone()) * self.scale.clone(),
            labels: Tensor::from_data(labels.as_slice(), &self.mean.device()),
        }
    }
}

/// Bytes, where the device's language knows them: WGSL has no type below 32 bits.
fn pixel_type(device: &Device) -> DType {
    if device.supports_dtype(DType::U8) { DType::U8 } else { DType::I32 }
}

/// Per-channel mean and standard deviation of pixels scaled to [0, 1].
fn moments(train: &Part, shape: Shape, normalisation: &Normalisation) -> (Vec<f64>, Vec<f64>) {
    if let Normalisation::Given { mean, std } = normalisation {
        return (mean.clone(), std.clone());
    }
    let plane = shape.height * shape.width;
    let mut sums = vec![(0u64, 0u64); shape.channels];
    for (index, pixels) in train.images.chunks_exact(plane).enumerate() {
        let (sum, squares) = &mut sums[index % shape.channels];
        for &pixel in pixels {
            *sum += u64::from(pixel);
            *squares += u64::from(pixel) * u64::from(pixel);
        }
    }
    let count = (train.labels.len() * plane) as f64;
    sums.iter()
        .map(|&(sum, squares)| {
            let mean = sum as f64 / count / 255.0;
            let variance = squares as f64 / count / (255.0 * 255.0) - mean * mean;
            // A channel without any contrast is centred and left unscaled.
            (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holdout_is_a_fixed_partition() {
        assert_eq!(holdout(10, 3).1, [4, 6, 7], "a change here moves images between splits");
        let (train, held) = holdout(100, 20);
        assert_eq!((train.len(), held.len()), (80, 20));
        let mut all = [train, held.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        assert_eq!(held, holdout(100, 20).1);
        assert!(holdout(5, 0).1.is_empty());
    }

    #[test]
    fn batches_are_normalised_to_zero_mean_and_unit_variance() {
        let data = crate::data::load(&crate::config::Format::FashionMini).unwrap();
        let info = crate::data::probe(&crate::config::Format::FashionMini).unwrap();
        let format = crate::config::Format::FashionMini;
        let data_config =
            Data { format, validation: 0, normalisation: Normalisation::Measured, info };
        let view = View::new(&data, &data_config, Split::Train, &Device::flex());
        let all: Vec<u32> = (0..view.len() as u32).collect();
        let images = view.batch(&all).images;
        let mean: f32 = images.clone().mean().into_scalar();
        let square: f32 = (images.clone() * images).mean().into_scalar();
        assert!(mean.abs() < 1e-3 && (square - 1.0).abs() < 1e-3, "{mean} {square}");
    }
}
