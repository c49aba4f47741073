//! Images that stay in their files: read, checked and decoded when a batch needs them.

use super::{
    DataError,
    changes::Changes,
    content::Content,
    digests::{Record, Seen, Stamp, line, unreadable},
    picture::{MOST_FILE, decode, fitted, part, write_planes},
};
use crate::{
    augment::augment,
    dataset::{Fit, ImageFolder},
    input,
    rng::{Purpose, Stream},
    shape::Shape,
};
use image::RgbImage;
use rayon::{
    iter::{
        IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator,
    },
    slice::ParallelSliceMut,
};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

/// Images from which mean and deviation are measured, at most: evenly spread over all.
const MEASURED: usize = 10_000;
/// Batches that wait decoded, beside the one that is being decoded and the one in use.
const WAITING: usize = 1;

/// Files between two writes of what has been decoded: what Ctrl-C can cost.
const CHUNK: usize = 256;

/// The images of one split.
pub struct Files {
    /// The folder of the data set.
    root: PathBuf,
    /// The split's folder in it.
    split: String,
    files: Vec<File>,
    fit: Fit,
    /// Where it is kept which files have been decoded.
    digests: PathBuf,
    /// Held while a large picture is decoded.
    large: Mutex<()>,
    /// What [`sums`](Self::sums) has found.
    sums: Mutex<Option<Sums>>,
}

/// One image.
pub(super) struct File {
    /// Its path in the folder of the split.
    pub name: String,
    /// What its first bytes say that it is.
    pub content: Content,
    /// blake3 of its content.
    pub digest: blake3::Hash,
    /// Whether it has been decoded since it was last changed.
    pub decoded: bool,
}

/// Sums over pixels, for mean and deviation.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// Sum and sum of squares of each colour.
    pub colours: [(u64, u64); 3],
    /// Pixels of one colour.
    pub count: u64,
}

/// Batches that are decoded while others are in use. Dropping it ends the work.
pub(super) struct Decoding {
    batches: mpsc::Receiver<Result<Vec<u8>, DataError>>,
}

/// The threads that decode images while others are trained on: one a core, however many trainings
/// there are.
fn decoders() -> Result<Arc<rayon::ThreadPool>, DataError> {
    static POOL: Mutex<Option<Arc<rayon::ThreadPool>>> = Mutex::new(None);
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = &*pool {
        return Ok(pool.clone());
    }
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let new = rayon::ThreadPoolBuilder::new().num_threads(cores).build();
    let new = new.map_err(|error| DataError::Threads(io::Error::other(error)))?;
    Ok(pool.insert(Arc::new(new)).clone())
}

impl Files {
    pub(super) fn new(folder: &ImageFolder, split: &str, files: Vec<File>) -> Self {
        let ImageFolder { path: root, fit, digests, .. } = folder.clone();
        let (split, large, sums) = (split.to_owned(), Mutex::default(), Mutex::default());
        Self { root, split, files, fit, digests, large, sums }
    }

    fn shape(&self) -> Shape {
        let side = self.fit.size as usize;
        Shape { channels: 3, height: side, width: side }
    }

    /// The picture of a sample, as it is in its file.
    fn read(&self, id: u32) -> Result<RgbImage, DataError> {
        let File { name, digest, .. } = &self.files[id as usize];
        let path = self.root.join(&self.split).join(name);
        let bytes = input::read(&path, MOST_FILE).map_err(|error| unreadable(&path, error))?;
        let damaged = |problem| DataError::Damaged { file: path.display().to_string(), problem };
        if blake3::hash(&bytes) != *digest {
            let problem = "its content is not what its digest says: it has changed since it was \
                           listed; run again, and if that does not help `takd data check` with the \
                           folder's name reads all files anew";
            return Err(damaged(problem.to_owned()));
        }
        decode(&bytes, self.fit.exif, &self.large).map_err(|problem| {
            damaged(format!("{problem}; replace it, or take it out of the folder"))
        })
    }

    /// Writes a sample's pixels, `[3, size, size]`, to `out`.
    fn write(
        &self,
        id: u32,
        changes: Option<Changes<'_>>,
        out: &mut [u8],
    ) -> Result<(), DataError> {
        let picture = self.read(id)?;
        let Some(Changes { augment: list, seed, epoch }) = changes else {
            write_planes(&fitted(&picture, self.fit), out);
            return Ok(());
        };
        let mut stream = Stream::new(seed, Purpose::Augment, epoch, id.into());
        let rest = match list {
            [first, rest @ ..] if first.cuts() => {
                let region = first.region(picture.width(), picture.height(), &mut stream);
                write_planes(&part(&picture, region, self.fit.size), out);
                rest
            }
            rest => {
                write_planes(&fitted(&picture, self.fit), out);
                rest
            }
        };
        out.copy_from_slice(&augment(out, self.shape(), rest, &mut stream));
        Ok(())
    }

