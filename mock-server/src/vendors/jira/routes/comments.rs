//! `issue/:id/comment`

use std::sync::Arc;

use fixtures::spec::jira as ledger;
use serde_json::Value;
use smol_str::SmolStr;

use super::{Account, Call, Denial, Denied, Reply};
use crate::vendors::jira::rules::denial::{FieldProblems, shortened};
use crate::vendors::jira::rules::fields::Reader;
use crate::vendors::jira::store::{Comment, Document, Issue};
use crate::vendors::jira::wire::parts;

/// Most comments of a page, and how many there are unless told otherwise.
const PAGE_MAX: usize = 5_000;

/// `GET issue/:id/comment`
pub(super) fn list_comments(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let page = call.counted(100, PAGE_MAX, issue.comments.len());
    let newest_first = match call.parameter("orderBy").map(str::trim) {
        None | Some("" | "created" | "+created") => false,
        Some("-created") => true,
        Some(other) => {
            let text = format!("Comments can't be ordered by '{}'.", shortened(other));
            return Err(Denial::rule(400, &ledger::JIRA_COMMENT_ORDER, text));
        }
    };
    let directory = account.store.directory();
    Ok(Reply::value(200, &parts::comments(&issue, &page, newest_first, directory, call.version, &call.here)))
}

fn comment_of(call: &Call<'_>, issue: &Issue) -> Result<Arc<Comment>, Denied> {
    let found = call.id(1).parse().ok().and_then(|id: u64| issue.comments.get(&id));
    found.cloned().ok_or_else(|| {
        let text = format!("Can not find a comment for the id: {}.", shortened(call.id(1)));
        Denial::rule(404, &ledger::JIRA_COMMENT_404, text)
    })
}

/// `GET issue/:id/comment/:id`
pub(super) fn get_comment(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.issue(account)?;
    let comment = comment_of(call, &issue)?;
    Ok(render(account, call, &issue, &comment, 200))
}

fn render(account: &Account, call: &Call<'_>, issue: &Issue, comment: &Comment, status: u16) -> Reply {
    let directory = account.store.directory();
    Reply::value(status, &parts::comment(issue, comment, directory, call.version, &call.here))
}

/// The body of a comment.
fn text_of(account: &Account, call: &Call<'_>) -> Result<Value, Denied> {
    let body = call.body()?;
    let reader = Reader { account, version: call.version, invalid: &ledger::JIRA_COMMENT_INVALID };
    let mut problems = FieldProblems::default();
    match reader.long_text(body.get("body").unwrap_or(&Value::Null)) {
        Ok(Some(text)) => return Ok(text),
        Ok(None) => {
            let because = crate::http::reject::Because::Rule(&ledger::JIRA_COMMENT_INVALID);
            problems.field(because, "comment", "Comment body can not be empty!");
        }
        Err(wrong) => problems.field(wrong.because, "comment", wrong.text),
    }
    problems.denied().map(|()| Value::Null)
}

/// Whether an issue has room for so many more comments.
pub(super) fn room_for(account: &Account, there: usize, more: usize) -> Result<(), Denied> {
    let most = account.store.limits().comments_per_issue;
    if more > 0 && there.saturating_add(more) > most {
        let text = format!("The issue has reached the limit of {most} comments.");
        return Err(Denial::rule(413, &ledger::JIRA_COMMENT_MAX, text));
    }
    Ok(())
}

/// `POST issue/:id/comment`
pub(super) fn add_comment(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let body = text_of(account, call)?;
    room_for(account, issue.comments.len(), 1)?;
    let comment = Comment {
        id: account.store.next_comment_id(),
        author: call.user.as_ref().map(|user| SmolStr::new(&user.spec.account_id)),
        body: Document::of(&body),
        created: call.now,
        updated: call.now,
    };
    account.store.put_comment(&issue, comment.clone(), call.now);
    Ok(render(account, call, &issue, &comment, 201))
}

/// `PUT issue/:id/comment/:id`
pub(super) fn update_comment(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let known = comment_of(call, &issue)?;
    let body = text_of(account, call)?;
    let comment = Comment { body: Document::of(&body), updated: call.now, ..(*known).clone() };
    account.store.put_comment(&issue, comment.clone(), call.now);
    Ok(render(account, call, &issue, &comment, 200))
}

/// `DELETE issue/:id/comment/:id`
pub(super) fn delete_comment(account: &mut Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let issue = call.writable_issue(account)?;
    let known = comment_of(call, &issue)?;
    account.store.remove_comment(&issue, known.id, call.now);
    Ok(Reply::no_content())
}
