//! Runs a pipeline and reads its results.
//!
//!     cargo run --release --example run_pipeline -- pipelines/quickstart.toml

use std::error::Error;
use takd::session::{RunOptions, Selection, Session, Silent};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "pipelines/quickstart.toml".to_owned());
    let mut session = Session::open(file)?;
    let plan = session.plan(&Selection::default())?;
    println!("{} of {} steps to run", plan.running().count(), plan.steps.len());
    let outcome = session.run(&Selection::default(), &RunOptions::default(), &Silent)?;
    println!("trained {}, reused {}", outcome.trained(), outcome.reused());
    for row in session.report()?.tables.into_iter().flat_map(|table| table.rows) {
        let top1 = row.ours.and_then(|ours| ours.accuracy());
        println!("{}: {} %", row.label, top1.map_or("–".to_owned(), |top1| top1.percent()));
    }
    Ok(())
}
