//! The generated documents are not stale. `UPDATE_DOCS=1` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use contract_tests::report::documents::{coverage_page, readings_page, saboteurs_page};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn is_current(name: &str, text: &str) {
    let path = here().join("../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/{name} is stale: run `UPDATE_DOCS=1 cargo test -p contract-tests --test it documents`"
    );
}

#[test]
fn the_coverage_page_is_current() {
    let unchecked = include_str!("../../unchecked.txt");
    is_current("coverage.md", &coverage_page(unchecked, &here().join("validated")).unwrap());
}

#[test]
fn the_page_of_saboteurs_is_current() {
    is_current("saboteurs.md", &saboteurs_page());
}

#[test]
fn the_page_of_readings_is_current() {
    is_current("readings.md", &readings_page());
}
