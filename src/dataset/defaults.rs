//! What a field of a data set is where nothing is said. One place for the language, which fills it in, and for keys,
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

declare! {
    /// How images of any size become images of one size.
    fit {
        exif: bool = true;
    }
    /// How a data set is split; not shown of what is the same for any split.
    split {
        validation: usize = 0;
        scoring: usize = 0;
    }
    /// A data set.
    data {
        normalisation: crate::dataset::normalisation::Normalisation = crate::dataset::normalisation::Normalisation::Measured;
    }
}
