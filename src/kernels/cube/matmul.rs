//! The product of rows by rows: each cube of units makes 16×16 values and reads as many of both operands at a time.
//!
//! Products and sums are f32, in the order of what is summed over.

use super::{
    extension::Own,
    launch::{address, empty, in_order, units},
    plan::UNITS,
};
use crate::kernels::{
    extension::tape::{finish, register},
    matmul::MatmulOps,
};
use burn::{
    backend::{
        Autodiff, Backend, Cube, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::Shape,
};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::prelude::*;

/// Rows, columns and summands of a tile, a value a unit.
const SIDE: usize = 16;
const _: () = assert!(SIDE * SIDE == UNITS);
/// Of a staged line: units that read a column meet other banks.
const LINE: usize = SIDE + 1;

/// `[batch, m, n]` out of `[batch, m, k]` and `[batch, n, k]`. Cubes are the columns' tiles, the rows', the batch.
#[cube(launch, address_type = "dynamic")]
fn rows_by_rows(a: &[f32], b: &[f32], out: &mut [f32], m: usize, n: usize, k: usize) {
    let (down, along) = (UNIT_POS as usize / SIDE, UNIT_POS as usize % SIDE);
    let batch = CUBE_POS_Z as usize;
    let row = CUBE_POS_Y as usize * SIDE + down;
    // The unit reads another row of b than the column that it makes, so that neighbours read side by side.
    let column = CUBE_POS_X as usize * SIDE + along;
    let read = CUBE_POS_X as usize * SIDE + down;
    let mut left = Shared::<[f32]>::new_slice(comptime!(SIDE * LINE));
    let mut right = Shared::<[f32]>::new_slice(comptime!(SIDE * LINE));
    let mut sum = 0f32;
    for start in range_stepped(0, k, SIDE) {
        let depth = start + along;
        let mut one = 0f32;
        let mut other = 0f32;
        if depth < k {
            if row < m {
                one = a[(batch * m + row) * k + depth];
            }
            if read < n {
                other = b[(batch * n + read) * k + depth];
            }
        }
        left[down * LINE + along] = one;
        right[down * LINE + along] = other;
        sync_cube();
        #[unroll]
        for at in 0..SIDE {
            sum += left[down * LINE + at] * right[along * LINE + at];
        }
        sync_cube();
    }
    if row < m && column < n {
        out[(batch * m + row) * n + column] = sum;
    }
}

fn extents(tensor: &CubeTensor) -> [usize; 3] {
    match tensor.shape().as_slice() {
        [rows, columns] => [1, *rows, *columns],
        [batch, rows, columns] => [*batch, *rows, *columns],
        shape => unreachable!("a product of matrices of {} dimensions", shape.len()),
    }
}

/// The same as an operation of burn's backend.
#[backend_extension(Cube, Fusion)]
pub trait MatmulPasses: Backend {
    /// See [`crate::kernels::matmul_nt`].
    #[fusion(dtype = a, shape = made(a, b))]
    fn matmul_forward(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn made(a: &Shape, b: &Shape) -> Shape {
    let mut shape = a.clone();
    let last = shape.rank() - 1;
    shape[last] = b[last - 1];
    shape
}

impl MatmulPasses for CubeBackend {
    fn matmul_forward(a: CubeTensor, b: CubeTensor) -> CubeTensor {
        let (a, b) = (in_order(a), in_order(b));
        let ([batch, m, k], [_, n, _]) = (extents(&a), extents(&b));
        let out = match a.shape().rank() {
            2 => empty(&a, [m, n]),
            _ => empty(&a, [batch, m, n]),
        };
        let tiles = |length: usize| length.div_ceil(SIDE) as u32;
        rows_by_rows::launch(
            &a.client.clone(),
            CubeCount::Static(tiles(n), tiles(m), batch as u32),
            units(),
            address([&a, &b, &out]),
            a.into_buffer_arg(),
            b.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            m,
            n,
            k,
        );
        out
    }
}

impl MatmulOps for Cube {
    fn matmul_nt(a: Own, b: Own) -> Own {
        Self::matmul_forward(a, b)
    }
}

/// The backward pass. Its parents are both operands.
#[derive(Debug)]
struct MatmulBackward;

impl Backward<Cube, 2> for MatmulBackward {
    type State = [Own; 2];

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Cube>(&ops.node);
        let [a, b] = ops.state;
        let last = a.shape().rank() - 1;
        let turned = |tensor: Own| Cube::float_swap_dims(tensor, last - 1, last);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let da = parents[0].map(|_| Cube::matmul_forward(gradient.clone(), turned(b)));
        let db = parents[1].map(|_| Cube::matmul_forward(turned(gradient), turned(a)));
        register::<Cube, _>(parents, [da, db], grads);
    }
}

impl<C: CheckpointStrategy> MatmulOps for Autodiff<Cube, C> {
    fn matmul_nt(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((a, a_node), (b, b_node)) = (a.into_parts(), b.into_parts());
        let out = Cube::matmul_forward(a.clone(), b.clone());
        finish::<Cube, C, _, 2>(MatmulBackward, [a_node, b_node], [a, b], out)
    }
}
