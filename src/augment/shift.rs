//! Changes that move an image and do no more, as numbers: a device that holds the images moves them itself.

use crate::shape::Shape;

/// Where each pixel of an image comes from: row `row + down` and column `step · column + right` of the one
/// before, or nowhere, outside of `rows` and `columns`: there it is black.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Rows.
    pub down: i32,
    /// Columns.
    pub right: i32,
    /// −1 in a mirrored image, otherwise 1.
    pub step: i32,
    /// The first row that is not black, and the first one behind those.
    pub rows: [i32; 2],
    /// The same of columns.
    pub columns: [i32; 2],
}

impl Shift {
    /// All stays where it is.
    pub fn none(shape: Shape) -> Self {
        let (rows, columns) = ([0, shape.height as i32], [0, shape.width as i32]);
        Self { down: 0, right: 0, step: 1, rows, columns }
    }

    /// The part of an image in black that begins `down` rows and `right` columns from its corner.
    pub(super) fn by(shape: Shape, down: i32, right: i32) -> Self {
        let within = |by: i32, size: usize| [(-by).max(0), (size as i32 - by).min(size as i32)];
        let (rows, columns) = (within(down, shape.height), within(right, shape.width));
        Self { down, right, step: 1, rows, columns }
    }

    /// Left to right.
    pub(super) fn mirrored(shape: Shape) -> Self {
        Self { right: shape.width as i32 - 1, step: -1, ..Self::none(shape) }
    }

    /// This one, and `next` of what it gives.
    pub(super) fn then(self, next: Self) -> Self {
        // Where `next` reads what this one has not made black.
        let [top, bottom] = self.rows.map(|row| row - next.down);
        let [first, behind] = self.columns;
        let (left, right) = match next.step {
            1 => (first - next.right, behind - next.right),
            _ => (next.right - behind + 1, next.right - first + 1),
        };
        Self {
            down: self.down + next.down,
            right: self.step * next.right + self.right,
            step: self.step * next.step,
            rows: [next.rows[0].max(top), next.rows[1].min(bottom)],
            columns: [next.columns[0].max(left), next.columns[1].min(right)],
        }
    }
}
