//! What a convolution looks like, and how its work is cut up.

use super::norm::After;

/// A convolution's extent. Images lie as `[image, row, column, channel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub images: usize,
    /// Rows and columns of an input image.
    pub input: [usize; 2],
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Groups of channels, each of which has as many filters of its own.
    pub groups: usize,
    /// Rows and columns of the kernel; it is padded by half of that.
    pub kernel_size: usize,
    /// Pixels between two outputs.
    pub stride: usize,
}

impl Geometry {
    /// Images as a convolution that changes nothing.
    pub fn still([images, height, width, channels]: [usize; 4]) -> Self {
        let (filters, input) = (channels, [height, width]);
        Self { images, input, channels, filters, groups: 1, kernel_size: 1, stride: 1 }
    }

    /// Rows and columns of an output image.
    pub fn output(&self) -> [usize; 2] {
        let Self { kernel_size, stride, .. } = *self;
        self.input.map(|length| (length + kernel_size / 2 * 2 - kernel_size) / stride + 1)
    }

    /// Pixels of an input image.
    pub fn input_pixels(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Pixels of an output image.
    pub fn output_pixels(&self) -> usize {
        let [height, width] = self.output();
        height * width
    }

    /// Images that one task works on.
    ///
    /// Sums over the batch are made a task at a time and then added in the tasks' order, so this
    /// depends on the shape alone, never on the number of threads. Few output pixels make few
    /// tasks, since each keeps a weight gradient of its own.
    pub fn images_per_task(&self) -> usize {
        let pixels = self.images * self.output_pixels();
        let tasks = match pixels {
            6144.. => 16,
            3072.. => 8,
            _ => 4,
        };
        self.images.div_ceil(tasks).max(1)
    }
}

/// A layer: its extent and what follows the normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// The convolution.
    pub geometry: Geometry,
    /// What follows.
    pub after: After,
    /// BatchNorm's ε.
    pub epsilon: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_sizes_are_pytorchs() {
        let with = |length, kernel_size, stride| {
            let input = [length; 2];
            Geometry { images: 1, input, channels: 1, filters: 1, groups: 1, kernel_size, stride }
                .output()[0]
        };
        // torch.nn.Conv2d with padding = kernel_size // 2
        for (length, kernel_size, stride, want) in [
            (32, 3, 1, 32),
            (32, 3, 2, 16),
            (7, 3, 2, 4),
            (32, 1, 2, 16),
            (7, 1, 2, 4),
            (224, 7, 2, 112),
            (1, 3, 1, 1),
        ] {
            assert_eq!(with(length, kernel_size, stride), want, "{length} {kernel_size} {stride}");
        }
    }
}
