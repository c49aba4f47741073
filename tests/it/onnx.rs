//! ONNX: every network says the same there, and a network that comes from there teaches.

use crate::workspace::{PIPELINE, Workspace};
use burn::tensor::{Device, Tensor};
use std::{collections::BTreeMap, fs, path::Path};
use takd::{
    architecture::Architecture,
    kinds::Kinds,
    network::{Network, builtin},
    onnx::{Classifier, OnnxFile, Pixels},
    rng::{Purpose, Stream},
    shape::Shape,
};

/// So far apart may logits of 1 to 10 be: sums in another order.
const APART: f32 = 1e-4;

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().unwrap()
}

/// Some networks, each kind of layer among them.
fn networks() -> Vec<(String, Vec<String>)> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let builtin = |name: &str| (name.to_owned(), builtin(name, 10).unwrap());
    vec![
        builtin("plain4"),
        builtin("resnet8"),
        builtin("imagenet-resnet14"),
        ("pre-activated".to_owned(), words("prestem8 preact8 preact12/2 batchnorm avgpool fc10")),
        ("padded".to_owned(), words("stem8 padbasic16/2 padbasic19 avgpool fc12 fc10")),
        builtin("mobilenetv2-half"),
        builtin("shufflenetv1"),
        builtin("shufflenetv2"),
        ("excited".to_owned(), words("stem8 squeezeexcite4 avgpool fc10")),
        ("bottlenecks".to_owned(), words("stem8 bottleneck4 bottleneck6/2 avgpool fc10")),
    ]
}

#[test]
fn every_network_says_the_same() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.onnx");
    let shape = Shape { channels: 3, height: 33, width: 33 };
    let (mean, std) = ([0.5f32, 0.4, 0.3], [0.2f32, 0.25, 0.3]);
    for (name, layers) in networks() {
        let net = Architecture::read(&layers, shape, 10, &Kinds::default()).unwrap();
        let mut network = Network::init(&net, 3, &device);
        let mut stream = Stream::new(5, Purpose::Shuffle, 0, 0);
        let mut raw = |images: usize| -> Vec<f32> {
            (0..images * shape.size()).map(|_| stream.uniform()).collect()
        };
        let plane = shape.height * shape.width;
        let normalise = |(index, pixel): (usize, &f32)| {
            let channel = index / plane % 3;
            (pixel - mean[channel]) / std[channel]
        };
        let tensor = |values: &[f32]| {
            let count = values.len() / shape.size();
            Tensor::<1>::from_floats(values, &device).reshape([count, 3, 33, 33])
        };
        // Running statistics other than the first ones.
        for _ in 0..3 {
            let images: Vec<f32> = raw(8).iter().enumerate().map(normalise).collect();
            network.train(tensor(&images));
        }
        let pixels = raw(4);
        let normalised: Vec<f32> = pixels.iter().enumerate().map(normalise).collect();
        let want = values(network.infer(tensor(&normalised)));
        for folds in [false, true] {
            for (form, images) in [
                (Pixels::Raw { mean: mean.to_vec(), std: std.to_vec() }, &pixels),
                (Pixels::Normalised, &normalised),
            ] {
                let bytes = network.onnx(&net, &form, folds, &BTreeMap::new()).unwrap();
                fs::write(&path, bytes).unwrap();
                let classifier = Classifier::new(&OnnxFile::open(&path).unwrap(), None).unwrap();
                assert_eq!((classifier.input(), classifier.classes()), (shape, 10));
                let found = classifier.logits(images).unwrap();
                let most = |values: &[f32]| values.iter().fold(0.0f32, |most, v| most.max(v.abs()));
                let apart: Vec<f32> = found.iter().zip(&want).map(|(a, b)| a - b).collect();
                let (apart, scale) = (most(&apart), most(&want).max(1.0));
                assert!(apart < APART * scale, "{name}, {folds}, {form:?}: {apart} of {scale}");
            }
        }
    }
}

/// `blkd` learns from a file, beside the pipeline as it is.
pub fn with(teacher: &str) -> String {
    let told = format!("teacher   = {teacher}\ndata = \"bars\"\nrecipe = \"short\"");
    let text = PIPELINE.replacen("teacher   = \"teacher\"", &told, 1);
    assert_ne!(text, PIPELINE);
    text
}

/// Weights of a node, from an export.
fn weights(workspace: &Workspace, file: &str, node: &str) -> Vec<f32> {
    workspace.ok(&["export", file, node, "-o", "w.safetensors"]);
    let tensors = takd::node::read_weights(&fs::read(workspace.path("w.safetensors")).unwrap());
    let mut tensors = tensors.unwrap();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors.into_iter().flat_map(|tensor| tensor.values).collect()
}

