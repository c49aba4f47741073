//! Many tensors as one: an update of all, or a reading of all, is then a launch and not one each.

#[cfg(not(feature = "cube"))]
use super::absent as gpu;
#[cfg(feature = "cube")]
use super::cube as gpu;
use super::{asked::SPACING, on_cpu};
use burn::tensor::{Device, Tensor};

/// Where tensors lie in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    lengths: Vec<usize>,
    /// Each begins at a multiple of this.
    spacing: usize,
}

impl Layout {
    /// Of tensors of such lengths on `device`.
    pub fn new(lengths: Vec<usize>, device: &Device) -> Self {
        Self { lengths, spacing: if on_cpu(device) { 1 } else { SPACING } }
    }

    /// One after the other, zeros between them.
    ///
    /// # Panics
    /// Without a tensor, or if they are not on the layout's device or have other lengths.
    pub fn gather(&self, tensors: Vec<Tensor<1>>) -> Tensor<1> {
        if self.spacing > 1 {
            return gpu::gather(tensors);
        }
        Tensor::cat(tensors, 0)
    }

    /// The adjoint of [`gather`](Self::gather).
    ///
    /// # Panics
    /// If `flat` has another length.
    pub fn scatter(&self, flat: Tensor<1>) -> Vec<Tensor<1>> {
        if self.spacing > 1 {
            return gpu::scatter(flat, &self.lengths);
        }
        self.places().map(|(start, length)| flat.clone().narrow(0, start, length)).collect()
    }

    /// As [`scatter`](Self::scatter), of what a host has read.
    pub fn cut(&self, values: &[f32]) -> Vec<Vec<f32>> {
        self.places().map(|(start, length)| values[start..start + length].to_vec()).collect()
    }

    /// Where each begins, and its length.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.lengths.iter().scan(0, |next, &length| {
            let start = *next;
            *next += length.next_multiple_of(self.spacing);
            Some((start, length))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_as_they_went_in() {
        let device = Device::flex();
        let parts = [vec![1.0_f32, 2.0], vec![3.0], vec![4.0, 5.0, 6.0]];
        let lengths: Vec<usize> = parts.iter().map(Vec::len).collect();
        let layout = Layout::new(lengths.clone(), &device);
        let tensors = parts.iter().map(|part| Tensor::from_data(part.as_slice(), &device));
        let flat = layout.gather(tensors.collect());
        let read = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(layout.cut(&read(flat.clone())), parts);
        let back: Vec<_> = layout.scatter(flat).into_iter().map(read).collect();
        assert_eq!(back, parts);
        let spaced = Layout { lengths, spacing: 4 };
        assert_eq!(spaced.cut(&[1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 4.0, 5.0, 6.0]), parts);
    }
}
