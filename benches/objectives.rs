//! What an objective costs: on logits a training step of plain2, 10 and 100 classes, on features one of
//! ResNet-20 with a ResNet-20 that is asked at each step, beside plain distillation's.
//!
//!     cargo bench --bench objectives
//!
//! By turns: each objective does some steps, then the next, in several rounds. A ratio is that of the least
//! times, to which noise can only add; the spread is that of the rounds' own ratios. The teacher's logits are
//! there, as they are in a training without augmentation.

use burn::tensor::{Device, Distribution, Int, Tensor};
use std::{error::Error, time::Instant};
use takd::{
    architecture::Architecture,
    kind::Choice,
    kinds::Kinds,
    network::{Network, builtin},
    objective::{Batch, Distillation, Kd},
    optimizer::Sgd,
    shape::Shape,
    training::{Asked, OptimizerState},
};

const BATCH: usize = 128;
const ROUNDS: usize = 40;
const STEPS: usize = 12;
const SHAPE: Shape = Shape { channels: 3, height: 32, width: 32 };
const SGD: Sgd = Sgd { lr: 1e-6, momentum: 0.9, nesterov: true, weight_decay: 0.0 };

/// A student in training, and a batch that it sees again and again.
struct Student {
    net: Network,
    optimizer: OptimizerState,
    images: Tensor<4>,
    teacher: Tensor<2>,
    /// Asked at each step, where there is one.
    live: Option<Network>,
    labels: Vec<i32>,
}

impl Student {
    fn new(name: &str, classes: usize, is_live: bool) -> Result<Self, Box<dyn Error>> {
        let device = Device::flex();
        let layers = builtin(name, classes).ok_or("it is built in")?;
        let net = Architecture::read(&layers, SHAPE, classes, &Kinds::default())?;
        let live = is_live.then(|| Network::init(&net, 2, &device));
        let mut net = Network::init(&net, 1, &device);
        net.track();
        let uniform = Distribution::Uniform(-1.0, 1.0);
        let images = Tensor::random([BATCH, 3, 32, 32], uniform, &device);
        // A live teacher gets all images right, as a good one does nearly all.
        let labels = match &live {
            Some(live) => {
                live.infer(images.clone()).argmax(1).into_data().try_into_vec_as::<i32>()?
            }
            None => (0..BATCH).map(|image| (image % classes) as i32).collect(),
        };
        Ok(Self {
            net,
            live,
            optimizer: OptimizerState::new(SGD.into(), &device),
            images,
            teacher: Tensor::random([BATCH, classes], uniform, &device) * 4.0,
            labels,
        })
    }

    /// Seconds of some steps.
    fn steps(&mut self, objective: &dyn Distillation) -> f64 {
        let teacher = self.live.as_ref().unwrap_or(&self.net).taps();
        let needs = objective.needs(self.net.taps(), teacher).expect("they can be compared");
        let [ours, theirs] = needs.taps();
        let started = Instant::now();
        for _ in 0..STEPS {
            let labels = Tensor::<1, Int>::from_data(self.labels.as_slice(), &Device::flex());
            let (teacher, features) = match &self.live {
                Some(live) => live.infer_with(self.images.clone(), &theirs),
                None => (self.teacher.clone(), Vec::new()),
            };
            let teacher = teacher.autodiff();
            let features = features.into_iter().map(Tensor::autodiff);
            let theirs = theirs.iter().copied().zip(features).collect();
            let (student, features) = self.net.train_with(self.images.clone().autodiff(), &ours);
            let ours = ours.iter().copied().zip(features).collect();
            let mut batch = Batch {
                student,
                teachers: vec![teacher.clone()],
                teacher,
                labels: labels.autodiff(),
                given: needs.give(&[ours, theirs], &[]),
                epoch: 1,
                step: 0,
                seed: 1,
            };
            if let (true, Some(teacher)) = (needs.asks(), &self.live) {
                let seen = batch.seen();
                let images = self.images.clone();
                let mut asked = Asked { images, student: &mut self.net, teacher };
                objective.ask(&mut asked, &seen, &mut batch.given);
            }
            let loss = objective.loss(batch);
            let value = loss.clone().into_scalar::<f32>();
            assert!(value.is_finite());
            self.optimizer.step(&mut self.net, loss.backward(), SGD.lr);
        }
        started.elapsed().as_secs_f64()
    }
}

type Named = (String, Choice<dyn Distillation>);

/// Rounds of some steps with each objective, by turns, and what they tell.
fn compare(title: &str, student: &mut Student, objectives: &[Named], rounds: usize) {
    let mut times = vec![Vec::new(); objectives.len()];
    for round in 0..=rounds {
        for (times, (_, objective)) in times.iter_mut().zip(objectives) {
            let seconds = student.steps(&**objective);
            // The first round warms up.
            if round > 0 {
                times.push(seconds);
            }
        }
    }
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{title}, batches of {BATCH}");
    for (times_of, (name, _)) in times.iter().zip(objectives) {
        let mut ratios: Vec<f64> = times_of.iter().zip(&times[0]).map(|(a, b)| a / b).collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "{name:18} {:7.2} ms a step, {:.3} of kd's (rounds {:.3} to {:.3})",
            least(times_of) / STEPS as f64 * 1e3,
            least(times_of) / least(&times[0]),
            ratios[0],
            ratios[ratios.len() - 1],
        );
    }
}

/// What compares features or asks its teacher; what has parameters of its own is left out.
const LIVE: [&str; 5] = ["at", "sp", "rkd", "fsp", "bss"];

fn main() -> Result<(), Box<dyn Error>> {
    let kinds = Kinds::default().distillation;
    let kd = ("kd".to_owned(), Kd::new(4.0, 0.9).into());
    let (mut on_logits, mut on_features) = (vec![kd.clone()], vec![kd]);
    // What has one teacher, and no field that must be said.
    for kind in
        kinds.iter().filter(|kind| !["kd", "dgkd", "dml", "ctkd", "fitnet"].contains(&kind.name))
    {
        let list = if LIVE.contains(&kind.name) { &mut on_features } else { &mut on_logits };
        list.push((kind.name.to_owned(), kind.choose(&[])?));
    }
    let standardized = Kd { standardize: true, ..Kd::new(2.0, 0.9) };
    on_logits.push(("kd, standardised".to_owned(), standardized.into()));
    let mut residual = Student::new("resnet20", 10, true)?;
    compare("ResNet-20, taught by a ResNet-20", &mut residual, &on_features, ROUNDS / 8);
    for classes in [10, 100] {
        let mut student = Student::new("plain2", classes, false)?;
        compare(&format!("plain2, {classes} classes"), &mut student, &on_logits, ROUNDS);
    }
    Ok(())
}