#[test]
fn a_network_in_a_file_teaches_as_its_node_does() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    let want = weights(&workspace, "tiny.toml", "blkd@20");
    for args in [&["--pixels", "raw", "--fold"][..], &["--pixels", "normalised"]] {
        let export = ["export", "tiny.toml", "teacher@20", "-o", "teacher.onnx"];
        workspace.ok(&[&export[..], args].concat());
        workspace.write("outside.toml", with("{ onnx = \"teacher.onnx\" }"));
        // Its logits are computed once and serve both seeds.
        assert_eq!(workspace.trained(&["outside.toml"]), ["blkd@20", "blkd@31"]);
        let found = weights(&workspace, "outside.toml", "blkd@20");
        let apart = found.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == want.len() && apart < 1e-3, "{apart}");
    }
    let why = workspace.ok(&["why", "outside.toml", "blkd@20"]);
    assert!(why.contains("blkd@20"), "{why}");
    // Pictures name the file.
    let graph = workspace.ok(&["graph", "outside.toml"]);
    let place = |name: &str| {
        graph.split(&format!(" [label=\"{name}\\n")).next().unwrap().rsplit(' ').next()
    };
    let edge = format!("  {} -> {};\n", place("teacher.onnx").unwrap(), place("blkd").unwrap());
    assert!(graph.contains(&edge), "{edge}: {graph}");
    let page = workspace.ok(&["report", "outside.toml", "--format", "html"]);
    assert!(page.contains("Learns from the file: teacher.onnx"), "the page");
}

#[test]
fn logits_in_a_file_teach_to_the_same_bits() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    let entries = fs::read_dir(workspace.path("cache/entries")).unwrap();
    let logits: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|entry| entry.join("logits.safetensors").exists())
        .collect();
    // One of them is the teacher's with seed 20.
    let want = weights(&workspace, "tiny.toml", "blkd@20");
    let found = logits.iter().any(|entry| {
        fs::copy(entry.join("logits.safetensors"), workspace.path("l.safetensors")).unwrap();
        workspace.write("outside.toml", with("{ logits = \"l.safetensors\" }"));
        workspace.run(&["outside.toml", "blkd@20"]);
        weights(&workspace, "outside.toml", "blkd@20") == want
    });
    assert!(found, "none of {}", logits.len());
}

#[test]
fn what_cannot_teach_is_told() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "teacher@20"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "own.onnx"]);
    // Nobody has said what it takes.
    let mut model = fs::read(workspace.path("own.onnx")).unwrap();
    let at = model.windows(6).position(|window| window == b"pixels").unwrap();
    model[at] = b'q';
    workspace.write("silent.onnx", model);
    workspace.write("text.onnx", "no network");
    workspace.write("labels.txt", "a\nb\n");
    let augmented = with("{ onnx = \"own.onnx\" }")
        .replace("batch_size = 16", "batch_size = 16\naugment = [{ flip = {} }]");
    for (text, told) in [
        (with("{ onnx = \"none.onnx\" }"), "cannot read none.onnx"),
        (with("{ onnx = \"text.onnx\" }"), "is not an ONNX file"),
        (with("{ onnx = \"silent.onnx\" }"), "does not say the mean"),
        (with("{ onnx = \"own.onnx\", size = 9 }"), "takes images of 8 × 8 pixels, not of 9"),
        (with("{ onnx = \"own.onnx\", mean = [0.5, 0.5] }"), "`mean` has 2 values"),
        (with("{ onnx = \"own.onnx\", std = [0.0] }"), "a deviation above 0"),
        (
            with("{ onnx = \"own.onnx\", labels = \"labels.txt\" }"),
            "names 2 classes, and the data has 3",
        ),
        (with("{ onnx = \"own.onnx\", logits = \"l.npy\" }"), "one of: onnx, logits"),
        (with("{ onxx = \"own.onnx\" }"), "unknown key `onxx`"),
        (with("{ logits = \"none.npy\" }"), "none.npy"),
        (augmented, "answers about the training images as they are"),
        (
            with("{ onnx = \"own.onnx\" }").replace(
                "objective = { kd = { temperature = 5.0, lambda = 0.5 } }",
                "objective = { at = { } }",
            ),
            "cannot be compared with `own.onnx`",
        ),
    ] {
        workspace.write("outside.toml", &text);
        let output = workspace.takd(&["check", "outside.toml"]);
        assert!(output.code != 0 && output.stderr.contains(told), "{told}: {}", output.stderr);
    }
    // What only a run sees.
    workspace.write("few.npy", npy(1));
    workspace.write("outside.toml", with("{ logits = \"few.npy\" }"));
    let output = workspace.takd(&["run", "outside.toml", "blkd@20"]);
    assert!(output.code == 1, "{}", output.stderr);
    assert!(output.stderr.contains("has 1 rows, and the data has 72"), "{}", output.stderr);
}

/// So many rows of three logits, all of them 0, as `numpy.save` writes them.
pub fn npy(rows: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 3), }}\n");
    let length = (header.len() as u16).to_le_bytes();
    let data = vec![0; 12 * rows];
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), &data].concat()
}

