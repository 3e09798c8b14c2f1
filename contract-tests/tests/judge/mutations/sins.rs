//! What a client may do wrong, put into a history in which it did nothing wrong.

use super::places::{
    answer, begun, data_theorem_link, dry_ends, granted, has_code, insert_about_ticket, is_change_of,
    is_kill, is_write, link_of, made, made_for, moment_before, operation, places, run_ends, run_start,
    same_vendor, tracker, tried, with, with_ending, without,
};
use crate::story::{Story, create, ended, list_targets, patch, set_done};
use contract_tests::judge::ids::{ItemId, TicketKey};
use contract_tests::judge::journal::{
    Action, Answer, Call, Edit, Edited, Event, Exit, HowLong, Planned, Reply, TrackerRequest, What,
};
use contract_tests::judge::state::{Author, Standing};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;

/// What a mutation looks for: places where it can be applied, with the events of the history from then on.
type Mutation = fn(&Story) -> Vec<Vec<Event>>;

/// The client's sins, each with the invariants of which one has to notice.
pub(super) const MUTATIONS: &[(&str, &[&str], Mutation)] = &[
    ("a link is left out", &["I11", "I14", "I16", "I21"], |story| {
        let links = places(story, |event, _| link_of(event).is_some());
        let last: BTreeMap<ItemId, usize> =
            links.into_iter().map(|place| (link_of(&story.events[place]).unwrap(), place)).collect();
        // A later change of the item would say how it is linked.
        let needed = last.into_iter().filter(|(id, place)| {
            let changes = story.events.iter().skip(*place).any(|event| is_change_of(event, id));
            let state = story.state();
            let item = state.items.get(id).filter(|item| item.standing == Standing::Open && !changes);
            item.is_some_and(|item| {
                // Where another item has a ticket of a person's, the whole group is left to people.
                state.survivor(&item.group).is_some_and(|ticket| {
                    item.link.tickets() == [&ticket.key]
                        && state
                            .group(&item.group)
                            .all(|item| item.link.tickets().iter().all(|key| **key == ticket.key))
                })
            })
        });
        needed.map(|(id, _)| without(story, |event| link_of(event).as_ref() == Some(&id))).collect()
    }),
    ("a ticket is made twice", &["I1a", "I1b", "I1c"], |story| {
        let made = places(story, |event, _| made(event).is_some());
        // Where the ledger was lost later, only the end counts, and there the client may have put it right.
        let lost = places(story, |event, _| event.what == What::LedgerLost).len();
        let made = made.into_iter().filter(|_| lost == 0 || story.capabilities.tracker_has_unique_key);
        made.map(|place| {
            let group = made_for(&story.events[place]);
            with(story, place + 1, vec![tracker(story, place, create(group, &"SEC-9000".into()))])
        })
        .collect()
    }),
    ("a ticket is made for another item than it says", &["I2"], |story| {
        let links = places(story, |event, _| data_theorem_link(event).is_some());
        let moved = links.into_iter().filter_map(|place| {
            let (item, ticket) = data_theorem_link(&story.events[place])?;
            let moment = moment_before(story, place);
            let group = moment.state.items.get(&item)?.group.clone();
            let other = moment.state.tickets.values().find(|other| {
                other.key != ticket && other.origin.as_ref().is_some_and(|origin| *origin != group)
            })?;
            let mut events = story.events.clone();
            let answer = Answer::new(true, Reply::Done);
            events[place].what = What::Vendor(patch(&item, json!({"external_id": other.key}), answer));
            Some(events)
        });
        moved.collect()
    }),
    ("a ticket is made for what is over", &["I3"], |story| {
        let runs = run_ends(story);
        let wanted = runs.into_iter().filter_map(|(place, _)| {
            let moment = moment_before(story, place);
            let start = run_start(story, place);
            let over = moment.state.items.values().find(|item| {
                let mut others = moment.state.group(&item.group);
                others.all(|other| other.standing == Standing::Closed && moment.is_so_since(&other.id, start))
                    && !tried(story, &item.group)
                    && moment.state.live(&item.group).next().is_none()
            })?;
            let call = create(over.group.clone(), &"SEC-9000".into());
            Some(with(story, place, vec![tracker(story, place, call)]))
        });
        wanted.collect()
    }),
    ("a ticket is deleted", &["I4"], |story| {
        insert_about_ticket(story, |ticket| Call::Delete { ticket: ticket.clone(), part: None })
    }),
    ("a ticket is closed on a 404", &["I5", "I11"], |story| {
        let wanted = run_ends(story).into_iter().filter_map(|(place, _)| {
            let moment = moment_before(story, place);
            let start = run_start(story, place);
            let open = moment
                .state
                .items
                .values()
                .find(|item| item.standing == Standing::Open && moment.is_so_since(&item.id, start))?;
            let ticket = moment.state.live(&open.group).find(|ticket| !ticket.is_done)?;
            let missing = What::Vendor(list_targets(Answer::new(false, Reply::NotFound)));
            let missing = Event { what: missing, ..story.events[place].clone() };
            Some(with(story, place, vec![missing, tracker(story, place, set_done(&ticket.key, true))]))
        });
        wanted.collect()
    }),
    ("a field of the vendor is written", &["I7"], |story| {
        let wanted = run_ends(story).into_iter().filter_map(|(place, _)| {
            let item = story.state().items.values().next()?;
            let request = patch(
                &item.id,
                json!({"external_id": "X", "text": "mine"}),
                Answer::new(false, Reply::Refused(400)),
            );
            Some(with(
                story,
                place,
                vec![Event { what: What::Vendor(request), ..story.events[place].clone() }],
            ))
        });
        wanted.collect()
    }),
    ("a link is written twice", &["I8"], |story| {
        let links = places(story, |event, place| {
            let is_there = |item: &ItemId| moment_before(story, place).state.items.contains_key(item);
            // After a crash the client may not know.
            let run = event.run;
            data_theorem_link(event).is_some_and(|(item, _)| is_there(&item))
                && !story.events.iter().any(|event| event.run == run && is_kill(event))
        });
        let twice = links.into_iter().map(|place| {
            let mut second = story.events[place].clone();
            second.at += SignedDuration::from_millis(1);
            with(story, place + 1, vec![second])
        });
        twice.collect()
    }),
    ("a field of a person is overwritten", &["I9"], |story| {
        let edits = places(
            story,
            |event, _| matches!(&event.what, What::Edited(edit) if matches!(edit.what, Edited::SetField { .. })),
        );
        let wanted = edits.into_iter().filter_map(|edit| {
            let What::Edited(edited) = &story.events[edit].what else { return None };
            let (place, _) = run_ends(story).into_iter().find(|(place, _)| *place > edit)?;
            let ticket = edited.ticket.clone();
            let call = Call::SetField { ticket, name: "title".to_owned(), value: "Theirs".to_owned() };
            Some(with(story, place, vec![tracker(story, place, call)]))
        });
        wanted.collect()
    }),
    ("what a person closed is opened again", &["I10", "I11", "I20"], |story| {
        let wanted = run_ends(story).into_iter().filter_map(|(place, _)| {
            let moment = moment_before(story, place);
            // The first reopening after news would be fine, so there are two.
            let ticket = moment.state.tickets.values().find(|ticket| {
                ticket.is_done
                    && !ticket.is_deleted
                    && ticket.decided_by == Some(Author::Person)
                    && ticket.origin.as_ref().is_some_and(|group| moment.state.group(group).count() > 0)
            })?;
            let reopen = tracker(story, place, set_done(&ticket.key, false));
            let close = Event {
                run: None,
                what: What::Edited(Edit { ticket: ticket.key.clone(), what: Edited::SetDone(true) }),
                ..reopen.clone()
            };
            Some(with(story, place, vec![reopen.clone(), close, reopen]))
        });
        wanted.collect()
    }),
    ("a second run writes", &["I13"], |story| {
        let locked_out = places(story, |event, _| has_code(event, 6));
        let both_write = locked_out.into_iter().filter_map(|place| {
            let moment = moment_before(story, place);
            let ticket =
                moment.state.tickets.values().find(|ticket| ticket.origin.is_some() && !ticket.is_deleted)?;
            let second = story.events[place].run;
            let first = story.events.iter().take(place).rev().find(|event| event.run != second)?.run;
            let comments = [first, second].map(|run| {
                let text = format!("me, too, says {run:?}");
                Event { run, ..tracker(story, place, Call::Comment { ticket: ticket.key.clone(), text }) }
            });
            Some(with(story, place, comments.to_vec()))
        });
        both_write.collect()
    }),
    ("a run that has nothing to do writes", &["I15"], |story| {
        let (place, _) = *run_ends(story).last().unwrap();
        let state = story.state();
        let ticket = state.tickets.values().find(|ticket| ticket.origin.is_some() && !ticket.is_deleted);
        let call = |key: &TicketKey| Call::Comment { ticket: key.clone(), text: "nothing new".to_owned() };
        ticket
            .map(|ticket| with(story, place, vec![tracker(story, place, call(&ticket.key))]))
            .into_iter()
            .collect()
    }),
    ("a run does not end", &["I18"], |story| {
        run_ends(story)
            .into_iter()
            .rev()
            .take(1)
            .map(|(place, _)| {
                let mut events = story.events.clone();
                events.remove(place);
                events
            })
            .collect()
    }),
    ("a wait is cut short", &["I19"], |story| {
        let waits = places(story, |event, _| {
            answer(event)
                .and_then(|answer| answer.wait)
                .is_some_and(|wait| matches!(wait.how_long, HowLong::Seconds(2..)))
        });
        let wanted = waits.into_iter().filter_map(|place| {
            let wait = &story.events[place];
            let side = std::mem::discriminant(&wait.what);
            let next = story
                .events
                .iter()
                .enumerate()
                .skip(place + 1)
                .find(|(_, event)| {
                    event.run == wait.run
                        && answer(event).is_some()
                        && std::mem::discriminant(&event.what) == side
                        && same_vendor(event, wait)
                })?
                .0;
            let mut events = story.events.clone();
            events[next].at = wait.at + SignedDuration::from_secs(1);
            Some(events)
        });
        wanted.collect()
    }),
    ("a failure is called success", &["I21"], |story| {
        let failed = places(story, |event, _| has_code(event, 4));
        // What failed without a failing request is a create in doubt.
        let failed = failed.into_iter().filter(|place| {
            let run = story.events[*place].run;
            let requests = story.events.iter().filter(|event| event.run == run);
            let last: BTreeMap<String, Reply> =
                requests.filter_map(|event| Some((operation(event)?, answer(event)?.reply))).collect();
            last.values().any(|reply| matches!(reply, Reply::Refused(_)))
        });
        failed.map(|place| with_ending(story, place, |ended| ended.exit = Exit::Code(0))).collect()
    }),
    ("a count is wrong", &["I21"], |story| {
        let ends = run_ends(story).into_iter().filter(|(_, ended)| ended.counts.created.is_some());
        ends.map(|(place, _)| with_ending(story, place, |ended| ended.counts.created = Some(77))).collect()
    }),
    ("what a crash left in doubt is done twice more", &["I22"], |story| {
        let kills = places(story, |event, _| is_kill(event));
        let wanted = kills.into_iter().filter_map(|place| {
            let run = story.events[place].run;
            let last =
                story.events.iter().take(place).rev().find(|event| event.run == run && is_write(event))?;
            let last = Event { at: story.events[place].at, ..last.clone() };
            let mut twice = vec![begun(story, place)];
            twice.extend([granted(&last, twice[0].run), granted(&last, twice[0].run)]);
            twice.push(Event { what: What::RunEnded(ended(4)), ..twice[0].clone() });
            Some(with(story, place + 1, twice))
        });
        wanted.collect()
    }),
    ("a dry run writes", &["I23"], |story| {
        let dry = dry_ends(story);
        let wanted = dry.into_iter().filter_map(|place| {
            let moment = moment_before(story, place);
            let ticket = moment.state.tickets.values().find(|ticket| !ticket.is_deleted)?;
            let call = Call::Comment { ticket: ticket.key.clone(), text: "only pretending".to_owned() };
            Some(with(story, place, vec![tracker(story, place, call)]))
        });
        wanted.collect()
    }),
    ("a plan names too much", &["I23"], |story| {
        // Where a create is in doubt, plan and run may differ.
        let is_clear = !story.events.iter().any(|event| {
            matches!(&event.what, What::Tracker(request)
            if matches!(request.call, Call::Create { .. }) && request.answer.reply != Reply::Done)
                || is_kill(event)
        });
        let dry = dry_ends(story).into_iter().filter(|_| is_clear);
        dry.map(|place| {
            let item = "data-theorem/target/11".into();
            with_ending(story, place, |ended| {
                ended.plan.get_or_insert_default().push(Planned { action: Action::Reopen, item });
            })
        })
        .collect()
    }),
    ("nobody is asked who the client is", &["I24"], |story| {
        let finds = places(
            story,
            |event, _| matches!(&event.what, What::Tracker(TrackerRequest { call: Call::Find { found, .. }, answer }) if found.is_empty() && answer.reply == Reply::Done),
        );
        let wanted = finds.into_iter().filter_map(|place| {
            let What::Tracker(TrackerRequest { call: Call::Find { group, .. }, .. }) = &story.events[place].what else { return None };
            let run = story.events[place].run;
            let created = story.events.iter().skip(place).any(|event| event.run == run && matches!(&event.what, What::Tracker(TrackerRequest { call: Call::Create { group: made, .. }, .. }) if made == group));
            // Nothing else may have proved the credential before.
            let is_first = !story.events.iter().take(place).any(|event| event.run == run && matches!(&event.what, What::Tracker(request) if request.answer.reply == Reply::Done && request.call != Call::Identify));
            (created && is_first).then(|| without(story, |event| {
                event.run == run && matches!(&event.what, What::Tracker(request) if request.call == Call::Identify)
            }))
        });
        wanted.collect()
    }),
];
