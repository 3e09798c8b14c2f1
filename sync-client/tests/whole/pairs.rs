//! Two blows: in one run, or one in each of two runs. There are too many pairs to play them all, so `SYNC_PAIRS` of them
//! are drawn from `SYNC_SEED`, shared out evenly between the chapters and the kinds of tracker.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::blows::Blow;
use crate::every_boundary::{Chapter, boundaries, little, play};
use crate::machine::number;
use crate::pace;
use crate::trackers::Kind;

const PAIRS: usize = 100;
const SEED: u64 = 1;

/// A run with a blow may go on longer than one without: boundaries that only then exist are drawn as well.
const FURTHER_BOUNDARIES: usize = 10;

fn below(rng: &mut TestRng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

/// A boundary and what goes wrong there. What strikes no tracker counts as a refusal there.
fn blow(rng: &mut TestRng, boundaries: usize) -> (usize, Blow) {
    (below(rng, boundaries + FURTHER_BOUNDARIES), Blow::ALL[below(rng, Blow::ALL.len())])
}

#[test]
fn pairs_of_blows() {
    let (pairs, seed): (usize, u64) = (number("SYNC_PAIRS", PAIRS), number("SYNC_SEED", SEED));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let setups = [Kind::KEYED, Kind::LAGGING, Kind::Jira].map(little);
    let places: Vec<_> = setups
        .iter()
        .flat_map(|setup| Chapter::ALL.map(|chapter| (setup, chapter, boundaries(setup, chapter).len())))
        .collect();
    let began = pace::begin();
    let mut failures = Vec::new();
    for pair in 0..pairs {
        let (setup, chapter, boundaries) = places[pair % places.len()];
        let (first, second) = (blow(&mut rng, boundaries), blow(&mut rng, boundaries));
        let runs = if rng.next_u32().is_multiple_of(2) {
            vec![vec![first, second]]
        } else {
            vec![vec![first], vec![second]]
        };
        failures.extend(play(setup, chapter, &runs).err());
    }
    pace::say(&format!("pairs from SYNC_SEED={seed}"), pairs, began);
    let count = failures.len();
    failures.truncate(20);
    assert!(failures.is_empty(), "{count} of {pairs} pairs from SYNC_SEED={seed}:\n{}", failures.join("\n"));
}
