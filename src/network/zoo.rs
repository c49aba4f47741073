//! The paper's named networks: one table, one constructor.

/// Names that [`builtin`] knows.
pub const BUILTIN: [&str; 16] = [
    "plain2",
    "plain4",
    "plain6",
    "plain8",
    "plain10",
    "resnet8",
    "resnet14",
    "resnet20",
    "resnet26",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "imagenet-resnet14",
    "imagenet-resnet20",
    "imagenet-resnet50",
];

/// Layers of a named network for data of `classes` classes, or `None` for an unknown name.
///
/// The paper lists two families of plain networks, for 10 and for 100 classes (tables in its
/// appendix and in the authors' `plain_cnn_cifar.py`). Up to 10 classes take the first, more take
/// the second. CIFAR ResNets are those of He et al. 2016, section 4.2: depth n has (n−2)/6 blocks a
/// stage. Of the ImageNet ResNets the paper gives depths only; 50 is He et al.'s, the blocks of 14
/// and 20 are inferred from the depth. The last layer always has `classes` outputs.
pub fn builtin(name: &str, classes: usize) -> Option<Vec<String>> {
    let mut layers = if !BUILTIN.contains(&name) {
        return None;
    } else if let Some(size) = name.strip_prefix("plain") {
        if classes <= 10 { ten_classes(size)? } else { hundred_classes(size)? }
    } else if let Some(depth) = name.strip_prefix("resnet") {
        let blocks = (depth.parse::<usize>().ok()? - 2) / 6;
        resnet("stem16", "basic", [16, 32, 64].map(|width| (width, blocks)))
    } else {
        let blocks = match name {
            "imagenet-resnet14" => [1, 1, 1, 1],
            "imagenet-resnet20" => [1, 2, 2, 1],
            "imagenet-resnet50" => [3, 4, 6, 3],
            _ => return None,
        };
        let stages = [64, 128, 256, 512].into_iter().zip(blocks);
        resnet("bigstem64", "bottleneck", stages)
    };
    layers.push(format!("fc{classes}"));
    Some(layers)
}

/// Stages of (width, blocks); the first block of each but the first halves the image.
fn resnet(stem: &str, kind: &str, stages: impl IntoIterator<Item = (usize, usize)>) -> Vec<String> {
    let mut layers = vec![stem.to_owned()];
    for (stage, (width, blocks)) in stages.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { "/2" } else { "" };
            layers.push(format!("{kind}{width}{stride}"));
        }
    }
    layers.push("avgpool".to_owned());
    layers
}

fn ten_classes(size: &str) -> Option<Vec<String>> {
    plain(match size {
        "2" => "16 pool 16 pool",
        "4" => "16 16 pool 32 32 pool",
        "6" => "16 16 pool 32 32 pool 64 64 pool",
        "8" => "16 16 pool 32 32 pool 64 64 pool 128 128 pool fc64",
        "10" => "32 32 pool 64 64 pool 128 128 pool 256 256 256 256 pool fc128",
        _ => return None,
    })
}

fn hundred_classes(size: &str) -> Option<Vec<String>> {
    plain(match size {
        "2" => "32 pool 32 pool",
        "4" => "32 32 pool 64 64 pool",
        // The authors' code has no pooling after the last pair.
        "6" => "32 32 pool 64 64 pool 128 128",
        "8" => "32 32 pool 64 64 pool 128 128 pool 256 256 pool fc64",
        "10" => "32 32 pool 64 64 pool 128 128 pool 256 256 256 256 pool fc512",
        _ => return None,
    })
}

/// Convolutions by their channels.
fn plain(text: &str) -> Option<Vec<String>> {
    let layer = |word: &str| match word {
        "pool" => "maxpool".to_owned(),
        word if word.starts_with("fc") => word.to_owned(),
        channels => format!("conv{channels}"),
    };
    Some(text.split(' ').map(layer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{architecture::Architecture, kinds::Kinds, shape::Shape};

    fn parameters(name: &str, classes: usize, side: usize) -> usize {
        let input = Shape { channels: 3, height: side, width: side };
        Architecture::read(&builtin(name, classes).unwrap(), input, classes, &Kinds::default())
            .unwrap()
            .parameters()
    }

    #[test]
    fn parameter_counts_are_the_papers() {
        // DESIGN: size 10 has 2.49 M, size 2 about 13 k; ResNets 8, 20 and 110 are given exactly.
        for (name, count) in [
            ("plain2", 13_082),
            ("plain4", 37_338),
            ("plain6", 82_778),
            ("plain8", 327_962),
            ("plain10", 2_487_850),
            ("resnet8", 78_042),
            ("resnet20", 272_474),
            ("resnet110", 1_730_714),
        ] {
            assert_eq!(parameters(name, 10, 32), count, "{name}");
        }
        // torchvision's resnet50.
        assert_eq!(parameters("imagenet-resnet50", 1000, 224), 25_557_032);
        assert!(parameters("plain6", 100, 32) > parameters("plain4", 100, 32));
    }

    #[test]
    fn every_name_is_a_network_and_nothing_else_is() {
        for name in BUILTIN {
            assert!(parameters(name, 100, 224) > 0, "{name}");
        }
        for name in ["plain3", "plain", "resnet9", "resnet", "imagenet-resnet8", ""] {
            assert!(builtin(name, 10).is_none(), "{name}");
        }
    }
}
