//! How many tickets there are, and what for: I1 to I3.

use contract_tests::judge::Judged;
use contract_tests::judge::capabilities::Capabilities;
use contract_tests::judge::journal::{Call, Reply, What};

use super::{Broken, closing, exported, lost, one, unique};
use crate::story::{Story, create, target};

pub(super) const BROKEN: &[Broken] = &[
    ("I1a", &[], || two_tickets(unique())),
    ("I1b", &[], || two_tickets(closing())),
    ("I1b", &[], create_retried_at_once),
    ("I1b", &[], search_before_the_lag_is_over),
    ("I1c", &[], extra_left_open),
    ("I1c", &["I14", "I21"], wrong_survivor),
    ("I2", &[], link_to_nothing),
    ("I2", &[], link_to_another),
    ("I3", &[], ticket_for_what_is_over),
];

fn two_tickets(capabilities: Capabilities) -> Judged {
    let (mut story, _) = exported(capabilities);
    story.run(0, |story| {
        story.create(&target("1"));
    });
    story.judged()
}

pub(super) fn create_retried_at_once() -> Judged {
    let mut story = one(closing());
    story.run(0, |story| {
        story.list();
        let lost_key = story.next_key();
        let call = create(story.group(&target("1")), &lost_key);
        story.tracker_answers(call, lost(false));
        story.export(&target("1"));
    });
    story.judged()
}

fn search_before_the_lag_is_over() -> Judged {
    let mut story = one(closing());
    story.run(0, |story| {
        story.list();
        let key = story.next_key();
        let group = story.group(&target("1"));
        story.tracker_answers(create(group.clone(), &key), lost(false));
        story.wait(200);
        story.find(&group);
        story.export(&target("1"));
    });
    story.judged()
}

fn extra_left_open() -> Judged {
    let (mut story, _) = exported(closing());
    story.push(What::LedgerLost);
    story.run(0, |story| {
        story.list();
        story.create(&target("1"));
    });
    story.peace(2);
    story.judged()
}

fn wrong_survivor() -> Judged {
    let (mut story, first) = exported(closing());
    story.push(What::LedgerLost);
    story.run(0, |story| {
        story.list();
        let second = story.create(&target("1"));
        let call = Call::SetDone { ticket: first, is_done: true, duplicate_of: Some(second) };
        story.tracker(call, Reply::Done);
    });
    story.peace(2);
    story.judged()
}

fn link_to_nothing() -> Judged {
    let mut story = one(closing());
    story.run(4, |story| {
        story.link(&target("1"), &"SEC-77".into());
    });
    story.judged()
}

fn link_to_another() -> Judged {
    let mut story = Story::new(closing(), &[(target("1"), "OPEN"), (target("2"), "OPEN")]);
    story.run(4, |story| {
        let key = story.create(&target("1"));
        story.link(&target("2"), &key);
    });
    story.judged()
}

fn ticket_for_what_is_over() -> Judged {
    let mut story = Story::new(closing(), &[(target("1"), "CLOSED_FIXED")]);
    story.run(0, |story| {
        story.list();
        let key = story.export(&target("1"));
        story.set_done(&key, true);
    });
    story.judged()
}
