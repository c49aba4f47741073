//! Images that a device shifts itself: the host draws where to, a few integers per image.

use crate::{augment::Shift, shape::Shape};
use burn::tensor::{Device, Int, Tensor};

/// The rows and columns of an image, on a device.
#[derive(Clone)]
pub(super) struct Grid {
    shape: Shape,
    rows: Tensor<3, Int>,    // [1, height, 1]
    columns: Tensor<3, Int>, // [1, 1, width]
}

/// What of a batch a device must be told: for each image its index, and how it is shifted.
const NUMBERS: usize = 8;

impl Grid {
    pub fn new(shape: Shape, device: &Device) -> Self {
        let Shape { height, width, .. } = shape;
        let count = |to: usize| Tensor::<1, Int>::arange(0..to as i64, device);
        let rows = count(height).reshape([1, height, 1]);
        Self { shape, rows, columns: count(width).reshape([1, 1, width]) }
    }

    /// What a batch is told, by a single upload: `[NUMBERS × batch]`, the indices first.
    pub fn numbers(indices: &[u32], shifts: &[Shift], device: &Device) -> Tensor<1, Int> {
        let batch = indices.len();
        let mut numbers = Vec::with_capacity(NUMBERS * batch);
        numbers.extend(indices.iter().map(|&index| index as i32));
        let parts: [fn(&Shift) -> i32; NUMBERS - 1] = [
            |shift| shift.down,
            |shift| shift.right,
            |shift| shift.step,
            |shift| shift.rows[0],
            |shift| shift.rows[1],
            |shift| shift.columns[0],
            |shift| shift.columns[1],
        ];
        for part in parts {
            numbers.extend(shifts.iter().map(part));
        }
        Tensor::from_data(numbers.as_slice(), device)
    }

    /// The pixels of `samples` at these [`numbers`](Self::numbers), shifted; and a 1 for each pixel that is one, a 0
    /// for black, `[batch, 1, height, width]`.
    pub fn shift(
        &self,
        samples: &Tensor<2, Int>,
        numbers: Tensor<1, Int>,
    ) -> (Tensor<2, Int>, Tensor<4, Int>) {
        let Shape { channels, height, width } = self.shape;
        let batch = numbers.dims()[0] / NUMBERS;
        // A part of it that is aligned is no copy.
        let numbers = |row: usize| numbers.clone().slice(row * batch..(row + 1) * batch);
        let at = numbers(0);
        let number = |row| numbers(row).reshape([batch, 1, 1]);
        let (rows, columns) = (self.rows.clone(), self.columns.clone());
        let is_row =
            rows.clone().greater_equal(number(4)).int() * rows.clone().lower(number(5)).int();
        let is_column =
            columns.clone().greater_equal(number(6)).int() * columns.clone().lower(number(7)).int();
        let is_pixel = is_row * is_column; // [batch, height, width]
        let from = (rows + number(1)) * width as i64 + columns * number(3) + number(2);
        let size = height * width;
        // Black is read from pixel 0, and not used.
        let from = (from * is_pixel.clone()).reshape([batch, 1, size]);
        let from = from.expand([batch, channels, size]);
        let pixels = samples.clone().select(0, at).reshape([batch, channels, size]);
        let pixels = pixels.gather(2, from).reshape([batch, channels * size]);
        (pixels, is_pixel.reshape([batch, 1, height, width]))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        augment::{Augment, Crop, Flip},
        dataset::{Changes, Data, FashionMini, Normalisation, Split, Storage, View},
        kind::Choice,
    };
    use burn::tensor::Device;

    #[test]
    fn a_device_shifts_images_to_the_same_bits_as_the_host() {
        let dataset = FashionMini.load().unwrap();
        let (format, info) = (FashionMini.into(), FashionMini.probe().unwrap());
        let normalisation = Normalisation::Measured;
        let data = Data { format, validation: 4900, scoring: 0, normalisation, info };
        let view = View::new(&dataset, &data, Split::Train, &Device::flex()).unwrap();
        let [host, device] = [true, false].map(|host| view.clone().changing_on(&dataset, host));
        #[cfg(feature = "wgpu")]
        let on_gpu = {
            let gpu = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
            View::new(&dataset, &data, Split::Train, &gpu).unwrap().changing_on(&dataset, false)
        };
        let (crop, flip) = (Choice::<dyn Augment>::from(Crop {}), Choice::from(Flip {}));
        let lists = [
            vec![crop.clone()],
            vec![flip.clone()],
            vec![crop.clone(), flip.clone()],
            vec![flip.clone(), crop.clone()],
            vec![crop.clone(), crop.clone()],
            vec![crop.clone(), flip, crop],
        ];
        let indices: Vec<u32> = (0..view.len() as u32).rev().collect();
        let mut seen = std::collections::BTreeSet::new();
        for augment in &lists {
            let changes = Some(Changes { augment, seed: 3, epoch: 1 });
            let all = |view: &View| -> Vec<(Vec<u32>, Vec<i64>)> {
                let batches = view.batches(&indices, 37, changes).unwrap().map(Result::unwrap);
                let bits = |images: Vec<f32>| images.into_iter().map(f32::to_bits).collect();
                let told = |batch: crate::dataset::Batch| {
                    let images = batch.images.into_data().try_into_vec_as::<f32>().unwrap();
                    (bits(images), batch.labels.into_data().try_into_vec_as::<i64>().unwrap())
                };
                batches.map(told).collect()
            };
            let here = all(&host);
            assert!(here == all(&device), "{augment:?}");
            #[cfg(feature = "wgpu")]
            assert!(here == all(&on_gpu), "on a GPU: {augment:?}");
            seen.insert(here);
        }
        assert_eq!(seen.len(), lists.len(), "each list gives other images");
    }
}
