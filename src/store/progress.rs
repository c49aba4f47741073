//! How far the makers of entries have come: one small file a key, replaced whole, for other
//! processes to read. It vouches for nothing, so it is not synced; what it says of a running maker
//! is believed only while that maker holds the key's lock.

use super::{
    Holder, KeyLock, Store, StoreError,
    disk::{create, for_group, read, remove},
    list,
};
use crate::key::Key;
use serde::{Deserialize, Serialize};
use std::{fmt, fs, path::PathBuf};

/// What one maker says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Name of the node, for people.
    pub node: String,
    /// Who makes the entry, and since when.
    pub maker: Holder,
    /// Seconds since 1970 when this was written.
    pub updated: u64,
    /// How far it is; nothing before its first step.
    pub reached: Option<Reached>,
    /// Why it was given up; nothing while it is made, and of a maker that was stopped.
    #[serde(default)]
    pub failure: Option<String>,
    /// What went wrong then, as a word: a kind of step error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Whether it was given up for what its numbers became, so that the same again would end alike.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub diverged: bool,
}

/// How far an entry's maker is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reached {
    /// In a training.
    Epochs(Epochs),
    /// In a pass over images that learns nothing.
    Images(Images),
}

/// How far a training is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epochs {
    /// The epoch in work, counted from 1; after the last one, that.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Share of the whole training that is done, in [0, 1].
    pub share: f64,
    /// Mean training loss of the last whole epoch.
    pub loss: Option<f64>,
    /// Top-1 accuracy after the last whole epoch, in [0, 1], where there is a eval split.
    pub accuracy: Option<f64>,
    /// Training samples a second.
    pub samples_per_second: f64,
}

/// How far a pass over images is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Images {
    /// Whether it is a teacher's, whose logits a training waits for.
    pub of_teacher: bool,
    /// How many are done.
    pub images: usize,
    /// How many there are.
    pub of: usize,
    /// Images a second.
    pub samples_per_second: f64,
}

impl Reached {
    /// `epoch 3/8, 31 %`, or `image 300/1000, 30 %`.
    pub fn brief(&self) -> String {
        match self {
            Self::Epochs(at) => {
                format!("epoch {}/{}, {:.0} %", at.epoch, at.epochs, at.share * 100.0)
            }
            Self::Images(at) => {
                let share = at.images as f64 / at.of.max(1) as f64;
                let whose = if at.of_teacher { "its teacher's logits, " } else { "" };
                format!("{whose}image {}/{}, {:.0} %", at.images, at.of, share * 100.0)
            }
        }
    }
}

/// `epoch 3/8, 31 % done, loss 0.4213, accuracy 84.10 %, 2310 images/s`.
impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} done", self.brief())?;
        let pace = match self {
            Self::Epochs(Epochs { loss, accuracy, samples_per_second, .. }) => {
                if let Some(loss) = loss {
                    write!(f, ", loss {loss:.4}")?;
                }
                if let Some(accuracy) = accuracy {
                    write!(f, ", accuracy {:.2} %", accuracy * 100.0)?;
                }
                samples_per_second
            }
            Self::Images(at) => &at.samples_per_second,
        };
        write!(f, ", {pace:.0} images/s")
    }
}

/// What whoever wrote a [`Progress`] does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// The key's lock is held.
    Running,
    /// Nobody holds it: the maker was stopped, or died.
    Stopped,
    /// The maker has given up, for a reason that it left.
    Failed,
}

impl Store {
    fn progress_path(&self, key: &Key) -> PathBuf {
        self.root().join("progress").join(key.to_string())
    }

    /// Says how far the maker of an entry has come; only the holder of its lock can.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what was said before then still stands.
    pub fn write_progress(
        &self,
        lock: &KeyLock,
        node: &str,
        reached: Option<Reached>,
    ) -> Result<(), StoreError> {
        let (node, maker) = (node.to_owned(), lock.holder().clone());
        let progress = Progress {
            node,
            maker,
            updated: super::now(),
            reached,
            failure: None,
            failed: None,
            diverged: false,
        };
        self.replace_progress(lock, &progress)
    }

