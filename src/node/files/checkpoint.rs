//! Checkpoints as safetensors: tensors as `GROUP:NAME`, and the rest as JSON in the metadata. What is of
//! a network that learns beside the training's own has its place before it: `0/net:conv1.weight`.

use super::{
    format::{FileError, serialize},
    read_weights,
};
use crate::{
    network::NamedTensor,
    training::{Checkpoint, TrainingState},
};
use safetensors::SafeTensors;
use std::collections::HashMap;

/// Name of the metadata that holds a [`TrainingState`] as JSON.
const STATE: &str = "state";

/// Each tensor under its name in the file.
fn tensors<'a>(checkpoint: &'a Checkpoint, prefix: &str) -> Vec<(String, &'a NamedTensor)> {
    let groups = [
        ("net", &checkpoint.weights),
        ("optimizer", &checkpoint.optimizer),
        ("learned", &checkpoint.learned),
        ("best", &checkpoint.best),
    ];
    let own = groups.into_iter().flat_map(|(group, tensors)| {
        tensors.iter().map(move |tensor| (format!("{prefix}{group}:{}", tensor.name), tensor))
    });
    let mut all: Vec<_> = own.collect();
    for (place, peer) in checkpoint.peers.iter().enumerate() {
        all.extend(tensors(peer, &format!("{prefix}{place}/")));
    }
    all
}

/// A training's state as safetensors, for [`read_checkpoint`].
///
/// # Errors
/// [`FileError`] if a tensor's shape and length do not agree, or one of its values is NaN or infinite.
pub fn write_checkpoint(checkpoint: &Checkpoint) -> Result<Vec<u8>, FileError> {
    let text = |state| serde_json::to_string(state).expect("plain data is always JSON");
    let own = (STATE.to_owned(), text(&checkpoint.state));
    let peers = checkpoint.peers.iter().enumerate();
    let peers = peers.map(|(place, peer)| (format!("{place}/{STATE}"), text(&peer.state)));
    serialize(&tensors(checkpoint, ""), Some(peers.chain([own]).collect()))
}

/// A training's state after some epochs.
///
/// # Errors
/// [`FileError`] if it is none, or a value of it is NaN or infinite.
pub fn read_checkpoint(bytes: &[u8]) -> Result<Checkpoint, FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let empty = HashMap::new();
    let metadata = header.metadata().as_ref().unwrap_or(&empty);
    let state = |name: &str| -> Result<TrainingState, FileError> {
        Ok(serde_json::from_str(metadata.get(name).map_or("", String::as_str))?)
    };
    let mut own = bare(state(STATE)?);
    while metadata.contains_key(&format!("{}/{STATE}", own.peers.len())) {
        own.peers.push(bare(state(&format!("{}/{STATE}", own.peers.len()))?));
    }
    for tensor in read_weights(bytes)? {
        if !tensor.is_finite() {
            return Err(FileError::NotFinite(tensor.name));
        }
        let (group, name) = tensor.name.split_once(':').unwrap_or(("", ""));
        let (of, group) = match group.split_once('/') {
            Some((place, group)) => {
                let place = place.parse::<usize>().ok();
                (place.and_then(|place| own.peers.get_mut(place)), group)
            }
            None => (Some(&mut own), group),
        };
        let Some(of) = of else { continue };
        let list = match group {
            "net" => &mut of.weights,
            "optimizer" => &mut of.optimizer,
            "learned" => &mut of.learned,
            "best" => &mut of.best,
            _ => continue,
        };
        list.push(NamedTensor { name: name.to_owned(), ..tensor });
    }
    Ok(own)
}

/// Without any tensor.
fn bare(state: TrainingState) -> Checkpoint {
    let [weights, optimizer, learned, best] = [const { Vec::new() }; 4];
    Checkpoint { weights, optimizer, learned, best, state, peers: Vec::new() }
}
