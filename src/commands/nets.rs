//! `takd nets`.

use crate::{
    architecture::Architecture,
    console::{
        exit::{self, Problem},
        print, print_json,
    },
    kinds::Kinds,
    network::{BUILTIN, builtin},
    shape::Shape,
};
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Example:
  takd nets --classes 100")]
pub(super) struct Args {
    /// Classes of the last layer [default: 10, of ImageNet's networks 1000]
    #[arg(long, value_name = "N")]
    classes: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Problem> {
    let kinds = Kinds::default();
    let nets: Vec<(&str, Architecture)> =
        BUILTIN.iter().filter_map(|name| Some((*name, net(name, args.classes, &kinds)?))).collect();
    if args.json {
        let of = |(name, net): &(&str, Architecture)| {
            let Shape { channels, height, width } = net.input();
            json!({
                "net": name, "input": [channels, height, width], "classes": net.classes(),
                "parameters": net.parameters(), "multiply_adds": net.multiply_adds(),
                "layers": net.texts(),
            })
        };
        print_json(&nets.iter().map(of).collect::<Vec<_>>())?;
        return Ok(exit::OK);
    }
    let mut text = format!(
        "{:<18} {:>10} {:>8} {:>12} {:>15}\n",
        "net", "input", "classes", "parameters", "multiply-adds"
    );
    for (name, net) in &nets {
        let Shape { channels, height, width } = net.input();
        let (input, classes) = (format!("{channels}×{height}×{width}"), net.classes());
        let (parameters, multiply_adds) = (net.parameters(), net.multiply_adds());
        text +=
            &format!("{name:<18} {input:>10} {classes:>8} {parameters:>12} {multiply_adds:>15}\n");
    }
    print(
        &(text + "A [net.NAME] of a pipeline has layers of its own, or is `like` one of these.\n"),
    )?;
    Ok(exit::OK)
}

/// A built-in network for the images that it was made for: CIFAR's, or ImageNet's.
fn net(name: &str, classes: Option<u16>, kinds: &Kinds) -> Option<Architecture> {
    let (side, usual) = if name.starts_with("imagenet") { (224, 1000) } else { (32, 10) };
    let classes = classes.map_or(usual, usize::from);
    let input = Shape { channels: 3, height: side, width: side };
    Architecture::read(&builtin(name, classes)?, input, classes, kinds).ok()
}
