//! What has to be done about a group of items, from what the vendor shows and what the ledger knows.
//!
//! [`next_step`] is one exhaustive table. Doing its step and asking again leads to `None`; [`apply`] says what a step
//! makes of a group, so that a dry run and the property tests can do without trackers.

use super::model::{ItemId, Link, Standing, TicketKey};

/// Whether a group has a ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ticketing {
    /// None was ever asked for.
    Unasked,
    /// One was asked for, and it is not known what became of that.
    InDoubt,
    /// One was asked for, and surely none was made.
    Refused,
    /// This one.
    Made(TicketKey),
    /// This one, which people deleted or hid. No other is made in its place.
    Lost(TicketKey),
}

/// What a ticket was told about its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// That there is something to do.
    Open,
    /// That it is over.
    Closed,
}

impl Told {
    /// Its name in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A group as it is: what the vendor shows of its items, and what the ledger knows of its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its items: those that were seen now, and those that the ledger remembers.
    pub items: Vec<Member>,
    /// Whether it has a ticket.
    pub ticketing: Ticketing,
    /// What that was told last; `None`: nothing yet, it was taken over.
    pub told: Option<Told>,
    /// Keys that the ticket had before it was moved.
    pub former_keys: Vec<TicketKey>,
}

/// An item of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub id: ItemId,
    /// What the vendor says of it.
    pub standing: Standing,
    /// Its ticket as the vendor shows it now; `None`: the item was not seen in this run.
    pub link: Option<Link>,
    /// The ticket that the vendor was told last; `None`: none was.
    pub linked: Option<TicketKey>,
    /// Whether the ledger knows it as one of the ticket's items.
    pub is_recorded: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Find out whether a ticket was made.
    Settle,
    /// Make a ticket.
    Create,
    /// Take over the ticket that the vendor has for one of the items.
    Adopt(TicketKey),
    /// Let the vendor know an item's ticket.
    Link(ItemId, TicketKey),
    /// Let the ticket know what its items are.
    Tell(TicketKey, Told),
}

/// What all items together are: open while one is, closed when all are; `None`: an unknown word leaves it open what
/// they are.
pub fn standing(items: &[Member]) -> Option<Told> {
    let is = |wanted: Standing| move |item: &Member| item.standing == wanted;
    if items.iter().any(is(Standing::Open)) {
        Some(Told::Open)
    } else if !items.is_empty() && items.iter().all(is(Standing::Closed)) {
        Some(Told::Closed)
    } else {
        None
    }
}

/// The next thing to do about a group; `None`: all is in step.
pub fn next_step(group: &Group) -> Option<Step> {
    let standing = standing(&group.items);
    match (&group.ticketing, standing) {
        (Ticketing::InDoubt, _) => Some(Step::Settle),
        // Somebody's link is a ticket that exists already: never a second one.
        (Ticketing::Unasked | Ticketing::Refused, _) if vendors_ticket(group).is_some() => {
            vendors_ticket(group).map(Step::Adopt)
        }
        (Ticketing::Unasked | Ticketing::Refused, Some(Told::Open)) => Some(Step::Create),
        (Ticketing::Made(key), _) => {
            let link = group.items.iter().find(|item| needs_link(item, key, &group.former_keys));
            let link = link.map(|item| Step::Link(item.id.clone(), key.clone()));
            let tell = standing.filter(|told| group.told != Some(*told));
            link.or_else(|| tell.map(|told| Step::Tell(key.clone(), told)))
        }
        // What was over before it had a ticket needs none, and what people took away is not made again.
        (Ticketing::Unasked | Ticketing::Refused, Some(Told::Closed) | None) | (Ticketing::Lost(_), _) => {
            None
        }
    }
}

/// The ticket that the vendor has for the items: the first, if there are several.
fn vendors_ticket(group: &Group) -> Option<TicketKey> {
    group.items.iter().find_map(|item| match &item.link {
        Some(Link::Set(key)) => Some(key.clone()),
        Some(Link::Unset | Link::NotShown) | None => None,
    })
}

fn needs_link(item: &Member, ticket: &TicketKey, former_keys: &[TicketKey]) -> bool {
    // What was over when it was first seen has nothing to do with the ticket.
    let belongs = item.is_recorded || item.standing == Standing::Open;
    match &item.link {
        _ if !belongs => false,
        Some(Link::Unset) => true,
        // The ticket was moved. Any other ticket is somebody's decision.
        Some(Link::Set(key)) => key != ticket && former_keys.contains(key),
        // What the vendor does not show counts as told once it was told.
        Some(Link::NotShown) => item.linked.as_ref() != Some(ticket),
        None => false,
    }
}

