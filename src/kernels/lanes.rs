//! Eight floats at a time: AVX2 with FMA where the processor has it, plain arrays elsewhere.
//!
//! This is the only file of takd with `unsafe`: each use is a single intrinsic on registers, on an
//! array of eight floats that the borrow checker has seen, on places within a slice of which the
//! last has been looked at, in every build, or on a slice's own places through a mask. [`vectorised!`] adds one more, which enters a function
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
        for index in 0..N {
            lanes[index] = Self::load_at(&from[start + index * stride..][..LANES], 0);
        }
        lanes
    }

    /// Each of `lanes` to eight places from `start`, `start + stride`, … on.
    #[inline(always)]
    fn store_every<const N: usize>(lanes: [Self; N], to: &mut [f32], start: usize, stride: usize) {
        for index in 0..N {
            lanes[index].store_at(&mut to[start + index * stride..][..LANES], 0);
        }
    }

    /// All of fewer than eight floats, and 0.
    #[inline(always)]
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

    /// As many of the lanes as `to` has places, fewer than eight.
    #[inline(always)]
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
        __m256, __m256i, _CMP_EQ_OQ, _CMP_GT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_cmp_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps,
        _mm256_maskstore_ps, _mm256_max_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_storeu_ps, _mm256_sub_ps,
    };

    /// One AVX register. Only [`vectorised!`](super::vectorised) names this type, in functions that
    /// run after the processor has said that it knows AVX2 and FMA: that is what makes each
    /// intrinsic below sound.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256);

    /// All bits in the first `count` of eight lanes.
    ///
    /// # Panics
    /// If `count` is more than eight.
    #[inline(always)]
    fn mask(count: usize) -> __m256i {
        const BITS: [i32; 2 * LANES] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        let eight = &BITS[LANES - count..][..LANES];
        // SAFETY: see `Avx2`; the slice has the eight integers that are read, at any alignment.
        unsafe { _mm256_loadu_si256(eight.as_ptr().cast()) }
    }

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
        #[inline(always)]
        fn load_tail(from: &[f32]) -> Self {
            // SAFETY: see `Avx2`; the mask lets through the slice's own places only.
            Self(unsafe { _mm256_maskload_ps(from.as_ptr(), mask(from.len())) })
        }
        #[inline(always)]
        fn store_tail(self, to: &mut [f32]) {
            // SAFETY: as in `load_tail`.
            unsafe { _mm256_maskstore_ps(to.as_mut_ptr(), mask(to.len()), self.0) }
        }
        // One look at the last index stands for a look at each.
        #[inline(always)]
        fn load_every<const N: usize>(from: &[f32], start: usize, stride: usize) -> [Self; N] {
            assert!(are_within(from.len(), start, stride, N), "vectors within the slice");
            let mut lanes = [Self::splat(0.0); N];
            for index in 0..N {
                // SAFETY: see `Avx2`; no index is after the last, which ends within the slice.
                lanes[index] =
                    Self(unsafe { _mm256_loadu_ps(from.as_ptr().add(start + index * stride)) });
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
            for index in 0..N {
                // SAFETY: see `Avx2`; no index is after the last, which ends within the slice.
                unsafe {
                    _mm256_storeu_ps(to.as_mut_ptr().add(start + index * stride), lanes[index].0);
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

/// The kind of this CPU, as far as its instructions decide the last bits of what it computes:
/// `x86_64 avx2+fma`, `x86_64 avx2+fma+avx512`, `x86_64 portable`, `aarch64 portable`.
///
/// takd's kernels choose by the first two, burn's sums (macerator 0.5.2) by AVX-512 as well.
pub fn cpu() -> String {
    #[cfg(target_arch = "x86_64")]
    let has = match (has_avx2(), std::is_x86_feature_detected!("avx512bw")) {
        (true, true) => "avx2+fma+avx512",
        (true, false) => "avx2+fma",
        (false, _) => "portable",
    };
    #[cfg(not(target_arch = "x86_64"))]
    let has = "portable";
    format!("{} {has}", std::env::consts::ARCH)
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
            fn body<$lanes: $crate::kernels::lanes::Lanes>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn fast($($arg: $type),*) {
                    body::<$crate::kernels::lanes::Avx2>($($arg),*);
                }
                if $crate::kernels::lanes::has_avx2() {
                    // SAFETY: the processor knows the features that `fast` is compiled with.
                    return unsafe { fast($($arg),*) };
                }
            }
            body::<$crate::kernels::lanes::Portable>($($arg),*);
        }
    };
}
pub(crate) use vectorised;

#[cfg(test)]
mod tests;
