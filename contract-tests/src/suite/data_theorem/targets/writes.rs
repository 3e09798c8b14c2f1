//! `PATCH security_finding_targets/:id` and `POST security_finding_targets/:id/statuses`.

use fixtures::spec::data_theorem::{
    DT_TARGET_EXTERNAL_ID_SHARED, DT_TARGET_PATCH_EXTERNAL_ID, DT_TARGET_PATCH_NOTHING_ELSE,
    DT_TARGET_PATCH_OBJECT, DT_TARGET_PATCH_REPLY, DT_TARGET_STATUS_ACCEPTED, DT_TARGET_STATUS_CLOSE,
    DT_TARGET_STATUS_OBJECT, DT_TARGET_STATUS_OVERRIDE, DT_TARGET_STATUS_REASON,
    DT_TARGET_STATUS_REASON_NOTE, DT_TARGET_STATUS_REOPEN, DT_TARGET_STATUS_REPLY, DT_TARGET_STATUS_REQUIRED,
    DT_TARGET_STATUS_SAME,
};
use serde_json::{Value, json};

use super::super::client::{DataTheorem, TARGETS};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, expect, observed};
use crate::suite::rows::Row;
use crate::target::exchange::{Evidence, Reply};

checks! { "data-theorem/targets";
    external_id_shared: DT_TARGET_EXTERNAL_ID_SHARED, Writing, external_id_shared;
    patch_external_id: DT_TARGET_PATCH_EXTERNAL_ID, Writing, patch_external_id;
    patch_nothing_else: DT_TARGET_PATCH_NOTHING_ELSE, Writing, patch_nothing_else;
    patch_body_is_an_object: DT_TARGET_PATCH_OBJECT, Writing, patch_body_is_an_object;
    patch_reply: DT_TARGET_PATCH_REPLY, Writing, patch_reply;
    status_override: DT_TARGET_STATUS_OVERRIDE, Writing, status_override;
    status_reply_204: DT_TARGET_STATUS_REPLY, Writing, status_reply_204;
    status_close: DT_TARGET_STATUS_CLOSE, Writing, status_close;
    status_reopen: DT_TARGET_STATUS_REOPEN, Writing, status_reopen;
    status_same_409: DT_TARGET_STATUS_SAME, Writing, status_same_409;
    status_reason_note: DT_TARGET_STATUS_REASON_NOTE, Lasting, status_reason_note;
    status_body_is_an_object: DT_TARGET_STATUS_OBJECT, Writing, status_body_is_an_object;
    status_required: DT_TARGET_STATUS_REQUIRED, Writing, status_required;
    status_accepted_values: DT_TARGET_STATUS_ACCEPTED, Writing, status_accepted_values;
    status_reason_is_a_string: DT_TARGET_STATUS_REASON, Lasting, status_reason_is_a_string;
}

/// The statuses that a request may close with.
const CLOSING: [&str; 3] = ["CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED", "CLOSED_COMPENSATING_CONTROL"];

/// A target that may be changed, put back afterwards.
fn target(case: &Case) -> Result<(DataTheorem<'_>, Row, String), Stop> {
    let api = case.data_theorem()?;
    let target = api.changeable_target(&["OPEN"])?;
    let id = target.text("id").unwrap_or_default().to_owned();
    Ok((api, target, id))
}

fn patch(api: DataTheorem<'_>, target: &Row, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.restore_external_id(target);
    api.patch(&format!("{TARGETS}/{}", target.text("id").unwrap_or_default()), body)
}

fn set_status(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
    api.reopen_later(id);
    api.post(&format!("{TARGETS}/{id}/statuses"), body)
}

/// Closes an open target, as a prerequisite.
fn close(api: DataTheorem<'_>, id: &str, status: &str) -> Result<(), Stop> {
    let (reply, _) = set_status(api, id, &json!({"status": status}))?;
    observed(reply.is_success(), format!("closing an open target answers {}", reply.status))?;
    let shown = api.target(id)?.text("current_status").unwrap_or_default().to_owned();
    observed(shown == status, format!("after a close as {status} the target is {shown}"))
}

