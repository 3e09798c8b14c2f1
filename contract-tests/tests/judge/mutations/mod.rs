//! Healthy histories with one thing changed: each change has to be convicted, whatever the history was.

mod places;
mod sins;

use crate::healthy::{capabilities, runner, steps, tell};
use crate::story::{convicted, judged_of};
use contract_tests::judge::Judged;
use proptest::prelude::any;
use proptest::test_runner::TestCaseError;
use sins::MUTATIONS;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_sin_in_a_healthy_history_is_convicted() {
    let tried: RefCell<BTreeMap<&str, usize>> = RefCell::default();
    let also: RefCell<BTreeMap<&str, BTreeSet<&str>>> = RefCell::default();
    let strategy = (capabilities(), steps(), any::<proptest::sample::Index>());
    let outcome = runner(80).run(&strategy, |(capabilities, steps, choice)| {
        let story = tell(capabilities, &steps);
        for (name, wanted, mutation) in MUTATIONS {
            let mutants = mutation(&story);
            if mutants.is_empty() {
                continue;
            }
            let events = choice.get(&mutants).clone();
            let judged: Judged = judged_of(&story.capabilities, &story.start, events);
            let convicted = convicted(&judged);
            if !wanted.iter().any(|id| convicted.contains(id)) {
                return Err(TestCaseError::fail(format!("{name}: nothing but {convicted:?} is convicted")));
            }
            *tried.borrow_mut().entry(name).or_default() += 1;
            also.borrow_mut().entry(name).or_default().extend(convicted);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let (tried, also) = (tried.into_inner(), also.into_inner());
    for (name, times) in &tried {
        println!("{times:4} times {name}: {:?}", also[name]);
    }
    println!("{} mutated histories, all convicted", tried.values().sum::<usize>());
    let untried: Vec<&str> =
        MUTATIONS.iter().map(|(name, ..)| *name).filter(|name| !tried.contains_key(name)).collect();
    assert!(untried.is_empty(), "never applied: {untried:?}");
}
