//! What a recipe's fields are where nothing is said: see [`defaults`](super::defaults).

use super::defaults::declare;

declare! {
    /// A recipe. Its selection's default depends on the data, so that one
    /// is always written.
    recipe {
        schedule: crate::config::schedule::Schedule = crate::config::schedule::Schedule::Constant {};
        warmup: crate::config::choices::Warmup = crate::config::choices::Warmup(0);
        augment: Vec<crate::config::choices::Augment> = Vec::new();
        batchnorm_weight: crate::config::choices::BatchnormWeight = crate::config::choices::BatchnormWeight::Ones;
    }
}
