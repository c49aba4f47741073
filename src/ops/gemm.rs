//! Products of small matrices, the inner loops of every convolution here.
//!
//! The `gemm` crate packs both operands at each call; for the 16 to 64 channels of the students
//! that costs as much as the product. Here the right operand is packed once a step ([`Panels`]),
//! and the left one is read where the transforms have written it.

use super::lanes::{LANES, Lanes, padded, vectorised};

/// Rows of a tile: 6 × 2 vectors are 12 accumulators, which with the two vectors of the panel and
/// the broadcast leave one of AVX2's 16 registers.
const ROWS: usize = 6;
/// Columns of a panel.
const WIDTH: usize = 2 * LANES;

/// A `[depth, columns]` matrix in panels of 16 columns, the last one of 8 where that is enough;
/// columns are filled up with zeros to whole vectors.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    pub depth: usize,
    /// Rounded up to whole vectors.
    pub columns: usize,
    values: Vec<f32>,
}

impl Panels {
    pub fn zeros(depth: usize, columns: usize) -> Self {
        let columns = padded(columns);
        Self { depth, columns, values: vec![0.0; depth * columns] }
    }

    /// Packs `value(row, column)` for `columns` columns.
    pub fn from_fn(depth: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let mut panels = Self::zeros(depth, columns);
        for row in 0..depth {
            for column in 0..columns {
                panels.values[place(depth, panels.columns, row, column)] = value(row, column);
            }
        }
        panels
    }

    /// Where vector `at / 8` of `row` lies.
    #[inline(always)]
    pub fn vector_mut(&mut self, row: usize, at: usize) -> &mut [f32] {
        let start = place(self.depth, self.columns, row, at);
        &mut self.values[start..start + LANES]
    }
}

#[inline(always)]
fn place(depth: usize, columns: usize, row: usize, column: usize) -> usize {
    let first = column / WIDTH * WIDTH;
    let width = WIDTH.min(columns - first);
    first * depth + row * width + column - first
}

vectorised! {
    /// `out[row] = a[row] · b` for `rows` rows, or that added to `out`; rows of `a` start `stride`
    /// apart, or overlap where that is less than their length, and those of `out` `b.columns`.
    fn product<L>(a: &[f32], stride: usize, rows: usize, b: &Panels, add: bool, out: &mut [f32]) {
        let (depth, columns) = (b.depth, b.columns);
        for first in (0..columns).step_by(WIDTH) {
            let panel = &b.values[first * depth..];
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
    /// `out += aᵀ · b`: the sum over `depth` rows of outer products of `a`'s first `rows` values
    /// with `b`'s first `columns`, a multiple of 8. Rows start `stride[0]` and `stride[1]` apart;
    /// `out` has `rows` rows of `columns`.
    fn outer<L>(
        a: &[f32], b: &[f32], stride: [usize; 2], depth: usize, rows: usize, columns: usize, out: &mut [f32],
    ) {
        for first in (0..columns).step_by(WIDTH) {
            let wide = columns - first >= WIDTH;
            let b = &b[first..];
            let mut row = 0;
            while row < rows {
                let a = &a[row..];
                let out = &mut out[row * columns + first..];
                row += match (rows - row, wide) {
                    (ROWS.., true) => outer_tile::<L, ROWS, 2>(a, b, stride, depth, out, columns),
                    (4.., true) => outer_tile::<L, 4, 2>(a, b, stride, depth, out, columns),
                    (2.., true) => outer_tile::<L, 2, 2>(a, b, stride, depth, out, columns),
                    (_, true) => outer_tile::<L, 1, 2>(a, b, stride, depth, out, columns),
                    (ROWS.., false) => outer_tile::<L, ROWS, 1>(a, b, stride, depth, out, columns),
                    (2.., false) => outer_tile::<L, 2, 1>(a, b, stride, depth, out, columns),
                    (_, false) => outer_tile::<L, 1, 1>(a, b, stride, depth, out, columns),
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
            L::load(&out[vector]).add(sums[row][vector]).store(&mut out[vector]);
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
            let panels = Panels::from_fn(depth, columns, |row, column| b[row * columns + column]);
            let mut out = vec![f32::NAN; rows * panels.columns];
            product(&a, depth, rows, &panels, false, &mut out);
            let once = out.clone();
            product(&a, depth, rows, &panels, true, &mut out);
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
            outer(&a, &b, [rows, columns], depth, rows, columns, &mut out);
            for row in 0..rows {
                for column in 0..columns {
                    let want: f32 = (0..depth).map(|at| a[at * rows + row] * b[at * columns + column]).sum();
                    prop_assert_eq!(out[row * columns + column], want + 1.0);
                }
            }
        }
    }
}
