//! Reads results out of a cache: every measurement, with the network that it is of.
//!
//!     cargo run --release -- run pipelines/quickstart.toml
//!     cargo run --release --example read_cache -- cache

use std::error::Error;
use takd::store::{Depth, Lookup, Outcome, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::new(std::env::args().nth(1).unwrap_or_else(|| "cache".to_owned()));
    let mut count = 0;
    for key in store.keys()? {
        // `Depth::Content` would check the digest of every file as well.
        let Lookup::Whole(eval) = store.find(&key, Depth::Manifest)? else { continue };
        let Outcome::Metrics { metrics, .. } = &eval.manifest.outcome else { continue };
        // A measurement's first parent is the network that it is of.
        let network = eval.manifest.inputs.parents[0];
        let Lookup::Whole(network) = store.find(&network, Depth::Manifest)? else { continue };
        let manifest = &network.manifest;
        let Outcome::Network { parameters, seconds, .. } = manifest.outcome else { continue };
        println!(
            "{:<16} {parameters:>9} parameters  {:.2} % of {} images, trained in {seconds:.1} s",
            manifest.provenance.node,
            metrics.top1() * 100.0,
            metrics.samples
        );
        count += 1;
    }
    println!("{count} measurements in {}", store.root().display());
    Ok(())
}
