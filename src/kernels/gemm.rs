//! Products of small matrices, the inner loops of every convolution here.
//!
//! The `gemm` crate packs both operands at each call; for the 16 to 64 channels of the students
//! that costs as much as the product. Here the right operand is packed once a step ([`Panels`]),
//! and the left one is read where the transforms have written it.

use super::{
    buffers,
    lanes::{LANES, Lanes, padded, vectorised},
};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

/// Rows of a tile: 6 × 2 vectors are 12 accumulators, which with the two vectors of the panel and
/// the broadcast leave one of AVX2's 16 registers.
const ROWS: usize = 6;
/// Columns of a panel.
const WIDTH: usize = 2 * LANES;

/// Some `[depth, columns]` matrices, in panels of 16 columns, the last one of 8 where that is enough;
/// columns are filled up with zeros to whole vectors. A panel's columns of all matrices lie together.
#[derive(Debug)]
pub(crate) struct Panels {
    pub matrices: usize,
    pub depth: usize,
    /// Rounded up to whole vectors.
    pub columns: usize,
    values: Vec<f32>,
}

impl Panels {
    /// All columns of a panel are written by `fill`: for each panel in turn or at the same time, its
    /// first column, its width and its values `[matrix, depth, width]`.
    pub fn new(
        matrices: usize,
        depth: usize,
        columns: usize,
        fill: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) -> Self {
        let columns = padded(columns);
        let mut values = buffers::take(matrices * depth * columns);
        let panels = values.par_chunks_mut(matrices * depth * WIDTH).enumerate();
        panels.for_each(|(panel, values)| {
            fill(panel * WIDTH, values.len() / (matrices * depth), values);
        });
        Self { matrices, depth, columns, values }
    }

    /// Packs `value(matrix, row, column)`.
    pub fn from_fn(
        matrices: usize,
        depth: usize,
        columns: usize,
        value: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        Self::new(matrices, depth, columns, |first, width, values| {
            for (line, values) in values.chunks_exact_mut(width).enumerate() {
                for (column, slot) in values.iter_mut().enumerate() {
                    let is_there = first + column < columns;
                    *slot = if is_there {
                        value(line / depth, line % depth, first + column)
                    } else {
                        0.0
                    };
                }
            }
        })
    }

    /// The panel of one matrix whose first column is `first`.
    #[inline(always)]
    fn panel(&self, matrix: usize, first: usize) -> &[f32] {
        let length = self.depth * WIDTH.min(self.columns - first);
        &self.values[first * self.depth * self.matrices + matrix * length..][..length]
    }
}

impl Drop for Panels {
    fn drop(&mut self) {
        buffers::give(std::mem::take(&mut self.values));
    }
}

vectorised! {
    /// `out[row] = a[row] · b` for `rows` rows and one matrix of `b`, or that added to `out`; rows of
    /// `a` start `stride` apart, or overlap where that is less than their length, and those of `out`
    /// `b.columns`.
    fn product<L>(
        a: &[f32], stride: usize, rows: usize, b: &Panels, matrix: usize, add: bool, out: &mut [f32],
    ) {
        let (depth, columns) = (b.depth, b.columns);
        for first in (0..columns).step_by(WIDTH) {
            let panel = b.panel(matrix, first);
            let wide = columns - first >= WIDTH;
            let mut row = 0;
            while row < rows {
                let a = &a[row * stride..];
                let out = &mut out[row * columns + first..];
                row += match (rows - row, wide) {
                    (ROWS.., true) => product_tile::<L, ROWS, 2>(a, stride, depth, panel, add, out, columns),
                    (4.., true) => product_tile::<L, 4, 2>(a, stride, depth, panel, add, out, columns),
                    (2.., true) => product_tile::<L, 2, 2>(a, stride, depth, panel, add, out, columns),
                    (_, true) => product_tile::<L, 1, 2>(a, stride, depth, panel, add, out, columns),
                    (ROWS.., false) => product_tile::<L, ROWS, 1>(a, stride, depth, panel, add, out, columns),
                    (2.., false) => product_tile::<L, 2, 1>(a, stride, depth, panel, add, out, columns),
                    (_, false) => product_tile::<L, 1, 1>(a, stride, depth, panel, add, out, columns),
                };
            }
        }
    }
}

/// `R` rows of the product with one panel; gives `R`.
#[inline(always)]
fn product_tile<L: Lanes, const R: usize, const V: usize>(
    a: &[f32],
    stride: usize,
    depth: usize,
    panel: &[f32],
    add: bool,
    out: &mut [f32],
    out_stride: usize,
) -> usize {
    let mut rows: [&[f32]; R] = [&[]; R];
    for row in 0..R {
        rows[row] = &a[row * stride..][..depth];
    }
    let mut sums = [[L::splat(0.0); V]; R];
    if add {
        for row in 0..R {
            let (out, _) = out[row * out_stride..][..V * LANES].as_chunks::<LANES>();
            for vector in 0..V {
                sums[row][vector] = L::load(&out[vector]);
            }
        }
    }
    for (at, b) in panel[..depth * V * LANES].chunks_exact(V * LANES).enumerate() {
        let (b, _) = b.as_chunks::<LANES>();
        let mut right = [L::splat(0.0); V];
        for vector in 0..V {
            right[vector] = L::load(&b[vector]);
        }
        for row in 0..R {
            let factor = L::splat(rows[row][at]);
            for vector in 0..V {
                sums[row][vector] = right[vector].mul_add(factor, sums[row][vector]);
            }
        }
    }
    for row in 0..R {
        let (out, _) = out[row * out_stride..][..V * LANES].as_chunks_mut::<LANES>();
        for vector in 0..V {
            sums[row][vector].store(&mut out[vector]);
        }
    }
    R
}

