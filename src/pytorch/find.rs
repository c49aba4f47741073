//! The state_dict among all that a file may hold.

use super::{
    PyTorchError, Shapes, Storages, names, safe_tensors, tensor,
    value::{TensorRef, Value},
};
use crate::network::NamedTensor;
use safetensors::{SafeTensors, tensor::TensorView};

/// A tensor in its file.
#[derive(Clone)]
pub(super) enum Stored<'a> {
    Pickled(&'a TensorRef),
    Safetensors(TensorView<'a>),
}

impl Stored<'_> {
    fn shape(&self) -> Vec<usize> {
        match self {
            Self::Pickled(tensor) => {
                tensor.shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect()
            }
            Self::Safetensors(view) => view.shape().to_vec(),
        }
    }

    /// The type of its numbers, in safetensors' words.
    pub fn kind(&self) -> String {
        match self {
            Self::Safetensors(view) => format!("{:?}", view.dtype()),
            Self::Pickled(tensor) => match tensor.storage.kind.as_str() {
                "FloatStorage" => "F32".to_owned(),
                "DoubleStorage" => "F64".to_owned(),
                "HalfStorage" => "F16".to_owned(),
                "BFloat16Storage" => "BF16".to_owned(),
                other => other.to_owned(),
            },
        }
    }

    pub fn materialise(
        &self,
        name: String,
        storages: &Storages,
    ) -> Result<NamedTensor, PyTorchError> {
        match self {
            Self::Pickled(tensor) => tensor::materialise(name, tensor, storages),
            Self::Safetensors(view) => safe_tensors::materialise(name, view),
        }
    }
}

/// A dictionary of tensors, under the names of this crate.
#[derive(Clone)]
pub(super) struct Candidate<'a> {
    /// Where it lies, `state_dict/model`; `.` is the whole file.
    path: String,
    pub tensors: Vec<(String, Stored<'a>)>,
}

impl<'a> Candidate<'a> {
    /// What all names begin with goes, unless `net` has a tensor of one of the names as they are: a
    /// network may be all `fc_layers`. Without a network only what is known to wrap others goes.
    pub fn new(path: String, mut tensors: Vec<(String, Stored<'a>)>, net: Option<&Shapes>) -> Self {
        tensors.retain(|(name, _)| !names::is_counter(name));
        while let Some(prefix) = names::common_prefix(tensors.iter().map(|(name, _)| name.as_str()))
        {
            let wraps = net.map_or(names::is_wrapper(&prefix), |net| {
                !tensors.iter().any(|(name, _)| net.contains_key(&names::rename(name)))
            });
            if !wraps {
                break;
            }
            for (name, _) in &mut tensors {
                name.drain(..prefix.len());
            }
        }
        for (name, _) in &mut tensors {
            *name = names::rename(name);
        }
        Self { path, tensors }
    }

    fn fits(&self, net: &Shapes) -> bool {
        let mut matching = self.tensors.iter();
        self.tensors.len() == net.len()
            && matching.all(|(name, stored)| net.get(name) == Some(&stored.shape()))
    }

    /// Those whose names begin alike, each a network's: `student.…` and `teacher.…`.
    fn groups(&self, net: Option<&Shapes>) -> Vec<Self> {
        let mut groups: Vec<(String, Vec<(String, Stored<'a>)>)> = Vec::new();
        for (name, stored) in &self.tensors {
            let Some((head, rest)) = name.split_once('.') else { continue };
            let tensor = (rest.to_owned(), stored.clone());
            match groups.iter_mut().find(|(known, _)| known == head) {
                Some((_, tensors)) => tensors.push(tensor),
                None => groups.push((head.to_owned(), vec![tensor])),
            }
        }
        let path = |head: String| {
            if self.path == ROOT { head } else { format!("{}/{head}", self.path) }
        };
        groups.into_iter().map(|(head, tensors)| Self::new(path(head), tensors, net)).collect()
    }
}

/// The tensors of a safetensors file.
pub(super) fn safetensors<'a>(
    bytes: &'a [u8],
    net: Option<&Shapes>,
) -> Result<Candidate<'a>, PyTorchError> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensors = file.tensors().into_iter();
    let tensors = tensors.map(|(name, view)| (name, Stored::Safetensors(view)));
    Ok(Candidate::new(ROOT.to_owned(), tensors.collect(), net))
}

/// Every dictionary of tensors in a value, outer ones first.
pub(super) fn candidates<'a>(value: &'a Value, net: Option<&Shapes>) -> Vec<Candidate<'a>> {
    let (mut found, mut left) = (Vec::new(), MOST);
    collect(value, ROOT.to_owned(), net, &mut found, &mut left);
    // A tensor beside a state_dict, such as `best_acc1`, makes no network of what holds both.
    let is_network = |candidate: &Candidate<'_>| {
        candidate
            .tensors
            .iter()
            .any(|(name, stored)| name.contains('.') && !stored.shape().is_empty())
    };
    if found.iter().any(is_network) {
        found.retain(is_network);
    }
    found
}

