//! What is unknown, and what the client says of itself: I20 to I24.

use contract_tests::judge::Judged;
use contract_tests::judge::journal::{Action, Answer, Counts, Planned, Reply, RunEnded, RunStarted, What};

use super::{Broken, closing, exported, one, unique};
use crate::story::{create, ended, killed, target};

pub(super) const BROKEN: &[Broken] = &[
    ("I20", &[], closed_on_an_unknown_word),
    ("I20", &[], stopped_by_an_unknown_word),
    ("I20", &[], || unknown_word_reported(&[])),
    ("I20", &[], || unknown_word_reported(&[("CLOSED_BY_MAGIC on 1", 1), ("CLOSED_BY_MAGIC on 2", 1)])),
    ("I21", &[], failure_called_success),
    ("I21", &[], nothing_left_but_something),
    ("I21", &[], wrong_count),
    ("I21", &[], panicked),
    ("I21", &[], locked_out_by_nobody),
    ("I22", &[], crash_repeated_twice),
    ("I23", &[], dry_run_that_writes),
    ("I23", &[], planned_otherwise),
    ("I24", &[], believed_at_once),
];

fn closed_on_an_unknown_word() -> Judged {
    let (mut story, key) = exported(closing());
    story.change(&target("1"), "CLOSED_BY_MAGIC");
    story.run(0, |story| {
        story.list();
        story.set_done(&key, true);
    });
    story.judged()
}

fn stopped_by_an_unknown_word() -> Judged {
    let (mut story, _) = exported(closing());
    story.change(&target("1"), "CLOSED_BY_MAGIC");
    story.run(4, |story| {
        story.list();
    });
    story.judged()
}

fn unknown_word_reported(noticed: &[(&str, u64)]) -> Judged {
    let (mut story, _) = exported(closing());
    story.change(&target("1"), "CLOSED_BY_MAGIC");
    story.begin(RunStarted::default());
    story.list();
    let noticed = noticed.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
    story.finish(RunEnded { noticed: Some(noticed), ..ended(0) });
    story.judged()
}

fn failure_called_success() -> Judged {
    let mut story = one(closing());
    story.run(0, |story| {
        story.list();
        let key = story.next_key();
        story.tracker(create(story.group(&target("1")), &key), Reply::Refused(400));
    });
    let mut judged = story.judged();
    // As of a client that does not look at everything.
    if let What::RunStarted(started) = &mut judged.history.events[0].what {
        started.is_full = false;
    }
    judged
}

fn nothing_left_but_something() -> Judged {
    let mut story = one(closing());
    story.run(0, |story| {
        story.list();
    });
    story.judged()
}

fn wrong_count() -> Judged {
    let mut story = one(closing());
    story.begin(RunStarted::default());
    story.list();
    story.export(&target("1"));
    let counts = Counts { created: Some(2), linked: Some(1), ..Counts::default() };
    story.finish(RunEnded { counts, ..ended(0) });
    story.judged()
}

fn panicked() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(101, |story| {
        story.list();
    });
    story.judged()
}

fn locked_out_by_nobody() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(6, |_| {});
    story.judged()
}

fn crash_repeated_twice() -> Judged {
    let mut story = one(unique());
    story.begin(RunStarted::default());
    story.list();
    let key = story.create(&target("1"));
    story.finish(killed());
    for _ in 0..2 {
        story.begin(RunStarted::default());
        let call = create(story.group(&target("1")), &key);
        story.tracker_answers(call, Answer::new(false, Reply::Done));
        story.finish(ended(4));
    }
    story.judged()
}

fn dry_run_that_writes() -> Judged {
    let mut story = one(closing());
    story.begin(RunStarted { is_dry: true, ..RunStarted::default() });
    story.list();
    story.export(&target("1"));
    story.finish(ended(0));
    story.judged()
}

fn planned_otherwise() -> Judged {
    let mut story = one(closing());
    story.begin(RunStarted { is_dry: true, ..RunStarted::default() });
    story.list();
    let plan = vec![Planned { action: Action::Create, item: target("1") }];
    story.finish(RunEnded { plan: Some(plan), ..ended(0) });
    story.begin(RunStarted::default());
    story.list();
    story.export(&target("1"));
    story.finish(ended(0));
    story.judged()
}

fn believed_at_once() -> Judged {
    let mut story = one(closing());
    story.begin(RunStarted::default());
    story.list();
    let group = story.group(&target("1"));
    story.find(&group);
    story.export(&target("1"));
    story.finish(ended(0));
    story.judged()
}
