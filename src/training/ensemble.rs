//! Several teachers of one student.

use burn::tensor::Tensor;

/// Teachers, `T` their logits or themselves, in the order in which they are named; at least one.
#[derive(Debug)]
pub struct Ensemble<'a, T> {
    /// Each of them.
    pub each: &'a [T],
    /// What each counts in their mean; alike if nothing is said.
    pub weights: Option<&'a [f64]>,
}

impl<T> Clone for Ensemble<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ensemble<'_, T> {}

impl<'a, T> From<&'a T> for Ensemble<'a, T> {
    /// One teacher alone.
    fn from(teacher: &'a T) -> Self {
        Self { each: std::slice::from_ref(teacher), weights: None }
    }
}

impl<T> Ensemble<'_, T> {
    /// The weighted mean of their `logits`, `[batch, classes]` each; of one its own, to the bit.
    pub(super) fn mean(&self, logits: &[Tensor<2>]) -> Tensor<2> {
        if let [only] = logits {
            return only.clone();
        }
        let weight = |index: usize| self.weights.map_or(1.0, |weights| weights[index]);
        let total: f64 = (0..logits.len()).map(weight).sum();
        let shares = logits.iter().enumerate();
        let shares = shares.map(|(index, logits)| logits.clone() * (weight(index) / total));
        shares.reduce(|sum, share| sum + share).expect("at least one teacher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_mean_is_weighted() {
        let device = Device::flex();
        let each = [[[1.0f32, -1.0]], [[4.0, 2.0]]];
        let each = each.map(|rows| Tensor::<2>::from_floats(rows, &device));
        let mean = |weights: Option<&[f64]>| {
            let mean = Ensemble { each: &[(), ()], weights }.mean(&each);
            mean.into_data().try_into_vec_as::<f32>().unwrap()
        };
        assert_eq!(mean(None), [2.5, 0.5]);
        assert_eq!(mean(Some(&[1.0, 3.0])), [3.25, 1.25]);
    }
}
