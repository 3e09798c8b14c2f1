//! `POST security_findings/:id/close`.

use fixtures::spec::data_theorem::{
    DT_FINDING_CLOSE, DT_FINDING_CLOSE_AGGREGATED, DT_FINDING_CLOSE_COMMENT, DT_FINDING_CLOSE_COMMENT_AUTHOR,
    DT_FINDING_CLOSE_COMMENT_TEXT, DT_FINDING_CLOSE_OBJECT, DT_FINDING_CLOSE_OPEN,
    DT_FINDING_CLOSE_PERMANENT, DT_FINDING_CLOSE_PERMANENT_TYPE, DT_FINDING_CLOSE_PERMISSION,
    DT_FINDING_CLOSE_REASON, DT_FINDING_CLOSE_REPLY, DT_FINDING_CLOSE_STATUS, DT_FINDING_CLOSE_TARGETS,
};
use serde_json::{Value, json};

use super::super::client::DataTheorem;
use super::notes::is_key;
use super::subjects::{
    aggregated_status, close, close_first, closing, is_closed, needs_permission, note_with, open_findings,
    refuses, targets_of, wholly_open_findings,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken, broken_at, checks, expect, not_exercised, observed};
use crate::suite::rows::Row;

checks! { "data-theorem/findings";
    close: DT_FINDING_CLOSE, Lasting, closes;
    close_comment: DT_FINDING_CLOSE_COMMENT, Lasting, close_comment;
    close_targets: DT_FINDING_CLOSE_TARGETS, Lasting, close_targets;
    close_aggregated: DT_FINDING_CLOSE_AGGREGATED, Lasting, close_aggregated;
    close_permanent: DT_FINDING_CLOSE_PERMANENT, Control, close_permanent;
    close_reply: DT_FINDING_CLOSE_REPLY, Lasting, close_reply;
    close_permission: DT_FINDING_CLOSE_PERMISSION, Control, close_permission;
    close_only_open: DT_FINDING_CLOSE_OPEN, Lasting, close_only_open;
    close_body_is_an_object: DT_FINDING_CLOSE_OBJECT, Lasting, close_body_is_an_object;
    close_status: DT_FINDING_CLOSE_STATUS, Lasting, close_status;
    close_permanent_is_a_boolean: DT_FINDING_CLOSE_PERMANENT_TYPE, Lasting, close_permanent_is_a_boolean;
    close_reason_is_required: DT_FINDING_CLOSE_REASON, Lasting, close_reason_is_required;
    close_comment_says_permanently: DT_FINDING_CLOSE_COMMENT_TEXT, Lasting, close_comment_says_permanently;
    close_comment_author: DT_FINDING_CLOSE_COMMENT_AUTHOR, Lasting, close_comment_author;
}

const REASON: &str = "Contract suite: a reason.";
/// The statuses that a request may close with.
const CLOSING: [&str; 3] = ["CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED", "CLOSED_COMPENSATING_CONTROL"];

/// An open finding.
fn finding(case: &Case) -> Result<(DataTheorem<'_>, String), Stop> {
    let (api, ids) = findings::<1>(case)?;
    let [id] = ids;
    Ok((api, id))
}

/// Several open findings.
fn findings<const N: usize>(case: &Case) -> Result<(DataTheorem<'_>, [String; N]), Stop> {
    let api = case.data_theorem()?;
    let mut ids = open_findings(api, N)?;
    ids.truncate(N);
    let shown = format!("{ids:?}");
    ids.try_into().map(|ids| (api, ids)).or_else(|_| not_exercised(format!("only {shown} are open")))
}

fn permanently(status: &str) -> Value {
    json!({"aggregated_status": status, "is_permanently_closed": true, "reason": REASON})
}

fn closes(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let (reply, evidence) = close(api, &id, &closing("CLOSED_COMPENSATING_CONTROL", REASON))?;
    if !reply.is_success() {
        return broken_at(&evidence, "an open finding can be closed", reply.status);
    }
    let shown = aggregated_status(api, &id)?;
    expect(is_closed(&shown), "the finding is closed afterwards", shown)?;
    Held::once()
}

