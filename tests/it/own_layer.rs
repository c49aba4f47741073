//! A layer is one file and one line of registry: this one is not takd's, and everything knows it.

use crate::workspace::Workspace;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use takd::{
    kind::{Field, Kind},
    kinds::Kinds,
    layer::{Activation, Family, Layer, Module, Names, Pass, Source, uniform},
    network::{Role, Visitor},
    report::render::format,
    schema::schema,
    session::{Opening, RunOptions, Selection, Session, Silent},
    shape::Shape,
    store::Store,
};

/// Fully connected without a bias, then tanh.
#[derive(Debug, Serialize, Deserialize)]
struct Tanh {
    width: usize,
}

static KIND: Kind<dyn Layer> = Kind {
    name: "tanh",
    doc: "fully connected without a bias, then tanh",
    source: "torch.nn.Linear(bias=False), torch.nn.Tanh",
    fields: &[Field::whole("width", 1, 4096, "outputs of the tanh layer")],
    make: |fields| Ok(Arc::new(Kind::<dyn Layer>::read::<Tanh>(fields))),
};

impl Layer for Tanh {
    fn output(&self, _: Shape) -> Result<Shape, String> {
        Ok(Shape { channels: self.width, height: 1, width: 1 })
    }

    fn parameters(&self, input: Shape) -> usize {
        input.size() * self.width
    }

    fn family(&self) -> Family {
        Family::FullyConnected
    }

    fn init(&self, input: Shape, _: bool, names: &mut Names, from: Source<'_>) -> Box<dyn Module> {
        let (name, inputs) = (format!("{}.weight", names.fc()), input.size());
        let weight = uniform(&name, [self.width, inputs], inputs, from);
        Box::new(Weighted { name, weight })
    }
}

#[derive(Clone)]
struct Weighted {
    name: String,
    weight: Tensor<2>, // [out, in]
}

impl Module for Weighted {
    fn forward(&mut self, x: Activation, _: Pass) -> Activation {
        Activation::Features(x.features().matmul(self.weight.clone().transpose()).tanh())
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.visit(&self.name, Role::Parameter, &mut self.weight);
    }

    fn boxed(&self) -> Box<dyn Module> {
        Box::new(self.clone())
    }
}

/// The one line.
fn kinds() -> Kinds {
    let mut kinds = Kinds::default();
    kinds.layers.push(&KIND);
    kinds
}

fn session(workspace: &Workspace, opening: &Opening) -> Session {
    let session = opening.session(Store::new(workspace.path("cache")));
    session.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_layer_of_ones_own_is_checked_planned_run_explained_and_reported() {
    let workspace = Workspace::new();
    let text = crate::workspace::PIPELINE.replace("\"fc8\", \"fc3\"", "\"tanh5\", \"fc3\"");
    workspace.write("own.toml", text + "[table.all]\nrows = [{ node = \"teacher\" }]\n");
    let opening = Opening::new(workspace.path("own.toml")).kinds(kinds());
    // check: its number is bounded, with a caret.
    let layers = |layer: &str| format!("net.large.layers=[\"conv6\", \"{layer}\", \"fc3\"]");
    let error = opening.clone().set(layers("tanh0")).pipeline().err().unwrap().to_string();
    assert!(error.contains("tanh0") && error.contains("--set"), "{error}");
    // Without its line nobody knows it, and with it errors name it among the layers.
    let error = opening.clone().kinds(Kinds::default()).pipeline().err().unwrap().to_string();
    assert!(error.contains("`tanh5`"), "{error}");
    let error = opening.clone().set(layers("tan5")).pipeline().err().unwrap().to_string();
    assert!(error.contains("tanh16"), "{error}");
    // plan and run: conv6 with its BatchNorm, the layer on 6 4×4 images, and the last one.
    let mut made = session(&workspace, &opening);
    let all = Selection::default();
    assert_eq!(made.plan(&all).unwrap().running().count(), 20);
    let outcome = made.run(&all, &RunOptions::default(), &Silent).unwrap();
    assert_eq!((outcome.trained(), outcome.failed()), (10, 0));
    let report = made.report().unwrap();
    let row = report.tables[0].rows[0].ours.as_ref().unwrap();
    assert_eq!(row.parameters, (6 * 9 + 6 + 2 * 6) + 6 * 16 * 5 + (5 * 3 + 3));
    let render = |name| made.render(format(name).unwrap()).unwrap();
    assert!(render("text").contains("teacher"));
    // why: which layers were replaced by which.
    let wider = opening.clone().set(layers("tanh7"));
    let why = session(&workspace, &wider).why(&Selection::of(["teacher@20"])).unwrap();
    assert!(why.contains("tanh5") && why.contains("tanh7"), "{why}");
    // The schema, and the page with the configuration of each node.
    let text = schema(&kinds());
    assert!(text.contains("^tanh[1-9][0-9]*$") && text.contains("without a bias, then tanh"));
    assert!(render("html").contains("tanh5"));
}
