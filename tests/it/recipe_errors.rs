//! Recipes that are right by themselves, and wrong for what they train.

use crate::errors::errors;

#[test]
fn trainings_that_cannot_be_as_they_are_written() {
    insta::assert_snapshot!(errors(
        r#"
[data.d]
format = "idx"
path = "bars"
[recipe.r]
epochs = 2
batch_size = 8
warmup = 3
optimizer = { sgd = { lr = 0.1 } }
[recipe.lone]
epochs = 2
warmup = 2
batch_size = 71
optimizer = { sgd = { lr = 0.1 } }
[net.small]
layers = ["conv2", "maxpool", "fc3"]
[net.flat]
layers = ["fc3"]
[train."a{n}"]
matrix = { n = [1, 2] }
net = "small"
data = "d"
recipe = "lone"
[train.b]
net = "flat"
data = "d"
recipe = "lone"
"#
    ));
}