/// A reason of some length, and not only of ASCII, appears as it was given.
fn close_comment(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let reason = format!("Contract suite: {}the end – ☃.", "a reason with much to say, ".repeat(12));
    let before = api.finding(&id)?;
    observed(note_with(&before, &reason).is_none(), "the finding has that comment already")?;
    close_first(api, &id, &closing("CLOSED_WONT_FIX", &reason))?;
    let after = api.finding(&id)?;
    if note_with(&after, &reason).is_none() {
        return broken_at(&after.evidence, "a comment that contains the reason", &after.json["notes"]);
    }
    Held::once()
}

fn close_targets(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let is_open = |row: &Row| row.text("current_status").is_some_and(|status| !is_closed(status));
    for id in open_findings(api, 1)? {
        let open = targets_of(api, &id)?.only(is_open);
        if open.rows.len() < 2 {
            continue;
        }
        let (reply, _) = close(api, &id, &closing("CLOSED_WONT_FIX", "Contract suite: every target."))?;
        observed(reply.is_success(), format!("closing an open finding answers {}", reply.status))?;
        let after = targets_of(api, &id)?;
        observed(after.rows.len() >= open.rows.len(), "the finding's targets are not listed any more")?;
        return after.all("every target of a closed finding is closed", |row| {
            is_open(row).then(|| format!("{} is {}", row.json["id"], row.json["current_status"]))
        });
    }
    not_exercised("no finding has two open targets")
}

/// Where all targets were open, the fitting status is the one that was asked for.
fn close_aggregated(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let statuses = ["CLOSED_RISK_ACCEPTED", "CLOSED_WONT_FIX"];
    for (id, status) in wholly_open_findings(api, statuses.len())?.iter().zip(statuses) {
        let (reply, _) = close(api, id, &closing(status, REASON))?;
        observed(reply.is_success(), format!("closing an open finding answers {}", reply.status))?;
        let shown = aggregated_status(api, id)?;
        expect(shown == status, format!("`aggregated_status` is {status} afterwards"), shown)?;
    }
    Held::over(statuses.len(), "no status")
}

/// A scan that comes upon a new component of an issue opens a target while the finding is not permanently closed, and
/// none when it is.
fn close_permanent(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let ids = open_findings(api, 1)?;
    let target = api.targets()?.find("target of an open finding", |row| {
        let names_all = row.text("issue_type_id").is_some() && row.text("mobile_app_id").is_some();
        names_all && row.text("security_finding_id").is_some_and(|id| ids.iter().any(|open| open == id))
    })?;
    let name = |name| target.text(name).unwrap_or_default();
    let id = name("security_finding_id");
    let scan = |text: &str| {
        let observed = json!([{"issue_type_id": name("issue_type_id"), "text": text}]);
        case.happen(&json!({"type": "data_theorem.scan", "mobile_app_id": name("mobile_app_id"),
            "observed": observed}))
    };
    let found = |text: &str| {
        Ok::<_, Stop>(targets_of(api, id)?.rows.iter().any(|row| row.text("text") == Some(text)))
    };
    scan("`com.example.contract.Before`")?;
    observed(found("`com.example.contract.Before`")?, "the scan of a new component opens no target")?;
    close_first(api, id, &permanently("CLOSED_COMPENSATING_CONTROL"))?;
    scan("`com.example.contract.After`")?;
    if found("`com.example.contract.After`")? {
        return broken("a permanently closed finding gets no new target", "one more target after a scan");
    }
    // The target of before the close has to be listed still: else its absence proves nothing of the other's.
    observed(found("`com.example.contract.Before`")?, "the finding's targets are not listed any more")?;
    Held::once()
}

fn close_reply(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let (reply, evidence) = close_first(api, &id, &closing("CLOSED_WONT_FIX", REASON))?;
    if reply.status != 200 {
        return broken_at(&evidence, "status 200", reply.status);
    }
    let (shown, replied) = (api.finding(&id)?.json, reply.json().unwrap_or_default());
    if replied != shown {
        let seen = format!("{replied}, where a GET shows {shown}");
        return broken_at(&evidence, "the reply is what a GET shows", seen);
    }
    Held::once()
}

fn close_permission(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    needs_permission(api, "results_api.can_close_issues", &id, |api, id| {
        close(api, id, &closing("CLOSED_WONT_FIX", REASON))
    })
}

fn close_only_open(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    close_first(api, &id, &closing("CLOSED_WONT_FIX", REASON))?;
    let again = ["CLOSED_WONT_FIX", "CLOSED_RISK_ACCEPTED"];
    let again = again.map(|status| closing(status, "Contract suite: closed already."));
    refuses(api, &id, &again, close)
}