vectorised! {
    /// `out = aᵀ · b`, or that added to `out`: the sum over `depth` rows of outer products of `a`'s
    /// first `rows` values with `b`'s first `columns`, a multiple of 8. Rows start `stride[0]` and
    /// `stride[1]` apart; `out` has `rows` rows of `columns`.
    fn outer<L>(
        a: &[f32], b: &[f32], stride: [usize; 2], depth: usize, rows: usize, columns: usize, add: bool,
        out: &mut [f32],
    ) {
        for first in (0..columns).step_by(WIDTH) {
            let wide = columns - first >= WIDTH;
            let b = &b[first..];
            let mut row = 0;
            while row < rows {
                let a = &a[row..];
                let out = &mut out[row * columns + first..];
                row += match (rows - row, wide) {
                    (ROWS.., true) => outer_tile::<L, ROWS, 2>(a, b, stride, depth, add, out, columns),
                    (4.., true) => outer_tile::<L, 4, 2>(a, b, stride, depth, add, out, columns),
                    (2.., true) => outer_tile::<L, 2, 2>(a, b, stride, depth, add, out, columns),
                    (_, true) => outer_tile::<L, 1, 2>(a, b, stride, depth, add, out, columns),
                    (ROWS.., false) => outer_tile::<L, ROWS, 1>(a, b, stride, depth, add, out, columns),
                    (2.., false) => outer_tile::<L, 2, 1>(a, b, stride, depth, add, out, columns),
                    (_, false) => outer_tile::<L, 1, 1>(a, b, stride, depth, add, out, columns),
                };
            }
        }
    }
}

/// `R` rows of `out`, `V` vectors wide; gives `R`.
#[inline(always)]
fn outer_tile<L: Lanes, const R: usize, const V: usize>(
    a: &[f32],
    b: &[f32],
    [a_stride, b_stride]: [usize; 2],
    depth: usize,
    add: bool,
    out: &mut [f32],
    out_stride: usize,
) -> usize {
    let mut sums = [[L::splat(0.0); V]; R];
    for at in 0..depth {
        let a = &a[at * a_stride..][..R];
        let (b, _) = b[at * b_stride..][..V * LANES].as_chunks::<LANES>();
        let mut right = [L::splat(0.0); V];
        for vector in 0..V {
            right[vector] = L::load(&b[vector]);
        }
        for row in 0..R {
            let factor = L::splat(a[row]);
            for vector in 0..V {
                sums[row][vector] = right[vector].mul_add(factor, sums[row][vector]);
            }
        }
    }
    for row in 0..R {
        let (out, _) = out[row * out_stride..][..V * LANES].as_chunks_mut::<LANES>();
        for vector in 0..V {
            let sum = sums[row][vector];
            let sum = if add { L::load(&out[vector]).add(sum) } else { sum };
            sum.store(&mut out[vector]);
        }
    }
    R
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    /// Small whole numbers: sums of their products are exact in f32.
    fn whole(count: usize, salt: usize) -> Vec<f32> {
        (0..count).map(|at| ((at * 7 + salt * 13) % 11) as f32 - 5.0).collect()
    }

    proptest! {
        #[test]
        fn product_is_the_textbooks(rows in 0usize..15, depth in 1usize..20, columns in 1usize..40) {
            let (a, b) = (whole(rows * depth, 1), whole(depth * columns, 2));
            let panels = Panels::from_fn(2, depth, columns, |matrix, row, column| {
                if matrix == 1 { b[row * columns + column] } else { f32::NAN }
            });
            let mut out = vec![f32::NAN; rows * panels.columns];
            product(&a, depth, rows, &panels, 1, false, &mut out);
            let once = out.clone();
            product(&a, depth, rows, &panels, 1, true, &mut out);
            prop_assert!(once.iter().zip(&out).all(|(once, twice)| twice == &(once * 2.0)));
            out = once;
            for row in 0..rows {
                for column in 0..panels.columns {
                    let term = |at| if column < columns { a[row * depth + at] * b[at * columns + column] } else { 0.0 };
                    let want: f32 = (0..depth).map(term).sum();
                    prop_assert_eq!(out[row * panels.columns + column], want);
                }
            }
        }

        #[test]
        fn outer_adds_every_rows_product(rows in 1usize..15, depth in 1usize..20, vectors in 1usize..5) {
            let columns = vectors * LANES;
            let (a, b) = (whole(depth * rows, 3), whole(depth * columns, 4));
            let mut out = vec![1.0; rows * columns];
            outer(&a, &b, [rows, columns], depth, rows, columns, true, &mut out);
            let mut alone = vec![f32::NAN; rows * columns];
            outer(&a, &b, [rows, columns], depth, rows, columns, false, &mut alone);
            prop_assert!(out.iter().zip(&alone).all(|(added, alone)| *added == alone + 1.0));
            for row in 0..rows {
                for column in 0..columns {
                    let want: f32 = (0..depth).map(|at| a[at * rows + row] * b[at * columns + column]).sum();
                    prop_assert_eq!(out[row * columns + column], want + 1.0);
                }
            }
        }
    }
}
