//! The measurements of one network on one split.

use super::{Fit, METRICS, Metric, Prediction, Setting, softmax::log_softmax};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use std::fmt;

/// The field that counts the images.
const SAMPLES: &str = "samples";

/// How good a network's logits are on labelled images: a number for each of [`METRICS`] that says
/// something of them. It is stored as an object with a field for each, and `samples`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// In the order of [`METRICS`].
    values: Box<[Option<f64>; METRICS.len()]>,
    /// Images measured.
    pub samples: usize,
}

impl Metrics {
    /// The measurements `values`, by name, on so many images.
    ///
    /// # Panics
    /// If there is no metric of a name.
    pub fn of(values: &[(&str, f64)], samples: usize) -> Self {
        let mut metrics = Self { values: Box::new([None; METRICS.len()]), samples };
        for &(name, value) in values {
            metrics.values[index(name).expect("a metric's name")] = Some(value);
        }
        metrics
    }

    /// A measurement, in the unit of its metric; `None` if it was not measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values[index(name)?]
    }

    /// Top-1 accuracy as a share in [0, 1]; NaN if it was not measured, which no entry allows.
    pub fn top1(&self) -> f64 {
        self.get("top1").unwrap_or(f64::NAN)
    }

    /// What was measured, in the order of [`METRICS`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static Metric, f64)> {
        METRICS.into_iter().zip(*self.values).filter_map(|(metric, value)| Some((metric, value?)))
    }

    /// The first number that is NaN or infinite, with its name; such metrics are not a result.
    pub fn not_finite(&self) -> Option<(&'static str, f64)> {
        let all = self.iter().map(|(metric, value)| (metric.name, value));
        { all }.find(|(_, value)| !value.is_finite())
    }
}

fn index(name: &str) -> Option<usize> {
    METRICS.iter().position(|metric| metric.name == name)
}

/// What else a network's logits are measured by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Its teacher's logits on the same images.
    pub teacher: Option<&'a [f32]>,
    /// Whether it is asked how soft its logits are.
    pub softness: bool,
    /// Logits on the same images of a network that it is set against, as the student from scratch.
    pub scratch: Option<&'a [f32]>,
    /// Logits on the same images of the same network in 8 bits.
    pub int8: Option<&'a [f32]>,
}

/// Measures `logits`, `labels.len()` rows of `classes`, with `temperature` for the softened metrics.
///
/// # Panics
/// If there is no image, or the lengths do not agree.
pub fn metrics(logits: &[f32], labels: &[u16], classes: usize, temperature: f64) -> Metrics {
    metrics_beside(logits, &Beside::default(), labels, classes, temperature)
}

/// The same, and what else is asked of them.
///
/// # Panics
/// As [`metrics`].
pub fn metrics_beside(
    logits: &[f32],
    beside: &Beside<'_>,
    labels: &[u16],
    classes: usize,
    temperature: f64,
) -> Metrics {
    let rows = labels.len() * classes;
    let fits = |logits: &[f32]| logits.len() == rows;
    let others = [beside.teacher, beside.scratch, beside.int8];
    let fit = fits(logits) && others.into_iter().flatten().all(fits);
    assert!(!labels.is_empty() && fit, "one row per label");
    let samples = labels.len();
    let setting = Setting {
        classes,
        temperature,
        has_teacher: beside.teacher.is_some(),
        softness: beside.softness,
        has_scratch: beside.scratch.is_some(),
        has_int8: beside.int8.is_some(),
        fit: beside.softness.then(|| Fit::of(logits, labels, classes)).flatten(),
    };
    let mut measures = METRICS.map(|metric| (metric.measure)(setting));
    for (index, (logits, &label)) in logits.chunks_exact(classes).zip(labels).enumerate() {
        let label = usize::from(label);
        let (log_p, rank) = (log_softmax(logits, 1.0), rank(logits, label));
        let [teacher, scratch, int8] =
            others.map(|all| all.map(|all| &all[index * classes..][..classes]));
        let prediction = Prediction { logits, teacher, scratch, int8, label, log_p: &log_p, rank };
        measures.iter_mut().flatten().for_each(|measure| measure.add(&prediction));
    }
    let values = measures.map(|measure| Some(measure?.value(samples)));
    Metrics { values: Box::new(values), samples }
}

