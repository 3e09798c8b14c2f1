//! `security_findings`: issues, their priority, their closing, their notes.

use std::sync::Arc;

use fixtures::spec::data_theorem as ledger;
use fixtures::world::data_theorem::{NoteKind, NoteSpec, Permission, Severity};
use smol_str::SmolStr;

use super::mobile_apps::app_scope;
use super::{Account, Call, Refusal, Reply, render_list};
use crate::vendors::data_theorem::readings::{
    ClosingNoteFlags, ClosingNoteText, ManualStatusBumps, NoteAuthor, NoteBumps, NotesReply, PriorityBumps,
};
use crate::vendors::data_theorem::rules::filters::{FilterSpec, ListSpec, Values};
use crate::vendors::data_theorem::rules::{auth, statuses};
use crate::vendors::data_theorem::store::{Finding, FindingFilter, Group, Shape, StatusEntry};
use crate::vendors::data_theorem::wire;

static LIST: ListSpec = ListSpec {
    name: "security_findings",
    filters: &[
        FilterSpec {
            name: "mobile_app_id",
            rule: &ledger::DT_FINDINGS_LIST_MOBILE_APP_ID,
            values: Values::Integer,
            repeatable: false,
        },
        FilterSpec {
            name: "results_since",
            rule: &ledger::DT_FINDINGS_LIST_RESULTS_SINCE,
            values: Values::Timestamp,
            repeatable: false,
        },
        FilterSpec {
            name: "status_group",
            rule: &ledger::DT_FINDINGS_LIST_STATUS_GROUP,
            values: Values::Words(&["CLOSED", "OPEN"]),
            repeatable: false,
        },
        FilterSpec {
            name: "severity",
            rule: &ledger::DT_FINDINGS_LIST_SEVERITY,
            values: Values::Words(&["HIGH", "MEDIUM", "LOW"]),
            repeatable: true,
        },
    ],
};

/// `GET security_findings`
pub(super) fn list_security_findings(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let request = call.page(&LIST, account)?;
    let filters = &request.filters;
    let filter = FindingFilter {
        mobile_app_ids: app_scope(account, call, filters.one("mobile_app_id"))?,
        severities: filters.all("severity").iter().filter_map(|text| text.parse::<Severity>().ok()).collect(),
        group: Group::named(filters.one("status_group")),
    };
    let page = account.store.list_findings(&filter, request.window(account));
    let readings = account.readings();
    let push = |out: &mut Vec<u8>, finding: &Finding| wire::push_finding(out, finding, Shape::List, readings);
    Ok(render_list(&LIST, "security_findings", &request, &page, account, push))
}

/// `GET security_findings/:id`
pub(super) fn get_security_finding(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let finding = visible_finding(account, call)?;
    Ok(render(account, &finding))
}

/// `PATCH security_findings/:id`: sets `priority` and nothing else.
pub(super) fn patch_security_finding(account: &mut Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let finding = visible_finding(account, call)?;
    let readings = *account.readings();
    let change = call.body(&readings).priority_change(&mut call.flags.borrow_mut())?;
    let Some(priority) = change else { return Ok(render(account, &finding)) };
    let granted = call.key.may(Permission::SetIssuesPriority);
    auth::permission(granted, &ledger::DT_FINDING_PATCH_PERMISSION, "to set issues priority", &readings)?;
    let bump = (readings.priority_bumps == PriorityBumps::Yes).then_some(call.now);
    account.store.set_priority(&finding, priority, bump);
    let finding = visible_finding(account, call)?;
    Ok(render(account, &finding))
}

