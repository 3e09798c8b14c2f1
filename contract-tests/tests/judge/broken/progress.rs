//! What gets done, how often it is tried and how long that takes: I14 to I19.

use contract_tests::judge::Judged;
use contract_tests::judge::capabilities::Capabilities;
use contract_tests::judge::journal::{Answer, HowLong, Reply, RunEnded, RunStarted, Wait, WaitScope, What};

use super::{Broken, closing, exported, granted, lost, one};
use crate::story::{Story, ended, link, list_apps, list_targets, target};

pub(super) const BROKEN: &[Broken] = &[
    ("I14", &[], never_linked),
    ("I15", &[], restless),
    ("I15", &[], asks_for_every_ticket),
    ("I16", &[], change_skipped),
    ("I16", &[], comment_forgotten),
    ("I17", &[], failure_not_named),
    ("I17", &[], rest_not_done),
    ("I17", &[], failure_forgotten),
    ("I18", &[], too_late),
    ("I18", &[], too_often),
    ("I18", &[], without_end),
    ("I19", &[], || too_soon(HowLong::Seconds(30))),
    ("I19", &[], || too_soon(HowLong::Until("2025-11-21T10:00:30Z".parse().unwrap()))),
    ("I19", &[], || too_soon(HowLong::Unsaid)),
];

fn never_linked() -> Judged {
    let mut story = one(closing());
    story.push(What::Quiet);
    story.run(4, |story| {
        story.list();
        story.create(&target("1"));
    });
    story.run(4, |story| {
        story.list();
    });
    story.judged()
}

fn restless() -> Judged {
    let (mut story, key) = exported(closing());
    story.push(What::Quiet);
    for count in 0..3 {
        story.run(0, |story| {
            story.list();
            story.comment(&key, &format!("seen {count} times"));
        });
    }
    story.judged()
}

fn asks_for_every_ticket() -> Judged {
    let ids: Vec<_> = (100..160).map(|id| target(&id.to_string())).collect();
    let items: Vec<_> = ids.iter().map(|id| (id.clone(), "OPEN")).collect();
    let mut story = Story::new(closing(), &items);
    let mut keys = Vec::new();
    story.run(0, |story| {
        story.list();
        keys = ids.iter().map(|id| story.export(id)).collect();
    });
    story.peace(2);
    story.begin(RunStarted::default());
    story.list();
    for key in &keys {
        story.get(key);
    }
    story.finish(ended(0));
    story.judged()
}

fn change_skipped() -> Judged {
    let (mut story, _) = exported(closing());
    story.change(&target("1"), "CLOSED_FIXED");
    story.begin(RunStarted::default());
    story.list();
    story.finish(ended(0));
    story.judged()
}

fn comment_forgotten() -> Judged {
    let (mut story, _) = exported(Capabilities::default());
    story.change(&target("1"), "CLOSED_FIXED");
    story.begin(RunStarted::default());
    story.list();
    story.finish(ended(0));
    story.judged()
}

/// Two targets, the first of which can't be linked.
fn one_poisoned(named: &str, second_is_done: bool) -> Story {
    let mut story = Story::new(closing(), &[(target("71"), "OPEN"), (target("82"), "OPEN")]);
    story.begin(RunStarted::default());
    story.list();
    let key = story.create(&target("71"));
    story.vendor(link(&target("71"), &key, Answer::new(false, Reply::Refused(400))));
    if second_is_done {
        story.export(&target("82"));
    }
    story.finish(RunEnded { named: Some(named.to_owned()), ..ended(4) });
    story
}

fn failure_not_named() -> Judged {
    one_poisoned("something failed", true).judged()
}

fn rest_not_done() -> Judged {
    one_poisoned("target 71 failed", false).judged()
}

fn failure_forgotten() -> Judged {
    let mut story = one_poisoned("target 71 failed", true);
    story.begin(RunStarted::default());
    story.vendor(list_apps(granted()));
    story.finish(ended(0));
    story.judged()
}

fn too_late() -> Judged {
    let mut story = one(Capabilities { deadline_s: 60, ..closing() });
    story.run(4, |story| {
        story.vendor(list_targets(lost(true)));
        story.wait(90);
    });
    story.judged()
}

fn too_often() -> Judged {
    let mut story = one(Capabilities { attempts_max: 3, ..closing() });
    story.run(4, |story| {
        for _ in 0..4 {
            story.vendor(list_targets(Answer::new(false, Reply::Failed(502))));
        }
    });
    story.judged()
}

fn without_end() -> Judged {
    let mut story = one(closing());
    story.begin(RunStarted::default());
    story.list();
    story.judged()
}

fn too_soon(how_long: HowLong) -> Judged {
    let mut story = one(closing());
    let wait = Wait { how_long, scope: WaitScope::Operation };
    story.run(4, |story| {
        let busy = Answer { wait: Some(wait), ..Answer::new(false, Reply::TooMany) };
        story.vendor(list_targets(busy));
        if how_long == HowLong::Unsaid {
            story.wait(-1);
        }
        story.vendor(list_targets(granted()));
        story.export(&target("1"));
    });
    story.judged()
}
