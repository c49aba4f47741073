//! Weights from outside, and for it: PyTorch's zip archives (`torch.save` since 1.6), the format before it, and
//! safetensors. Which one a file is, its content says, not its name.
//!
//! A pickle is a program. None is ever run here: `pickle` reads the instructions that build
//! dictionaries and tensors, and whatever calls anything else becomes an opaque value.

mod archive;
mod find;
mod format;
mod legacy;
mod names;
mod pickle;
mod safe_tensors;
mod tensor;
mod value;
mod write;

pub use write::write_state_dict;

use crate::network::NamedTensor;
use find::Candidate;
use format::Kind;
use pickle::PickleError;
use std::collections::{BTreeMap, HashMap};

/// Why a file gives no weights.
#[derive(Debug, thiserror::Error)]
pub enum PyTorchError {
    /// None of the formats that are read; what it is instead.
    #[error("not a file of weights but {0}: torch.save's files and safetensors are read")]
    Format(String),
    /// A pickle that cannot be followed.
    #[error("its pickle is damaged: {0}")]
    Pickle(#[from] PickleError),
    /// A zip archive that cannot be read.
    #[error("its zip archive is damaged: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A safetensors file that cannot be read.
    #[error("not a whole safetensors file: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A part is shorter than it says.
    #[error("it is cut short: {0}")]
    Short(String),
    /// A zip archive whose members are longer than the file.
    #[error(
        "`{0}` and what is before it unpack to more than the file holds; torch.save packs nothing"
    )]
    Bomb(String),
    /// Numbers of a type that weights do not have.
    #[error("`{name}` holds {kind}, not floating-point numbers")]
    Type {
        /// The tensor.
        name: String,
        /// PyTorch's storage class, or safetensors' type.
        kind: String,
    },
    /// There is no dictionary of tensors in it.
    #[error("it holds no state_dict")]
    NoStateDict,
    /// A whole model, whose class would have to be run.
    #[error(
        "it is a whole model, an object of the class {0}, and takd runs no code of a file: save its \
         state_dict: torch.save(model.state_dict(), \"weights.pt\")"
    )]
    Model(String),
    /// TorchScript.
    #[error(
        "it is TorchScript, and takd runs no code of a file: save its state_dict: \
         torch.save(torch.jit.load(FILE).state_dict(), \"weights.pt\")"
    )]
    Script,
    /// Several dictionaries of tensors could be meant.
    #[error("it holds several state_dicts: {}; `from` chooses one, as in from = \"{}\"", .0.join(", "), .0[0])]
    Several(Vec<String>),
    /// `from` names none.
    #[error("it holds no state_dict `{from}`; there {}", listed(.there))]
    From {
        /// What was asked for.
        from: String,
        /// What there is.
        there: Vec<String>,
    },
}

fn listed(there: &[String]) -> String {
    match there {
        [] => "is none".to_owned(),
        [one] if one == find::ROOT => {
            "is one, which is the whole file: leave `from` out".to_owned()
        }
        [one] => format!("is `{one}`"),
        many => format!("are {}", many.join(", ")),
    }
}

/// Bytes of each storage, by its key in the pickle.
type Storages = HashMap<String, Vec<u8>>;

/// The shapes of a network's tensors, by name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// What a file holds for a network.
#[derive(Debug)]
pub struct Imported {
    /// Parameters and running statistics, under the names of this crate.
    pub tensors: Vec<NamedTensor>,
    /// How many of them were stored as other numbers than 32-bit floats, by their type.
    pub converted: BTreeMap<String, usize>,
}

/// The parameters and running statistics of a file's state_dict, under the names of this crate.
///
/// The state_dict may be the whole file or lie in dictionaries, lists and tuples, whatever lies beside
/// it. Where several do, `from` names one, or the only one with the shapes of `net` is taken. What all
/// names begin with (`module.`, `model.`, `_orig_mod.`) goes if `net` has no such names, so do counters (`num_batches_tracked`);
/// `linear` and `shortcut`, which CIFAR ResNets often use, become torchvision's `fc` and `downsample`.
///
/// # Errors
/// [`PyTorchError`] says what is wrong with the file.
pub fn read_weights(
    bytes: &[u8],
    from: Option<&str>,
    net: Option<&Shapes>,
) -> Result<Imported, PyTorchError> {
    let (value, storages) = match format::kind(bytes) {
        Kind::Zip => archive::read(bytes)?,
        Kind::Legacy => legacy::read(bytes)?,
        Kind::Safetensors => {
            let candidates = vec![find::safetensors(bytes, net)?];
            return import(find::choose(candidates, from, net)?, &Storages::new());
        }
        Kind::Other(what) => return Err(PyTorchError::Format(what.to_owned())),
    };
    let candidates = find::candidates(&value, net);
    if let (true, Some(class)) = (candidates.is_empty(), find::model(&value)) {
        return Err(PyTorchError::Model(class));
    }
    import(find::choose(candidates, from, net)?, &storages)
}

fn import(chosen: Candidate<'_>, storages: &Storages) -> Result<Imported, PyTorchError> {
    let mut converted = BTreeMap::new();
    let mut tensors = Vec::with_capacity(chosen.tensors.len());
    for (name, stored) in chosen.tensors {
        let kind = stored.kind();
        tensors.push(stored.materialise(name, storages)?);
        if kind != "F32" {
            *converted.entry(kind).or_default() += 1;
        }
    }
    Ok(Imported { tensors, converted })
}

/// As [`read_weights`], of a file with one state_dict.
///
/// # Errors
/// As [`read_weights`].
pub fn read_state_dict(bytes: &[u8]) -> Result<Vec<NamedTensor>, PyTorchError> {
    read_weights(bytes, None, None).map(|imported| imported.tensors)
}
