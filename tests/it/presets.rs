//! Each pipeline of the paper, whole: recipe, objective, data and networks of the file and of each of
//! its presets against a table that was written by hand.

use crate::documents::paper;
use std::{collections::BTreeMap, fs, path::Path};
use takd::{
    config::{
        Augment, BatchnormWeight, CifarKind, Data, Format, Kd, Net, Normalisation, Optimizer,
        Recipe, Reduction, Schedule, Select, Split, Warmup,
    },
    net,
    spec::{Learn, Pipeline, Work},
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
            let teacher = pipeline.learn(teacher.node);
            path = format!("{}>{path}", teacher.net_name);
            above = teacher.teacher();
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
            add(&mut objectives, objective(teacher.kd), name());
        }
        if net::builtin(&name(), learn.net.classes()).as_deref() != Some(learn.net.layers()) {
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
        if let Work::Eval(eval) = &node.work {
            let split = match eval.split {
                Split::Train => "train",
                Split::Validation => "validation",
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
    let Data { format, validation, normalisation, info: _ } = data;
    let format = match format {
        Format::FashionMini => "images inside takd".to_owned(),
        Format::Idx(path) => format!("idx {}", path.display()),
        Format::Cifar(cifar) => match cifar.kind {
            CifarKind::Ten => "cifar10".to_owned(),
            CifarKind::Hundred => "cifar100".to_owned(),
        },
        Format::Folder(folder) => {
            format!("images of {} from {}", folder.fit.size, folder.fit.resize)
        }
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
        warmup: Warmup(warmup),
        augment,
        select,
        batchnorm_weight,
    } = recipe;
    let optimizer = match optimizer {
        Optimizer::Sgd { lr, momentum, nesterov, weight_decay } => {
            let nesterov = if *nesterov { " nesterov" } else { "" };
            format!("sgd lr {lr} momentum {momentum}{nesterov} weight decay {weight_decay}")
        }
        other => format!("{other:?}"),
    };
    let schedule = match schedule {
        Schedule::Constant {} => "constant".to_owned(),
        Schedule::Step { milestones, gamma, restart } => {
            let restart = if *restart { " and restarted" } else { "" };
            format!("times {gamma}{restart} after {} epochs", numbers(milestones))
        }
        Schedule::Cosine { min } => format!("half a cosine to {min}"),
    };
    let augment: Vec<&str> = augment
        .iter()
        .map(|change| match change {
            Augment::ResizedCrop => "resized-crop",
            Augment::Crop => "crop",
            Augment::Flip => "flip",
        })
        .collect();
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

fn objective(kd: Kd) -> String {
    let Kd { temperature, lambda, reduction } = kd;
    let reduction = match reduction {
        Reduction::Batchmean => "batchmean",
        Reduction::Mean => "mean",
    };
    format!("kd τ {temperature} λ {lambda} {reduction}")
}

/// Layers with runs of equal ones counted.
fn layers(net: &Net) -> String {
    let names: Vec<String> = net.layers().iter().map(|&layer| String::from(layer)).collect();
    let runs = names.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => run[0].clone(),
        count => format!("{count}×{}", run[0]),
    });
    runs.collect::<Vec<_>>().join(" ")
}
