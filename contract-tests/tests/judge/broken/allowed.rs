//! What looks like a broken history and is allowed.

use std::collections::BTreeSet;

use contract_tests::judge::journal::{
    Answer, Call, Edited, Exit, HowLong, Reply, RunEnded, RunStarted, Wait, WaitScope, What,
};
use contract_tests::judge::judge;
use jiff::SignedDuration;

use super::{closing, exported, granted, lost, one, unique};
use crate::story::{convicted, create, ended, link, list_apps, list_targets, target};

/// What looks like the broken histories and is allowed.
#[test]
fn what_is_allowed_is_not_convicted() {
    let mut adopted = one(closing());
    adopted.run(7, |story| {
        story.list();
        let key = story.next_key();
        story.tracker_answers(create(story.group(&target("1")), &key), lost(true));
    });
    adopted.wait(300);
    adopted.run(0, |story| {
        story.list();
        let group = story.group(&target("1"));
        let found = story.find(&group);
        story.link(&target("1"), &found[0]);
    });

    let mut retried = one(closing());
    retried.run(0, |story| {
        story.list();
        let key = story.create(&target("1"));
        story.vendor(link(&target("1"), &key, lost(true)));
        story.link(&target("1"), &key);
    });

    // The reply was lost, and a look at the target shows that it is linked.
    let mut looked = one(closing());
    looked.run(0, |story| {
        story.list();
        let key = story.create(&target("1"));
        story.vendor(link(&target("1"), &key, lost(true)));
        story.list();
    });

    let (mut decided, key) = exported(closing());
    decided.edit(&key, Edited::SetDone(true));
    decided.change(&target("1"), "CLOSED_FIXED");
    decided.change(&target("1"), "OPEN");
    decided.run(0, |story| {
        story.list();
        story.set_done(&key, false);
    });

    let (mut moved, key) = exported(closing());
    moved.edit(&key, Edited::Moved("APP-9".into()));
    moved.run(0, |story| {
        story.list();
        story.get(&key);
        story.link(&target("1"), &"APP-9".into());
    });
    moved.peace(3);

    let (mut deleted, key) = exported(closing());
    deleted.edit(&key, Edited::Deleted);
    deleted.peace(3);

    let mut waited = one(closing());
    waited.run(0, |story| {
        let wait = Wait { how_long: HowLong::Seconds(30), scope: WaitScope::Operation };
        story.vendor(list_targets(Answer { wait: Some(wait), ..Answer::new(false, Reply::TooMany) }));
        story.vendor(list_apps(granted()));
        story.wait(30);
        story.vendor(list_targets(granted()));
        story.export(&target("1"));
    });

    let (mut hidden, _) = exported(closing());
    hidden.change_listed(&target("1"), "CLOSED_WONT_FIX", None);
    let late = hidden.now - SignedDuration::from_hours(24 * 10);
    hidden.change_listed(&target("1"), "CLOSED_RISK_ACCEPTED", Some(late));
    hidden.begin(RunStarted::default());
    hidden.list();
    hidden.finish(ended(0));

    let mut crashed = one(unique());
    crashed.begin(RunStarted::default());
    let key = crashed.create(&target("1"));
    crashed.finish(RunEnded { exit: Exit::Killed, ..ended(0) });
    crashed.run(0, |story| {
        story.list();
        let call = create(story.group(&target("1")), &key);
        story.tracker_answers(call, Answer::new(false, Reply::Done));
        story.link(&target("1"), &key);
    });

    let mut merged = exported(closing()).0;
    merged.push(What::LedgerLost);
    merged.run(0, |story| {
        story.list();
        let extra = story.create(&target("1"));
        let call = Call::SetDone { ticket: extra, is_done: true, duplicate_of: Some("SEC-1".into()) };
        story.tracker(call, Reply::Done);
    });
    merged.peace(2);

    let mut raced = exported(closing()).0;
    raced.begin(RunStarted::default());
    raced.list();
    raced.change(&target("1"), "CLOSED_FIXED");
    raced.finish(ended(0));

    let stories = [adopted, retried, looked, decided, moved, deleted, waited, hidden, crashed, merged, raced];
    for (place, story) in stories.iter().enumerate() {
        let judged = story.judged();
        assert_eq!(convicted(&judged), BTreeSet::new(), "story {place}: {:#?}", judge(&judged));
    }
}

/// What was surely not done uses no news up.
#[test]
fn what_has_to_wait_is_done_later() {
    let (mut patient, key) = exported(closing());
    patient.edit(&key, Edited::SetDone(true));
    patient.change(&target("1"), "CLOSED_FIXED");
    patient.change(&target("1"), "OPEN");
    patient.run(0, |story| {
        story.list();
        for reply in [Reply::TooMany, Reply::NotSent, Reply::Done] {
            story.tracker(Call::Comment { ticket: key.clone(), text: "It is open again.".to_owned() }, reply);
            story.wait(2);
        }
        for reply in [Reply::NotSent, Reply::TooMany, Reply::Done] {
            let call = Call::SetDone { ticket: key.clone(), is_done: false, duplicate_of: None };
            story.tracker(call, reply);
            story.wait(2);
        }
    });
    let judged = patient.judged();
    assert_eq!(convicted(&judged), BTreeSet::new(), "{:#?}", judge(&judged));
}