/// `POST security_findings/:id/close`: closes every open target and says why in a note.
pub(super) fn close_security_finding(account: &mut Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let finding = visible_finding(account, call)?;
    let readings = *account.readings();
    let granted = call.key.may(Permission::CloseIssues);
    auth::permission(
        granted,
        &ledger::DT_FINDING_CLOSE_PERMISSION,
        "results_api.can_close_issues",
        &readings,
    )?;
    let close = call.body(&readings).close(&mut call.flags.borrow_mut())?;
    statuses::close_finding(finding.aggregated_status, &readings)?;

    let bump = (readings.manual_status_bumps == ManualStatusBumps::Yes).then_some(call.now);
    for id in finding.targets.iter() {
        if let Some(target) =
            account.store.target(id).filter(|target| !target.current.status.is_closed()).cloned()
        {
            let entry = StatusEntry { status: close.status, date: call.now, build_version: None::<SmolStr> };
            account.store.push_status(&target, entry, bump);
        }
    }
    if close.permanently {
        let finding = visible_finding(account, call)?;
        account.store.set_permanently_closed(&finding, true);
    }
    let permanently = close.permanently || readings.closing_note_text == ClosingNoteText::AlwaysPermanent;
    let closed = if permanently { "permanently closed" } else { "closed" };
    let text = format!("Issue {closed} using the following explanation: {}", close.reason);
    let kind = match readings.closing_note_flags {
        ClosingNoteFlags::AsSampled => NoteKind::ReplyFromDataTheorem,
        ClosingNoteFlags::Internal => NoteKind::InternalComment,
    };
    add_note(account, call, &finding.facts.id, text, kind);
    let finding = visible_finding(account, call)?;
    Ok(render(account, &finding))
}

/// `POST security_findings/:id/notes`
pub(super) fn post_note(account: &mut Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let finding = visible_finding(account, call)?;
    let readings = *account.readings();
    let granted = call.key.may(Permission::CommentOnIssues);
    let permission = "results_api.can_comment_on_issues";
    auth::permission(granted, &ledger::DT_FINDING_NOTE_PERMISSION, permission, &readings)?;
    let note = call.body(&readings).new_note(&mut call.flags.borrow_mut())?;
    let note = write_note(account, call, &finding.facts.id, note.text, note.is_question);
    Ok(match readings.notes_reply {
        NotesReply::NoContent => Reply::no_content(),
        NotesReply::SampleBody => {
            let body = note.map(|note| wire::note_json_as_sampled(&note, &readings)).unwrap_or_default();
            Reply::ok(body.to_string().into_bytes())
        }
    })
}

/// Adds a note of the key, an internal one unless it is a question.
pub(super) fn write_note(
    account: &mut Account,
    call: &Call<'_>,
    finding_id: &str,
    text: String,
    is_question: bool,
) -> Option<NoteSpec> {
    let kind = if is_question { NoteKind::QuestionForDataTheorem } else { NoteKind::InternalComment };
    add_note(account, call, finding_id, text, kind)
}

fn add_note(
    account: &mut Account,
    call: &Call<'_>,
    finding_id: &str,
    text: String,
    kind: NoteKind,
) -> Option<NoteSpec> {
    let finding = Arc::clone(account.store.finding(finding_id)?);
    let readings = *account.readings();
    // Among 16-digit ids chance keeps notes apart; looking through a finding's notes would cost more with each.
    let id = account.ids.datastore_id(|_| false);
    let author_email = match readings.note_author {
        NoteAuthor::KeyName => call.key.spec.name.clone(),
        NoteAuthor::Address => format!("{}@api-key.example", call.key.spec.name.replace(' ', ".")),
    };
    let note = NoteSpec { id, author_email, date_created: call.now, kind, text };
    let bump = (readings.note_bumps == NoteBumps::Yes).then_some(call.now);
    account.store.add_note(&finding, note.clone(), bump);
    Some(note)
}

fn render(account: &Account, finding: &Finding) -> Reply {
    let mut body = Vec::with_capacity(4096);
    wire::push_finding(&mut body, finding, Shape::Item, account.readings());
    Reply::ok(body)
}

/// The finding that the path names, if it exists and the key may see its app.
fn visible_finding(account: &Account, call: &Call<'_>) -> Result<Arc<Finding>, Refusal> {
    let id = call.id(0);
    let Some(finding) = account.store.finding(id) else {
        return Err(auth::unknown_id("security finding", id, account.readings()));
    };
    if call.key.sees(&finding.facts.mobile_app_id) {
        Ok(Arc::clone(finding))
    } else {
        let app = &finding.facts.mobile_app_id;
        Err(auth::out_of_scope(&ledger::DT_FINDING_ACCESS, app, account.readings()))
    }
}