/// A graph of any height and width, of which neither is the other.
#[test]
fn images_need_not_be_square() {
    let device = Device::flex();
    let layers = "stem4 basic6/2 avgpool fc3".split(' ').map(str::to_owned).collect::<Vec<_>>();
    let shape = Shape { channels: 1, height: 6, width: 10 };
    let net = Architecture::read(&layers, shape, 3, &Kinds::default()).unwrap();
    let network = Network::init(&net, 3, &device);
    let bytes = network.onnx(&net, &Pixels::Normalised, true, &BTreeMap::new()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wide.onnx"), bytes).unwrap();
    let file = OnnxFile::open(&folder.path().join("wide.onnx")).unwrap();
    // As a student of square images has it: scaled to what the file takes.
    let student = Shape { channels: 1, height: 8, width: 8 };
    assert_eq!(file.input(Some(student)).unwrap(), (shape, false));
    let classifier = Classifier::new(&file, Some(shape)).unwrap();
    let images: Vec<f32> = (0..64 * 2).map(|at| at as f32 / 128.0).collect();
    let found = classifier.logits_of_pixels(&images, student, [&[0.5], &[0.25]]).unwrap();
    assert_eq!(found.len(), 6);
}

/// Files from outside never panic, whatever is in them.
#[test]
fn damaged_files_are_refused() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "teacher@20"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "own.onnx"]);
    let whole = fs::read(workspace.path("own.onnx")).unwrap();
    let path = workspace.path("damaged.onnx");
    let open = |path: &Path| {
        let file = OnnxFile::open(path).ok()?;
        let classifier = Classifier::new(&file, None).ok()?;
        classifier.logits(&vec![0.5; classifier.input().size()]).ok()
    };
    let mut stream = Stream::new(1, Purpose::Shuffle, 0, 0);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = (f64::from(stream.uniform()) * bytes.len() as f64) as usize;
        bytes[at] ^= 1 << (stream.uniform() * 8.0) as u32;
        bytes.truncate(bytes.len() - (stream.uniform() * 20.0) as usize);
        fs::write(&path, bytes).unwrap();
        open(&path);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).unwrap().len(), 3);
}

/// What PyTorch's exporters make, `tests/golden/make_onnx.py`.
#[test]
fn what_pytorch_exports_says_what_it_says_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx");
    let golden = fs::read(folder.join("golden.safetensors")).unwrap();
    let golden = takd::node::read_weights(&golden).unwrap();
    let tensor =
        |name: String| golden.iter().find(|tensor| tensor.name == name).unwrap().values.clone();
    for name in ["resnet18", "vit", "vit-dynamo"] {
        let file = OnnxFile::open(&folder.join(format!("{name}.onnx"))).unwrap();
        let classifier = Classifier::new(&file, None).unwrap();
        let shape = Shape { channels: 3, height: 32, width: 32 };
        assert_eq!((classifier.input(), classifier.classes()), (shape, 10), "{name}");
        assert_eq!(file.classes(), Some(10), "{name}");
        let (images, want) = (tensor(format!("{name}.images")), tensor(format!("{name}.logits")));
        let found = classifier.logits(&images).unwrap();
        let apart = found.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == 30 && apart < APART, "{name}: {apart}");
        // Those beside an image change at most the order of sums; the same images give the same bits.
        let alone = classifier.logits(&images[2 * shape.size()..]).unwrap();
        assert!(alone.iter().zip(&found[20..]).all(|(a, b)| (a - b).abs() < APART), "{name}");
        assert_eq!(classifier.logits(&images).unwrap(), found, "{name}");
    }
}

/// In 8 bits it is a graph that runs, of a quarter of the size, and hardly less accurate.
#[test]
fn eight_bits_are_measured_beside_thirty_two() {
    let workspace = Workspace::new();
    let text = PIPELINE.replace("split = \"test\"", "split = \"test\"\nint8 = true");
    let text = text.replace("epochs     = 2", "epochs     = 12");
    workspace.write("tiny.toml", text + "\n[table.t]\ncolumns = [\"int8\", \"parameters\"]\n");
    let result = workspace.run(&["tiny.toml", "teacher@20", "test/teacher@20"]);
    let metrics = &result["tables"][0]["rows"][0]["ours"]["seeds"][0]["metrics"];
    let [top1, int8] = ["top1", "int8"].map(|name| metrics[name].as_f64().unwrap());
    assert!(top1 > 0.6 && (top1 - int8).abs() < 0.1, "{top1} and {int8}");
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "f.onnx", "--fold"]);
    workspace.ok(&["export", "tiny.toml", "teacher@20", "-o", "q.onnx", "--int8"]);
    // The test images, behind their header.
    let images = fs::read(workspace.path("bars/t10k-images-idx3-ubyte")).unwrap();
    let images: Vec<f32> = images[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let [whole, eight] = ["f.onnx", "q.onnx"].map(|name| {
        let file = OnnxFile::open(&workspace.path(name)).unwrap();
        Classifier::new(&file, None).unwrap().logits(&images).unwrap()
    });
    let most = |values: &[f32]| values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let apart: Vec<f32> = whole.iter().zip(&eight).map(|(a, b)| a - b).collect();
    assert!(most(&apart) < 0.1 * most(&whole), "{} of {}", most(&apart), most(&whole));
    assert!(most(&apart) > 0.0, "8 bits are not 32");
}
