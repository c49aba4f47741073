//! Images moved towards another class, as the teacher sees it (`attacks/attack_BSS.py`).

use super::{
    super::{
        asks::{Networks, Seen},
        features::TINY,
    },
    Bss,
};
use crate::{
    rng::{Purpose, Stream},
    tensors::host,
};
use burn::tensor::{Int, Tensor, TensorData, activation::softmax};
use std::cmp::Reverse;

/// Added to the distance in logits, so that a step crosses the boundary.
const OVER: f64 = 1e-4;
/// Normalised pixels stay within ± this.
const CLIP: f64 = 2.5;

/// An image to attack.
#[derive(Debug, PartialEq)]
pub(super) struct Aim {
    /// Its place in the batch.
    pub image: usize,
    /// Its class, which the teacher gets right.
    pub from: usize,
    /// The class towards which it is moved.
    pub to: usize,
}

/// The batch's attacked images, `[n, channels, height, width]`; none where the teacher gets none right.
pub(super) fn attacked(bss: &Bss, networks: &dyn Networks, seen: &Seen) -> Option<Tensor<4>> {
    let aims = aims(bss, seen);
    (!aims.is_empty()).then(|| moved(bss, networks, &aims, seen.teacher.dims()[1]))
}

/// The images of `aims`, each moved until the teacher sees another class.
pub(super) fn moved(bss: &Bss, networks: &dyn Networks, aims: &[Aim], classes: usize) -> Tensor<4> {
    let all = networks.images();
    let device = all.device();
    let places: Vec<i64> = aims.iter().map(|aim| aim.image as i64).collect();
    let places = Tensor::<1, Int>::from_ints(places.as_slice(), &device);
    let mut images = all.select(0, places);
    // 1 at the target's logit, −1 at the own class's.
    let mut apart = vec![0.0_f32; aims.len() * classes];
    for (row, aim) in apart.chunks_mut(classes).zip(aims) {
        (row[aim.to], row[aim.from]) = (1.0, -1.0);
    }
    let apart = Tensor::<2>::from_data(TensorData::new(apart, [aims.len(), classes]), &device);
    for _ in 0..bss.steps {
        let (logits, gradient) = networks.teacher_gradient(images.clone(), apart.clone());
        let guesses = whole(logits.clone().argmax(1));
        let unmoved = guesses.iter().zip(aims).map(|(&guess, aim)| guess == aim.from);
        // Those that have crossed stay.
        let steps: Vec<f32> =
            unmoved.map(|moves| if moves { bss.alpha as f32 } else { 0.0 }).collect();
        if steps.iter().all(|step| *step == 0.0) {
            break;
        }
        let steps = Tensor::<1>::from_floats(steps.as_slice(), &device).unsqueeze_dim::<2>(1);
        let distance = (logits * apart.clone()).sum_dim(1).neg();
        let squares = (gradient.clone() * gradient.clone()).flatten::<2>(1, 3).sum_dim(1);
        // Where there is no gradient there is no way.
        let length = squares.clamp_min(TINY).sqrt();
        let far = (steps * (distance + OVER) / length).unsqueeze_dims::<4>(&[-1, -1]);
        images = (images + gradient * far).clamp(-CLIP, CLIP);
    }
    images
}

/// The images that the teacher gets right, at most `bss.images` of them: those about which the student
/// differs most in the wrong classes. Targets are drawn by the teacher's probabilities.
pub(super) fn aims(bss: &Bss, seen: &Seen) -> Vec<Aim> {
    let classes = seen.teacher.dims()[1];
    let [student, teacher] =
        [&seen.student, &seen.teacher].map(|logits| host(softmax(logits.clone(), 1)));
    let rows = || teacher.chunks(classes).zip(student.chunks(classes));
    let labels = whole(seen.labels.clone().unsqueeze_dim::<2>(1));
    let right =
        rows().zip(&labels).enumerate().filter(|(_, ((row, _), label))| best(row) == **label);
    let mut right: Vec<(f64, usize)> = right
        .map(|(image, ((teacher, student), &label))| {
            let squares = teacher.iter().zip(student).map(|(t, s)| f64::from(t - s).powi(2));
            let wrong = squares.enumerate().filter(|(class, _)| *class != label);
            (wrong.map(|(_, square)| square).sum(), image)
        })
        .collect();
    if right.len() > bss.images {
        right.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        right.truncate(bss.images);
    }
    let mut stream =
        Stream::new(seen.seed, Purpose::Target, seen.epoch as u64 - 1, seen.step as u64);
    right
        .into_iter()
        .map(|(_, image)| {
            let (from, row) = (labels[image], &teacher[image * classes..][..classes]);
            Aim { image, from, to: target(row, from, stream.uniform()) }
        })
        .collect()
}

/// A class other than `from`, drawn by the probabilities in `row` with a number in [0, 1).
pub(super) fn target(row: &[f32], from: usize, drawn: f32) -> usize {
    let mut others: Vec<usize> = (0..row.len()).filter(|&class| class != from).collect();
    others.sort_by_key(|&class| (Reverse(row[class].to_bits()), class));
    let all: f32 = others.iter().map(|&class| row[class]).sum();
    let mut sum = 0.0;
    let reached = others.iter().find(|&&class| {
        sum += row[class];
        sum >= drawn * all
    });
    *reached.unwrap_or(&others[0])
}

/// The first of the largest.
fn best(row: &[f32]) -> usize {
    let first = |best: usize, class: usize| if row[class] > row[best] { class } else { best };
    (0..row.len()).fold(0, first)
}

fn whole(tensor: Tensor<2, Int>) -> Vec<usize> {
    let values = tensor.into_data().try_into_vec_as::<i64>().expect("whole numbers");
    values.into_iter().map(|value| value as usize).collect()
}
