//! No bytes make the pipeline reader panic, and whatever it refuses it gives a reason for.

use crate::{keys::parse_with, tiny, workspace::PIPELINE};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_oneof, proptest,
};

fn reads(text: &str) -> Result<(), String> {
    match parse_with(text, &|_| Ok(tiny::info())) {
        Ok(_) => Ok(()),
        Err(diagnostics) => {
            let rendered = diagnostics.render(true);
            if diagnostics.list().is_empty() { Err(rendered) } else { Ok(()) }
        }
    }
}

/// Pieces that pipelines are made of, so that random files get past the first line.
fn pieces() -> impl Strategy<Value = String> {
    let words = PIPELINE.split_inclusive(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let words: Vec<String> = words.collect();
    let piece = prop_oneof![
        8 => prop::sample::select(words),
        1 => any::<String>(),
        1 => Just("[chain.c]\nnets = [\"large\", \"small\"]\nfrom = \"teacher\"\npaths = \"all\"\n".to_owned()),
        1 => Just("matrix = { size = [1, \"é\"] }\n".to_owned()),
        1 => Just("-9223372036854775808".to_owned()),
        1 => Just("1e400".to_owned()),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..Default::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        prop_assert!(reads(&text).is_ok());
    }

    #[test]
    fn likely_text(text in pieces()) {
        prop_assert!(reads(&text).is_ok(), "{text}");
    }

    #[test]
    fn a_pipeline_with_a_hole_or_a_patch(
        start in 0..PIPELINE.len(),
        length in 0..60usize,
        patch in pieces(),
    ) {
        let end = (start + length).min(PIPELINE.len());
        let text = format!("{}{patch}{}", &PIPELINE[..start], &PIPELINE[end..]);
        prop_assert!(reads(&text).is_ok(), "{text}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{ a = ", "}")] {
        let text = format!("a = {}1{}", open.repeat(5000), close.repeat(5000));
        assert!(reads(&text).is_ok());
    }
    let table = format!("[{}]\n", vec!["a"; 5000].join("."));
    assert!(reads(&table).is_ok());
}
