//! Images cut into Winograd's tiles, and the transformed tiles.

use super::{
    buffers,
    gemm::{self, Panels},
    lanes::padded,
};

/// Outputs of a tile each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// F(2×2, 3×3).
    Two,
    /// F(4×4, 3×3).
    Four,
}

impl Size {
    /// Outputs each way.
    pub const fn outputs(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Elements of a transformed tile.
    pub const fn planes(self) -> usize {
        (self.outputs() + 2) * (self.outputs() + 2)
    }

    /// The size that needs fewer products for an image: the large one, but for images of few pixels,
    /// of which most of its outputs would lie outside.
    pub fn of(image: [usize; 2]) -> Self {
        let products = |size: Self| {
            image.map(|length| length.div_ceil(size.outputs())).iter().product::<usize>()
                * size.planes()
        };
        if products(Self::Four) < products(Self::Two) { Self::Four } else { Self::Two }
    }
}

/// Tiles over images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    pub size: Size,
    /// Rows and columns of an image.
    pub image: [usize; 2],
    /// Channels of the images that the tiles are cut from.
    pub channels: usize,
}

impl Tiles {
    /// Tiles in a row of an image.
    pub fn across(&self) -> usize {
        self.image[1].div_ceil(self.size.outputs())
    }

    /// Tiles of one image.
    pub fn per_image(&self) -> usize {
        self.image[0].div_ceil(self.size.outputs()) * self.across()
    }

    /// The top left output of a tile: the number of its image, its row and its column.
    #[inline(always)]
    pub fn corner(&self, tile: usize) -> [usize; 3] {
        let (image, index) = (tile / self.per_image(), tile % self.per_image());
        let [row, column] = [index / self.across(), index % self.across()];
        [image, row * self.size.outputs(), column * self.size.outputs()]
    }

    /// Where the channels of a pixel start, if the pixel is within its image.
    #[inline(always)]
    pub fn pixel(&self, image: usize, row: usize, column: usize) -> Option<usize> {
        let [height, width] = self.image;
        (row < height && column < width)
            .then(|| ((image * height + row) * width + column) * self.channels)
    }
}

/// Transformed tiles: a plane of `[tile, channels]` for each element, channels filled up to whole
/// vectors.
///
/// A line of 64 bytes between the planes keeps them from falling on the same cache sets.
pub(crate) struct Planes {
    pub channels: usize,
    capacity: usize,
    pub values: Vec<f32>,
}

const GAP: usize = 16;

impl Planes {
    pub fn new(size: Size, tiles: usize, channels: usize) -> Self {
        let channels = padded(channels);
        let values = buffers::take(size.planes() * (tiles * channels + GAP));
        Self { channels, capacity: tiles, values }
    }

    /// Floats from one plane to the next.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.capacity * self.channels + GAP
    }

    fn plane(&self, plane: usize) -> &[f32] {
        &self.values[plane * self.stride()..][..self.capacity * self.channels]
    }

    fn plane_mut(&mut self, plane: usize) -> &mut [f32] {
        let stride = self.stride();
        &mut self.values[plane * stride..][..self.capacity * self.channels]
    }
}

impl Drop for Planes {
    fn drop(&mut self) {
        buffers::give(std::mem::take(&mut self.values));
    }
}

/// `out = planes · filter` for the first `tiles` tiles.
pub(crate) fn multiply(planes: &Planes, filter: &Panels, tiles: usize, out: &mut Planes) {
    for plane in 0..filter.matrices {
        let from = planes.plane(plane);
        gemm::product(from, planes.channels, tiles, filter, plane, false, out.plane_mut(plane));
    }
}

/// Where a plane of `[channels, filters]` of a filter's gradient starts after the one before it.
pub(crate) fn gradient_stride(channels: usize, filters: usize) -> usize {
    channels * padded(filters) + GAP
}

/// The first `tiles` tiles' share of the transformed filter's gradient, or that added to `out`: a plane
/// of `[channels, filters]` each, [`gradient_stride`] apart; `channels` are those of `input`, `filters`
/// those of `gradient`, filled up.
pub(crate) fn correlate(
    input: &Planes,
    gradient: &Planes,
    channels: usize,
    tiles: usize,
    add: bool,
    out: &mut [f32],
) {
    let filters = gradient.channels;
    let stride = [input.channels, filters];
    for (plane, out) in out.chunks_exact_mut(gradient_stride(channels, filters)).enumerate() {
        let (a, b) = (input.plane(plane), gradient.plane(plane));
        gemm::outer(a, b, stride, tiles, channels, filters, add, out);
    }
}
