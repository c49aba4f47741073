//! An objective is one file and one line of registry: this one is not takd's, and everything knows it.

use crate::workspace::Workspace;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use takd::{
    kind::{Field, Kind, Scalar},
    kinds::Kinds,
    objective::{Batch, Distillation, cross_entropy},
    report::render::format,
    schema::schema,
    session::{Opening, RunOptions, Selection, Session, Silent},
    store::Store,
};

/// Cross entropy + weight · the mean squared difference of the logits (Ba & Caruana 2014, eq. 1).
#[derive(Debug, Serialize, Deserialize)]
struct Mimic {
    weight: f64,
}

static KIND: Kind<dyn Distillation> = Kind {
    name: "mimic",
    doc: "cross entropy + weight · the mean squared difference of the logits",
    source: "Ba & Caruana 2014, equation 1",
    fields: &[Field::weight("weight", "the weight of the teacher's logits").or(Scalar::Number(0.5))],
    make: |fields| Ok(Arc::new(Kind::<dyn Distillation>::read::<Mimic>(fields))),
};

impl Distillation for Mimic {
    fn loss(&self, batch: Batch) -> Tensor<1> {
        let Batch { student, teacher, labels, .. } = batch;
        let difference = student.clone() - teacher;
        (difference.clone() * difference).mean() * self.weight + cross_entropy(student, labels)
    }
}

/// The one line.
fn kinds() -> Kinds {
    let mut kinds = Kinds::default();
    kinds.distillation.push(&KIND);
    kinds
}

fn opening(workspace: &Workspace) -> Opening {
    let text = crate::workspace::PIPELINE
        .replace("{ kd = { temperature = 4.0, lambda = 0.25 } }", "{ mimic = {} }");
    let table = "[table.all]\nrows = [{ node = \"assistant\" }, { node = \"takd\" }]\n";
    workspace.write("own.toml", text + table);
    Opening::new(workspace.path("own.toml")).kinds(kinds())
}

fn session(workspace: &Workspace, opening: &Opening) -> Session {
    let session = opening.session(Store::new(workspace.path("cache")));
    session.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_objective_of_ones_own_is_checked_planned_run_explained_and_reported() {
    let workspace = Workspace::new();
    let opening = opening(&workspace);
    // check: its fields and their ranges are known, with carets.
    let error = opening.clone().set("distill.assistant.objective.mimic.weight=-1").pipeline();
    let error = error.err().unwrap().to_string();
    assert!(error.contains("a weight in [0, 1], found -1") && error.contains("^^"), "{error}");
    let error = opening.clone().set("distill.assistant.objective.mimic.wait=1").pipeline();
    assert!(error.err().unwrap().to_string().contains("weight"), "a typo is recognised");
    // Without its line nobody knows it.
    let error = opening.clone().kinds(Kinds::default()).pipeline().err().unwrap().to_string();
    assert!(error.contains("mimic"), "{error}");
    // plan and run.
    let mut made = session(&workspace, &opening);
    let all = Selection::default();
    assert_eq!(made.plan(&all).unwrap().running().count(), 20);
    let outcome = made.run(&all, &RunOptions::default(), &Silent).unwrap();
    assert_eq!((outcome.trained(), outcome.failed()), (10, 0));
    assert_eq!(made.run(&all, &RunOptions::default(), &Silent).unwrap().reused(), 20);
    // why: the field that differs, old and new, and what it is.
    let heavier = opening.clone().set("distill.assistant.objective.mimic.weight=0.25");
    let why = session(&workspace, &heavier).why(&Selection::of(["assistant@20"])).unwrap();
    assert!(why.contains("objective.mimic.weight: 0.5 → 0.25"), "{why}");
    assert!(why.contains("the weight of the teacher's logits"), "{why}");
    // A default that is written out is the same artifact.
    let same = opening.clone().set("distill.assistant.objective.mimic.weight=0.5");
    assert_eq!(session(&workspace, &same).plan(&all).unwrap().running().count(), 0);
    // The schema, and reports.
    let schema = schema(&kinds());
    assert!(schema.contains("\"mimic\"") && schema.contains("The weight of the teacher's logits"));
    let render = |name| made.render(format(name).unwrap()).unwrap();
    assert!(render("text").contains("takd") && render("html").contains("mimic"));
}
