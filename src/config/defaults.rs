//! What a field is where nothing is said. One place for the language, which fills it in, and for keys,
//! which leave a field at its default out of what is hashed and read an absent one as its default: so
//! a new field gets a line here, and entries that were made before it are still reached.
//!
//! A group is named as the object that holds its fields in a key's inputs.

macro_rules! declare {
    ($($(#[$doc:meta])* $group:ident { $($field:ident: $type:ty = $value:expr;)+ })+) => {
        $(
            $(#[$doc])*
            pub(crate) mod $group {
                $(pub(crate) mod $field {
                    /// The default.
                    pub(crate) fn value() -> $type {
                        $value
                    }

                    /// Whether a value is the default, and need not be said.
                    pub(crate) fn is(given: &impl PartialEq<$type>) -> bool {
                        *given == value()
                    }
                })+
            }
        )+

        /// Names and JSON of the defaults in the group called `name`; none if there is no such group.
        pub(crate) fn group(name: &str) -> Vec<(&'static str, serde_json::Value)> {
            match name {
                $(stringify!($group) => {
                    vec![$((stringify!($field), serde_json::json!($group::$field::value()))),+]
                })+
                _ => Vec::new(),
            }
        }
    };
}

pub(super) use declare;

declare! {
    /// `torch.optim.SGD`, with its defaults.
    sgd {
        momentum: f64 = 0.0;
        nesterov: bool = false;
        weight_decay: f64 = 0.0;
    }
    /// `torch.optim.Adam`, with its defaults.
    adam {
        betas: [f64; 2] = [0.9, 0.999];
        epsilon: f64 = 1e-8;
        weight_decay: f64 = 0.0;
    }
    /// `torch.optim.AdamW`, with its defaults.
    adamw {
        betas: [f64; 2] = [0.9, 0.999];
        epsilon: f64 = 1e-8;
        weight_decay: f64 = 0.01;
    }
    /// The step schedule; γ as in `torch.optim.lr_scheduler.StepLR`.
    step {
        gamma: f64 = 0.1;
        restart: bool = false;
    }
    /// The cosine schedule.
    cosine {
        min: f64 = 0.0;
    }
    /// Knowledge distillation, the objective.
    kd {
        reduction: crate::config::choices::Reduction = crate::config::choices::Reduction::Batchmean;
    }
    /// How images of any size become images of one size.
    fit {
        exif: bool = true;
    }
    /// How a data set is split; not shown of what is the same for any split.
    split {
        validation: usize = 0;
    }
    /// A data set.
    data {
        normalisation: crate::config::choices::Normalisation = crate::config::choices::Normalisation::Measured;
    }
}