/// A refusal of a bad request, given that a good one was accepted: the status is one of a client's mistake, and the
/// target is as it was.
fn refuses(api: DataTheorem<'_>, path: &str, id: &str, bad: &[Value]) -> Verdict {
    let before = api.target(id)?.json;
    for body in bad {
        let (reply, evidence) = api.post(path, body)?;
        if !(400..500).contains(&reply.status) {
            return broken_at(&evidence, format!("{body} is refused"), reply.status);
        }
        let after = api.target(id)?;
        expect(after.json == before, "a refused request changes nothing", &after.json)?;
    }
    Held::over(bad.len(), "no bad body")
}

fn patch_external_id(case: &Case) -> Verdict {
    let (api, target, id) = target(case)?;
    for value in ["CONTRACT-1", "CONTRACT-2"] {
        let (reply, evidence) = patch(api, &target, &json!({"external_id": value}))?;
        if reply.status != 200 {
            return broken_at(&evidence, "status 200", reply.status);
        }
        let shown = api.target(&id)?;
        let seen = shown.text("external_id").unwrap_or("nothing");
        expect(seen == value, format!("`external_id` is {value} afterwards"), seen)?;
    }
    Held::once()
}

fn external_id_shared(case: &Case) -> Verdict {
    let (api, one, id) = target(case)?;
    let page = api.page(TARGETS, &[("mobile_app_id", one.text("mobile_app_id").unwrap_or_default())])?;
    let other =
        page.rows.find("second target in the app", |row| row.text("id").is_some_and(|other| other != id))?;
    for target in [&one, other] {
        let (reply, evidence) = patch(api, target, &json!({"external_id": "CONTRACT-SHARED"}))?;
        if reply.status != 200 {
            return broken_at(&evidence, "several targets take the same `external_id`", reply.status);
        }
    }
    for target in [&one, other] {
        let shown = api.target(target.text("id").unwrap_or_default())?;
        let seen = shown.text("external_id").unwrap_or("nothing");
        expect(seen == "CONTRACT-SHARED", "both targets show the shared `external_id`", seen)?;
    }
    Held::once()
}

/// All but the external id, and what some readings let a change move.
fn rest(row: &Row) -> Value {
    let mut rest = row.json.clone();
    if let Some(members) = rest.as_object_mut() {
        members.remove("external_id");
        members.remove("results_last_updated");
    }
    rest
}

fn patch_nothing_else(case: &Case) -> Verdict {
    let (api, target, id) = target(case)?;
    let before = api.target(&id)?;
    let (reply, _) = patch(api, &target, &json!({"external_id": "CONTRACT-3"}))?;
    observed(reply.status == 200, format!("PATCH answers {}", reply.status))?;
    let after = api.target(&id)?;
    observed(after.text("external_id") == Some("CONTRACT-3"), "the PATCH had no effect")?;
    let (before, after) = (rest(&before), rest(&after));
    expect(after == before, "nothing changes but `external_id`", format!("{after}, before that {before}"))?;
    Held::once()
}

fn patch_reply(case: &Case) -> Verdict {
    let (api, target, id) = target(case)?;
    let (reply, evidence) = patch(api, &target, &json!({"external_id": "CONTRACT-4"}))?;
    observed(reply.status == 200, format!("PATCH answers {}", reply.status))?;
    let shown = api.target(&id)?;
    let replied = reply.json().unwrap_or_default();
    if replied["external_id"] != "CONTRACT-4" {
        return broken_at(&evidence, "the reply shows the new `external_id`", &replied);
    }
    if replied != shown.json {
        let seen = format!("{replied}, where a GET shows {}", shown.json);
        return broken_at(&evidence, "the reply is what a GET shows", seen);
    }
    Held::once()
}

