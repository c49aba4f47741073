//! Event files hold what the cache holds. `.ci/tensorboard` reads them with TensorBoard.

use crate::workspace::Workspace;
use serde_json::Value;
use std::fs;

/// The records of an event file: length, its checksum, the bytes, theirs.
fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !file.is_empty() {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        found.push(&file[12..12 + length]);
        file = &file[16 + length..];
    }
    found
}

/// Whether a record has a scalar: `tag` and its value, as protobuf writes them.
fn holds(record: &[u8], tag: &str, value: f64) -> bool {
    let head = [0x0a, tag.len() as u8];
    let wire = [&head[..], tag.as_bytes(), &[0x15], &(value as f32).to_le_bytes()].concat();
    record.windows(wire.len()).any(|window| window == wire)
}

#[test]
fn event_files_hold_epochs_and_measurements() {
    let workspace = Workspace::new();
    let write = ["report", "tiny.toml", "--tensorboard", "events"];
    let nothing = workspace.takd(&write);
    assert_eq!((nothing.code, &*nothing.stderr), (0, "wrote 0 event files to events\n"));

    let run = workspace.run(&["tiny.toml"]);
    assert_eq!(workspace.takd(&write).stderr, "wrote 20 event files to events\n");
    let seed = &run["tables"][0]["rows"][4]["ours"]["seeds"][1];
    let read = |task: &str| {
        let path = format!("events/{task}/seed-31/events.out.tfevents.takd");
        fs::read(workspace.path(path)).unwrap()
    };
    let key = seed["key"].as_str().unwrap();
    let history = fs::read_to_string(workspace.path(format!("cache/entries/{key}/metrics.jsonl")));
    let epochs: Vec<Value> =
        history.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let file = read("takd");
    let (version, found) = (records(&file)[0], &records(&file)[1..]);
    assert!(version.ends_with(b"brain.Event:2"));
    assert_eq!((epochs.len(), found.len()), (2, 2));
    for (epoch, record) in epochs.iter().zip(found) {
        for (tag, field) in [("loss", "loss"), ("accuracy", "accuracy"), ("learning_rate", "lr")] {
            assert!(holds(record, tag, epoch[field].as_f64().unwrap()), "{tag}: {record:?}");
        }
        // The step, field 2, after the time: 1 + 8 bytes.
        assert_eq!(record[9..11], [0x10, epoch["epoch"].as_u64().unwrap() as u8]);
    }
    let file = read("test/takd");
    let [_, measured] = records(&file)[..] else { panic!("{file:?}") };
    for tag in ["top1", "loss", "ece", "entropy", "entropy_at_temperature"] {
        assert!(holds(measured, tag, seed["metrics"][tag].as_f64().unwrap()), "{tag}");
    }
}
