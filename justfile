# Shortcuts; nothing depends on them. `just` alone lists them.

# List the recipes
default:
    @just --list

# Serve the demo world on 127.0.0.1:8700
serve *ARGS:
    cargo run --release -p mock-server -- {{ARGS}}

# Run every test
test *ARGS:
    cargo test --workspace {{ARGS}}

# Run the contract suite against the simulator
suite *ARGS:
    cargo run --release -p contract-tests -- run {{ARGS}}

# Format, then run clippy as CI does
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Measure a list page, a get and a status post
bench:
    cargo bench -p mock-server

# Build and open the documentation
doc:
    cargo doc --workspace --no-deps --open

# Check licences, sources and advisories (needs cargo-deny)
deny:
    cargo deny check

# Everything that CI runs
ci:
    bash .ci/run
