//! How operations of our own enter autodiff, on any backend.

use super::maybe::Maybe;
use burn::backend::{
    Autodiff, Backend,
    autodiff::{
        NodeId,
        checkpoint::strategy::CheckpointStrategy,
        grads::Gradients,
        ops::{Backward, NodeGuard, OpsKind},
    },
    tensor::FloatTensor,
};

/// A tensor of a backend within autodiff.
pub(in crate::kernels) type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// A tensor that may be absent, and its node.
pub(in crate::kernels) fn parts<B: Backend, C: CheckpointStrategy>(
    maybe: Maybe<Autodiff<B, C>>,
) -> (Option<FloatTensor<B>>, Option<NodeGuard>) {
    maybe.into_option().map(Tracked::<B, C>::into_parts).unzip()
}

/// Hands gradients to those parents that want theirs.
pub(in crate::kernels) fn register<B: Backend, const N: usize>(
    parents: [Option<NodeId>; N],
    all: impl IntoIterator<Item = Option<FloatTensor<B>>>,
    grads: &mut Gradients,
) {
    for (parent, gradient) in parents.into_iter().zip(all) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent, gradient);
        }
    }
}

/// `out` as the output of `op`, which keeps `state` where something is tracked.
pub(in crate::kernels) fn finish<
    B: Backend,
    C: CheckpointStrategy,
    O: Backward<B, N>,
    const N: usize,
>(
    op: O,
    nodes: [NodeGuard; N],
    state: O::State,
    out: FloatTensor<B>,
) -> Tracked<B, C> {
    match op.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// As [`finish`], of a layer, which has two more parents at most.
pub(in crate::kernels) fn finish_layer<B: Backend, C: CheckpointStrategy, O, S>(
    op: O,
    [a, b, c, d]: [NodeGuard; 4],
    more: [Option<NodeGuard>; 2],
    state: S,
    out: FloatTensor<B>,
) -> Tracked<B, C>
where
    O: Backward<B, 4, State = S> + Backward<B, 5, State = S> + Backward<B, 6, State = S>,
{
    match more {
        [None, None] => finish::<B, C, O, 4>(op, [a, b, c, d], state, out),
        [Some(e), None] | [None, Some(e)] => finish::<B, C, O, 5>(op, [a, b, c, d, e], state, out),
        [Some(e), Some(f)] => finish::<B, C, O, 6>(op, [a, b, c, d, e, f], state, out),
    }
}
