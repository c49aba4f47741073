//! Weights as people have them: whatever lies around the state_dict, whatever its names begin with,
//! whatever its numbers are, and whatever the file is called.

use crate::workspace::Workspace;
use burn::tensor::Device;
use safetensors::{Dtype, tensor::TensorView};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::Path};
use takd::{
    architecture::Architecture,
    kinds::Kinds,
    network::{NamedTensor, Network, builtin},
    pytorch::{PyTorchError, Shapes, read_weights},
    shape::Shape,
};

/// What a pickle holds.
#[derive(Clone)]
enum Py {
    Int(i32),
    Text(&'static str),
    Dict(Vec<(&'static str, Py)>),
    List(Vec<Py>),
    Tuple(Vec<Py>),
    /// An object of a class, with attributes.
    Object(&'static str, &'static str, Box<Py>),
    /// The same, as the format before PyTorch 1.6 has a model: its class with its source.
    Sourced(&'static str, &'static str, Box<Py>),
    /// A row of numbers.
    Tensor(Vec<f32>),
}

use Py::{Dict, Int, List, Object, Sourced, Tensor, Text, Tuple};

/// Writes as `torch.save(…, _use_new_zipfile_serialization=False)` does.
fn save(value: &Py) -> Vec<u8> {
    let mut storages = Vec::new();
    let mut pickle = vec![0x80, 2];
    write(value, &mut pickle, &mut storages);
    pickle.push(b'.');
    let mut bytes =
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    bytes.extend(pickle);
    bytes.extend(b"\x80\x02](");
    for key in 0..storages.len() {
        text(&key.to_string(), &mut bytes);
    }
    bytes.extend(b"e.");
    for storage in storages {
        bytes.extend((storage.len() as i64).to_le_bytes());
        bytes.extend(storage.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write(value: &Py, out: &mut Vec<u8>, storages: &mut Vec<Vec<f32>>) {
    match value {
        Int(int) => {
            out.push(b'J');
            out.extend(int.to_le_bytes());
        }
        Text(word) => text(word, out),
        Dict(entries) => {
            out.extend(b"}(");
            for (key, value) in entries {
                text(key, out);
                write(value, out, storages);
            }
            out.push(b'u');
        }
        List(items) => {
            out.extend(b"](");
            items.iter().for_each(|item| write(item, out, storages));
            out.push(b'e');
        }
        Tuple(items) => {
            out.push(b'(');
            items.iter().for_each(|item| write(item, out, storages));
            out.push(b't');
        }
        Object(module, class, state) => {
            out.extend(format!("c{module}\n{class}\n)\u{81}").chars().map(|c| c as u8));
            write(state, out, storages);
            out.push(b'b');
        }
        Sourced(module, class, state) => {
            out.push(b'(');
            text("module", out);
            out.extend(format!("c{module}\n{class}\n").bytes());
            text("model.py", out);
            text("class Architecture: pass", out);
            out.extend(b"tQ)\x81");
            write(state, out, storages);
            out.push(b'b');
        }
        Tensor(values) => {
            out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
            text("storage", out);
            out.extend(b"ctorch\nFloatStorage\n");
            text(&storages.len().to_string(), out);
            text("cpu", out);
            write(&Int(values.len() as i32), out, storages);
            out.extend(b"NtQ");
            storages.push(values.clone());
            write(&Int(0), out, storages);
            write(&Tuple(vec![Int(values.len() as i32)]), out, storages);
            write(&Tuple(vec![Int(1)]), out, storages);
            out.extend(b"\x89}tR");
        }
    }
}

/// A state_dict whose first number is `first`.
fn state(first: f32) -> Py {
    Dict(vec![("fc.weight", Tensor(vec![first, 2.0])), ("fc.bias", Tensor(vec![3.0]))])
}

fn shapes() -> Shapes {
    [("fc.weight", vec![2]), ("fc.bias", vec![1])]
        .map(|(name, shape)| (name.to_owned(), shape))
        .into()
}

/// The first number of what is read.
fn first(value: &Py, from: Option<&str>) -> Result<f32, PyTorchError> {
    let tensors = read_weights(&save(value), from, Some(&shapes()))?.tensors;
    assert_eq!(tensors.len(), 2);
    Ok(tensors.iter().find(|tensor| tensor.name == "fc.weight").unwrap().values[0])
}

#[test]
fn a_state_dict_is_found_whatever_lies_around_it() {
    let epoch = ("epoch", Int(7));
    let scheduler = Object(
        "torch.optim.lr_scheduler",
        "MultiStepLR",
        Box::new(Dict(vec![("base", Tensor(vec![9.0; 5])), ("last", Int(3))])),
    );
    let optimizer = Dict(vec![(
        "state",
        Dict(vec![("exp_avg", Tensor(vec![8.0, 8.0])), ("step", Tensor(vec![1.0]))]),
    )]);
    for value in [
        state(1.0),
        Dict(vec![epoch.clone(), ("model_state_dict", state(1.0))]),
        Dict(vec![("best_acc1", Tensor(vec![0.5])), ("state_dict", state(1.0))]),
        Dict(vec![("scheduler", scheduler.clone()), ("optimizer", optimizer), ("net", state(1.0))]),
        Dict(vec![("student", Dict(vec![("weights", state(1.0))])), ("lr", scheduler.clone())]),
        List(vec![Int(3), state(1.0)]),
        Tuple(vec![Text("resnet"), Dict(vec![("network", state(1.0)), epoch])]),
    ] {
        assert_eq!(first(&value, None).unwrap(), 1.0);
    }
}

#[test]
fn what_all_names_begin_with_goes() {
    for prefix in ["module.", "model.", "_orig_mod.", "module.model._orig_mod.", "backbone."] {
        let name = |name| -> &'static str { format!("{prefix}{name}").leak() };
        let value = Dict(vec![
            (name("fc.weight"), Tensor(vec![1.0, 2.0])),
            (name("fc.bias"), Tensor(vec![3.0])),
            (name("bn.num_batches_tracked"), Tensor(vec![40.0])),
        ]);
        assert_eq!(first(&value, None).unwrap(), 1.0, "{prefix}");
        assert_eq!(first(&Dict(vec![("state_dict", value)]), None).unwrap(), 1.0, "{prefix}");
    }
}

#[test]
fn what_all_names_of_the_network_begin_with_stays() {
    let names = ["fc_layers.0.weight", "fc_layers.0.bias", "fc_layers.2.weight"];
    let net: Shapes = names.map(|name| (name.to_owned(), vec![1])).into();
    for prefix in ["", "module.", "net.model."] {
        for count in [3, 2] {
            let tensor = |name| -> (&'static str, Py) {
                (format!("{prefix}{name}").leak(), Tensor(vec![1.0]))
            };
            let value = Dict(names.map(tensor)[..count].to_vec());
            let read = read_weights(&save(&value), None, Some(&net)).unwrap().tensors;
            let got: Vec<&str> = read.iter().map(|tensor| &*tensor.name).collect();
            assert_eq!(got, names[..count], "{prefix}");
        }
        if prefix == "net.model." {
            continue;
        }
        let value = Dict(vec![(format!("{prefix}{}", names[0]).leak(), Tensor(vec![1.0]))]);
        let read = read_weights(&save(&value), None, None).unwrap().tensors;
        assert_eq!(read[0].name, names[0], "without a network only wrappers go");
    }
}

#[test]
fn of_several_that_fit_one_is_chosen() {
    let other = Dict(vec![("fc.weight", Tensor(vec![0.0; 7])), ("fc.bias", Tensor(vec![0.0; 7]))]);
    let ema = Dict(vec![("ema", state(5.0))]);
    let value = Dict(vec![("model", state(1.0)), ("old", other), ("averaged", ema)]);
    let told = first(&value, None).unwrap_err().to_string();
    assert_eq!(
        told,
        "it holds several state_dicts: model, averaged/ema; `from` chooses one, as in from = \"model\""
    );
    for (from, want) in [("model", 1.0), ("averaged/ema", 5.0), ("ema", 5.0)] {
        assert_eq!(first(&value, Some(from)).unwrap(), want);
    }
    let told = first(&value, Some("best")).unwrap_err().to_string();
    assert_eq!(told, "it holds no state_dict `best`; there are model, old, averaged/ema");
    // Lightning keeps a distillation's networks in one dictionary.
    let value = Dict(vec![
        ("student.fc.weight", Tensor(vec![1.0, 2.0])),
        ("student.fc.bias", Tensor(vec![3.0])),
        ("teacher.fc.weight", Tensor(vec![0.0; 9])),
        ("teacher.fc.bias", Tensor(vec![0.0; 9])),
    ]);
    assert_eq!(first(&value, None).unwrap(), 1.0, "the only one that fits");
    assert_eq!(first(&value, Some("student")).unwrap(), 1.0);
}

#[test]
fn whole_models_are_refused_with_what_to_do() {
    let model = Object("models.resnet", "ResNet", Box::new(Dict(vec![("weights", state(1.0))])));
    let attributes = Box::new(Dict(vec![("weights", state(1.0))]));
    let sourced = Sourced("models.resnet", "ResNet", attributes);
    for value in [model.clone(), Dict(vec![("epoch", Int(3)), ("model", model)]), sourced] {
        let told = first(&value, None).unwrap_err().to_string();
        assert!(
            told.contains("a whole model, an object of the class models.resnet.ResNet"),
            "{told}"
        );
        assert!(told.contains("torch.save(model.state_dict()"), "{told}");
    }
    let told = first(&Dict(vec![("epoch", Int(3))]), None).unwrap_err().to_string();
    assert_eq!(told, "it holds no state_dict");
}

/// A safetensors file of `fc.weight` and a counter, in numbers of a type; its header is padded to
/// `length` bytes where that is asked for.
fn safetensors(dtype: Dtype, bytes: &[u8], length: Option<usize>) -> Vec<u8> {
    let counter = 12_i64.to_le_bytes();
    let width = bytes.len() / 2;
    let views = [
        ("model.fc.weight", TensorView::new(dtype, vec![2], bytes).unwrap()),
        ("model.fc.bias", TensorView::new(dtype, vec![1], &bytes[..width]).unwrap()),
        ("model.bn.num_batches_tracked", TensorView::new(Dtype::I64, vec![], &counter).unwrap()),
    ];
    let file = safetensors::serialize(views, None).unwrap();
    let Some(length) = length else { return file };
    let (old, rest) = file.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*old) as usize);
    let mut header = header.to_vec();
    header.resize(length, b' ');
    [&(length as u64).to_le_bytes(), &*header, data].concat()
}

#[test]
fn safetensors_of_any_float_are_read_and_said() {
    let f64s: Vec<u8> = [1.5_f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let f32s: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    for (dtype, bytes, name) in [
        (Dtype::F32, &*f32s, ""),
        (Dtype::F64, &f64s, "F64"),
        (Dtype::F16, &[0x00, 0x3e, 0x00, 0xc0], "F16"),
        (Dtype::BF16, &[0xc0, 0x3f, 0x00, 0xc0], "BF16"),
    ] {
        // A header of 640 bytes begins with the byte that a pickle begins with.
        for length in [None, Some(640)] {
            let file = safetensors(dtype, bytes, length);
            let read = read_weights(&file, None, Some(&shapes())).unwrap();
            let tensors: BTreeMap<_, _> =
                read.tensors.iter().map(|tensor| (&*tensor.name, &*tensor.values)).collect();
            assert_eq!(tensors, [("fc.weight", &[1.5, -2.0][..]), ("fc.bias", &[1.5])].into());
            let converted = read.converted.keys().map(String::as_str).collect::<String>();
            assert_eq!(converted, name);
        }
    }
    let ints: Vec<u8> = [1_i32, 2].iter().flat_map(|value| value.to_le_bytes()).collect();
    let told = read_weights(&safetensors(Dtype::I32, &ints, None), None, None).unwrap_err();
    assert!(told.to_string().contains("holds I32, not floating-point numbers"), "{told}");
}

#[test]
fn files_of_other_formats_are_named() {
    for (bytes, want) in [
        (&b"<!DOCTYPE html>"[..], "HTML"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x80\x04\x95\x00", "a pickle that torch.save did not write"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"", "an empty file"),
        (b"\x08\x07\x12\x07pytorch", "ONNX"),
    ] {
        let told = read_weights(bytes, None, None).unwrap_err().to_string();
        assert!(told.contains(want), "{told}");
    }
}

/// Files that people reported, where the folder with them is.
#[test]
fn files_from_outside_are_imported() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    if !cases.is_dir() {
        println!("skipped: no ../shared/cases");
        return;
    }
    let mut count = 0;
    for folder in std::fs::read_dir(cases).unwrap().map(|folder| folder.unwrap().path()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !["01", "02", "04", "06", "07"].iter().any(|number| name.starts_with(number)) {
            continue;
        }
        let workspace = Workspace::new();
        let pipeline = folder.join("p.toml");
        for file in std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
            let ending = file.extension().unwrap_or_default().to_string_lossy().into_owned();
            if ["pt", "pth", "ckpt", "safetensors"].contains(&ending.as_str()) {
                let set = format!("train.k.weights=\"{}\"", file.display());
                workspace.ok(&["run", "-q", pipeline.to_str().unwrap(), "k", "--set", &set]);
                count += 1;
            }
        }
    }
    assert!(count >= 8, "{count}");
}

/// torchvision's networks as they are saved: under these names, in these shapes.
#[test]
fn torchvisions_networks_have_these_names_and_shapes() {
    // SHA-256 of the lines "NAME [SHAPE]" of torchvision 0.29.2's state dicts, sorted, without
    // num_batches_tracked.
    for (net, digest) in [
        ("imagenet-resnet18", "fc669aac650ab66f6f786c5b13cfd6a691e18838ab2798d6273f9c7376e98c7b"),
        ("imagenet-resnet34", "efabbe4b2289112be43dfa89fe7af8cfa27714b2c6ccd40c4807e25079c0ac21"),
        ("imagenet-resnet50", "584ee931ad382885ad353fa64c8bf7736b8cd3a2259cc79a8f1e68cb3de2b163"),
        (
            "imagenet-mobilenetv2",
            "07c1a8796c1aa659704bff922a9fd79773dd549def1a80747d38e220c211db05",
        ),
    ] {
        let input = Shape { channels: 3, height: 224, width: 224 };
        let layers = builtin(net, 1000).unwrap();
        let built = Architecture::read(&layers, input, 1000, &Kinds::default()).unwrap();
        let tensors = Network::init(&built, 0, &Device::flex()).save();
        let line = |tensor: &NamedTensor| format!("{} {:?}", tensor.name, tensor.shape);
        let mut lines: Vec<String> = tensors.iter().map(line).collect();
        lines.sort_unstable();
        let hash = Sha256::digest(lines.join("\n"));
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, digest, "{net}:\n{}", lines.join("\n"));
    }
}
