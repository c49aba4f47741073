//! `takd schema`.

use crate::{
    console::{
        exit::{self, Problem},
        print_data,
    },
    kinds::Kinds,
    schema::schema,
};

#[derive(clap::Args)]
#[command(after_help = "Example, for editors that use taplo:
  takd schema > takd.schema.json
and as the first line of a pipeline beside it:
  #:schema ./takd.schema.json")]
pub(super) struct Args {}

pub(super) fn run() -> Result<u8, Problem> {
    print_data(&schema(&Kinds::default()))?;
    Ok(exit::OK)
}
