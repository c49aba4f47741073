//! Each pipeline of the paper, whole: recipe, objective, data and networks of the file and of each of
//! its presets against a table that was written by hand.

use crate::documents::paper;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};
use takd::{
    architecture::Architecture,
    dataset::{Data, Normalisation, Split},
    kind::Chosen,
    network,
    pipeline::{How, Learn, Mutual, Pipeline, Work},
    recipe::{BatchnormWeight, Precision, Recipe, Select},
};

const TABLE: &str = include_str!("presets.txt");

/// The table's blocks by their headings: `vgg.toml`, `vgg.toml as-paper-text`.
fn blocks() -> BTreeMap<&'static str, Vec<&'static str>> {
    let blocks = TABLE.split("\n== ").skip(1);
    let blocks = blocks.map(|block| {
        let mut lines = block.lines();
        (lines.next().unwrap(), lines.filter(|line| !line.is_empty()).collect())
    });
    blocks.collect()
}

#[test]
fn every_file_and_preset_is_what_the_table_says() {
    let mut blocks = blocks();
    let mut wrong = String::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let plain = paper(&name, None);
        // What is still to be decided stands in no table.
        if !plain.searches.is_empty() || (!plain.pending.is_empty() && plain.paper_note.is_none()) {
            continue;
        }
        let trained = trainings(&plain);
        let mut compare = |heading: String, lines: Vec<String>| {
            let want = blocks.remove(&*heading).unwrap_or_default();
            if lines != want {
                wrong += &format!("\n== {heading}, as it stands\n{}\n", lines.join("\n"));
                wrong += &format!("== {heading}, by the table\n{}\n", want.join("\n"));
            }
        };
        compare(name.clone(), describe(&plain, &trained));
        for preset in &plain.presets {
            let pipeline = paper(&name, Some(preset));
            assert_eq!(trainings(&pipeline), trained, "{name} {preset}");
            compare(format!("{name} {preset}"), describe(&pipeline, &[]));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(blocks.is_empty(), "of no file: {:?}", blocks.keys());
}

fn learns(pipeline: &Pipeline) -> Vec<&Learn> {
    let learns = pipeline.nodes.iter().filter_map(|node| match &node.work {
        Work::Learn(learn) => Some(&**learn),
        Work::Eval(_) => None,
    });
    learns.collect()
}

/// `plain10>plain4>plain2` for each training, by the data that it is on.
fn trainings(pipeline: &Pipeline) -> Vec<String> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for learn in learns(pipeline) {
        let (mut path, mut above) = (learn.net_name.clone(), learn.teacher());
        while let Some(teacher) = above {
            let teacher = pipeline.learn(teacher.first().expect("teachers are nodes here"));
            path = format!("{}>{path}", teacher.net_name);
            above = teacher.teacher();
        }
        if let How::Mutual(_, Mutual { names, .. }) = &learn.how {
            path = format!("{path} of {}", names.len());
        }
        add(&mut found, learn.data_name.clone(), path);
    }
    found.iter().map(|(data, paths)| format!("trainings on {data}: {}", paths.join(", "))).collect()
}

/// Adds `member` to the group named `name`, which may be new.
fn add(groups: &mut Vec<(String, Vec<String>)>, name: String, member: String) {
    match groups.iter_mut().find(|(known, _)| *known == name) {
        Some((_, members)) => members.push(member),
        None => groups.push((name, vec![member])),
    }
}

fn describe(pipeline: &Pipeline, trainings: &[String]) -> Vec<String> {
    let [mut data, mut recipes, mut objectives, mut nets] = [(); 4].map(|()| Vec::new());
    for learn in learns(pipeline) {
        let name = || learn.net_name.clone();
        add(&mut data, format!("data {}: {}", learn.data_name, data_in_words(&learn.data)), name());
        add(&mut recipes, recipe(learn.recipe().unwrap()), name());
        if let Some(teacher) = learn.teacher() {
            add(&mut objectives, objective(teacher.objective.chosen()), name());
        }
        if let How::Mutual(_, mutual) = &learn.how {
            add(&mut objectives, objective(mutual.objective.chosen()), name());
        }
        if network::builtin(&name(), learn.net.classes()) != Some(learn.net.texts()) {
            add(&mut nets, format!("net {}: {}", name(), layers(&learn.net)), name());
        }
    }
    let seeds: Vec<String> = pipeline.seeds.iter().map(u64::to_string).collect();
    let mut lines = vec![format!("seeds: {}", seeds.join(" "))];
    lines.extend(data.into_iter().map(|(line, _)| line));
    for (kind, groups) in [("recipe", recipes), ("objective", objectives)] {
        for (words, mut names) in groups {
            let mut seen = Vec::new();
            names.retain(|name| {
                !seen.contains(name) && {
                    seen.push(name.clone());
                    true
                }
            });
            lines.push(format!("{kind} of {}: {words}", names.join(" ")));
        }
    }
    lines.extend(nets.into_iter().map(|(line, _)| line));
    lines.extend_from_slice(trainings);
    lines.push(format!("measured: {}", measured(pipeline)));
    lines
}