    /// The pixels of `ids`, one sample after another. Of several errors the first sample's is told,
    /// whichever thread was first.
    fn batch(&self, ids: &[u32], changes: Option<Changes<'_>>) -> Result<Vec<u8>, DataError> {
        let size = self.shape().size();
        let mut pixels = vec![0; ids.len() * size];
        let done: Vec<Result<(), DataError>> = pixels
            .par_chunks_exact_mut(size)
            .zip(ids)
            .map(|(out, &id)| self.write(id, changes, out))
            .collect();
        done.into_iter().collect::<Result<(), _>>()?;
        Ok(pixels)
    }

    /// Starts to decode batches of samples, on threads that all who decode ahead share.
    pub(super) fn decode(
        self: &Arc<Self>,
        batches: Vec<Vec<u32>>,
        changes: Option<Changes<'_>>,
    ) -> Result<Decoding, DataError> {
        let pool = decoders()?;
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let files = self.clone();
        let changes =
            changes.map(|Changes { augment, seed, epoch }| (augment.to_vec(), seed, epoch));
        // It waits where batches are not taken, which no thread of the pool must. Its panic ends the
        // batches early, and whoever waits for them is told.
        let ahead = move || {
            let changes = changes.as_ref();
            let changes = changes.map(|(augment, seed, epoch)| Changes {
                augment,
                seed: *seed,
                epoch: *epoch,
            });
            for ids in batches {
                let pixels = pool.install(|| files.batch(&ids, changes));
                let last = pixels.is_err();
                // Nobody listens any more: the training has stopped.
                if sender.send(pixels).is_err() || last {
                    return;
                }
            }
        };
        thread::Builder::new().spawn(ahead).map_err(DataError::Threads)?;
        Ok(Decoding { batches: receiver })
    }

    /// Sums over the pixels of at most [`MEASURED`] images, evenly spread, brought to size. `stop` is
    /// asked before each image.
    pub(super) fn sums(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Sums, DataError> {
        let mut known = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sums) = *known {
            return Ok(sums);
        }
        let count = self.files.len().min(MEASURED);
        let size = self.shape().size();
        let one = |index: usize| {
            if stop() {
                return Err(DataError::Stopped);
            }
            let mut pixels = vec![0; size];
            self.write((index * self.files.len() / count) as u32, None, &mut pixels)?;
            let mut colours = [(0, 0); 3];
            for (colour, plane) in colours.iter_mut().zip(pixels.chunks_exact(size / 3)) {
                *colour = plane.iter().fold((0u64, 0u64), |(sum, squares), &pixel| {
                    (sum + u64::from(pixel), squares + u64::from(pixel) * u64::from(pixel))
                });
            }
            Ok(colours)
        };
        let all: Vec<Result<[(u64, u64); 3], DataError>> =
            (0..count).into_par_iter().map(one).collect();
        let mut colours = [(0, 0); 3];
        for image in all {
            for (total, (sum, squares)) in colours.iter_mut().zip(image?) {
                *total = (total.0 + sum, total.1 + squares);
            }
        }
        let sums = Sums { colours, count: (count * size / 3) as u64 };
        *known = Some(sums);
        Ok(sums)
    }

    /// Places of the files that have not been decoded since they were last changed.
    pub(super) fn undecoded(&self) -> Vec<u32> {
        (0..self.files.len() as u32).filter(|&id| !self.files[id as usize].decoded).collect()
    }

    /// Decodes the files `ids` and keeps which could be. `done` hears of each; of those that could
    /// not it is told what is wrong, in their order.
    pub(super) fn decode_once(&self, ids: &[u32], done: &(dyn Fn() + Sync)) -> Vec<DataError> {
        let record = Record::of(&self.root, &self.digests);
        let one = |&id: &u32| {
            let File { name, content, digest, .. } = &self.files[id as usize];
            let name = format!("{}/{name}", self.split);
            let stamp = || Stamp::of(&self.root.join(&name)).ok();
            let before = stamp();
            self.read(id)?;
            done();
            let seen = Seen { content: *content, digest: *digest, decoded: true };
            let line = before.filter(|_| before == stamp()).and_then(|at| line(&name, at, seen));
            Ok(line.unwrap_or_default())
        };
        let mut found = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let decoded: Vec<Result<String, DataError>> = chunk.par_iter().map(one).collect();
            let mut lines = String::new();
            for decoded in decoded {
                match decoded {
                    Ok(line) => lines += &line,
                    Err(error) => found.push(error),
                }
            }
            record.append(&lines);
        }
        found
    }
}

impl Decoding {
    /// The next batch's pixels.
    pub fn take(&mut self) -> Result<Vec<u8>, DataError> {
        self.batches.recv().unwrap_or(Err(DataError::Decoder))
    }
}