fn close_body_is_an_object(case: &Case) -> Verdict {
    let (api, [one, other]) = findings::<2>(case)?;
    let good = closing("CLOSED_WONT_FIX", REASON);
    close_first(api, &one, &good)?;
    refuses(api, &other, &[json!([good]), json!("CLOSED_WONT_FIX"), json!(1), json!(null), json!([])], close)
}

fn close_status(case: &Case) -> Verdict {
    let (api, [one, two, three, other]) = findings::<4>(case)?;
    for (id, status) in [one, two, three].iter().zip(CLOSING) {
        let (reply, evidence) = close(api, id, &closing(status, REASON))?;
        if !reply.is_success() {
            return broken_at(&evidence, format!("an open finding can be closed as {status}"), reply.status);
        }
    }
    let others = [
        "NEW",
        "OPEN",
        "CLOSED_FIXED",
        "CLOSED_PARTIALLY_FIXED",
        "CLOSED_BY_POLICY",
        "CLOSED_ITEM_NOT_FOUND",
    ];
    refuses(api, &other, &others.map(|status| closing(status, REASON)), close)?;
    let malformed = [json!(null), json!(""), json!("CLOSED"), json!(1), json!(["CLOSED_WONT_FIX"])];
    refuses(
        api,
        &other,
        &malformed.map(|status| json!({"aggregated_status": status, "reason": REASON})),
        close,
    )?;
    refuses(api, &other, &[json!({"reason": REASON})], close)
}

fn close_permanent_is_a_boolean(case: &Case) -> Verdict {
    let (api, [absent, no, yes, other]) = findings::<4>(case)?;
    let with = |value: Value| {
        let mut body = closing("CLOSED_WONT_FIX", REASON);
        body["is_permanently_closed"] = value;
        body
    };
    let good = [
        (absent, closing("CLOSED_WONT_FIX", REASON), false),
        (no, with(json!(false)), false),
        (yes, with(json!(true)), true),
    ];
    for (id, body, wanted) in &good {
        let (reply, evidence) = close(api, id, body)?;
        if !reply.is_success() {
            return broken_at(&evidence, format!("{body} is accepted"), reply.status);
        }
        // A finding that is not permanently closed may lack the field.
        let shown = api.finding(id)?;
        let seen = shown.get("is_permanently_closed").and_then(Value::as_bool).unwrap_or_default();
        expect(seen == *wanted, format!("after {body} it is {wanted} that it was closed permanently"), seen)?;
    }
    let bad = [json!("true"), json!(1), json!([true]), json!({})];
    refuses(api, &other, &bad.map(with), close)
}

fn close_reason_is_required(case: &Case) -> Verdict {
    let (api, [one, other]) = findings::<2>(case)?;
    close_first(api, &one, &closing("CLOSED_WONT_FIX", REASON))?;
    refuses(api, &other, &[json!({"aggregated_status": "CLOSED_WONT_FIX"})], close)?;
    let bad = [json!(null), json!(1), json!([REASON]), json!({"text": REASON})];
    refuses(
        api,
        &other,
        &bad.map(|reason| json!({"aggregated_status": "CLOSED_WONT_FIX", "reason": reason})),
        close,
    )
}

/// The comment on a finding that was closed with this body, as a prerequisite.
fn closing_comment(api: DataTheorem<'_>, id: &str, body: &Value) -> Result<Row, Stop> {
    close_first(api, id, body)?;
    let reason = body["reason"].as_str().unwrap_or_default();
    match note_with(&api.finding(id)?, reason) {
        Some(note) => Ok(note),
        None => not_exercised("the close left no comment with the reason"),
    }
}

fn close_comment_says_permanently(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let note = closing_comment(api, &id, &permanently("CLOSED_WONT_FIX"))?;
    let text = note.text("text").unwrap_or_default();
    let (before, _) = text.split_once(REASON).unwrap_or_default();
    if !before.to_lowercase().contains("permanently") {
        return broken_at(&note.evidence, "a sentence that says so before the reason", text);
    }
    Held::once()
}

fn close_comment_author(case: &Case) -> Verdict {
    let (api, id) = finding(case)?;
    let note = closing_comment(api, &id, &closing("CLOSED_WONT_FIX", REASON))?;
    is_key(api, &note)
}