/// The path of what a file holds itself.
pub(super) const ROOT: &str = ".";

/// Values that are looked at: tuples that share their parts stand for more than any file is long.
const MOST: usize = 200_000;

fn collect<'a>(
    value: &'a Value,
    path: String,
    net: Option<&Shapes>,
    found: &mut Vec<Candidate<'a>>,
    left: &mut usize,
) {
    let Some(less) = left.checked_sub(1) else { return };
    *left = less;
    let under = |key: &str| {
        if path == ROOT { key.to_owned() } else { format!("{path}/{key}") }
    };
    match value {
        Value::Dict(entries, _) => {
            let tensors = entries.iter().filter_map(|(name, value)| match (name, value) {
                (Value::Text(name), Value::Tensor(tensor)) => {
                    Some((name.to_string(), Stored::Pickled(tensor)))
                }
                _ => None,
            });
            let tensors: Vec<_> = tensors.collect();
            if !tensors.is_empty() {
                found.push(Candidate::new(path.clone(), tensors, net));
            }
            for (name, value) in entries {
                if let Value::Text(name) = name {
                    collect(value, under(name), net, found, left);
                }
            }
        }
        Value::List(items, _) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| {
                collect(item, under(&index.to_string()), net, found, left)
            });
        }
        Value::Tuple(items, _) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| {
                collect(item, under(&index.to_string()), net, found, left)
            });
        }
        _ => {}
    }
}

/// The class of an object that a value is, or holds where a state_dict would be.
pub(super) fn model(value: &Value) -> Option<String> {
    match value {
        Value::Object(class) => Some(class.to_string()),
        Value::Dict(entries, _) => entries.iter().find_map(|(_, value)| match value {
            Value::Object(class) => Some(class.to_string()),
            _ => None,
        }),
        _ => None,
    }
}

/// Keys that a checkpoint's network usually lies under.
const USUAL: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "network"];

/// The one that is meant.
pub(super) fn choose<'a>(
    mut candidates: Vec<Candidate<'a>>,
    from: Option<&str>,
    net: Option<&Shapes>,
) -> Result<Candidate<'a>, PyTorchError> {
    let paths = |candidates: &[Candidate<'_>]| {
        candidates.iter().map(|candidate| candidate.path.clone()).collect::<Vec<_>>()
    };
    let fits = |candidate: &Candidate<'_>| net.is_some_and(|net| candidate.fits(net));
    if let Some(from) = from {
        let there = paths(&candidates);
        let groups: Vec<_> = candidates.iter().flat_map(|one| one.groups(net)).collect();
        candidates.extend(groups);
        let named = |candidate: &&Candidate<'_>| {
            candidate.path == from || candidate.path.ends_with(&format!("/{from}"))
        };
        let found = candidates.iter().find(named).cloned();
        return found.ok_or_else(|| PyTorchError::From { from: from.to_owned(), there });
    }
    let mut fitting: Vec<_> = candidates.iter().filter(|one| fits(one)).cloned().collect();
    if fitting.is_empty() {
        let groups = candidates.iter().flat_map(|one| one.groups(net));
        fitting = groups.filter(|group| fits(group)).collect();
    }
    match fitting.len() {
        1 => return Ok(fitting.swap_remove(0)),
        2.. => return Err(PyTorchError::Several(paths(&fitting))),
        _ => {}
    }
    // None fits: the most likely one is told what is wrong with it.
    match candidates.len() {
        0 => Err(PyTorchError::NoStateDict),
        1 => Ok(candidates.swap_remove(0)),
        _ => {
            let last = |one: &Candidate<'_>| one.path.rsplit('/').next().unwrap_or("").to_owned();
            let usual = USUAL.iter().find_map(|word| {
                candidates.iter().find(|candidate| last(candidate) == *word).cloned()
            });
            usual.ok_or_else(|| PyTorchError::Several(paths(&candidates)))
        }
    }
}
