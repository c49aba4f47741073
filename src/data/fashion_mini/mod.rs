//! `fashion-mini`: a balanced subset of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) inside the
//! binary, so that a first run needs no download.
//!
//! 500 training and 100 test images of each of the ten classes, drawn with a fixed seed by
//! `make.py` beside this file from Debian's `dataset-fashion-mnist`. MIT licence, in `LICENSE`.

/// File name and gzipped IDX content: training images and labels, test images and labels.
pub(super) const FILES: [(&str, &[u8]); 4] = [
    ("train-images-idx3-ubyte.gz", include_bytes!("train-images-idx3-ubyte.gz")),
    ("train-labels-idx1-ubyte.gz", include_bytes!("train-labels-idx1-ubyte.gz")),
    ("t10k-images-idx3-ubyte.gz", include_bytes!("t10k-images-idx3-ubyte.gz")),
    ("t10k-labels-idx1-ubyte.gz", include_bytes!("t10k-labels-idx1-ubyte.gz")),
];