/// How many logits come before the label's; of equal ones the lower class comes first. With a NaN
/// among them the label is never right.
pub(super) fn rank(logits: &[f32], label: usize) -> usize {
    let own = logits[label];
    if logits.iter().any(|logit| logit.is_nan()) {
        return logits.len();
    }
    let before = |(class, &logit): (usize, &f32)| logit > own || (logit == own && class < label);
    logits.iter().enumerate().filter(|&pair| before(pair)).count()
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in self.iter() {
            map.serialize_entry(metric.name, &value)?;
        }
        map.serialize_entry(SAMPLES, &self.samples)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Metrics;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the metrics of an evaluation")
            }

            // Fields of metrics that a later version measures are passed over, and those of metrics
            // that an earlier one did not know are absent.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
                let (mut values, mut samples) = (Box::new([None; METRICS.len()]), None);
                while let Some(name) = map.next_key::<String>()? {
                    if name == SAMPLES {
                        samples = Some(map.next_value()?);
                    } else if let Some(index) = index(&name) {
                        values[index] = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                let metrics = Metrics {
                    values,
                    samples: samples.ok_or_else(|| de::Error::missing_field(SAMPLES))?,
                };
                match metrics.get("top1") {
                    Some(_) => Ok(metrics),
                    None => Err(de::Error::missing_field("top1")),
                }
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(metrics: &Metrics, name: &str) -> f64 {
        metrics.get(name).unwrap()
    }

    #[test]
    fn uniform_logits_have_full_entropy_and_chance_loss() {
        let m = metrics(&[0.0; 20], &[0, 3], 10, 5.0);
        let full = 10f64.ln();
        for name in ["loss", "entropy", "entropy_at_temperature"] {
            assert!((get(&m, name) - full).abs() < 1e-12);
        }
        // Ties go to the lower class: label 0 is a hit, label 3 is fourth.
        assert_eq!((m.top1(), m.get("top5")), (0.5, Some(1.0)));
        assert!((get(&m, "ece") - 0.4).abs() < 1e-12, "confidence 0.1 against accuracy 0.5");
    }

    #[test]
    fn top5_is_absent_where_it_says_nothing() {
        assert_eq!(metrics(&[1.0, 0.0], &[0], 2, 1.0).get("top5"), None);
    }

    #[test]
    fn a_nan_is_never_right() {
        let m = metrics(&[f32::NAN, f32::NAN, f32::NAN, 0.0], &[0, 1], 2, 1.0);
        assert_eq!(m.top1(), 0.0);
    }

    #[test]
    fn a_temperature_that_no_logit_can_be_divided_by_is_told() {
        let wild = metrics(&[4.0, 0.0], &[0], 2, 1e-310);
        let (name, value) = wild.not_finite().unwrap();
        assert!(name == "entropy_at_temperature" && value.is_nan());
        assert_eq!(metrics(&[4.0, 0.0], &[0], 2, 1.0).not_finite(), None);
    }

    #[test]
    fn temperature_flattens() {
        let m = metrics(&[4.0, 0.0, 0.0], &[0], 3, 4.0);
        assert!(get(&m, "entropy") < get(&m, "entropy_at_temperature"));
    }

    #[test]
    fn a_student_is_compared_with_its_teacher() {
        let (student, teacher) = ([2.0, 0.0, 0.0, 1.0], [1.0, 0.0, 3.0, 0.0]);
        let beside = |teacher| Beside { teacher: Some(teacher), ..Beside::default() };
        let m = metrics_beside(&student, &beside(&teacher), &[0, 1], 2, 1.0);
        assert_eq!(m.get("agreement"), Some(0.5));
        let p = |a: f64| 1.0 / (1.0 + (-a).exp());
        let kl = |p: f64, q: f64| p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln();
        let want = (kl(p(1.0), p(2.0)) + kl(p(3.0), p(-1.0))) / 2.0;
        assert!((get(&m, "teacher_kl") - want).abs() < 1e-12);
        let own = metrics(&student, &[0, 1], 2, 1.0);
        assert_eq!((own.get("agreement"), own.top1()), (None, m.top1()));
        let same = metrics_beside(&student, &beside(&student), &[0, 1], 2, 1.0);
        assert_eq!((get(&same, "agreement"), get(&same, "teacher_kl")), (1.0, 0.0));
    }

    const S: [f32; 12] = [1.0, 0.5, 0.0, -0.5, 1.0, 1.5, 0.0, 0.5, 0.0, -0.5, 1.5, 0.25];
    const T: [f32; 12] = [2.0, 1.0, 0.0, -1.0, 0.5, 2.5, -0.5, 1.0, -1.0, 0.0, 2.0, 0.5];

    fn soft(logits: &[f32], scratch: Option<&[f32]>, labels: &[u16]) -> Metrics {
        let beside = Beside { softness: true, scratch, ..Beside::default() };
        metrics_beside(logits, &beside, labels, 4, 4.0)
    }

    /// Of numpy's values to six digits; the third rows are DIST's.
    #[test]
    fn softness_is_as_another_witness_has_it() {
        let near = |metrics: &Metrics, name: &str, want: f64| {
            let value = get(metrics, name);
            assert!((value - want).abs() < 1e-6, "{name} is {value}, not {want}");
        };
        let m = soft(&T[..8], Some(&S[..8]), &[0, 3]);
        for (name, wants) in [
            ("wrong_probability", [0.118_695, 0.280_518]),
            ("wrong_variance", [0.007_490, 0.092_885]),
            ("inherent_variance", [0.059_070, 0.131_154]),
        ] {
            near(&m, name, (wants[0] + wants[1]) / 2.0);
            for (row, want) in wants.into_iter().enumerate() {
                near(&soft(&T[row * 4..][..4], None, &[[0, 3][row]]), name, want);
            }
        }
        near(&m, "entropy", 0.912_909);
        near(&m, "entropy_at_temperature", 1.348_296);
        near(&m, "logsumexp", 2.641_270);
        near(&m, "scratch_kl", 0.131_030);
        near(&m, "logit_std", ((5f64 / 3.0).sqrt() + 1.25) / 2.0);
        near(&soft(&T, Some(&S), &[0, 3, 2]), "scratch_rho", 1.0 - 0.042_804);
    }

    /// v = (C − 1)²·e²·v̂ (Li et al. 2022) for each image.
    #[test]
    fn the_variance_of_wrong_classes_has_two_factors() {
        for seed in 0..200u32 {
            let noise = |place: u32| (seed * 7919 + place * 104_729 + seed * place * 31) % 997;
            let logits: Vec<f32> =
                (0..7).map(|place| (noise(place) as f32 - 498.0) / 60.0).collect();
            let beside = Beside { softness: true, ..Beside::default() };
            let m = metrics_beside(&logits, &beside, &[(seed % 7) as u16], 7, 1.0);
            let (e, own) = (get(&m, "wrong_probability"), get(&m, "inherent_variance"));
            let want = 36.0 * e * e * own;
            let v = get(&m, "wrong_variance");
            assert!((v - want).abs() <= 1e-12 * want.max(1e-3), "{v} is not {want}");
        }
    }

    #[test]
    fn softness_is_measured_where_it_is_asked_and_says_something() {
        assert_eq!(metrics(&T, &[0, 3, 2], 4, 4.0).iter().count(), 5);
        assert_eq!(soft(&T, None, &[0, 3, 2]).iter().count(), 13);
        assert_eq!(soft(&T, Some(&S), &[0, 3, 2]).iter().count(), 15);
        // Every image is right, or there is one wrong class alone: left out, and the rest is finite.
        assert_eq!(soft(&T, None, &[0, 1, 2]).get("fitted_temperature"), None);
        let beside = Beside { softness: true, scratch: Some(&[0.0; 4]), ..Beside::default() };
        for logits in [[0.0; 4], [f32::MAX, f32::MIN, f32::MIN, f32::MAX]] {
            let two = metrics_beside(&logits, &beside, &[0, 1], 2, 1.0);
            assert_eq!(two.not_finite(), None);
            assert_eq!((two.get("wrong_variance"), two.get("inherent_variance")), (None, None));
        }
    }

    #[test]
    fn other_versions_metrics_are_read() {
        let read = |text: &str| serde_json::from_str::<Metrics>(text);
        let metrics = read(r#"{"top1":0.5,"of a later version":{"a":1},"samples":2}"#).unwrap();
        assert_eq!(metrics, Metrics::of(&[("top1", 0.5)], 2));
        assert_eq!(serde_json::to_string(&metrics).unwrap(), r#"{"top1":0.5,"samples":2}"#);
        for (text, field) in [(r#"{"samples":2}"#, "top1"), (r#"{"top1":1}"#, "samples")] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("missing field `{field}`")), "{error}");
        }
    }

    #[test]
    fn names_are_fields_of_their_own() {
        let mut names = METRICS.map(|metric| metric.name).to_vec();
        names.push(SAMPLES);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len() + 1);
    }
}