/// What a group is after a step succeeded. `made` is the key that a created or found ticket has.
pub fn apply(group: &mut Group, step: &Step, made: &TicketKey) {
    match step {
        Step::Settle | Step::Create => {
            group.ticketing = Ticketing::Made(made.clone());
            group.told = Some(Told::Open);
            remember_all(group);
        }
        Step::Adopt(key) => {
            group.ticketing = Ticketing::Made(key.clone());
            remember_all(group);
        }
        Step::Link(id, key) => {
            for item in group.items.iter_mut().filter(|item| item.id == *id) {
                item.linked = Some(key.clone());
                item.is_recorded = true;
                if let Some(Link::Unset | Link::Set(_)) = item.link {
                    item.link = Some(Link::Set(key.clone()));
                }
            }
        }
        Step::Tell(_, told) => group.told = Some(*told),
    }
}

fn remember_all(group: &mut Group) {
    for item in &mut group.items {
        item.is_recorded = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> TicketKey {
        TicketKey::new(text)
    }

    fn member(id: &str, standing: Standing, link: Link) -> Member {
        Member { id: ItemId::new(id), standing, link: Some(link), linked: None, is_recorded: false }
    }

    fn group(items: Vec<Member>, ticketing: Ticketing, told: Option<Told>) -> Group {
        Group { items, ticketing, told, former_keys: Vec::new() }
    }

    #[test]
    fn every_row_of_the_table() {
        use Standing::{Closed, Open, Unknown};
        use Ticketing::{InDoubt, Lost, Made, Refused, Unasked};
        let one = |standing, link| vec![member("a", standing, link)];
        let create = Some(Step::Create);
        let tell = |told| Some(Step::Tell(key("T-1"), told));
        let rows = [
            (group(one(Open, Link::Unset), Unasked, None), create.clone()),
            (group(one(Open, Link::NotShown), Unasked, None), create.clone()),
            (group(one(Closed, Link::Unset), Unasked, None), None),
            (group(one(Unknown, Link::Unset), Unasked, None), None),
            (group(one(Open, Link::Set(key("T-9"))), Unasked, None), Some(Step::Adopt(key("T-9")))),
            (group(one(Closed, Link::Set(key("T-9"))), Unasked, None), Some(Step::Adopt(key("T-9")))),
            (group(one(Open, Link::Unset), Refused, None), create),
            (group(one(Closed, Link::Unset), Refused, None), None),
            (group(one(Open, Link::Unset), InDoubt, None), Some(Step::Settle)),
            (group(one(Closed, Link::Set(key("T-9"))), InDoubt, None), Some(Step::Settle)),
            (
                group(one(Open, Link::Unset), Made(key("T-1")), Some(Told::Open)),
                Some(Step::Link(ItemId::new("a"), key("T-1"))),
            ),
            (
                group(one(Open, Link::NotShown), Made(key("T-1")), Some(Told::Open)),
                Some(Step::Link(ItemId::new("a"), key("T-1"))),
            ),
            (group(one(Open, Link::Set(key("T-1"))), Made(key("T-1")), Some(Told::Open)), None),
            (group(one(Open, Link::Set(key("HUMAN-1"))), Made(key("T-1")), Some(Told::Open)), None),
            (
                group(one(Closed, Link::Set(key("T-1"))), Made(key("T-1")), Some(Told::Open)),
                tell(Told::Closed),
            ),
            (group(one(Open, Link::Set(key("T-1"))), Made(key("T-1")), Some(Told::Closed)), tell(Told::Open)),
            (group(one(Closed, Link::Set(key("T-1"))), Made(key("T-1")), Some(Told::Closed)), None),
            (group(one(Unknown, Link::Set(key("T-1"))), Made(key("T-1")), Some(Told::Open)), None),
            (group(one(Open, Link::Unset), Lost(key("T-1")), Some(Told::Open)), None),
            (group(one(Closed, Link::Unset), Lost(key("T-1")), Some(Told::Open)), None),
        ];
        for (group, wanted) in rows {
            assert_eq!(next_step(&group), wanted, "{group:?}");
        }
    }

    #[test]
    fn a_moved_ticket_is_linked_anew_and_anothers_is_left_alone() {
        let mut moved = group(
            vec![member("a", Standing::Open, Link::Set(key("SEC-1")))],
            Ticketing::Made(key("APP-9")),
            Some(Told::Open),
        );
        assert_eq!(next_step(&moved), None);
        moved.former_keys.push(key("SEC-1"));
        assert_eq!(next_step(&moved), Some(Step::Link(ItemId::new("a"), key("APP-9"))));
    }

    /// I11: a shared ticket is over when all of its items are.
    #[test]
    fn a_shared_ticket_is_closed_when_every_item_is() {
        let linked = |id: &str, standing| member(id, standing, Link::Set(key("T-1")));
        let told = |standings: [Standing; 2]| {
            let [one, other] = standings;
            let items = vec![linked("a", one), linked("b", other)];
            next_step(&group(items, Ticketing::Made(key("T-1")), Some(Told::Open)))
        };
        assert_eq!(told([Standing::Closed, Standing::Open]), None);
        assert_eq!(told([Standing::Closed, Standing::Unknown]), None);
        assert_eq!(told([Standing::Closed, Standing::Closed]), Some(Step::Tell(key("T-1"), Told::Closed)));
    }

    fn standings() -> impl Strategy<Value = Standing> {
        prop_oneof![Just(Standing::Open), Just(Standing::Closed), Just(Standing::Unknown)]
    }

    fn links() -> impl Strategy<Value = Option<Link>> {
        prop_oneof![
            Just(None),
            Just(Some(Link::Unset)),
            Just(Some(Link::NotShown)),
            "[TH]-[1-3]".prop_map(|text| Some(Link::Set(TicketKey::new(text)))),
        ]
    }

    fn groups() -> impl Strategy<Value = Group> {
        let keys = || "[TH]-[1-3]".prop_map(TicketKey::new);
        let ticketing = prop_oneof![
            Just(Ticketing::Unasked),
            Just(Ticketing::InDoubt),
            Just(Ticketing::Refused),
            keys().prop_map(Ticketing::Made),
            keys().prop_map(Ticketing::Lost),
        ];
        let told = proptest::option::of(prop_oneof![Just(Told::Open), Just(Told::Closed)]);
        let item = (standings(), links(), proptest::option::of(keys()), any::<bool>());
        let items = proptest::collection::vec(item, 1..5);
        (items, ticketing, told, proptest::collection::vec(keys(), 0..2)).prop_map(
            |(items, ticketing, told, former)| {
                let items =
                    items.into_iter().enumerate().map(|(index, (standing, link, linked, is_recorded))| {
                        Member {
                            id: ItemId::new(format!("item/{index}")),
                            standing,
                            link,
                            linked,
                            is_recorded,
                        }
                    });
                // A ticket is never one of its own former keys.
                let former =
                    former.into_iter().filter(|key| ticketing != Ticketing::Made(key.clone())).collect();
                Group { items: items.collect(), ticketing, told, former_keys: former }
            },
        )
    }

    proptest! {
        /// Doing what is due comes to an end, and then nothing is due: `plan(apply(plan))` is empty.
        #[test]
        fn steps_come_to_an_end(group in groups()) {
            let mut group = group;
            let most = 3 + group.items.len();
            for _ in 0..most {
                let Some(step) = next_step(&group) else { return Ok(()) };
                apply(&mut group, &step, &TicketKey::new("T-1"));
            }
            prop_assert_eq!(next_step(&group), None);
        }

        /// At most one ticket is ever made for a group, and none where there is one.
        #[test]
        fn a_group_gets_one_ticket(group in groups()) {
            let mut group = group;
            let has_one = !matches!(group.ticketing, Ticketing::Unasked | Ticketing::Refused);
            let mut created = 0;
            while let Some(step) = next_step(&group) {
                created += usize::from(step == Step::Create);
                apply(&mut group, &step, &TicketKey::new("T-1"));
            }
            prop_assert!(created <= usize::from(!has_one));
        }

        /// The order of items decides neither whether a ticket is made nor what it is told.
        #[test]
        fn the_order_of_items_does_not_matter(group in groups()) {
            let done = |mut group: Group| {
                let mut steps = Vec::new();
                while let Some(step) = next_step(&group) {
                    apply(&mut group, &step, &TicketKey::new("T-1"));
                    steps.push(step);
                }
                steps.sort();
                steps
            };
            let mut reversed = group.clone();
            reversed.items.reverse();
            let linked = group.items.iter().filter_map(|item| match &item.link {
                Some(Link::Set(key)) => Some(key.clone()),
                _ => None,
            });
            // Which of several tickets is taken over is a matter of order, and only that.
            let different: std::collections::BTreeSet<_> = linked.collect();
            prop_assume!(different.len() <= 1);
            prop_assert_eq!(done(group), done(reversed));
        }

        /// A word that nobody knows changes no ticket (I20).
        #[test]
        fn unknown_words_tell_nothing(group in groups()) {
            let mut group = group;
            for item in &mut group.items {
                item.standing = Standing::Unknown;
            }
            let mut told = 0;
            while let Some(step) = next_step(&group) {
                told += usize::from(matches!(step, Step::Tell(..) | Step::Create));
                apply(&mut group, &step, &TicketKey::new("T-1"));
            }
            prop_assert_eq!(told, 0);
        }
    }
}