fn patch_body_is_an_object(case: &Case) -> Verdict {
    let (api, target, id) = target(case)?;
    let (reply, _) = patch(api, &target, &json!({"external_id": "CONTRACT-5"}))?;
    observed(reply.status == 200, format!("PATCH with an object answers {}", reply.status))?;
    let before = api.target(&id)?.json;
    let bad = [
        json!(["CONTRACT-6"]),
        json!("CONTRACT-6"),
        json!({"external_id": 6}),
        json!({"external_id": ["x"]}),
    ];
    for body in &bad {
        let (reply, evidence) = patch(api, &target, body)?;
        if !(400..500).contains(&reply.status) {
            return broken_at(&evidence, format!("{body} is refused"), reply.status);
        }
        let after = api.target(&id)?;
        expect(after.json == before, "a refused request changes nothing", &after.json)?;
    }
    Held::over(bad.len(), "no bad body")
}

fn status_override(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    let (reply, _) = set_status(api, &id, &json!({"status": "CLOSED_WONT_FIX"}))?;
    observed(reply.is_success(), format!("POST statuses answers {}", reply.status))?;
    let shown = api.target(&id)?;
    let seen = shown.text("current_status").unwrap_or("nothing");
    expect(seen == "CLOSED_WONT_FIX", "the target is CLOSED_WONT_FIX afterwards", seen)?;
    Held::once()
}

fn status_reply_204(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    let (reply, evidence) = set_status(api, &id, &json!({"status": "CLOSED_RISK_ACCEPTED"}))?;
    let shown = api.target(&id)?;
    observed(shown.text("current_status") == Some("CLOSED_RISK_ACCEPTED"), "the status was not set")?;
    if reply.status != 204 {
        return broken_at(&evidence, "status 204", reply.status);
    }
    if !reply.body.is_empty() {
        return broken_at(&evidence, "no body", String::from_utf8_lossy(&reply.body));
    }
    Held::once()
}

fn status_close(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    for status in CLOSING {
        let (reply, evidence) = set_status(api, &id, &json!({"status": status}))?;
        if !reply.is_success() {
            return broken_at(&evidence, format!("an open target can be closed as {status}"), reply.status);
        }
        let shown = api.target(&id)?;
        let seen = shown.text("current_status").unwrap_or("nothing");
        expect(seen == status, format!("the target is {status} afterwards"), seen)?;
        let (reply, _) = set_status(api, &id, &json!({"status": "OPEN"}))?;
        observed(reply.is_success(), format!("reopening answers {}", reply.status))?;
    }
    Held::over(CLOSING.len(), "no status")
}

fn status_reopen(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    for status in CLOSING {
        close(api, &id, status)?;
        let (reply, evidence) = set_status(api, &id, &json!({"status": "OPEN"}))?;
        if !reply.is_success() {
            return broken_at(
                &evidence,
                format!("a target closed as {status} can be reopened"),
                reply.status,
            );
        }
        let shown = api.target(&id)?;
        let seen = shown.text("current_status").unwrap_or("nothing");
        expect(seen == "OPEN", "the target is OPEN afterwards", seen)?;
    }
    Held::over(CLOSING.len(), "no status")
}

fn status_same_409(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    close(api, &id, "CLOSED_WONT_FIX")?;
    for status in ["CLOSED_WONT_FIX", "OPEN"] {
        if status == "OPEN" {
            let (reply, _) = set_status(api, &id, &json!({"status": status}))?;
            observed(reply.is_success(), format!("reopening answers {}", reply.status))?;
        }
        let before = api.target(&id)?.json;
        observed(before["current_status"] == status, format!("the target is not {status}"))?;
        let (reply, evidence) = set_status(api, &id, &json!({"status": status}))?;
        if reply.status != 409 {
            return broken_at(&evidence, format!("409 to {status} when it is {status}"), reply.status);
        }
        let after = api.target(&id)?;
        expect(after.json == before, "a refused status changes nothing", &after.json)?;
    }
    Held::once()
}

