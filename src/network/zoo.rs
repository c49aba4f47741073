//! Built-in networks: one table, one constructor.

/// Names that [`builtin`] knows.
pub const BUILTIN: [&str; 30] = [
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
    "resnet8x4",
    "resnet32x4",
    "cifar-resnet50",
    "wrn-16-2",
    "wrn-40-1",
    "wrn-40-2",
    "vgg8",
    "vgg13",
    "mobilenetv2-half",
    "shufflenetv1",
    "shufflenetv2",
    "imagenet-resnet14",
    "imagenet-resnet18",
    "imagenet-resnet20",
    "imagenet-resnet34",
    "imagenet-resnet50",
    "imagenet-mobilenetv2",
];

/// Layers of a named network for data of `classes` classes, or `None` for an unknown name.
///
/// The paper lists two families of plain networks, for 10 and for 100 classes (tables in its
/// appendix and in the authors' `plain_cnn_cifar.py`). Up to 10 classes take the first, more take
/// the second. CIFAR ResNets are those of He et al. 2016, section 4.2: depth n has (n−2)/6 blocks a
/// stage. Of the ImageNet ResNets the paper gives depths only; 18, 34 and 50 are He et al.'s, the blocks
/// of 14 and 20 are inferred from the depth. `imagenet-mobilenetv2` is that of Sandler et al. 2018, table 2. All others are those of CRD (Tian et al. 2020; RepDistiller
/// b13aecc, `models`), with takd's initial weights. The last layer always has `classes` outputs.
pub fn builtin(name: &str, classes: usize) -> Option<Vec<String>> {
    const IMAGENET: [usize; 4] = [64, 128, 256, 512];
    let stages = |blocks: [usize; 4]| IMAGENET.into_iter().zip(blocks);
    let mut layers = match name {
        _ if !BUILTIN.contains(&name) => return None,
        "resnet8x4" => resnet("stem32", "basic", [64, 128, 256].map(|width| (width, 1))),
        "resnet32x4" => resnet("stem32", "basic", [64, 128, 256].map(|width| (width, 5))),
        "cifar-resnet50" => resnet("stem64", "bottleneck", stages([3, 4, 6, 3])),
        "wrn-16-2" => wide(16, 2),
        "wrn-40-1" => wide(40, 1),
        "wrn-40-2" => wide(40, 2),
        "vgg8" => plain("64 pool 128 pool 256 pool 512 512 avg"),
        "vgg13" => plain("64 64 pool 128 128 pool 256 256 pool 512 512 512 512 avg"),
        "mobilenetv2-half" => written(
            "stem16/2 reluinverted8x1 2*reluinverted12 3*reluinverted16/2 4*reluinverted32/2 3*reluinverted48 \
             3*reluinverted80/2 reluinverted160 pointwise1280 avgpool",
        ),
        "shufflenetv1" => {
            written("pointwise24 4*shuffle240/2 8*shuffle480/2 4*shuffle960/2 avgpool")
        }
        "shufflenetv2" => {
            written("pointwise24 4*split116/2 8*split232/2 4*split464/2 pointwise1024 avgpool")
        }
        "imagenet-mobilenetv2" => written(
            "mobilestem32 inverted16x1 2*inverted24/2 3*inverted32/2 4*inverted64/2 3*inverted96 \
             3*inverted160/2 inverted320 mobilehead1280 avgpool",
        ),
        "imagenet-resnet14" => resnet("bigstem64", "bottleneck", stages([1, 1, 1, 1])),
        "imagenet-resnet18" => resnet("bigstem64", "basic", stages([2, 2, 2, 2])),
        "imagenet-resnet20" => resnet("bigstem64", "bottleneck", stages([1, 2, 2, 1])),
        "imagenet-resnet34" => resnet("bigstem64", "basic", stages([3, 4, 6, 3])),
        "imagenet-resnet50" => resnet("bigstem64", "bottleneck", stages([3, 4, 6, 3])),
        _ => match (name.strip_prefix("plain"), name.strip_prefix("resnet")) {
            (Some(size), _) if classes <= 10 => ten_classes(size)?,
            (Some(size), _) => hundred_classes(size)?,
            (_, depth) => {
                let blocks = (depth?.parse::<usize>().ok()? - 2) / 6;
                resnet("stem16", "basic", [16, 32, 64].map(|width| (width, blocks)))
            }
        },
    };
    layers.push(format!("fc{classes}"));
    Some(layers)
}

