//! Finding places in a history, and changing it there.

use crate::story::Story;
use contract_tests::judge::ids::{GroupId, ItemId, RunId, TicketKey};
use contract_tests::judge::journal::{
    Answer, Call, Changed, Event, Exit, Reply, RunEnded, RunStarted, TrackerRequest, What,
};
use contract_tests::judge::replay::Moment;
use contract_tests::judge::vendor_requests::Meaning;

pub(super) fn places(story: &Story, wanted: impl Fn(&Event, usize) -> bool) -> Vec<usize> {
    story
        .events
        .iter()
        .enumerate()
        .filter(|(place, event)| wanted(event, *place))
        .map(|(place, _)| place)
        .collect()
}

pub(super) fn with(story: &Story, place: usize, new: Vec<Event>) -> Vec<Event> {
    let mut events = story.events.clone();
    events.splice(place..place, new);
    events
}

pub(super) fn without(story: &Story, unwanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    story.events.iter().filter(|event| !unwanted(event)).cloned().collect()
}

pub(super) fn with_ending(story: &Story, place: usize, change: impl FnOnce(&mut RunEnded)) -> Vec<Event> {
    let mut events = story.events.clone();
    if let What::RunEnded(ended) = &mut events[place].what {
        change(ended);
    }
    events
}

/// A call of the run to which the event at this place belongs.
pub(super) fn tracker(story: &Story, place: usize, call: Call) -> Event {
    let what = What::Tracker(TrackerRequest { call, answer: Answer::new(true, Reply::Done) });
    Event { what, ..story.events[place].clone() }
}

pub(super) fn insert_about_ticket(story: &Story, call: impl Fn(&TicketKey) -> Call) -> Vec<Vec<Event>> {
    let wanted = run_ends(story).into_iter().filter_map(|(place, _)| {
        let moment = moment_before(story, place);
        let key = moment.state.tickets.keys().next()?.clone();
        Some(with(story, place, vec![tracker(story, place, call(&key))]))
    });
    wanted.collect()
}

/// Where runs end by themselves that work, with how.
pub(super) fn run_ends(story: &Story) -> Vec<(usize, RunEnded)> {
    let ends = story.events.iter().enumerate().filter_map(|(place, event)| match &event.what {
        What::RunEnded(ended)
            if !matches!(ended.exit, Exit::Killed | Exit::Code(6)) && ended.plan.is_none() =>
        {
            Some((place, ended.clone()))
        }
        _ => None,
    });
    ends.collect()
}

pub(super) fn dry_ends(story: &Story) -> Vec<usize> {
    places(
        story,
        |event, _| matches!(&event.what, What::RunEnded(ended) if ended.plan.is_some() && ended.exit == Exit::Code(0)),
    )
}

pub(super) fn run_start(story: &Story, place: usize) -> usize {
    let run = story.events[place].run;
    story.events.iter().position(|event| event.run == run).unwrap()
}

pub(super) fn moment_before(story: &Story, place: usize) -> Moment {
    let mut moment = Moment::start(&story.start);
    story.events.iter().take(place).enumerate().for_each(|(index, event)| moment.apply(index, event));
    moment
}

pub(super) fn answer(event: &Event) -> Option<&Answer> {
    match &event.what {
        What::Vendor(request) => Some(&request.answer),
        What::Tracker(request) => Some(&request.answer),
        _ => None,
    }
}

pub(super) fn operation(event: &Event) -> Option<String> {
    match &event.what {
        What::Vendor(request) => Some(format!("{} {}", request.operation, request.path)),
        What::Tracker(request) => Some(format!("{} {:?}", request.call.name(), request.call)),
        _ => None,
    }
}

pub(super) fn same_vendor(left: &Event, right: &Event) -> bool {
    match (&left.what, &right.what) {
        (What::Vendor(left), What::Vendor(right)) => left.vendor == right.vendor,
        _ => true,
    }
}

pub(super) fn has_code(event: &Event, code: i32) -> bool {
    matches!(&event.what, What::RunEnded(ended) if ended.exit == Exit::Code(code))
}

pub(super) fn is_change_of(event: &Event, id: &ItemId) -> bool {
    match &event.what {
        What::Happened(change) => match &change.what {
            Changed::Item(item) => item.id == *id,
            Changed::Gone(gone) => gone == id,
        },
        _ => false,
    }
}

pub(super) fn is_kill(event: &Event) -> bool {
    matches!(&event.what, What::RunEnded(ended) if ended.exit == Exit::Killed)
}

pub(super) fn is_write(event: &Event) -> bool {
    match &event.what {
        What::Vendor(request) => request.is_write(),
        What::Tracker(request) => request.call.is_write(),
        _ => false,
    }
}

/// Whom a request links or reports about.
pub(super) fn link_of(event: &Event) -> Option<ItemId> {
    let What::Vendor(request) = &event.what else { return None };
    match request.meaning() {
        Meaning::Link { item, ticket: Some(_) } | Meaning::Report { item, .. } => Some(item),
        _ => None,
    }
}

/// A link that was made and granted, at Data Theorem.
pub(super) fn data_theorem_link(event: &Event) -> Option<(ItemId, TicketKey)> {
    let What::Vendor(request) = &event.what else { return None };
    match request.meaning() {
        Meaning::Link { item, ticket: Some(ticket) } if request.answer.reply == Reply::Done => {
            Some((item, ticket))
        }
        _ => None,
    }
}

pub(super) fn made(event: &Event) -> Option<&TicketKey> {
    match &event.what {
        What::Tracker(TrackerRequest { call: Call::Create { ticket, .. }, answer })
            if answer.is_applied && answer.reply == Reply::Done =>
        {
            ticket.as_ref()
        }
        _ => None,
    }
}

pub(super) fn made_for(event: &Event) -> GroupId {
    match &event.what {
        What::Tracker(TrackerRequest { call: Call::Create { group: Some(group), .. }, .. }) => group.clone(),
        other => panic!("{other:?}"),
    }
}

/// Whether the client ever tried to make a ticket for the group, or the vendor ever dropped a part of it.
pub(super) fn tried(story: &Story, group: &GroupId) -> bool {
    story.events.iter().any(|event| match &event.what {
        What::Tracker(TrackerRequest { call: Call::Create { group: made, .. }, .. }) => {
            made.as_ref() == Some(group)
        }
        What::Happened(change) => matches!(change.what, Changed::Gone(_)),
        _ => false,
    })
}

pub(super) fn begun(story: &Story, place: usize) -> Event {
    let started = RunStarted::default();
    Event { at: story.events[place].at, run: Some(RunId(9_000)), what: What::RunStarted(started) }
}

/// The same write, granted, in another run. Nothing comes of a create: the tracker had one.
pub(super) fn granted(event: &Event, run: Option<RunId>) -> Event {
    let mut event = Event { run, ..event.clone() };
    match &mut event.what {
        What::Vendor(request) => request.answer = Answer::new(true, Reply::Done),
        What::Tracker(request) => {
            let is_applied = !matches!(request.call, Call::Create { .. });
            request.answer = Answer::new(is_applied, Reply::Done);
        }
        _ => {}
    }
    event
}