fn status_reason_note(case: &Case) -> Verdict {
    let (api, target, id) = target(case)?;
    let finding_id = target.text("security_finding_id").unwrap_or_default().to_owned();
    let notes = |api: DataTheorem<'_>| Ok::<_, Stop>(api.finding(&finding_id)?.list("notes").len());
    let before = notes(api)?;
    let reason = "A reason of the contract suite.";
    let (reply, _) = set_status(api, &id, &json!({"status": "CLOSED_WONT_FIX", "reason": reason}))?;
    observed(reply.is_success(), format!("a status with a reason answers {}", reply.status))?;
    let finding = api.finding(&finding_id)?;
    let added = finding
        .list("notes")
        .iter()
        .find(|note| note["text"].as_str().is_some_and(|text| text.contains(reason)));
    let Some(note) = added else {
        return broken_at(&finding.evidence, "a note with the reason on the finding", &finding.json["notes"]);
    };
    expect(note["is_internal_comment"] == true, "the note is an internal comment", note)?;
    // Without a reason there is no note: what was seen is the reason's doing.
    let after = notes(api)?;
    expect(after == before + 1, "one note more", format!("{before} before, {after} after"))?;
    let (reply, _) = set_status(api, &id, &json!({"status": "OPEN"}))?;
    observed(reply.is_success(), format!("reopening answers {}", reply.status))?;
    expect(notes(api)? == after, "no note without a reason", notes(api)?)?;
    Held::once()
}

fn status_body_is_an_object(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    close(api, &id, "CLOSED_WONT_FIX")?;
    refuses(
        api,
        &format!("{TARGETS}/{id}/statuses"),
        &id,
        &[json!(["OPEN"]), json!("OPEN"), json!(null), json!([])],
    )
}

fn status_required(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    close(api, &id, "CLOSED_WONT_FIX")?;
    let bad = [
        json!({}),
        json!({"reason": "x"}),
        json!({"status": null}),
        json!({"status": 1}),
        json!({"status": ["OPEN"]}),
    ];
    refuses(api, &format!("{TARGETS}/{id}/statuses"), &id, &bad)
}

fn status_accepted_values(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    let path = format!("{TARGETS}/{id}/statuses");
    for status in CLOSING {
        close(api, &id, status)?;
        let (reply, _) = set_status(api, &id, &json!({"status": "OPEN"}))?;
        observed(reply.is_success(), format!("reopening answers {}", reply.status))?;
    }
    let others = [
        "NEW",
        "OPEN_READY_TO_RESCAN",
        "CLOSED_FIXED",
        "CLOSED_PARTIALLY_FIXED",
        "CLOSED_BY_POLICY",
        "CLOSED_ITEM_NOT_FOUND",
        "CLOSED",
        "",
    ];
    refuses(api, &path, &id, &others.map(|status| json!({"status": status})))
}

fn status_reason_is_a_string(case: &Case) -> Verdict {
    let (api, _, id) = target(case)?;
    let path = format!("{TARGETS}/{id}/statuses");
    let (reply, evidence) =
        set_status(api, &id, &json!({"status": "CLOSED_WONT_FIX", "reason": "A reason."}))?;
    if !reply.is_success() {
        return broken_at(&evidence, "a reason that is a string is accepted", reply.status);
    }
    let (reply, evidence) = set_status(api, &id, &json!({"status": "OPEN"}))?;
    if !reply.is_success() {
        return broken_at(&evidence, "a reason can be left out", reply.status);
    }
    let bad = [json!(1), json!(["x"]), json!({"text": "x"}), json!(true)];
    refuses(api, &path, &id, &bad.map(|reason| json!({"status": "CLOSED_WONT_FIX", "reason": reason})))
}
