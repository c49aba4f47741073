//! Which files a pipeline reads, and when one of them has changed.

use crate::pipeline::{How, Pipeline, Work};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, SystemTime},
};

/// How often the files are looked at. Polling sees changes on network file systems too.
const EVERY: Duration = Duration::from_secs(1);

/// Most files of a data set that are looked at: of a folder of photographs its class folders' times tell.
const MOST: usize = 1000;

/// Length and time of a file; nothing of one that is not there.
type Stamp = Option<(u64, SystemTime)>;

/// Files, and what they were like when they were read.
pub(super) struct Watched {
    pipeline: PathBuf,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Watched {
    /// The pipeline file alone: what else it reads is not known yet.
    pub fn new(pipeline: &Path) -> Self {
        let seen = BTreeMap::from([(pipeline.to_owned(), stamp(pipeline))]);
        Self { pipeline: pipeline.to_owned(), seen }
    }

    /// Takes in what the pipeline reads. A file that changed since it was read counts as changed.
    pub fn reads(&mut self, pipeline: &Pipeline) {
        let mut files = vec![self.pipeline.clone()];
        for node in &pipeline.nodes {
            let Work::Learn(learn) = &node.work else { continue };
            match &learn.how {
                How::Import(weights) => files.push(weights.path.clone()),
                How::Distill(_, teacher) => {
                    files.extend(teacher.outside.as_ref().map(|file| file.path().to_owned()));
                }
                How::Train(..) | How::Mutual(..) => {}
            }
            files.extend(learn.data.format.path().map(Path::to_owned));
        }
        files.sort();
        files.dedup();
        let inside =
            files.iter().flat_map(|file| fs::read_dir(file).into_iter().flatten().flatten());
        let inside: Vec<PathBuf> = inside.take(MOST).map(|entry| entry.path()).collect();
        let all = files.into_iter().chain(inside);
        self.seen = all
            .map(|file| (self.seen.get(&file).copied().unwrap_or_else(|| stamp(&file)), file))
            .map(|(stamp, file)| (file, stamp))
            .collect();
    }

    /// Waits until a file is another and then stays as it is for a moment, since editors write in several steps;
    /// its name. Nothing if `stop` is set meanwhile.
    pub fn wait(&mut self, stop: &AtomicBool) -> Option<PathBuf> {
        let mut changed: Option<PathBuf> = None;
        loop {
            sleep(EVERY);
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let now: BTreeMap<PathBuf, Stamp> =
                self.seen.keys().map(|file| (file.clone(), stamp(file))).collect();
            match now.iter().find(|(file, stamp)| self.seen[*file] != **stamp) {
                Some((file, _)) => changed = Some(file.clone()),
                None if changed.is_some() => return changed,
                None => {}
            }
            self.seen = now;
        }
    }
}

fn stamp(file: &Path) -> Stamp {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