    /// Says that the maker of an entry has given up, why, what went wrong in a word, and whether the same
    /// again would end alike; how far it had come stands.
    ///
    /// # Errors
    /// As [`write_progress`](Self::write_progress).
    pub fn write_failure(
        &self,
        lock: &KeyLock,
        failure: &str,
        failed: &str,
        diverged: bool,
    ) -> Result<(), StoreError> {
        let Some(said) = self.said(lock.key())? else { return Ok(()) };
        let (failure, failed) = (Some(failure.to_owned()), Some(failed.to_owned()));
        let updated = super::now();
        self.replace_progress(lock, &Progress { updated, failure, failed, diverged, ..said })
    }

    fn replace_progress(&self, lock: &KeyLock, progress: &Progress) -> Result<(), StoreError> {
        let text = serde_json::to_vec(progress).expect("plain data is always JSON");
        let path = self.progress_path(lock.key());
        let folder = self.root().join("progress");
        create(&folder)?;
        let new = path.with_extension("new");
        let written = fs::write(&new, text).and_then(|()| for_group(&new));
        written.map_err(StoreError::io("write", &new))?;
        fs::rename(&new, &path).map_err(StoreError::io("write", &path))
    }

    /// Removes what was said of a key: its entry is there.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it is there and cannot be removed.
    pub fn drop_progress(&self, lock: &KeyLock) -> Result<(), StoreError> {
        remove(&self.progress_path(lock.key()))
    }

    /// What the maker of `key` says, if there is or was one.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the system refuses to read it.
    pub fn progress(&self, key: &Key) -> Result<Option<(Progress, Maker)>, StoreError> {
        let Some(progress) = self.said(key)? else { return Ok(None) };
        let maker = match &progress.failure {
            _ if self.is_guarded(&key.to_string())? => Maker::Running,
            Some(_) => Maker::Failed,
            None => Maker::Stopped,
        };
        Ok(Some((progress, maker)))
    }

    /// What the maker of `key` has said last, whether or not it lives.
    ///
    /// # Errors
    /// As [`progress`](Self::progress).
    pub fn said(&self, key: &Key) -> Result<Option<Progress>, StoreError> {
        let path = self.progress_path(key);
        let Some(text) = read(&path)? else { return Ok(None) };
        // Another version's file that cannot be read, or one that a power cut has emptied, says nothing.
        Ok(serde_json::from_slice(&text).ok())
    }

    /// Keys of which something is said, sorted.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder is there but cannot be read.
    pub fn in_progress(&self) -> Result<Vec<Key>, StoreError> {
        let names = list(&self.root().join("progress"))?;
        let mut keys: Vec<Key> = names.iter().filter_map(|name| name.parse().ok()).collect();
        keys.sort_unstable();
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::{Epochs, Images, Reached};

    #[test]
    fn what_is_reached_is_read_back_and_said() {
        let (loss, accuracy) = (Some(0.4213), Some(0.841));
        let training = r#"{"epoch":3,"epochs":8,"share":0.31,"loss":0.4213,"accuracy":0.841,
            "samples_per_second":2310.0}"#;
        let training: Reached = serde_json::from_str(training).unwrap();
        let epochs =
            Epochs { epoch: 3, epochs: 8, share: 0.31, loss, accuracy, samples_per_second: 2310.0 };
        assert_eq!(training, Reached::Epochs(epochs));
        let said = "epoch 3/8, 31 % done, loss 0.4213, accuracy 84.10 %, 2310 images/s";
        assert_eq!(training.to_string(), said);
        for (of_teacher, said) in [
            (false, "image 300/1000, 30 % done, 812 images/s"),
            (true, "its teacher's logits, image 300/1000, 30 % done, 812 images/s"),
        ] {
            let images = Images { of_teacher, images: 300, of: 1000, samples_per_second: 812.0 };
            let reached = Reached::Images(images);
            assert_eq!(reached.to_string(), said);
            let text = serde_json::to_string(&reached).unwrap();
            assert_eq!(serde_json::from_str::<Reached>(&text).unwrap(), reached);
        }
    }
}
