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

/// Loads and stores at every index of slices of every length up to three vectors, between
/// guards.
fn stays_within<L: Lanes>() {
    for length in 0..=3 * LANES {
        let from: Vec<f32> = (0..length).map(|index| index as f32 + 1.0).collect();
        for at in 0..=length {
            let mut memory = vec![-1.0; LANES + length + LANES];
            L::load_at(&from, at).store_at(&mut memory[LANES..][..length], at);
            for (index, &value) in memory.iter().enumerate() {
                let copied = LANES + at..LANES + length.min(at + LANES);
                let want = if copied.contains(&index) { from[index - LANES] } else { -1.0 };
                assert_eq!(value, want, "{length} floats, at {at}: index {index}");
            }
        }
        let beyond = std::panic::catch_unwind(|| L::load_at(&from, length + 1).add(L::splat(0.0)));
        assert!(beyond.is_err(), "{length} floats have no index {}", length + 1);
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
