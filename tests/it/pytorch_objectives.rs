//! Loss and gradients of every objective are PyTorch's, as `tests/golden/objectives.py` has them.

use crate::pytorch::{Golden, assert_near, batch, values};
use burn::tensor::{Device, Tensor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use takd::{
    kinds::Kinds,
    node::read_weights,
    objective::Batch,
    shape::Shape,
    tap::{Tap, Tapped},
};

const TAPS: [(Tap, &str); 4] = [
    (Tap::Stem, "stem"),
    (Tap::Stage(1), "stage1"),
    (Tap::Stage(2), "stage2"),
    (Tap::Pooled, "pooled"),
];

/// The taps of one side's features.
fn taps(golden: &Golden, side: &str) -> Vec<Tapped> {
    let tapped = TAPS.iter().enumerate().map(|(layer, (tap, name))| {
        let [_, channels, height, width] = golden.tensor::<4>(&format!("{side} {name}")).dims();
        Tapped { tap: *tap, shape: Shape { channels, height, width }, layer }
    });
    tapped.collect()
}

fn features(golden: &Golden, side: &str) -> Vec<(Tap, Tensor<4>)> {
    let tensor = |name: &str| golden.tensor::<4>(&format!("{side} {name}")).autodiff();
    let tracked =
        |tensor: Tensor<4>| if side == "student" { tensor.require_grad() } else { tensor };
    TAPS.iter().map(|(tap, name)| (*tap, tracked(tensor(name)))).collect()
}

/// The objective's parameters, with the values that the golden file has for them.
fn learned(golden: &Golden, name: &str, fields: &Map<String, Value>) -> Vec<Tensor<1>> {
    let all = match name {
        "ctkd" => golden.values("theta").to_vec(),
        "fitnet" => {
            let stage = fields.get("stage").and_then(Value::as_u64).unwrap_or(2);
            golden.values(&format!("projection {stage}")).to_vec()
        }
        _ => return Vec::new(),
    };
    vec![Tensor::<1>::from_floats(all.as_slice(), &Device::flex()).autodiff().require_grad()]
}

#[test]
fn every_objective() {
    let tensors = read_weights(include_bytes!("../golden/objectives.safetensors")).unwrap();
    let golden = Golden::of(tensors);
    let kinds = Kinds::default().distillation;
    let mut seen = BTreeSet::new();
    for case in golden.names().filter_map(|name| name.strip_suffix(" loss")) {
        let chosen: BTreeMap<String, Map<String, Value>> = serde_json::from_str(case).unwrap();
        let (name, fields) = chosen.into_iter().next().unwrap();
        let kind = kinds.iter().find(|kind| kind.name == name).unwrap();
        let parameters = learned(&golden, &name, &fields);
        let objective = kind.choose(&fields.into_iter().collect::<Vec<_>>()).unwrap();
        let needs = objective.needs(&taps(&golden, "student"), &taps(&golden, "teacher")).unwrap();
        let given = [features(&golden, "student"), features(&golden, "teacher")];
        let mut at = 0;
        let parts = needs.parameters.iter().map(|parameter| {
            at += parameter.count;
            parameters[0].clone().narrow(0, at - parameter.count, parameter.count)
        });
        let parts: Vec<_> = parts.collect();

        let student = golden.tensor::<2>("student").autodiff().require_grad();
        let [teacher, second] = ["teacher", "second"].map(|name| golden.tensor(name).autodiff());
        let labels = golden.labels("labels").autodiff();
        let epoch = golden.values("epoch")[0] as usize;
        let mut given_batch = batch(student.clone(), teacher.clone(), labels, epoch);
        if objective.sees_each() {
            given_batch = Batch { teachers: vec![teacher, second], ..given_batch };
        }
        let mut extras = needs.give(&given, &parts);
        if needs.asks() {
            let second = golden.tensor::<2>("second").autodiff();
            extras.asked = Some([student.clone().flip([0]), second]);
        }
        let loss = objective.loss(Batch { given: extras, ..given_batch });
        let gradients = loss.backward();
        let gradient = if needs.pairs.is_empty() {
            values(student.grad(&gradients).unwrap())
        } else {
            let each = given[0].iter().filter_map(|(_, feature)| feature.grad(&gradients));
            each.flat_map(values).collect()
        };
        let mut told = vec![("loss", values(loss)), ("gradient", gradient)];
        if name == "ctkd" {
            told.push(("learned gradient", values(parameters[0].grad(&gradients).unwrap())));
        }
        for (what, got) in told {
            let name = format!("{case} {what}");
            // This one number is what is left of the terms of all images and classes, a thousand times as large.
            let tolerance = if what == "learned gradient" { 1e-4 } else { 1e-5 };
            assert_near(&name, &got, golden.values(&name), tolerance);
        }
        seen.insert(name);
    }
    assert!(kinds.iter().all(|kind| seen.contains(kind.name)), "each kind has a case: {seen:?}");
}
