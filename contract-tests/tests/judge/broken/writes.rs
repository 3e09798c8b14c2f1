//! What is written, closed and deleted: I4 to I8.

use contract_tests::judge::Judged;
use contract_tests::judge::journal::{Answer, Call, Reply};
use serde_json::json;

use super::{Broken, closing, exported, granted};
use crate::story::{Story, delete, list_targets, mend, patch, post_status, target, violation};

pub(super) const BROKEN: &[Broken] = &[
    ("I4", &[], ticket_deleted),
    ("I4", &[], comment_deleted),
    ("I4", &[], target_deleted),
    ("I5", &[], closed_on_404),
    ("I5", &[], closed_when_gone),
    ("I5", &[], link_cleared),
    ("I5", &[], closed_after_one_list_of_mend),
    ("I6", &[], many_closed),
    ("I7", &[], field_of_the_vendor_written),
    ("I7", &[], forbidden_characters_reported),
    ("I7", &[], undocumented_status),
    ("I8", &[], link_written_again),
    ("I8", &[], comment_repeated),
    ("I8", &[], status_that_is_set),
    ("I8", &[], report_repeated),
    ("I8", &[], closed_twice),
];

fn ticket_deleted() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        story.tracker(Call::Delete { ticket: key, part: None }, Reply::Done);
    });
    story.judged()
}

fn comment_deleted() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        story.tracker(Call::Delete { ticket: key, part: Some("comment 3".to_owned()) }, Reply::Done);
    });
    story.judged()
}

fn target_deleted() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(4, |story| {
        story.vendor(delete(&target("1"), Answer::new(false, Reply::Refused(405))));
    });
    story.judged()
}

pub(super) fn closed_on_404() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(4, |story| {
        story.vendor(list_targets(Answer::new(false, Reply::NotFound)));
        story.set_done(&key, true);
    });
    story.judged()
}

fn closed_when_gone() -> Judged {
    let (mut story, key) = exported(closing());
    story.gone(&target("1"));
    story.run(0, |story| {
        story.list();
        story.set_done(&key, true);
    });
    story.judged()
}

fn link_cleared() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(4, |story| {
        story.vendor(patch(&target("1"), json!({"external_id": ""}), granted()));
    });
    story.judged()
}

fn closed_after_one_list_of_mend() -> Judged {
    let mut story = Story::new(closing(), &[(violation("u"), "OPEN")]);
    let mut key = None;
    let fetch = || mend("fetchProjectPolicyIssues", json!({"projectToken": "p"}), granted());
    story.run(0, |story| {
        story.vendor(fetch());
        key = Some(story.export(&violation("u")));
    });
    story.change(&violation("u"), "RESOLVED");
    story.run(0, |story| {
        story.vendor(fetch());
        story.set_done(&key.unwrap(), true);
    });
    story.judged()
}

fn many_closed() -> Judged {
    let ids: Vec<_> = (10..32).map(|id| target(&id.to_string())).collect();
    let items: Vec<_> = ids.iter().map(|id| (id.clone(), "OPEN")).collect();
    let mut story = Story::new(closing(), &items);
    let mut keys = Vec::new();
    story.run(0, |story| {
        story.list();
        keys = ids.iter().map(|id| story.export(id)).collect();
    });
    for id in &ids[..11] {
        story.change(id, "CLOSED_FIXED");
    }
    story.run(0, |story| {
        story.list();
        for key in &keys[..11] {
            story.set_done(key, true);
        }
    });
    story.judged()
}

fn field_of_the_vendor_written() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(4, |story| {
        let refused = Answer::new(false, Reply::Refused(400));
        story.vendor(patch(&target("1"), json!({"text": "mine"}), refused));
    });
    story.judged()
}

fn forbidden_characters_reported() -> Judged {
    let mut story = Story::new(closing(), &[(violation("u"), "OPEN")]);
    story.run(4, |story| {
        let issue = json!({"identifier": "a & b"});
        let body = json!({"projectToken": "p", "wsPolicyIssueItemUuid": "u", "externalIssues": [issue]});
        story.vendor(mend("updateExternalIntegrationIssues", body, Answer::new(false, Reply::Refused(200))));
    });
    story.judged()
}

fn undocumented_status() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(4, |story| {
        let refused = Answer::new(false, Reply::Refused(400));
        story.vendor(post_status(&target("1"), "CLOSED_FIXED", refused));
    });
    story.judged()
}

fn link_written_again() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        story.list();
        story.link(&target("1"), &key);
    });
    story.judged()
}

fn comment_repeated() -> Judged {
    let (mut story, key) = exported(closing());
    story.run(0, |story| {
        story.comment(&key, "still open");
    });
    story.run(0, |story| {
        story.comment(&key, "still open");
    });
    story.judged()
}

fn status_that_is_set() -> Judged {
    let (mut story, _) = exported(closing());
    story.run(0, |story| {
        story.vendor(post_status(&target("1"), "OPEN", Answer::new(false, Reply::Refused(409))));
    });
    story.judged()
}

fn report_repeated() -> Judged {
    let mut story = Story::new(closing(), &[(violation("u"), "OPEN")]);
    story.run(0, |story| {
        let key = story.export(&violation("u"));
        story.link(&violation("u"), &key);
    });
    story.judged()
}

fn closed_twice() -> Judged {
    let (mut story, key) = exported(closing());
    story.change(&target("1"), "CLOSED_FIXED");
    for _ in 0..2 {
        story.run(0, |story| {
            story.list();
            story.set_done(&key, true);
        });
    }
    story.judged()
}
