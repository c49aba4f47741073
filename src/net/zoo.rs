//! The paper's named networks.

use crate::config::Layer::{self, Conv, Fc, MaxPool};

/// Names that [`builtin`] knows, smallest network first.
pub const BUILTIN: [&str; 5] = ["plain2", "plain4", "plain6", "plain8", "plain10"];

/// Layers of a named network for data of `classes` classes, or `None` for an unknown name.
///
/// The paper lists two families, for 10 and for 100 classes (tables in its appendix and in the
/// authors' `plain_cnn_cifar.py`). Up to 10 classes take the first, more take the second; the last
/// layer always has `classes` outputs.
pub fn builtin(name: &str, classes: usize) -> Option<Vec<Layer>> {
    let size = name.strip_prefix("plain")?;
    let mut layers = if classes <= 10 { ten_classes(size)? } else { hundred_classes(size)? };
    layers.push(Fc(classes));
    Some(layers)
}

fn ten_classes(size: &str) -> Option<Vec<Layer>> {
    Some(match size {
        "2" => vec![Conv(16), MaxPool, Conv(16), MaxPool],
        "4" => [pair(16), pair(32)].concat(),
        "6" => [pair(16), pair(32), pair(64)].concat(),
        "8" => [pair(16), pair(32), pair(64), pair(128), vec![Fc(64)]].concat(),
        "10" => [pair(32), pair(64), pair(128), quad(256), vec![Fc(128)]].concat(),
        _ => return None,
    })
}

fn hundred_classes(size: &str) -> Option<Vec<Layer>> {
    Some(match size {
        "2" => vec![Conv(32), MaxPool, Conv(32), MaxPool],
        "4" => [pair(32), pair(64)].concat(),
        // The authors' code has no pooling after the last pair.
        "6" => [pair(32), pair(64), vec![Conv(128), Conv(128)]].concat(),
        "8" => [pair(32), pair(64), pair(128), pair(256), vec![Fc(64)]].concat(),
        "10" => [pair(32), pair(64), pair(128), quad(256), vec![Fc(512)]].concat(),
        _ => return None,
    })
}

fn pair(width: usize) -> Vec<Layer> {
    vec![Conv(width), Conv(width), MaxPool]
}

fn quad(width: usize) -> Vec<Layer> {
    vec![Conv(width), Conv(width), Conv(width), Conv(width), MaxPool]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Net, Shape};

    fn parameters(name: &str, classes: usize) -> usize {
        let input = Shape { channels: 3, height: 32, width: 32 };
        Net::new(builtin(name, classes).unwrap(), input, classes).unwrap().parameters()
    }

    #[test]
    fn parameter_counts_are_the_papers() {
        // DESIGN: size 10 has 2.49 M, size 2 about 13 k.
        let counts = BUILTIN.map(|name| parameters(name, 10));
        assert_eq!(counts, [13_082, 37_338, 82_778, 327_962, 2_487_850]);
        assert!(parameters("plain6", 100) > parameters("plain4", 100));
    }

    #[test]
    fn unknown_names_are_none() {
        for name in ["plain3", "plain", "resnet8", ""] {
            assert!(builtin(name, 10).is_none());
        }
    }
}
