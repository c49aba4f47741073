# What contributors type; CONTRIBUTING.md explains each. Every recipe is a command of `.ci/run`.

# All tests, as the README says it
test:
    .ci/run --only test

# Format, clippy, unit tests and tidy: under two minutes once it has been built
fast:
    .ci/run --fast

# Everything that guards the project
ci:
    .ci/run

# What takd writes itself: the schema and the reference in docs/pipeline.md
docs:
    UPDATE_DOCS=1 cargo test --locked --test it schema
