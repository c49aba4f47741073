//! How many images a second come out of a folder of JPEG files, at 224×224: decoded, resized, cut, on the host's cores,
//! normalised.
//!
//!     cargo bench --bench loader
//!
//! 512 files of 500×375 pixels, ImageNet's middle, drawn smooth with noise on them and saved at quality 90: some 80 kB
//! each. The first pass brings them into the page cache and is not counted. A GPU that trains faster than this waits.

use burn::tensor::Device;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use std::{error::Error, fs, path::Path, time::Instant};
use takd::{
    augment::{Augment, Flip, ResizedCrop},
    dataset::{Changes, Data, Format, ImageFolder, Normalisation, Split, View},
    kind::Choice,
};

const IMAGES: u32 = 512;
const BATCH: usize = 64;
const ROUNDS: u64 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    draw(folder.path())?;
    let digests = folder.path().join("digests");
    let format: Format = ImageFolder::new(folder.path().into(), &digests).into();
    let (dataset, info) = (format.load()?, format.probe()?);
    // ImageNet's.
    let (mean, std) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
    let normalisation = Normalisation::Given { mean, std };
    let data = Data { format, validation: 0, scoring: 0, normalisation, info };
    let view = View::new(&dataset, &data, Split::Train, &Device::flex())?;
    let all: Vec<u32> = (0..view.len() as u32).collect();
    let augment: [Choice<dyn Augment>; 2] = [ResizedCrop {}.into(), Flip {}.into()];
    let pass = |epoch: Option<u64>| -> Result<f64, Box<dyn Error>> {
        let changes = epoch.map(|epoch| Changes { augment: &augment, seed: 0, epoch });
        let started = Instant::now();
        for batch in view.batches(&all, BATCH, changes)? {
            std::hint::black_box(batch?.images);
        }
        Ok(f64::from(IMAGES) / started.elapsed().as_secs_f64())
    };
    pass(None)?;
    let cores = std::thread::available_parallelism()?;
    for (what, is_training) in
        [("training: resized-crop, flip", true), ("measurement: resize, centre", false)]
    {
        let rates = (0..ROUNDS).map(|round| pass(is_training.then_some(round)));
        let mut rates = rates.collect::<Result<Vec<_>, _>>()?;
        rates.sort_by(f64::total_cmp);
        let (least, middle, most) = (rates[0], rates[rates.len() / 2], rates[rates.len() - 1]);
        println!("{what}: {middle:.0} images/s on {cores} cores ({least:.0} to {most:.0})");
    }
    Ok(())
}

/// Two classes of files in `train`, one file each in `val`.
fn draw(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (split, images) in [("train", IMAGES), ("val", 2)] {
        for index in 0..images {
            let class = folder.join(split).join(["one", "other"][index as usize % 2]);
            fs::create_dir_all(&class)?;
            let mut state = index + 1;
            let picture = RgbImage::from_fn(500, 375, |x, y| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(state >> 24) / 8.0;
                let wave = |by: f64| {
                    let at = f64::from(x) / by + f64::from(y * (1 + index % 7)) / (3.0 * by);
                    (100.0 + 80.0 * at.sin() + noise) as u8
                };
                Rgb([wave(40.0), wave(55.0), wave(70.0)])
            });
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture)?;
            fs::write(class.join(format!("{index}.jpg")), bytes)?;
        }
    }
    Ok(())
}
