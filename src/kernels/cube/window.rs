//! A convolution's extent as the kernels know it when they are compiled.

use crate::kernels::geometry::Geometry;

/// A convolution without its number of images: an epoch's last batch takes the same kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Window {
    /// Rows of an input image.
    pub height: usize,
    /// Columns of an input image.
    pub width: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Rows and columns of the kernel; it is padded by half of that.
    pub kernel: usize,
    /// Pixels between two outputs.
    pub stride: usize,
    /// Rows of an output image.
    pub rows: usize,
    /// Columns of an output image.
    pub columns: usize,
}

impl From<&Geometry> for Window {
    fn from(geometry: &Geometry) -> Self {
        let ([height, width], [rows, columns]) = (geometry.input, geometry.output());
        let Geometry { channels, filters, kernel_size: kernel, stride, .. } = *geometry;
        Self { height, width, channels, filters, kernel, stride, rows, columns }
    }
}

impl Window {
    /// Places of the kernel.
    pub fn places(&self) -> usize {
        self.kernel * self.kernel
    }
}
