//! What belongs to people, to groups and to others: I9 to I13.

use std::collections::BTreeSet;

use contract_tests::judge::ids::TicketKey;
use contract_tests::judge::journal::{Call, Edited, Reply, RunStarted};
use contract_tests::judge::{Canary, Judged, Output};

use super::{Broken, closing, exported, shared};
use crate::story::{Story, ended, target};

pub(super) const BROKEN: &[Broken] = &[
    ("I9", &[], title_overwritten),
    ("I9", &[], label_taken_away),
    ("I9", &[], labels_replaced),
    ("I9", &[], conflict_forced),
    ("I10", &[], reopened_against_a_person),
    ("I10", &[], nagging),
    ("I10", &[], reopened_twice_after_a_pause),
    ("I11", &[], closed_for_a_part),
    ("I11", &[], reopened_for_nothing),
    ("I12", &[], || shown_by("stderr")),
    ("I12", &[], || shown_by("ledger")),
    ("I12", &[], shown_by_a_comment),
    ("I13", &[], two_writers),
    ("I13", &[], locked_out_and_writing),
];

fn title_overwritten() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::SetField { name: "title".to_owned(), value: "Ours".to_owned() });
    story.run(0, |story| {
        let call = Call::SetField { ticket: key, name: "title".to_owned(), value: "Theirs".to_owned() };
        story.tracker(call, Reply::Done);
    });
    story.judged()
}

fn label_taken_away() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::LabelAdded("urgent".to_owned()));
    story.run(0, |story| {
        let removed = BTreeSet::from(["urgent".to_owned()]);
        story.tracker(Call::Label { ticket: key, added: BTreeSet::new(), removed }, Reply::Done);
    });
    story.judged()
}

fn labels_replaced() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::LabelAdded("urgent".to_owned()));
    story.run(0, |story| {
        let call = Call::SetField { ticket: key, name: "labels".to_owned(), value: "synced".to_owned() };
        story.tracker(call, Reply::Done);
    });
    story.judged()
}

fn conflict_forced() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        let call = Call::Comment { ticket: key.clone(), text: "seen".to_owned() };
        story.tracker(call.clone(), Reply::Refused(412));
        story.tracker(call, Reply::Done);
    });
    story.judged()
}

fn reopened_against_a_person() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::SetDone(true));
    story.run(0, |story| {
        story.list();
        story.set_done(&key, false);
    });
    story.judged()
}

fn nagging() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::SetDone(true));
    for text in ["it is open", "it really is"] {
        story.run(0, |story| {
            story.list();
            story.comment(&key, text);
        });
    }
    story.judged()
}

/// The first is told to wait and then granted, which uses the news up.
fn reopened_twice_after_a_pause() -> Judged {
    let (mut story, key) = exported(closing());
    story.edit(&key, Edited::SetDone(true));
    story.change(&target("1"), "CLOSED_FIXED");
    story.change(&target("1"), "OPEN");
    story.run(0, |story| {
        story.list();
        let call = Call::SetDone { ticket: key.clone(), is_done: false, duplicate_of: None };
        story.tracker(call.clone(), Reply::TooMany);
        story.wait(2);
        story.tracker(call, Reply::Done);
    });
    story.edit(&key, Edited::SetDone(true));
    story.run(0, |story| {
        story.list();
        story.set_done(&key, false);
    });
    story.judged()
}

/// Two targets of one finding with their ticket.
fn exported_pair() -> (Story, TicketKey) {
    let mut story = Story::new(shared(), &[(target("11"), "OPEN"), (target("12"), "OPEN")]);
    let mut key = None;
    story.run(0, |story| {
        story.list();
        let made = story.export(&target("11"));
        story.link(&target("12"), &made);
        key = Some(made);
    });
    (story, key.unwrap())
}

fn closed_for_a_part() -> Judged {
    let (mut story, key) = exported_pair();
    story.change(&target("11"), "CLOSED_FIXED");
    story.run(4, |story| {
        story.list();
        story.set_done(&key, true);
    });
    story.judged()
}

fn reopened_for_nothing() -> Judged {
    let (mut story, key) = exported_pair();
    story.change(&target("11"), "CLOSED_FIXED");
    story.change(&target("12"), "CLOSED_FIXED");
    story.run(0, |story| {
        story.list();
        story.set_done(&key, true);
    });
    story.run(4, |story| {
        story.list();
        story.set_done(&key, false);
    });
    story.judged()
}

pub(super) fn shown_by(place: &str) -> Judged {
    let (story, _) = exported(closing());
    let mut judged = story.judged();
    judged.canaries =
        vec![Canary { name: "the key".to_owned(), text: "k3y".to_owned(), may_be_in_tickets: false }];
    judged.outputs = vec![
        Output { place: "stdout".to_owned(), text: "1 ticket made".to_owned() },
        Output { place: place.to_owned(), text: "GET failed: APIKey k3y".to_owned() },
    ];
    judged
}

pub(super) fn shown_by_a_comment() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        story.comment(&key, "asked with k3y");
    });
    let mut judged = story.judged();
    judged.canaries =
        vec![Canary { name: "the key".to_owned(), text: "k3y".to_owned(), may_be_in_tickets: false }];
    judged
}

fn two_writers() -> Judged {
    let mut story = Story::new(closing(), &[(target("1"), "OPEN"), (target("2"), "OPEN")]);
    story.begin(RunStarted::default());
    story.list();
    let first = story.run;
    story.begin(RunStarted::default());
    story.list();
    story.export(&target("2"));
    story.finish(ended(0));
    story.run = first;
    story.export(&target("1"));
    story.finish(ended(0));
    story.judged()
}

fn locked_out_and_writing() -> Judged {
    let mut story = Story::new(closing(), &[(target("1"), "OPEN"), (target("2"), "OPEN")]);
    story.begin(RunStarted::default());
    story.list();
    let first = story.run;
    story.begin(RunStarted::default());
    story.export(&target("2"));
    story.finish(ended(6));
    story.run = first;
    story.export(&target("1"));
    story.finish(ended(0));
    story.judged()
}
