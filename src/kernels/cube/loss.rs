//! Cross entropy and the divergence from a teacher, as one operation with one kernel each way.

use super::{
    launch::{each, empty, in_order, units},
    norm::whole,
    plan::UNITS,
};
use crate::kernels::{
    asked::Weights,
    extension::{
        Maybe,
        tape::{finish, register},
    },
};
use burn::{
    backend::{
        Autodiff, Backend, Cube, Dispatch, ExtensionType, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        fusion::custom::TensorSpec,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// Where `logs` keeps the logarithm of a row's sum of exponentials: of the student's logits, of these over τ, and of
/// the teacher's over τ.
const PLAIN: usize = 0;
const SOFT: usize = 1;
const TAUGHT: usize = 2;

/// log Σ exp(value/τ) of a row.
#[cube]
fn log_sum(logits: &[f32], start: usize, temperature: f32, #[comptime] classes: usize) -> f32 {
    let mut greatest = logits[start];
    for class in 1..classes {
        let value = logits[start + class];
        greatest = select(value > greatest, value, greatest);
    }
    let mut sum = 0f32;
    for class in 0..classes {
        sum += ((logits[start + class] - greatest) / temperature).exp();
    }
    greatest / temperature + sum.ln()
}

/// `ce` · Σ −log p(label) + `kl` · Σ KL(teacher/τ ‖ student/τ) over all rows, by one cube; `logs` is `[3, rows]`.
#[cube(launch)]
fn soft_losses(
    student: &[f32],
    labels: &[i32],
    teacher: ComptimeOption<&[f32]>,
    loss: &mut [f32],
    logs: &mut [f32],
    rows: usize,
    temperature: f32,
    ce: f32,
    kl: f32,
    #[comptime] classes: usize,
) {
    let mut sum = 0f32;
    for row in range_stepped(UNIT_POS as usize, rows, UNITS) {
        let start = row * classes;
        let plain = log_sum(student, start, 1f32, classes);
        logs[PLAIN * rows + row] = plain;
        // A weight of 0 leaves even an infinite loss out.
        if ce != 0f32 {
            sum += ce * (plain - student[start + labels[row] as usize]);
        }
        #[comptime]
        if let ComptimeOption::Some(teacher) = teacher {
            let soft = log_sum(student, start, temperature, classes);
            let taught = log_sum(teacher, start, temperature, classes);
            logs[SOFT * rows + row] = soft;
            logs[TAUGHT * rows + row] = taught;
            let mut divergence = 0f32;
            for class in 0..classes {
                let p = teacher[start + class] / temperature - taught;
                let q = student[start + class] / temperature - soft;
                divergence += p.exp() * (p - q);
            }
            sum += kl * divergence;
        }
    }
    let sum = whole(sum);
    if UNIT_POS == 0 {
        loss[0] = sum;
    }
}

/// The gradient of the student's logits: `ce` · (p − [label]) + `kl`/τ · (q − p of the teacher), times the loss's.
#[cube(launch)]
fn soft_gradients(
    gradient: &[f32],
    student: &[f32],
    labels: &[i32],
    teacher: ComptimeOption<&[f32]>,
    logs: &[f32],
    out: &mut [f32],
    rows: usize,
    temperature: f32,
    ce: f32,
    kl: f32,
    #[comptime] classes: usize,
) {
    let at = ABSOLUTE_POS;
    if at >= out.len() {
        terminate!();
    }
    let (row, class) = (at / classes, at % classes);
    let mut value = 0f32;
    if ce != 0f32 {
        value = ce * (student[at] - logs[PLAIN * rows + row]).exp();
        if labels[row] as usize == class {
            value -= ce;
        }
    }
    #[comptime]
    if let ComptimeOption::Some(teacher) = teacher {
        let q = student[at] / temperature - logs[SOFT * rows + row];
        let p = teacher[at] / temperature - logs[TAUGHT * rows + row];
        value += kl / temperature * (q.exp() - p.exp());
    }
    out[at] = value * gradient[0];
}

/// A loss, `[1]`, and what its gradient reads, `[3, rows]`.
#[derive(ExtensionType)]
#[extension_type(fusion)]
pub struct Lost<B: Backend> {
    pub loss: FloatTensor<B>,
    pub logs: FloatTensor<B>,
}

/// Both ways as operations of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait SoftPasses: Backend {
    /// The loss of logits `[rows, classes]`.
    #[fusion(meta = lost)]
    fn soft_forward(
        student: FloatTensor<Self>,
        labels: IntTensor<Self>,
        #[extension_type] teacher: Maybe<Self>,
        weights: Weights,
    ) -> Lost<Self>;

    /// The gradient of the student's logits.
    #[fusion(dtype = student, shape = student)]
    fn soft_backward(
        gradient: FloatTensor<Self>,
        student: FloatTensor<Self>,
        labels: IntTensor<Self>,
        #[extension_type] teacher: Maybe<Self>,
        logs: FloatTensor<Self>,
        weights: Weights,
    ) -> FloatTensor<Self>;
}

fn lost(
    student: &TensorSpec,
    _: &TensorSpec,
    _: &crate::kernels::extension::MaybeMetadata,
    _: &Weights,
) -> LostMetadata {
    let of = |shape: &[usize]| TensorSpec::new(shape.to_vec().into(), student.dtype);
    LostMetadata { loss: of(&[1]), logs: of(&[3, student.shape[0]]) }
}

impl SoftPasses for CubeBackend {
    fn soft_forward(
        student: CubeTensor,
        labels: CubeTensor,
        teacher: Maybe<Self>,
        weights: Weights,
    ) -> Lost<Self> {
        let student = in_order(student);
        let [rows, classes] = student.shape().dims();
        let (loss, logs) = (empty(&student, [1]), empty(&student, [3, rows]));
        soft_losses::launch(
            &student.client.clone(),
            CubeCount::Static(1, 1, 1),
            units(),
            student.into_buffer_arg(),
            in_order(labels).into_buffer_arg(),
            teacher.into_option().map(|teacher| in_order(teacher).into_buffer_arg()).into(),
            loss.clone().into_buffer_arg(),
            logs.clone().into_buffer_arg(),
            rows,
            weights.temperature as f32,
            weights.labels as f32,
            weights.teacher as f32,
            classes,
        );
        Lost { loss, logs }
    }

    fn soft_backward(
        gradient: CubeTensor,
        student: CubeTensor,
        labels: CubeTensor,
        teacher: Maybe<Self>,
        logs: CubeTensor,
        weights: Weights,
    ) -> CubeTensor {
        let student = in_order(student);
        let [rows, classes] = student.shape().dims();
        let out = empty(&student, [rows, classes]);
        soft_gradients::launch(
            &student.client.clone(),
            each(rows * classes),
            units(),
            in_order(gradient).into_buffer_arg(),
            student.into_buffer_arg(),
            in_order(labels).into_buffer_arg(),
            teacher.into_option().map(|teacher| in_order(teacher).into_buffer_arg()).into(),
            logs.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            rows,
            weights.temperature as f32,
            weights.labels as f32,
            weights.teacher as f32,
            classes,
        );
        out
    }
}

/// The loss with its backward pass.
#[backend_extension(Cube, Autodiff)]
pub trait LossOps: Backend {
    /// See [`soft_loss`].
    fn soft_loss(
        student: FloatTensor<Self>,
        labels: IntTensor<Self>,
        #[extension_type] teacher: Maybe<Self>,
        weights: Weights,
    ) -> FloatTensor<Self>;
}

/// See [`crate::kernels::soft_loss`].
pub fn soft_loss(
    student: Tensor<2>,
    labels: Tensor<1, Int>,
    teacher: Option<Tensor<2>>,
    weights: Weights,
) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as LossOps>::soft_loss(
        student.into_dispatch(),
        labels.into_dispatch(),
        Maybe::from(teacher.map(Tensor::into_dispatch)),
        weights,
    ))
}

