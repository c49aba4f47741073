//! Asks an exported student about a picture without takd: `cargo add tract-onnx image` is all it takes.
//!
//!     cargo run --release -- export pipelines/quickstart.toml takd@20 -o student.onnx
//!     cargo run --release --example predict_onnx -- student.onnx shirt.png

use image::imageops::FilterType::Triangle;
use tract_onnx::prelude::{
    DatumExt as _, Framework as _, InferenceModelExt as _, IntoRunnable as _, Tensor, TractResult,
    tvec,
};

fn main() -> TractResult<()> {
    let [_, student, picture] = <[String; 3]>::try_from(std::env::args().collect::<Vec<_>>())
        .expect("usage: predict_onnx STUDENT.onnx PICTURE");
    println!("{}", class(&student, &picture)?);
    Ok(())
}

/// The most likely class of a picture, counted from 0.
fn class(student: &str, picture: &str) -> TractResult<usize> {
    let model = tract_onnx::onnx()
        .model_for_path(student)?
        .with_input_fact(0, f32::fact([1, 1, 28, 28]).into())?
        .into_optimized()?
        .into_runnable()?;
    let image = image::open(picture)?.resize_exact(28, 28, Triangle).into_luma8();
    let pixels: Vec<f32> = image.pixels().map(|pixel| f32::from(pixel[0]) / 255.0).collect();
    let logits = model.run(tvec!(Tensor::from_shape(&[1, 1, 28, 28], &pixels)?.into()))?;
    let logits = logits[0].try_as_plain_ram()?.as_slice::<f32>()?;
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    Ok(best.map_or(0, |(class, _)| class))
}
