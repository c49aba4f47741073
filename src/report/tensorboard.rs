//! TensorBoard's event files: a folder a task, whose scalars are its epochs or its measurement.
//!
//! An event file is TensorFlow's TFRecord (`tensorflow/core/lib/io/record_writer.h`): a length, its
//! masked CRC-32C, the bytes and theirs. The bytes are an `Event` (`tensorflow/core/util/event.proto`),
//! of which takd writes `wall_time` 1, `step` 2, `file_version` 3 and `summary` 5; a `Summary` is a list
//! of `Value` 1, with `tag` 1 and `simple_value` 2.

use super::nodes::{EntryResults, NodeResults};

/// TensorBoard reads files with `tfevents` in their name. It is the same for a task whatever was
/// trained, so that a new result replaces the old one.
const FILE: &str = "events.out.tfevents.takd";

/// An event file.
#[derive(Clone, Debug, PartialEq)]
pub struct EventFile {
    /// Its place below the folder that is asked for: `ta/plain2/seed-20/events.out.tfevents.takd`.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The event files of everything that has been made. A task's scalars all have the time when its entry
/// was finished, since a history holds no time.
pub fn event_files(nodes: &[NodeResults]) -> Vec<EventFile> {
    let tasks = nodes.iter().flat_map(|node| node.tasks.iter().map(move |task| (node, task)));
    let files = tasks.filter_map(|(node, task)| {
        let path = format!("{}/seed-{}/{FILE}", node.name, task.seed);
        Some(EventFile { path, bytes: file(task.made.as_ref()?) })
    });
    files.collect()
}

fn file(made: &EntryResults) -> Vec<u8> {
    let time = made.provenance.finished as f64;
    let mut out = record(&event(time, 0, &Field::bytes(3, b"brain.Event:2")));
    for (index, epoch) in made.epochs.iter().enumerate() {
        let accuracy = epoch.accuracy.map(|accuracy| ("accuracy", accuracy));
        let scalars =
            [("loss", epoch.loss), ("learning_rate", epoch.lr)].into_iter().chain(accuracy);
        out.extend(record(&event(time, index as u64 + 1, &summary(scalars))));
    }
    if let Some(metrics) = &made.metrics {
        let scalars = metrics.iter().map(|(metric, value)| (metric.name, value));
        out.extend(record(&event(time, 0, &summary(scalars))));
    }
    out
}

/// A field of protobuf's wire format (<https://protobuf.dev/programming-guides/encoding/>).
struct Field;

impl Field {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    /// Tags below 16 take one byte.
    fn head(number: u8, wire: u8) -> Vec<u8> {
        vec![number << 3 | wire]
    }

    fn bytes(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&*Self::head(number, 2), &Self::varint(bytes.len() as u64), bytes].concat()
    }

    fn float(number: u8, value: f32) -> Vec<u8> {
        [&*Self::head(number, 5), &value.to_le_bytes()].concat()
    }

    fn double(number: u8, value: f64) -> Vec<u8> {
        [&*Self::head(number, 1), &value.to_le_bytes()].concat()
    }

    fn whole(number: u8, value: u64) -> Vec<u8> {
        [Self::head(number, 0), Self::varint(value)].concat()
    }
}

fn event(time: f64, step: u64, what: &[u8]) -> Vec<u8> {
    [&*Field::double(1, time), &Field::whole(2, step), what].concat()
}

fn summary<'a>(scalars: impl Iterator<Item = (&'a str, f64)>) -> Vec<u8> {
    let value = |(tag, value): (&str, f64)| {
        let fields = [Field::bytes(1, tag.as_bytes()), Field::float(2, value as f32)];
        Field::bytes(1, &fields.concat())
    };
    Field::bytes(5, &scalars.flat_map(value).collect::<Vec<u8>>())
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), bytes, &masked(bytes)].concat()
}

/// The checksum of a TFRecord, which is masked because it may stand in data that is summed again.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as TensorBoard 2.21 writes it, by its `RecordWriter`:
    /// `Event(wall_time=1, step=300, summary=Summary(value=[Value(tag="a", simple_value=0.5)]))`.
    #[test]
    fn bytes_are_tensorflows() {
        let event = event(1.0, 300, &summary([("a", 0.5)].into_iter()));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&event), "09000000000000f03f10ac022a0a0a080a0161150000003f");
        assert_eq!(
            hex(&record(&event)),
            format!("1800000000000000a37f4b22{}48e05525", hex(&event))
        );
    }
}
