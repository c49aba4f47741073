//! A convolution's product, and the tile of it that a cube of units makes.

use super::window::Window;
use crate::kernels::precision::Precision;
use cubecl::{client::Client, prelude::Scalar, tf32};
use half::bf16;

/// Units of a cube.
pub(super) const UNITS: usize = 256;
/// Units of a plane, as tensor cores want them; CUDA's warps.
pub(super) const PLANE: usize = 32;
/// Rows and columns of a unit's sums.
pub(super) const SIDE: usize = 4;
/// Elements of the sums that a tile reads at a time.
pub(super) const DEPTH: usize = 16;

/// What is computed. Images are rows of pixels, `[image, row, column, channel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Outputs: output pixels by filters, over places and channels.
    Forward,
    /// The input's gradient: input pixels by channels, over places and filters.
    Input,
    /// The weight's gradient: filters by places and channels, over output pixels.
    Weight,
}

/// A product and the tile that a cube makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    pub kind: Kind,
    pub window: Window,
    /// Rows of a tile; it has `SIDE² · UNITS / rows` columns.
    pub tile: usize,
    /// What is multiplied; the device has units for it.
    pub precision: Precision,
}

impl Plan {
    /// With the tile that covers the product with the fewest sums to spare; in f32 where `client` has no units for
    /// `precision`.
    pub fn new(
        client: &Client,
        kind: Kind,
        window: Window,
        rows: usize,
        precision: Precision,
    ) -> Self {
        let precision = if multiplies(client, precision) { precision } else { Precision::F32 };
        let columns = Self { kind, window, tile: 16, precision }.columns();
        let covered = |tile: usize| {
            let other = SIDE * SIDE * UNITS / tile;
            rows.div_ceil(tile) * tile * columns.div_ceil(other) * other
        };
        // The squarest of equals: it reads least.
        let tile = [64, 128, 32, 256, 16].into_iter().min_by_key(|&tile| covered(tile));
        Self { kind, window, tile: tile.expect("there are some"), precision }
    }

    /// Columns of the product.
    pub fn columns(&self) -> usize {
        match self.kind {
            Kind::Forward => self.window.filters,
            Kind::Input => self.window.channels,
            Kind::Weight => self.window.places() * self.window.channels,
        }
    }

    /// Cubes that make a product of so many rows.
    pub fn cubes(&self, rows: usize) -> usize {
        rows.div_ceil(self.tile) * self.columns().div_ceil(self.width())
    }

    /// Columns of a tile.
    pub fn width(&self) -> usize {
        SIDE * SIDE * UNITS / self.tile
    }

    /// Values that are staged. A line of a matrix has one more than it needs: units that write a column meet other
    /// banks.
    pub fn staged(&self) -> usize {
        match self.precision {
            Precision::F32 => DEPTH * (self.tile + 1 + self.width() + 1),
            // Tensor cores have a stage of their own.
            Precision::Tf32 | Precision::Bf16 => 1,
        }
    }

    /// Elements of a sum that a tensor core takes at a time.
    pub fn deep(&self) -> usize {
        if self.precision == Precision::Tf32 { 8 } else { 16 }
    }

    /// How many elements a sum has: all of a filter's, or `pixels` outputs.
    pub fn depth(&self, pixels: usize) -> usize {
        match self.kind {
            Kind::Forward => self.window.places() * self.window.channels,
            Kind::Input => self.window.places() * self.window.filters,
            Kind::Weight => pixels,
        }
    }
}

/// Whether `client` has tensor cores for `precision`, and planes as they want them.
fn multiplies(client: &Client, precision: Precision) -> bool {
    let (element, deep) = match precision {
        Precision::F32 => return true,
        Precision::Tf32 => (tf32::elem_type_native(), 8),
        Precision::Bf16 => (bf16::elem_type_native(), 16),
    };
    let properties = client.properties();
    let planes = [properties.hardware.plane_size_min, properties.hardware.plane_size_max];
    planes == [PLANE as u32; 2]
        && properties.features.matmul.cmma.iter().any(|known| {
            [known.a_type, known.b_type] == [element; 2]
                && known.cd_type == f32::elem_type_native()
                && [known.m, known.n, known.k] == [16, 16, deep]
        })
}
