//! Batches that a network cannot learn from.

use super::{resolve::Resolver, value::Name};
use crate::{
    architecture::Architecture,
    dataset::Data,
    recipe::{Recipe, leaves_one},
};

impl Resolver<'_> {
    /// BatchNorm takes means and variances over a batch, and one image has none. `name` is the recipe's.
    pub fn check_batches(&mut self, name: &Name, recipe: &Recipe, net: &Architecture, data: &Data) {
        let images = data.trained();
        let size = recipe.batch_size;
        let norms = net.layers().iter().any(|layer| layer.layer().normalises());
        let found = self.raw.recipes.iter().find(|(known, _)| known.text == name.text);
        let Some((_, Some(raw))) =
            found.filter(|_| norms && images > 0 && leaves_one(images, size))
        else {
            return;
        };
        let seen = (raw.batch_size.clone(), images);
        if !self.lone_batches.insert(seen) {
            return;
        }
        let message = format!(
            "{images} training images in batches of {size} leave a batch of one image, over which BatchNorm \
             has no variance"
        );
        let other = (size + 1..size + 100).find(|&size| !leaves_one(images, size));
        let help = match other {
            Some(size) => format!("batches of {size}, or another `validation`, leave none"),
            None => "more than one training image is needed".to_owned(),
        };
        self.errors.push_help(&raw.batch_size, message, help);
    }
}