/// The splits that every training is measured on.
fn measured(pipeline: &Pipeline) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for node in &pipeline.nodes {
        if let Work::Eval(eval) = &node.work
            && !eval.scores
        {
            let split = match eval.split {
                Split::Train => "train",
                Split::Validation => "validation",
                Split::Scoring => "scoring",
                Split::Test => "test",
            };
            add(&mut groups, split.to_owned(), eval.of.to_string());
        }
    }
    let all = learns(pipeline).len();
    assert!(groups.iter().all(|(_, of)| of.len() == all), "each is measured once: {groups:?}");
    groups.into_iter().map(|(split, _)| split).collect::<Vec<_>>().join(" ")
}

fn numbers<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn data_in_words(data: &Data) -> String {
    let Data { format, validation, scoring: _, normalisation, info: _ } = data;
    let format = match format.fit() {
        Some(fit) => format!("images of {} from {}", fit.size, fit.resize),
        None => format.how_to_get().replace("takd data fetch ", ""),
    };
    let moments = match normalisation {
        Normalisation::Measured => "moments measured".to_owned(),
        Normalisation::Given { mean, std } => {
            format!("mean {} std {}", numbers(mean), numbers(std))
        }
    };
    format!("{format}, {validation} held out, {moments}")
}

fn recipe(recipe: &Recipe) -> String {
    // Without `..`: a new field must come into the table.
    let Recipe {
        epochs,
        batch_size,
        optimizer,
        schedule,
        warmup,
        augment,
        select,
        batchnorm_weight,
        precision,
    } = recipe;
    assert_eq!(*precision, Precision::F32);
    let value = |chosen: &Chosen, field: &str, default: &str| {
        chosen.get(field).map_or(default.to_owned(), ToString::to_string)
    };
    let sgd = optimizer.chosen();
    assert!(sgd.kind == "sgd" && sgd.fields.len() <= 4, "{sgd:?}");
    let number = |field| value(sgd, field, "0").trim_end_matches(".0").to_owned();
    let nesterov = if sgd.get("nesterov").is_some() { " nesterov" } else { "" };
    let decay = value(sgd, "weight_decay", "0").parse::<f64>().unwrap();
    let (lr, momentum) = (number("lr"), number("momentum"));
    let optimizer = format!("sgd lr {lr} momentum {momentum}{nesterov} weight decay {decay}");
    let schedule = schedule.chosen();
    let schedule = match schedule.kind.as_str() {
        "step" => {
            let restart = if schedule.get("restart").is_some() { " and restarted" } else { "" };
            let milestones: Vec<usize> =
                serde_json::from_value(schedule.get("milestones").unwrap().clone()).unwrap();
            let gamma = value(schedule, "gamma", "0.1");
            format!("times {gamma}{restart} after {} epochs", numbers(&milestones))
        }
        "cosine" => format!("half a cosine to {}", value(schedule, "min", "0")),
        other => other.to_owned(),
    };
    let augment: Vec<&str> = augment.iter().map(|change| change.chosen().kind.as_str()).collect();
    let augment = if augment.is_empty() { "none".to_owned() } else { augment.join(" ") };
    let batchnorm = match batchnorm_weight {
        BatchnormWeight::Ones => "ones",
        BatchnormWeight::Uniform => "uniform",
    };
    let select = match select {
        Select::BestValidation => "best-validation",
        Select::Last => "last",
        Select::BestTest => "best-test",
    };
    format!(
        "{epochs} epochs, batches of {batch_size}, {optimizer}, {schedule}, {warmup} epochs of warm-up, \
         augmentation {augment}, batchnorm {batchnorm}, {select}"
    )
}

fn objective(objective: &Chosen) -> String {
    if objective.kind != "kd" {
        let fields = objective.fields.iter().map(|(name, value)| format!(" {name} {value}"));
        return format!("{}{}", objective.kind, fields.collect::<String>());
    }
    let number =
        |field| objective.get(field).unwrap().to_string().trim_end_matches(".0").to_owned();
    let reduction = objective.get("reduction").and_then(Value::as_str).unwrap_or("batchmean");
    assert!(objective.fields.len() <= 3, "{objective:?}");
    let standardize = if objective.get("standardize").is_some() { " standardised" } else { "" };
    let (temperature, lambda) = (number("temperature"), number("lambda"));
    format!("kd τ {temperature} λ {lambda} {reduction}{standardize}")
}

/// Layers with runs of equal ones counted.
fn layers(net: &Architecture) -> String {
    let names: Vec<String> = net.texts();
    let runs = names.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => run[0].clone(),
        count => format!("{count}×{}", run[0]),
    });
    runs.collect::<Vec<_>>().join(" ")
}
