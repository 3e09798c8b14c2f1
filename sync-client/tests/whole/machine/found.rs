//! Histories that showed mistakes once, as short as they can be.

use super::play;
use super::steps::{AtDataTheorem, Edit, Step};
use crate::blows::Blow;
use crate::trackers::Kind;

const TARGETS: u8 = 6;

fn run(blows: &[(usize, Blow)]) -> Step {
    Step::Run { is_full: false, blows: blows.to_vec() }
}

fn at_every_target(step: impl Fn(u8) -> AtDataTheorem) -> impl Iterator<Item = Step> {
    (0..TARGETS).map(move |target| Step::DataTheorem(step(target)))
}

fn goes_well(history: &[Step]) {
    for tracker in [Kind::KEYED, Kind::LAGGING, Kind::Jira] {
        assert_eq!(play(tracker, history), Ok(()), "{tracker:?}");
    }
}

#[test]
fn a_ticket_of_another_tracker_that_somebody_takes_away_is_not_put_back() {
    let cleared = at_every_target(|target| AtDataTheorem::ClearTicket { target });
    goes_well(&std::iter::once(run(&[])).chain(cleared).collect::<Vec<_>>());
}

#[test]
fn a_ticket_that_is_made_late_is_waited_for_from_then_on() {
    let boundaries = (0..20).map(|boundary| vec![run(&[(boundary, Blow::Stall)]), run(&[])]);
    boundaries.for_each(|history| goes_well(&history));
}

#[test]
fn a_moved_ticket_leaves_the_link_that_somebody_set() {
    let set = at_every_target(|target| AtDataTheorem::SetTicket { target, number: 0 });
    let history = [run(&[]), Step::Person(Edit::Move, 0)].into_iter().chain(set);
    goes_well(&history.collect::<Vec<_>>());
}

#[test]
fn a_ticket_that_is_gone_is_no_links_target() {
    let cleared = at_every_target(|target| AtDataTheorem::ClearTicket { target });
    let history = std::iter::once(run(&[])).chain(cleared).chain([Step::Person(Edit::Delete, 0)]);
    goes_well(&history.collect::<Vec<_>>());
}
