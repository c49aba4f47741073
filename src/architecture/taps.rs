//! Where a network can be asked for features.

use super::Architecture;
use crate::{
    layer::Family,
    shape::Shape,
    tap::{Tap, Tapped},
};

impl Architecture {
    /// Every tap, input side first.
    pub fn taps(&self) -> Vec<Tapped> {
        let walked = self
            .walk()
            .map(|(layer, input)| (layer.family(), input, layer.output(input).unwrap_or(input)));
        let walked: Vec<(Family, Shape, Shape)> = walked.collect();
        let pixels = |shape: Shape| shape.height * shape.width;
        let is_residual = |index: usize| {
            walked.get(index).is_some_and(|(family, ..)| *family == Family::Residual)
        };
        let shrinks = |index: usize| {
            let layer = walked.get(index);
            layer.is_some_and(|&(family, input, output)| {
                family == Family::Any && pixels(output) > 1 && pixels(output) < pixels(input)
            })
        };
        let images =
            walked.iter().take_while(|(family, ..)| *family != Family::FullyConnected).count();
        let mut taps = Vec::new();
        let mut tap = |tap, layer: usize| {
            taps.push(Tapped { tap, shape: walked[layer].2, layer });
        };
        let ends: Vec<usize> = if (0..images).any(is_residual) {
            let stem = walked.iter().position(|(family, ..)| *family == Family::Stem);
            if let Some(mut stem) = stem {
                // A max-pool behind it belongs to it, as in the ImageNet ResNets.
                while shrinks(stem + 1) {
                    stem += 1;
                }
                tap(Tap::Stem, stem);
            }
            let is_end = |&index: &usize| {
                // What changes no shape may stand between two blocks, as a squeeze-and-excitation does.
                let after = walked[index + 1..].iter();
                let mut like = after.take_while(|(_, _, output)| *output == walked[index].2);
                is_residual(index) && !like.any(|(family, ..)| *family == Family::Residual)
            };
            (0..images).filter(is_end).collect()
        } else {
            let last = (0..images).rev().find(|&index| pixels(walked[index].2) > 1);
            (0..images).filter(|&index| shrinks(index) || Some(index) == last).collect()
        };
        for (stage, layer) in (1..).zip(ends) {
            tap(Tap::Stage(stage), layer);
        }
        if let Some(before) = walked.len().checked_sub(2) {
            let shape = Shape { channels: walked[before].2.size(), height: 1, width: 1 };
            taps.push(Tapped { tap: Tap::Pooled, shape, layer: before });
        }
        taps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kinds::Kinds, network::builtin};

    fn taps(layers: &[String]) -> String {
        let input = Shape { channels: 3, height: 32, width: 32 };
        let net = Architecture::read(layers, input, 10, &Kinds::default()).unwrap();
        let line = |tapped: Tapped| {
            format!("{} {} behind {}", tapped.tap, tapped.shape, net.layers()[tapped.layer].text())
        };
        net.taps().into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_family_has_its_taps() {
        let own = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let all = [
            builtin("resnet20", 10).unwrap(),
            builtin("plain10", 10).unwrap(),
            own("conv8 avgpool fc10"),
            own("stem8 maxpool basic8 basic8 basic8/2 avgpool fc16 fc10"),
            own("stem8 basic8 squeezeexcite4 basic8 avgpool fc10"),
            own("fc10"),
        ];
        let all: Vec<String> = all.iter().map(|layers| taps(layers)).collect();
        insta::assert_snapshot!(all.join("\n\n"), @"
        stem 16×32×32 behind stem16
        stage 1 16×32×32 behind basic16
        stage 2 32×16×16 behind basic32
        stage 3 64×8×8 behind basic64
        pooled output 64×1×1 behind avgpool

        stage 1 32×16×16 behind maxpool
        stage 2 64×8×8 behind maxpool
        stage 3 128×4×4 behind maxpool
        stage 4 256×2×2 behind maxpool
        pooled output 128×1×1 behind fc128

        stage 1 8×32×32 behind conv8
        pooled output 8×1×1 behind avgpool

        stem 8×16×16 behind maxpool
        stage 1 8×16×16 behind basic8
        stage 2 8×8×8 behind basic8/2
        pooled output 16×1×1 behind fc16

        stem 8×32×32 behind stem8
        stage 1 8×32×32 behind basic8
        pooled output 8×1×1 behind avgpool
        ");
    }
}
