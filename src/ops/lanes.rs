//! Eight floats at a time: AVX2 with FMA where the processor has it, plain arrays elsewhere.
//!
//! This is the only file of takd with `unsafe`: each use is a single intrinsic on registers, on an
//! array of eight floats that the borrow checker has seen, or on places within a slice of which the
//! last has been looked at, in every build. [`vectorised!`] adds one more, which enters a function
//! compiled for AVX2 after asking the processor.

/// Floats in a vector.
pub(crate) const LANES: usize = 8;

/// `length` rounded up to whole vectors.
pub(crate) const fn padded(length: usize) -> usize {
    length.next_multiple_of(LANES)
}

/// Arithmetic on eight floats.
pub(crate) trait Lanes: Copy {
    fn splat(value: f32) -> Self;
    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self · factor + other`; rounded once where there is FMA.
    fn mul_add(self, factor: Self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `value` in the lanes where `self` is above 0, and 0 in the others.
    fn where_positive(self, value: Self) -> Self;
    /// `value` in the lanes where `self` and `other` are equal, and 0 in the others.
    fn where_equal(self, other: Self, value: Self) -> Self;

    /// Up to eight floats from `at` on; lanes past the end are 0.
    #[inline(always)]
    fn load_at(from: &[f32], at: usize) -> Self {
        match from[at..].first_chunk() {
            Some(eight) => Self::load(eight),
            None => Self::load_tail(&from[at..]),
        }
    }

    /// Eight floats from each of `start`, `start + stride`, …
    #[inline(always)]
    fn load_every<const N: usize>(from: &[f32], start: usize, stride: usize) -> [Self; N] {
        let mut lanes = [Self::splat(0.0); N];
        for place in 0..N {
            lanes[place] = Self::load_at(&from[start + place * stride..][..LANES], 0);
        }
        lanes
    }

    /// Each of `lanes` to eight places from `start`, `start + stride`, … on.
    #[inline(always)]
    fn store_every<const N: usize>(lanes: [Self; N], to: &mut [f32], start: usize, stride: usize) {
        for place in 0..N {
            lanes[place].store_at(&mut to[start + place * stride..][..LANES], 0);
        }
    }

    #[inline(never)]
    fn load_tail(from: &[f32]) -> Self {
        let mut eight = [0.0; LANES];
        eight[..from.len()].copy_from_slice(from);
        Self::load(&eight)
    }

    /// As many of the lanes as `to` has places from `at` on.
    #[inline(always)]
    fn store_at(self, to: &mut [f32], at: usize) {
        match to[at..].first_chunk_mut() {
            Some(eight) => self.store(eight),
            None => self.store_tail(&mut to[at..]),
        }
    }

    #[inline(never)]
    fn store_tail(self, to: &mut [f32]) {
        let mut eight = [0.0; LANES];
        self.store(&mut eight);
        let count = to.len();
        to.copy_from_slice(&eight[..count]);
    }
}

/// Whether the last of `count` vectors, the first of which starts at `start` and the others `stride`
/// apart, ends within `length` floats.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn are_within(length: usize, start: usize, stride: usize, count: usize) -> bool {
    let last = stride.checked_mul(count - 1).and_then(|last| last.checked_add(start));
    last.and_then(|last| last.checked_add(LANES)).is_some_and(|end| end <= length)
}

/// The arrays that any processor can do.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, op: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| op(self.0[lane], other.0[lane])))
    }
}

impl Lanes for Portable {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        Self(*from)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, other: Self) -> Self {
        self.mul(factor).add(other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn where_positive(self, value: Self) -> Self {
        self.with(value, |a, b| if a > 0.0 { b } else { 0.0 })
    }
    #[inline(always)]
    fn where_equal(self, other: Self, value: Self) -> Self {
        let pick = |lane| if self.0[lane] == other.0[lane] { value.0[lane] } else { 0.0 };
        Self(std::array::from_fn(pick))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics; see the module's page")]
mod avx2 {
    use super::{LANES, Lanes, are_within};
    use std::arch::x86_64::{
        __m256, _CMP_EQ_OQ, _CMP_GT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_cmp_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_mul_ps, _mm256_set1_ps,
        _mm256_setzero_ps, _mm256_storeu_ps, _mm256_sub_ps,
    };

    /// One AVX register. Only [`vectorised!`](super::vectorised) names this type, in functions that
    /// run after the processor has said that it knows AVX2 and FMA: that is what makes each
    /// intrinsic below sound.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256);

    impl Lanes for Avx2 {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_set1_ps(value) })
        }
        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            // SAFETY: see `Avx2`; the array has the eight floats that are read, at any alignment.
            Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            // SAFETY: see `Avx2`; the array has the eight places that are written.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
        }
        // One look at the last place stands for a look at each.
        #[inline(always)]
        fn load_every<const N: usize>(from: &[f32], start: usize, stride: usize) -> [Self; N] {
            assert!(are_within(from.len(), start, stride, N), "vectors within the slice");
            let mut lanes = [Self::splat(0.0); N];
            for place in 0..N {
                // SAFETY: see `Avx2`; no place is after the last, which ends within the slice.
                lanes[place] =
                    Self(unsafe { _mm256_loadu_ps(from.as_ptr().add(start + place * stride)) });
            }
            lanes
        }
        #[inline(always)]
        fn store_every<const N: usize>(
            lanes: [Self; N],
            to: &mut [f32],
            start: usize,
            stride: usize,
        ) {
            assert!(are_within(to.len(), start, stride, N), "vectors within the slice");
            for place in 0..N {
                // SAFETY: see `Avx2`; no place is after the last, which ends within the slice.
                unsafe {
                    _mm256_storeu_ps(to.as_mut_ptr().add(start + place * stride), lanes[place].0);
                }
            }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn where_positive(self, value: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe {
                let mask = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, _mm256_setzero_ps());
                _mm256_and_ps(mask, value.0)
            })
        }
        #[inline(always)]
        fn where_equal(self, other: Self, value: Self) -> Self {
            // SAFETY: see `Avx2`.
            Self(unsafe {
                let mask = _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0);
                _mm256_and_ps(mask, value.0)
            })
        }
    }
}

/// Whether the processor knows what [`Avx2`] needs.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
}

/// Defines a function whose body, written once over a type `L: Lanes`, is compiled for AVX2 and for
/// any processor, and picks one of them at run time.
macro_rules! vectorised {
    ($(#[$meta:meta])* fn $name:ident<$lanes:ident>($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code, clippy::too_many_arguments, reason = "one call, after a look")]
        pub(crate) fn $name($($arg: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<$lanes: $crate::ops::lanes::Lanes>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn fast($($arg: $type),*) {
                    body::<$crate::ops::lanes::Avx2>($($arg),*);
                }
                if $crate::ops::lanes::has_avx2() {
                    // SAFETY: the processor knows the features that `fast` is compiled with.
                    return unsafe { fast($($arg),*) };
                }
            }
            body::<$crate::ops::lanes::Portable>($($arg),*);
        }
    };
}
pub(crate) use vectorised;

#[cfg(test)]
mod tests {
    use super::*;

    fn all<L: Lanes>() -> Vec<[f32; LANES]> {
        let a = L::load(&[1.0, -2.0, 3.0, 0.0, 5.5, -0.0, 7.0, 8.0]);
        let b = L::load(&[1.0, 2.0, -3.0, 4.0, 5.5, 6.0, -7.0, 0.25]);
        let results = [
            a.add(b),
            a.sub(b),
            a.mul(b),
            a.mul_add(b, L::splat(2.0)),
            a.max(b),
            a.where_positive(b),
            a.where_equal(b, L::splat(9.0)),
            L::load_at(&[1.0, 2.0, 3.0], 1),
        ];
        results
            .map(|lanes| {
                let mut out = [0.0; LANES];
                lanes.store(&mut out);
                out
            })
            .to_vec()
    }

    #[test]
    fn both_kinds_of_lanes_agree() {
        let portable = all::<Portable>();
        assert_eq!(portable[7], [2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            assert_eq!(portable, all::<Avx2>());
        }
    }

    /// Three vectors of a slice of 32 floats, `stride` apart, copied to the same places of another.
    fn every<L: Lanes>(start: usize, stride: usize) -> Vec<f32> {
        let from: Vec<f32> = (0..32).map(|value| value as f32).collect();
        let mut to = vec![-1.0; 32];
        L::store_every(L::load_every::<3>(&from, start, stride), &mut to, start, stride);
        to
    }

    #[test]
    fn strided_vectors_go_where_they_came_from() {
        for (start, stride) in [(0, 8), (3, 9), (0, 12), (8, 8)] {
            let portable = every::<Portable>(start, stride);
            for (at, value) in portable.iter().enumerate() {
                let is_there =
                    (0..3).any(|n| (0..LANES).contains(&at.wrapping_sub(start + n * stride)));
                assert_eq!(*value, if is_there { at as f32 } else { -1.0 });
            }
            #[cfg(target_arch = "x86_64")]
            if has_avx2() {
                assert_eq!(portable, every::<Avx2>(start, stride));
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn strided_vectors_past_the_end_are_refused() {
        if !has_avx2() {
            return;
        }
        for (start, stride) in [(9, 8), (0, 13), (32, 0), (0, usize::MAX), (usize::MAX, 1)] {
            let from = [0.0; 32];
            let loads = std::panic::catch_unwind(|| Avx2::load_every::<3>(&from, start, stride)[0]);
            let stores = std::panic::catch_unwind(|| {
                Avx2::store_every([Avx2::splat(0.0); 3], &mut [0.0; 32], start, stride);
            });
            assert!(loads.is_err() && stores.is_err(), "{start} {stride}");
        }
    }

    /// Loads and stores at every place of slices of every length up to three vectors, between
    /// guards.
    fn stays_within<L: Lanes>() {
        for length in 0..=3 * LANES {
            let from: Vec<f32> = (0..length).map(|place| place as f32 + 1.0).collect();
            for at in 0..=length {
                let mut memory = vec![-1.0; LANES + length + LANES];
                L::load_at(&from, at).store_at(&mut memory[LANES..][..length], at);
                for (place, &value) in memory.iter().enumerate() {
                    let copied = LANES + at..LANES + length.min(at + LANES);
                    let want = if copied.contains(&place) { from[place - LANES] } else { -1.0 };
                    assert_eq!(value, want, "{length} floats, at {at}: place {place}");
                }
            }
            let beyond =
                std::panic::catch_unwind(|| L::load_at(&from, length + 1).add(L::splat(0.0)));
            assert!(beyond.is_err(), "{length} floats have no place {}", length + 1);
        }
    }

    #[test]
    fn loads_and_stores_stay_within_their_slices() {
        stays_within::<Portable>();
        #[cfg(target_arch = "x86_64")]
        if has_avx2() {
            stays_within::<Avx2>();
        }
    }
}
