//! Every way of a convolution beside loops over its definition.

use super::*;

/// Small whole numbers: sums of their products are exact in f32, and Winograd's nearly so.
fn whole(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7 + salt * 13) % 11) as f32 - 5.0).collect()
}

/// Calls `each` with the places in x, weight and y of every product.
fn products(geometry: &Geometry, mut each: impl FnMut(usize, usize, usize)) {
    let &Geometry { images, channels, filters, groups, kernel_size, stride, .. } = geometry;
    let ([height, width], [rows, columns]) = (geometry.input, geometry.output());
    let (inputs, outputs, frame) = (channels / groups, filters / groups, kernel_size / 2);
    let every = |image: usize, filter: usize, row: usize, column: usize| {
        let mut at = Vec::new();
        for (channel, line, tap) in (0..inputs)
            .flat_map(|channel| (0..kernel_size * kernel_size).map(move |tap| (channel, tap)))
            .map(|(channel, tap)| (channel, tap / kernel_size, tap % kernel_size))
        {
            let (y, x) = (row * stride + line, column * stride + tap);
            if (frame..frame + height).contains(&y) && (frame..frame + width).contains(&x) {
                let pixel = (image * height + y - frame) * width + x - frame;
                let weight = ((filter * inputs + channel) * kernel_size + line) * kernel_size + tap;
                at.push((pixel * channels + filter / outputs * inputs + channel, weight));
            }
        }
        at
    };
    for index in 0..images * rows * columns * filters {
        let (pixel, filter) = (index / filters, index % filters);
        let (image, row, column) =
            (pixel / (rows * columns), pixel / columns % rows, pixel % columns);
        every(image, filter, row, column)
            .into_iter()
            .for_each(|(x, weight)| each(x, weight, index));
    }
}

fn assert_near(what: &str, got: &[f32], want: &[f32]) {
    let scale = want.iter().fold(1.0_f32, |a, b| a.max(b.abs()));
    let worst = got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(got.len() == want.len() && worst <= 1e-5 * scale, "{what}: off by {worst} of {scale}");
}

#[test]
fn outputs_and_gradients_are_the_definitions() {
    // Channels, filters, groups, kernel, stride, rows and columns.
    for (channels, filters, groups, kernel_size, stride, input) in [
        (8, 8, 8, 3, 1, [9, 13]),
        (20, 20, 20, 3, 1, [4, 7]),
        (3, 3, 3, 3, 2, [7, 8]),
        (17, 17, 17, 3, 2, [8, 5]),
        (24, 24, 24, 3, 1, [1, 1]),
        (9, 9, 9, 3, 2, [2, 1]),
        (10, 10, 10, 5, 1, [6, 5]),
        (10, 10, 10, 7, 2, [9, 6]),
        (12, 12, 12, 1, 2, [5, 5]),
        (24, 36, 3, 1, 1, [5, 4]),
        (12, 6, 3, 3, 1, [5, 7]),
        (16, 32, 2, 3, 1, [9, 6]),
        (8, 16, 8, 3, 2, [6, 6]),
        (4, 4, 2, 1, 2, [3, 5]),
        (3, 16, 1, 3, 2, [7, 6]),
        (9, 16, 1, 3, 1, [7, 6]),
    ] {
        let geometry =
            Geometry { images: 3, input, channels, filters, groups, kernel_size, stride };
        let name = format!("{geometry:?}");
        let x = whole(3 * geometry.input_pixels() * channels, 1);
        let weight = whole(filters * channels / groups * kernel_size * kernel_size, 2);
        let dy = whole(3 * geometry.output_pixels() * filters, 3);
        let mut want = [vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; weight.len()]];
        products(&geometry, |at, by, to| {
            want[0][to] += x[at] * weight[by];
            want[1][at] += dy[to] * weight[by];
            want[2][by] += dy[to] * x[at];
        });

        let mut y = vec![f32::NAN; dy.len()];
        let sums = forward(&x, &forward_filters(&weight, &geometry), &geometry, &mut y);
        assert_near(&name, &y, &want[0]);
        let (mean, _) = sums.moments(1);
        let mean: Vec<f32> = mean.iter().map(|&sum| sum as f32).collect();
        let sum_of = |filter| want[0].iter().skip(filter).step_by(filters).sum::<f32>();
        assert_near(&name, &mean, &(0..filters).map(sum_of).collect::<Vec<_>>());

        let filters = backward_filters(&weight, &geometry);
        let mut part = vec![f32::NAN; part_length(&geometry)];
        let mut dx = vec![f32::NAN; x.len()];
        Backward::new(&geometry, Some(&filters), 3, &mut part).add(Some(&x), &dy, Some(&mut dx));
        assert_near(&name, &dx, &want[1]);
        assert_near(&name, &filter_gradient(&[&part], &geometry), &want[2]);
    }
}
