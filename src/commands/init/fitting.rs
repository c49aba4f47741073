//! What fits a data set: networks, epochs, batches, and why.

use crate::{
    architecture::Architecture, dataset::DataInfo, kinds::Kinds, network, recipe::leaves_one,
    report::thousands,
};

/// Below this side images are for small networks: the first two layers of ImageNet's leave a quarter.
const LARGE: usize = 128;

/// Below so many training images a deep plain teacher is slow to begin and has nothing to tell that a
/// shallower one has not.
const FEW: usize = 1000;

/// Steps in which networks of this size learn something, about.
const STEPS: usize = 600;

/// Teacher, assistant and student: their names, and tables for those that are not built in.
pub(super) struct Networks {
    pub names: [&'static str; 3],
    pub tables: String,
    /// Why these, in half a sentence.
    pub why: &'static str,
}

/// Networks of three sizes that fit the images.
pub(super) fn networks(info: &DataInfo) -> Networks {
    let large = info.shape.height.min(info.shape.width) >= LARGE;
    let built_in = [
        (
            large,
            ["imagenet-resnet50", "imagenet-resnet20", "imagenet-resnet14"],
            "ImageNet's ResNets, for images of 128 pixels and more",
        ),
        (
            info.train >= FEW,
            ["plain8", "plain4", "plain2"],
            "the paper's plain networks, for small images",
        ),
        (
            true,
            ["plain6", "plain4", "plain2"],
            "the paper's plain networks, the teacher not too deep for so few images",
        ),
    ];
    for (wanted, names, why) in built_in {
        if wanted && names.iter().all(|name| parameters(name, info).is_some()) {
            return Networks { names, tables: String::new(), why };
        }
    }
    let table = |name, layers: &str| {
        format!("[net.{name}]\nlayers = [{layers}, \"fc{}\"]\n\n", info.classes)
    };
    let tables = [
        table("large", "\"conv32\", \"conv32\", \"fc64\""),
        table("middle", "\"conv16\", \"fc32\""),
        table("small", "\"conv4\""),
    ];
    let why = "layers of their own, since built-in networks need larger images";
    Networks { names: ["large", "middle", "small"], tables: tables.concat(), why }
}

/// Trained parameters of a built-in network for these images; nothing if it does not fit them.
fn parameters(name: &str, info: &DataInfo) -> Option<usize> {
    let layers = network::builtin(name, info.classes)?;
    let net = Architecture::read(&layers, info.shape, info.classes, &Kinds::default());
    Some(net.ok()?.parameters())
}

/// Epochs and batch size; few images need small batches and many epochs.
pub(super) fn course(info: &DataInfo, validation: usize) -> (usize, usize) {
    let mut batch_size = match info.train {
        ..500 => 16,
        500..2000 => 32,
        _ => 64,
    };
    if leaves_one(info.train - validation, batch_size) {
        batch_size += 1;
    }
    ((STEPS * batch_size).div_ceil(info.train.max(1)).clamp(10, 60), batch_size)
}

/// What was chosen and why, a line each.
pub(super) fn reasons(info: &DataInfo, networks: &Networks, validation: usize) -> String {
    let (epochs, batch_size) = course(info, validation);
    let roles = ["teacher", "assistant", "student"].into_iter().zip(networks.names);
    let roles = roles.map(|(role, name)| match parameters(name, info) {
        Some(count) => format!("{role} {name} ({} parameters)", thousands(count)),
        None => format!("{role} {name}"),
    });
    let roles = roles.collect::<Vec<_>>().join(", ");
    let steps = epochs * info.train.saturating_sub(validation).div_ceil(batch_size);
    format!(
        "  {roles}:\n    {}\n  {epochs} epochs in batches of {batch_size}: {steps} steps, enough to see \
         differences; {validation} images held out to select the epoch\n",
        networks.why
    )
}