/// Stages of (width, blocks); the first block of each but the first halves the image.
fn resnet(stem: &str, kind: &str, stages: impl IntoIterator<Item = (usize, usize)>) -> Vec<String> {
    let mut layers = blocks(stem, kind, stages);
    layers.push("avgpool".to_owned());
    layers
}

fn blocks(stem: &str, kind: &str, stages: impl IntoIterator<Item = (usize, usize)>) -> Vec<String> {
    let mut layers = vec![stem.to_owned()];
    for (stage, (width, blocks)) in stages.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { "/2" } else { "" };
            layers.push(format!("{kind}{width}{stride}"));
        }
    }
    layers
}

/// Layers, of which `3*block16/2` is three: the first with the stride, the others without.
fn written(text: &str) -> Vec<String> {
    let of = |word: &str| match word.split_once('*') {
        None => vec![word.to_owned()],
        Some((count, first)) => {
            let rest = first.strip_suffix("/2").unwrap_or(first).to_owned();
            let more = count.parse::<usize>().map_or(0, |count| count - 1);
            std::iter::once(first.to_owned()).chain(vec![rest; more]).collect()
        }
    };
    text.split(' ').flat_map(of).collect()
}

/// WRN-depth-factor (Zagoruyko & Komodakis 2016, table 1).
fn wide(depth: usize, factor: usize) -> Vec<String> {
    let stages = [16, 32, 64].map(|width| (width * factor, (depth - 4) / 6));
    let mut layers = blocks("prestem16", "preact", stages);
    layers.extend(["batchnorm", "avgpool"].map(str::to_owned));
    layers
}

fn ten_classes(size: &str) -> Option<Vec<String>> {
    Some(plain(match size {
        "2" => "16 pool 16 pool",
        "4" => "16 16 pool 32 32 pool",
        "6" => "16 16 pool 32 32 pool 64 64 pool",
        "8" => "16 16 pool 32 32 pool 64 64 pool 128 128 pool fc64",
        "10" => "32 32 pool 64 64 pool 128 128 pool 256 256 256 256 pool fc128",
        _ => return None,
    }))
}

fn hundred_classes(size: &str) -> Option<Vec<String>> {
    Some(plain(match size {
        "2" => "32 pool 32 pool",
        "4" => "32 32 pool 64 64 pool",
        // The authors' code has no pooling after the last pair.
        "6" => "32 32 pool 64 64 pool 128 128",
        "8" => "32 32 pool 64 64 pool 128 128 pool 256 256 pool fc64",
        "10" => "32 32 pool 64 64 pool 128 128 pool 256 256 256 256 pool fc512",
        _ => return None,
    }))
}

/// Convolutions by their channels.
fn plain(text: &str) -> Vec<String> {
    let layer = |word: &str| match word {
        "pool" => "maxpool".to_owned(),
        "avg" => "avgpool".to_owned(),
        word if word.starts_with("fc") => word.to_owned(),
        channels => format!("conv{channels}"),
    };
    text.split(' ').map(layer).collect()
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
        // torchvision's.
        for (name, count) in [
            ("imagenet-resnet18", 11_689_512),
            ("imagenet-resnet34", 21_797_672),
            ("imagenet-resnet50", 25_557_032),
            ("imagenet-mobilenetv2", 3_504_872),
        ] {
            assert_eq!(parameters(name, 1000, 224), count, "{name}");
        }
        // RepDistiller's.
        for (name, count) in [
            ("resnet8x4", 1_233_540),
            ("resnet32x4", 7_433_860),
            ("cifar-resnet50", 23_705_252),
            ("wrn-16-2", 703_284),
            ("wrn-40-1", 569_780),
            ("wrn-40-2", 2_255_156),
            ("vgg8", 3_965_028),
            ("vgg13", 9_462_180),
            ("mobilenetv2-half", 812_836),
            ("shufflenetv1", 949_258),
            ("shufflenetv2", 1_355_528),
        ] {
            assert_eq!(parameters(name, 100, 32), count, "{name}");
        }
        assert!(parameters("plain6", 100, 32) > parameters("plain4", 100, 32));
    }

    #[test]
    fn every_name_is_a_network_and_nothing_else_is() {
        for name in BUILTIN {
            assert!(parameters(name, 100, 224) > 0, "{name}");
        }
        for name in ["plain3", "plain", "resnet9", "resnet", "resnet50", "imagenet-resnet8", ""] {
            assert!(builtin(name, 10).is_none(), "{name}");
        }
    }
}
