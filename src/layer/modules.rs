//! The layers of a network with their tensors, one behind another.

use super::{
    init::Source,
    interface::{Layer, Module},
    names::Names,
};
use crate::{
    onnx::{Drawing, Edge},
    shape::Shape,
    tensors::Visitor,
};

/// Layers with their tensors, input side first.
#[derive(Clone)]
pub struct Modules {
    /// One may do the work of several layers.
    pub each: Vec<Box<dyn Module>>,
    /// Which of them gives what each layer gives.
    pub of_layer: Vec<usize>,
}

impl Modules {
    /// Of `layers`, each with the shape that comes in; `is_residual` says how parameters are named.
    pub fn new<'a>(
        layers: impl Iterator<Item = (&'a dyn Layer, Shape)>,
        is_residual: bool,
        from: Source<'_>,
    ) -> Self {
        let mut names = Names::new(is_residual);
        let (mut each, mut of_layer) = (Vec::<Box<dyn Module>>::new(), Vec::new());
        let mut layers = layers.peekable();
        while let Some((layer, input)) = layers.next() {
            let previous = each.last_mut();
            if !previous.is_some_and(|previous| layer.joins(&mut **previous, &mut names)) {
                each.push(layer.init(input, layers.peek().is_none(), &mut names, from));
            }
            of_layer.push(each.len() - 1);
        }
        Self { each, of_layer }
    }

    /// Walks all tensors, input side first.
    pub fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.each.iter_mut().for_each(|module| module.visit(visitor));
    }

    /// Adds all operators to a graph, behind `x`; what they give.
    ///
    /// # Errors
    /// Why it cannot, as the end of a sentence that begins with the network.
    pub fn draw(&self, graph: &mut Drawing, x: Edge) -> Result<Edge, String> {
        self.each.iter().try_fold(x, |x, module| module.draw(graph, &x))
    }
}
