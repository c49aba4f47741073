//! What a network says of its input's gradient.

use burn::tensor::{Device, Tensor};
use takd::{
    architecture::Architecture,
    kinds::Kinds,
    network::{Kernels, Network, builtin},
    rng::{Purpose, Stream},
    shape::Shape,
};

/// Along a direction, logits change as the gradient by the images says.
#[test]
fn a_teachers_gradient_by_its_input_is_its_logits_slope() {
    let device = Device::flex();
    for name in ["plain4", "resnet8", "imagenet-resnet14"] {
        let shape = Shape { channels: 3, height: 32, width: 32 };
        let layers = builtin(name, 10).unwrap();
        let net = Architecture::read(&layers, shape, 10, &Kinds::default()).unwrap();
        let mut net = Network::init(&net, 3, &device);
        let mut stream = Stream::new(5, Purpose::Shuffle, 0, 0);
        let mut uniform = |count: usize| {
            let values: Vec<f32> = (0..count).map(|_| stream.uniform() * 2.0 - 1.0).collect();
            Tensor::<1>::from_floats(values.as_slice(), &device)
        };
        let weights: Tensor<2> = uniform(4 * 10).reshape([4, 10]);
        let mut random = || -> Tensor<4> { uniform(4 * 3 * 32 * 32).reshape([4, 3, 32, 32]) };
        // Running statistics other than the first ones.
        net.train(random() * 2.0);
        let (images, direction) = (random(), random());
        let (logits, gradient) = net.input_gradient(images.clone(), weights.clone());
        // burn's own operations give the same.
        let burn = net.clone().with_kernels(Kernels::Burn);
        let (_, theirs) = burn.input_gradient(images.clone(), weights.clone());
        let length =
            |tensor: Tensor<4>| (tensor.clone() * tensor).sum().into_scalar::<f32>().sqrt();
        let (apart, whole) = (length(theirs.clone() - gradient.clone()), length(theirs));
        // A ReLU at 0 may go either way.
        assert!(apart < 0.01 * whole, "{name}: {apart} of {whole}");
        let sum = |tensor: Tensor<4>| {
            f64::from((net.infer(tensor) * weights.clone()).sum().into_scalar::<f32>())
        };
        let apart = (net.infer(images.clone()) - logits).abs().max().into_scalar::<f32>();
        assert!(apart < 1e-4, "{name}: logits differ by {apart}");
        let (step, slope) =
            (1e-3, f64::from((gradient * direction.clone()).sum().into_scalar::<f32>()));
        let measured = (sum(images.clone() + direction.clone() * step)
            - sum(images - direction * step))
            / (2.0 * step);
        assert!(
            (slope - measured).abs() < 0.02 * slope.abs().max(1.0),
            "{name}: {slope}, not {measured}"
        );
    }
}
