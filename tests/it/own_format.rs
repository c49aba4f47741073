//! A data format is one file and one line of registry: this one is not takd's, and everything knows it.

use crate::workspace::{PIPELINE, Workspace};
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc};
use takd::{
    dataset::{
        DataError, DataFormat, Dataset, Digests, Format, Images, Location, Part, Place, Storage,
        TEST, TRAIN, part_digest,
    },
    kind::{Field, Kind, Scalar},
    kinds::Kinds,
    report::render::format,
    schema::schema,
    session::{Opening, RunOptions, Selection, Session, Silent},
    shape::Shape,
    store::Store,
};

/// A bright row at the height of the class, on so many 8×8 images.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Stripes {
    images: usize,
}

static KIND: Kind<dyn DataFormat> = Kind {
    name: "stripes",
    doc: "a bright row at the height of the class",
    source: "drawn here",
    fields: &[Field::whole("images", 6, 1000, "training images").or(Scalar::Whole(48))],
    make: |fields| Ok(Arc::new(Kind::<dyn DataFormat>::read::<Stripes>(fields))),
};

impl DataFormat for Stripes {
    fn location(&self) -> Location {
        Location::BuiltIn
    }

    fn at(&self, _: &Place<'_>) -> Format {
        (*self).into()
    }
}

impl Storage for Stripes {
    fn path(&self) -> Option<&Path> {
        None
    }

    fn load(&self) -> Result<Dataset, DataError> {
        let shape = Shape { channels: 1, height: 8, width: 8 };
        let pixels = |count: usize| -> Vec<u8> {
            let row = |image: usize, row: usize| if row == image % 3 * 2 { 255 } else { 0 };
            (0..count * 8).flat_map(|line| [row(line / 8, line % 8); 8]).collect()
        };
        let digest = |part, bytes: &[u8]| {
            part_digest("stripes", part, &[], [("images", blake3::hash(bytes))].into_iter())
        };
        let (train, test) = (pixels(self.images), pixels(12));
        let digests = Digests { train: digest(TRAIN, &train), test: digest(TEST, &test) };
        let part = |bytes: Vec<u8>| Part {
            labels: (0..bytes.len() / shape.size()).map(|image| (image % 3) as u16).collect(),
            images: Images::Bytes(bytes),
        };
        let (train, test) = (part(train), part(test));
        Ok(Dataset { shape, classes: 3, train, test, digests, notes: Vec::new() })
    }

    fn how_to_get(&self) -> String {
        "they are drawn".to_owned()
    }
}

/// The one line.
fn kinds() -> Kinds {
    let mut kinds = Kinds::default();
    kinds.formats.push(&KIND);
    kinds
}

fn session(workspace: &Workspace, opening: &Opening) -> Session {
    let session = opening.session(Store::new(workspace.path("cache")));
    session.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_format_of_ones_own_is_checked_planned_run_explained_and_reported() {
    let workspace = Workspace::new();
    let format_and_path = "format     = \"idx\"\npath       = \"bars\"\n";
    assert!(PIPELINE.contains(format_and_path));
    workspace.write("own.toml", PIPELINE.replace(format_and_path, "format = \"stripes\"\n"));
    let opening = Opening::new(workspace.path("own.toml")).kinds(kinds());
    // check: its fields have ranges and carets, and takd's own kinds do not know it.
    let error = opening.clone().set("data.bars.images=5").pipeline().err().unwrap().to_string();
    assert!(error.contains("data.bars.images = 5") && error.contains("6..=1000"), "{error}");
    let error = Opening::new(workspace.path("own.toml")).pipeline().err().unwrap().to_string();
    assert!(error.contains("stripes"), "{error}");
    // plan and run.
    let mut made = session(&workspace, &opening);
    let all = Selection::default();
    assert_eq!(made.plan(&all).unwrap().running().count(), 20);
    let outcome = made.run(&all, &RunOptions::default(), &Silent).unwrap();
    assert_eq!((outcome.trained(), outcome.failed()), (10, 0));
    // A default that is written out is the same artifact; other images are others.
    let same = opening.clone().set("data.bars.images=48");
    assert_eq!(session(&workspace, &same).plan(&all).unwrap().running().count(), 0);
    let more = session(&workspace, &opening.clone().set("data.bars.images=60"));
    assert_eq!(more.plan(&all).unwrap().running().count(), 20);
    let why = more.why(&Selection::of(["teacher@20"])).unwrap();
    assert!(why.contains("data.train"), "{why}");
    // The schema, and a report.
    let text = schema(&kinds());
    assert!(text.contains("\"stripes\"") && text.contains("a bright row at the height"));
    assert!(made.render(format("text").unwrap()).unwrap().contains("teacher"));
}
