//! Winograd's minimal algorithms along one line: F(2, 3), with 4 products for two outputs of a kernel
//! of three where the direct method has 6, and F(4, 3), with 6 for four where it has 12.
//!
//! The outputs y of d under the kernel g are y = Aᵀ((Gg) ⊙ (Bᵀd)). The matrices are those of Lavin and
//! Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 4.1 and 4.3.

use super::lanes::Lanes;

/// An algorithm for `OUT` outputs from `IN` inputs.
pub(crate) trait Minimal<const OUT: usize, const IN: usize> {
    /// Bᵀd.
    fn input<L: Lanes>(d: [L; IN]) -> [L; IN];
    /// Ae, e the outputs' gradient.
    fn gradient<L: Lanes>(e: [L; OUT]) -> [L; IN];
    /// Aᵀm.
    fn output<L: Lanes>(m: [L; IN]) -> [L; OUT];
    /// Gg.
    fn filter<L: Lanes>(g: [L; 3]) -> [L; IN];
    /// Gᵀu, u the gradient of Gg.
    fn filter_gradient<L: Lanes>(u: [L; IN]) -> [L; 3];
}

/// F(2, 3), through the points 0, 1 and −1.
pub(crate) struct Two;

impl Minimal<2, 4> for Two {
    #[inline(always)]
    fn input<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 4] {
        [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
    }

    #[inline(always)]
    fn gradient<L: Lanes>([a, b]: [L; 2]) -> [L; 4] {
        [a, a.add(b), a.sub(b), L::splat(0.0).sub(b)]
    }

    #[inline(always)]
    fn output<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }

    #[inline(always)]
    fn filter<L: Lanes>([a, b, c]: [L; 3]) -> [L; 4] {
        let half = L::splat(0.5);
        let (outer, inner) = (a.add(c).mul(half), b.mul(half));
        [a, outer.add(inner), outer.sub(inner), c]
    }

    #[inline(always)]
    fn filter_gradient<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 3] {
        let half = L::splat(0.5);
        let both = b.add(c).mul(half);
        [a.add(both), b.sub(c).mul(half), both.add(d)]
    }
}

/// F(4, 3), through the points 0, 1, −1, 2 and −2. Its larger factors cost about a digit.
pub(crate) struct Four;

impl Minimal<4, 6> for Four {
    #[inline(always)]
    fn input<L: Lanes>([a, b, c, d, e, f]: [L; 6]) -> [L; 6] {
        let [two, four, minus_four, minus_five] = [2.0, 4.0, -4.0, -5.0].map(L::splat);
        let (even, odd) = (c.mul_add(minus_four, e), b.mul_add(minus_four, d));
        let (outer, inner) = (e.sub(c), d.sub(b).mul(two));
        [
            a.mul_add(four, c.mul_add(minus_five, e)),
            even.add(odd),
            even.sub(odd),
            outer.add(inner),
            outer.sub(inner),
            b.mul_add(four, d.mul_add(minus_five, f)),
        ]
    }

    #[inline(always)]
    fn gradient<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 6] {
        let [two, four] = [2.0, 4.0].map(L::splat);
        let (even, odd) = (a.add(c), b.add(d));
        let (far_even, far_odd) = (c.mul_add(four, a), d.mul_add(four, b).mul(two));
        [a, even.add(odd), even.sub(odd), far_even.add(far_odd), far_even.sub(far_odd), d]
    }

    #[inline(always)]
    fn output<L: Lanes>([a, b, c, d, e, f]: [L; 6]) -> [L; 4] {
        let [two, four, eight] = [2.0, 4.0, 8.0].map(L::splat);
        let (near, near_odd) = (b.add(c), b.sub(c));
        let (far, far_odd) = (d.add(e), d.sub(e));
        [
            a.add(near).add(far),
            far_odd.mul_add(two, near_odd),
            far.mul_add(four, near),
            far_odd.mul_add(eight, near_odd).add(f),
        ]
    }

    #[inline(always)]
    fn filter<L: Lanes>([a, b, c]: [L; 3]) -> [L; 6] {
        let [quarter, sixth, twelfth] = [1.0 / 4.0, 1.0 / 6.0, 1.0 / 12.0].map(L::splat);
        let quartered = a.mul(quarter);
        let (near, near_odd) = (a.add(c).mul(L::splat(-1.0 / 6.0)), b.mul(sixth));
        let (far, far_odd) = (quartered.add(c).mul(sixth), b.mul(twelfth));
        [quartered, near.sub(near_odd), near.add(near_odd), far.add(far_odd), far.sub(far_odd), c]
    }

    #[inline(always)]
    fn filter_gradient<L: Lanes>([a, b, c, d, e, f]: [L; 6]) -> [L; 3] {
        let [quarter, sixth, twelfth] = [1.0 / 4.0, 1.0 / 6.0, 1.0 / 12.0].map(L::splat);
        let near = b.add(c).mul(sixth);
        let far = d.add(e).mul(sixth);
        [
            a.add(far).mul(quarter).sub(near),
            c.sub(b).mul(sixth).add(d.sub(e).mul(twelfth)),
            far.sub(near).add(f),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::lanes::{LANES, Portable};

    fn lanes<const N: usize>(values: [f32; N]) -> [Portable; N] {
        values.map(Portable::splat)
    }

    fn first<const N: usize>(lanes: [Portable; N]) -> [f32; N] {
        lanes.map(|lanes| {
            let mut out = [0.0; LANES];
            lanes.store(&mut out);
            out[0]
        })
    }

    /// Whole numbers whose products and sums are exact but for the sixths.
    fn whole<const N: usize>(salt: usize) -> [f32; N] {
        std::array::from_fn(|at| ((at * 7 + salt * 5) % 11) as f32 - 5.0)
    }

    fn agrees_with_the_direct_method<M: Minimal<OUT, IN>, const OUT: usize, const IN: usize>() {
        for salt in 0..40 {
            let (d, g, e) = (whole::<IN>(salt), whole::<3>(salt + 3), whole::<OUT>(salt + 8));
            let transformed = (first(M::filter(lanes(g))), first(M::input(lanes(d))));
            let products = std::array::from_fn(|at| transformed.0[at] * transformed.1[at]);
            for (at, got) in first(M::output(lanes(products))).into_iter().enumerate() {
                let want: f32 = (0..3).map(|tap| g[tap] * d[at + tap]).sum();
                assert!((got - want).abs() < 2e-4, "{got} {want}");
            }
            let spread = first(M::gradient(lanes(e)));
            let products = std::array::from_fn(|at| spread[at] * transformed.1[at]);
            for (tap, got) in first(M::filter_gradient(lanes(products))).into_iter().enumerate() {
                let want: f32 = (0..OUT).map(|at| e[at] * d[at + tap]).sum();
                assert!((got - want).abs() < 2e-4, "{got} {want}");
            }
        }
    }

    #[test]
    fn lines_and_their_gradients_are_the_direct_methods() {
        agrees_with_the_direct_method::<Two, 2, 4>();
        agrees_with_the_direct_method::<Four, 4, 6>();
    }
}
