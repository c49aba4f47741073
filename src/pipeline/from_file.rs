//! What a teacher in a file turns out to be.

use super::{
    outside::{Outside, RawOutside},
    resolve::Resolver,
    value::Name,
};
use crate::{
    dataset::Data,
    onnx::{NORMALISED, OnnxFile, PIXELS, RAW},
    shape::Shape,
};

impl Resolver<'_> {
    /// What a file is to a student on `data`.
    pub fn outside(&mut self, raw: &RawOutside, data: &Data) -> Option<Outside> {
        let name = raw.path();
        let path = self.folder.join(&name.text);
        match raw {
            RawOutside::Logits { .. } => match (self.catalogue.digest)(&path) {
                Ok(digest) => Some(Outside::Logits { path, digest }),
                Err(problem) => {
                    self.errors.push(&name.span, problem);
                    None
                }
            },
            RawOutside::Onnx { size, mean, std, labels, .. } => {
                let file = (self.catalogue.onnx)(&path);
                let file = file.map_err(|problem| self.errors.push(&name.span, problem)).ok()?;
                if let Some(labels) = labels {
                    self.check_labels(labels, data);
                }
                let said = [mean.clone(), std.clone()];
                let found = of_file(&file, *size, said, data);
                let found = found.map_err(|(problem, help)| {
                    self.errors.push_help(&name.span, problem, help);
                });
                let (input, [mean, std]) = found.ok()?;
                let digest = file.digest().to_owned();
                Some(Outside::Onnx { path, digest, input, mean, std })
            }
        }
    }

    /// The teacher's classes, a line each, must be as many as the data's, and in their order.
    fn check_labels(&mut self, labels: &Name, data: &Data) {
        let path = self.folder.join(&labels.text);
        let text = match (self.catalogue.text)(&path) {
            Ok(text) => text,
            Err(problem) => return self.errors.push(&labels.span, problem),
        };
        let theirs: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let count = data.info.classes;
        if theirs.len() != count {
            let problem = format!("names {} classes, and the data has {count}", theirs.len());
            return self.errors.push(&labels.span, problem);
        }
        // Where the files tell no names, the count is all that can be compared.
        let ours = data.format.class_names().unwrap_or_default();
        let Some(at) = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs) else {
            return;
        };
        let problem = format!("class {at} is `{}` here and `{}` in the data", theirs[at], ours[at]);
        let help = "the data's classes are numbered in the order of their folders' names";
        self.errors.push_help(&labels.span, problem, help);
    }
}

/// The shape that a network takes, and the mean and deviation that it wants.
type Fitting = (Shape, [Vec<f64>; 2]);

/// What an ONNX file takes of images of `data`: their shape, and the mean and deviation that it wants; the
/// error is a problem and what to do.
fn of_file(
    file: &OnnxFile,
    size: Option<usize>,
    [mean, std]: [Option<Vec<f64>>; 2],
    data: &Data,
) -> Result<Fitting, (String, String)> {
    let shape = data.info.shape;
    let open =
        Shape { height: size.unwrap_or(shape.height), width: size.unwrap_or(shape.width), ..shape };
    let help = "a classifier that takes a batch of images and gives a row of logits for each";
    let found = file.input(Some(open));
    let (input, _) = found.map_err(|error| (error.to_string(), help.to_owned()))?;
    if let Some(size) = size.filter(|&size| (input.height, input.width) != (size, size)) {
        let problem =
            format!("takes images of {} × {} pixels, not of {size}", input.height, input.width);
        return Err((problem, "leave `size` out: the file says it".to_owned()));
    }
    if input.channels != shape.channels && shape.channels != 1 {
        let problem = format!(
            "takes images of {} channels, and the data's have {}",
            input.channels, shape.channels
        );
        return Err((problem, "grey images are repeated, and no others".to_owned()));
    }
    if let Some(classes) = file.classes().filter(|&classes| classes != data.info.classes) {
        let ours = data.info.classes;
        let help =
            "a teacher has the student's classes, in the same order: finetune its last layer";
        let problem = format!("teaches {classes} classes, but the student's data has {ours}");
        return Err((problem, help.to_owned()));
    }
    // A file of ours says itself what it takes.
    let raw = file.metadata(PIXELS) == Some(RAW);
    let normalised = file.metadata(PIXELS) == Some(NORMALISED);
    let (mean, std) = match (mean, std) {
        (None, None) if raw => (vec![0.0; input.channels], vec![1.0; input.channels]),
        (mean, std) => {
            let of_file = |key| file.json(key).filter(|_| normalised);
            (
                mean.or_else(|| of_file("mean")).unwrap_or_default(),
                std.or_else(|| of_file("std")).unwrap_or_default(),
            )
        }
    };
    for (key, values) in [("mean", &mean), ("std", &std)] {
        if values.len() != input.channels {
            let problem = match values.len() {
                0 => format!("does not say the {key} that its images are normalised with"),
                count => {
                    format!("takes {} channels, and `{key}` has {count} values", input.channels)
                }
            };
            let help = "of pixels between 0 and 1, such as mean = [0.485, 0.456, 0.406], std = [0.229, \
                        0.224, 0.225] for networks trained on ImageNet";
            return Err((problem, help.to_owned()));
        }
    }
    Ok((input, [mean, std]))
}
