//! takd beside itself: nodes in parallel, large plans, a run with nothing to do.

use super::{images, process::takd, turns::Turns};
use std::{error::Error, fs, path::Path};

const ROUNDS: usize = 7;
const HEAD: &str = r#"
[data.fashion]
format = "fashion-mini"
validation = 500

[net.small]
layers = ["conv4", "maxpool", "conv4", "maxpool", "fc10"]
"#;

pub fn measure() -> Result<(), Box<dyn Error>> {
    let folder = images::folder("own")?;
    println!("two nodes, s with --jobs 1 and with --jobs 2");
    for (net, epochs) in [("small", 20), ("plain2", 10)] {
        let file = folder.join(format!("{net}.toml"));
        fs::write(&file, two_nodes(net, epochs))?;
        let mut turns = [Turns(Vec::new()), Turns(Vec::new())];
        for round in 0..ROUNDS {
            for (jobs, turns) in turns.iter_mut().enumerate() {
                let cache = folder.join(format!("{net}-{round}-{jobs}"));
                let jobs = (jobs + 1).to_string();
                let args = ["--device", "cpu", "-q", "--jobs", &jobs];
                turns.0.push(takd("run", &file, &cache, &args)?);
            }
        }
        let [one, two] = &turns;
        let ratio = two.median() / one.median();
        println!("{net:9}  {:22}  {:22}  {ratio:5.2}", one.seconds(), two.seconds());
    }
    println!("\n`takd plan`, s");
    for tasks in [1_000, 10_000] {
        let file = folder.join(format!("plan{tasks}.toml"));
        fs::write(&file, many_nodes(tasks))?;
        let turn = |_| takd("plan", &file, &folder.join("none"), &[]);
        let turns = Turns((0..ROUNDS).map(turn).collect::<Result<_, _>>()?);
        println!("{tasks:6} nodes  {:.3}", turns.median());
    }
    let (file, cache) = (Path::new("pipelines/quickstart.toml"), folder.join("quickstart"));
    takd("run", file, &cache, &["-q"])?;
    let turn = |_| takd("run", file, &cache, &["-q"]);
    let turns = Turns((0..ROUNDS).map(turn).collect::<Result<_, _>>()?);
    println!("\nquickstart with nothing to do, s: {:.3}\n", turns.median());
    Ok(())
}

fn two_nodes(net: &str, epochs: usize) -> String {
    format!(
        r#"{HEAD}
[recipe.short]
epochs = {epochs}
batch_size = 128
optimizer = {{ sgd = {{ lr = 0.05, momentum = 0.9 }} }}

[train.node]
net = "{net}"
data = "fashion"
recipe = "short"
"#
    )
    .replacen('\n', "seeds = [1, 2]\n", 1)
}

/// A tenth of `tasks` nodes, half of them trainings that differ and half their evals, with ten seeds.
fn many_nodes(tasks: usize) -> String {
    let mut text = format!("seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]{HEAD}");
    for node in 0..tasks / 20 {
        text += &format!(
            r#"
[recipe.r{node}]
epochs = {}
batch_size = 128
optimizer = {{ sgd = {{ lr = 0.1 }} }}

[train.n{node}]
net = "small"
data = "fashion"
recipe = "r{node}"
"#,
            node + 1
        );
    }
    text + "\n[eval.test]\nof = [\"*\"]\n"
}