impl LossOps for Cube {
    fn soft_loss(
        student: FloatTensor<Self>,
        labels: IntTensor<Self>,
        teacher: Maybe<Self>,
        weights: Weights,
    ) -> FloatTensor<Self> {
        Self::soft_forward(student, labels, teacher, weights).loss
    }
}

/// The backward pass. Its parent is the student's logits.
#[derive(Debug)]
struct LossBackward;

#[derive(Clone, Debug)]
struct Recorded {
    student: FloatTensor<Cube>,
    labels: IntTensor<Cube>,
    teacher: Option<FloatTensor<Cube>>,
    logs: FloatTensor<Cube>,
    weights: Weights,
}

impl Backward<Cube, 1> for LossBackward {
    type State = Recorded;

    fn backward(self, ops: Ops<Recorded, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let Recorded { student, labels, teacher, logs, weights } = ops.state;
        let teacher = Maybe::from(teacher);
        let made = Cube::soft_backward(gradient, student, labels, teacher, logs, weights);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<Cube, _>(parents, [Some(made)], grads);
    }
}

impl<C: CheckpointStrategy> LossOps for Autodiff<Cube, C> {
    fn soft_loss(
        student: FloatTensor<Self>,
        labels: IntTensor<Self>,
        teacher: Maybe<Self>,
        weights: Weights,
    ) -> FloatTensor<Self> {
        let (student, node) = student.into_parts();
        let teacher = teacher.into_option().map(FloatTensor::<Self>::into_primitive);
        let given = Maybe::from(teacher.clone());
        let made = Cube::soft_forward(student.clone(), labels.clone(), given, weights);
        let state = Recorded { student, labels, teacher, logs: made.logs, weights };
        finish::<Cube, C, _, 1>(LossBackward, [node], state, made.loss)
    }
}
