//! What is known of data sets that are not here: enough to plan with.

use crate::config::{Cifar, CifarKind, DataInfo, Digests, Format, Presence, Shape};
use std::path::Path;

/// Of a distribution: channels, rows and columns, classes, training and test images.
struct Known {
    shape: [usize; 3],
    classes: usize,
    train: usize,
    test: usize,
    /// Digests of its parts; without, there are no keys.
    digests: Option<[&'static str; 2]>,
}

/// LeCun, Cortes, Burges: The MNIST database of handwritten digits.
const MNIST: Known =
    Known { shape: [1, 28, 28], classes: 10, train: 60_000, test: 10_000, digests: None };

/// Xiao, Rasul, Vollgraf 2017 (arXiv 1708.07747), as Debian's `dataset-fashion-mnist` has it.
const FASHION_MNIST: Known = Known {
    digests: Some([
        "a640fb694b683acc2f146dd31c7bc0c9143a6d46b8b12ecb50ccdcb980e706ff",
        "f1302e465d8258d5b2c8cb5902a120d1f3162f7edd0818bd70065c57a63fbd38",
    ]),
    ..MNIST
};

/// Russakovsky et al. 2015 (arXiv 1409.0575), the 1,000 classes of ILSVRC 2012: training and
/// validation images; those of its test set have no labels.
const IMAGENET: [usize; 3] = [1_000, 1_281_167, 50_000];

/// What is known of the data set that `format` names, if its files are not here.
pub fn known(format: &Format) -> Option<DataInfo> {
    match format {
        Format::FashionMini => None,
        Format::Cifar(cifar) => known_cifar(cifar),
        Format::Idx(folder) => {
            let names = folder.iter().rev().take(2).map(|name| name.to_string_lossy());
            let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
            names.into_iter().find_map(|name| match plain(&name).as_str() {
                "fashionmnist" => Some(FASHION_MNIST.info("fashion-mnist")),
                "mnist" => Some(MNIST.info("mnist")),
                _ => None,
            })
        }
        Format::Folder(images) => {
            let name = images.path.file_name()?.to_string_lossy().to_lowercase();
            let side = images.fit.size as usize;
            let ([classes, train, test], shape) = (IMAGENET, [3, side, side]);
            let known = Known { shape, classes, train, test, digests: None };
            ["imagenet", "ilsvrc2012"].contains(&&*name).then(|| known.info("imagenet"))
        }
    }
}

/// A. Krizhevsky 2009, *Learning Multiple Layers of Features from Tiny Images*; of parts of it the files
/// that are named.
fn known_cifar(cifar: &Cifar) -> Option<DataInfo> {
    let whole = Cifar::whole(cifar.kind, cifar.path.clone());
    let of_file = |name: &String| match (cifar.kind, name.as_str()) {
        (CifarKind::Hundred, "train.bin") => Some(50_000),
        _ if whole.train.contains(name) || whole.test.contains(name) => Some(10_000),
        _ => None,
    };
    let count = |names: &[String]| names.iter().map(of_file).sum::<Option<usize>>();
    let (classes, name) = match cifar.kind {
        CifarKind::Ten => (10, "cifar10"),
        CifarKind::Hundred => (100, "cifar100"),
    };
    let (train, test) = (count(&cifar.train)?, count(&cifar.test)?);
    Some(Known { shape: [3, 32, 32], classes, train, test, digests: None }.info(name))
}

impl Known {
    fn info(&self, name: &str) -> DataInfo {
        let [channels, height, width] = self.shape;
        let (digests, presence) = match self.digests {
            Some([train, test]) => {
                (Digests { train: train.to_owned(), test: test.to_owned() }, Presence::Assumed)
            }
            // No digest is written so, and no entry is found by it.
            None => {
                let [train, test] =
                    ["train", "test"].map(|part| format!("{part} of {name}, absent"));
                (Digests { train, test }, Presence::Unknown)
            }
        };
        DataInfo {
            digests,
            shape: Shape { channels, height, width },
            classes: self.classes,
            train: self.train,
            test: self.test,
            notes: Vec::new(),
            presence,
        }
    }
}

/// How a data set that takd knows comes to where it is looked for.
pub fn how_to_get(format: &Format) -> String {
    match format {
        Format::Cifar(cifar) => match cifar.kind {
            CifarKind::Ten => "takd data fetch cifar10".to_owned(),
            CifarKind::Hundred => "takd data fetch cifar100".to_owned(),
        },
        Format::FashionMini => "it is inside takd".to_owned(),
        Format::Idx(path) => format!("put its four files into {}", path.display()),
        Format::Folder(images) => put(&images.path),
    }
}

fn put(path: &Path) -> String {
    format!("put train/CLASS/… and val/CLASS/… into {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::probe;

    #[test]
    fn what_is_known_of_fashion_mnist_is_what_its_files_say() {
        let format = Format::Idx("/usr/share/datasets/fashion-mnist".into());
        let Ok(there) = probe(&format) else {
            println!("skipped: no Debian package dataset-fashion-mnist");
            return;
        };
        let known = known(&format).unwrap();
        assert_eq!(
            DataInfo { presence: Presence::Here, ..known },
            DataInfo { notes: vec![], ..there }
        );
    }

    #[test]
    fn parts_of_cifar_are_counted_and_other_files_are_unknown() {
        let mut cifar = Cifar::whole(CifarKind::Ten, "data".into());
        cifar.train.truncate(2);
        let info = known(&Format::Cifar(cifar.clone())).unwrap();
        assert_eq!((info.train, info.test, info.classes), (20_000, 10_000, 10));
        assert_eq!(info.presence, Presence::Unknown);
        cifar.train.push("own.bin".to_owned());
        assert_eq!(known(&Format::Cifar(cifar)), None);
        let cifar = Cifar::whole(CifarKind::Hundred, "data".into());
        assert_eq!(known(&Format::Cifar(cifar)).unwrap().train, 50_000);
    }
}
