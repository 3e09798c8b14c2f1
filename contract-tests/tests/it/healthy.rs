//! A healthy simulator keeps every rule, and every rule is exercised.

use crate::support::{in_process, run_all, unless};

#[test]
fn every_check_holds_on_the_simulator() {
    let run = run_all(&in_process(&[]));
    let others = unless(&run, contract_tests::run::Outcome::is_held);
    assert!(others.is_empty(), "{} of {}:\n{}", others.len(), run.checks.len(), others.join("\n"));
    eprintln!("{} checks, {} probes in {:?}", run.checks.len(), run.probes.len(), run.took);
}
