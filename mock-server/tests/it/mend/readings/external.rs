//! What a plugin reports back.

use fixtures::world::mend::ExternalIssueSpec;
use serde_json::{Value, json};

use super::{ask, first_violation, outcome, plain, seen_in};
use crate::support::{Api, Reply};

/// Reports issues for the first violation.
async fn report_all(api: &Api, external_issues: Value) -> Reply {
    let uuid = first_violation(api).await["issueUuid"].take();
    let fields = json!({"wsPolicyIssueItemUuid": uuid, "externalIssues": external_issues});
    ask(api, "updateExternalIntegrationIssues", fields).await
}

/// Reports one issue with these fields besides its identifier.
async fn report(api: &Api, mut fields: Value) -> Reply {
    if fields.get("identifier").is_none() {
        fields["identifier"] = json!("WPM-1");
    }
    report_all(api, json!([fields])).await
}

/// Created, updated and unaffected issues.
fn counters(reply: &Reply) -> String {
    seen_in(reply, |body| {
        ["createdIssues", "updatedIssues", "unaffectedIssues"].map(|field| body[field].to_string()).join(" ")
    })
}

fn stored(api: &Api) -> Vec<ExternalIssueSpec> {
    api.control().export_world().mend.external_issues
}

pub(super) fn cases() -> Vec<super::Case> {
    let mut cases = value_cases();
    cases.extend(item_cases());
    cases
}

fn value_cases() -> Vec<super::Case> {
    cases! {
        "mend.length-unit": |api| {
            plain(&api);
            let mut seen = Vec::new();
            for letter in ["a", "\u{e9}", "\u{1f600}"] {
                seen.push(outcome(&report(&api, json!({"status": letter.repeat(255)})).await));
            }
            seen.join(", ").replace("3000 MEND-EXT-STRING-LENGTH", "too long")
        } => { "characters": "ok, ok, ok", "utf16": "ok, ok, too long", "bytes": "ok, too long, too long" }
        "mend.url-special-chars": |api| {
            plain(&api);
            let url = outcome(&report(&api, json!({"url": "dev.example/a%20b"})).await);
            format!("{url}, {}", outcome(&report(&api, json!({"status": "a%20b"})).await))
        } => {
            "refused": "3000 mend.url-special-chars, 3000 MEND-EXT-FORBIDDEN-CHARS",
            "allowed": "ok, 3000 MEND-EXT-FORBIDDEN-CHARS"
        }
        "mend.external-datetimes": |api| {
            plain(&api);
            let mut seen = Vec::new();
            for created in ["2020-12-23 10:00:00", "2020-12-23T10:00:00.123+02:00"] {
                seen.push(outcome(&report(&api, json!({"created": created})).await));
            }
            seen.join(", ")
        } => {
            "any": "ok, ok",
            "space": "ok, 3000 MEND-EXT-DATE-TIME",
            "iso": "3000 MEND-EXT-DATE-TIME, ok"
        }
        "mend.extra-data": |api| {
            plain(&api);
            let map = outcome(&report(&api, json!({"extraData": {"team": "blue"}})).await);
            format!("{map}, {}", outcome(&report(&api, json!({"extraData": ["blue"]})).await))
        } => { "map": "ok, 3000 MEND-EXT-EXTRA-DATA-MAP", "map-or-array": "ok, ok" }
        "mend.ext-extra-data-keys": |api| {
            plain(&api);
            let mut seen = Vec::new();
            for key in ["a".repeat(255), "a".repeat(256), "100%".to_owned()] {
                seen.push(outcome(&report(&api, json!({"extraData": {key: "blue"}})).await));
            }
            seen.join(", ")
        } => {
            "checked": "ok, 3000 mend.ext-extra-data-keys, 3000 mend.ext-extra-data-keys",
            "unchecked": "ok, ok, ok"
        }
        "mend.extra-fields-place": |api| {
            plain(&api);
            let fields = json!({"issuePriority": "HIGH", "extraData": {"issueLabel": "bug"}});
            let _ = report(&api, fields).await.mend_ok();
            stored(&api)[0].extra_data.keys().cloned().collect::<Vec<_>>().join(" ")
        } => { "nested": "issueLabel", "both": "issueLabel issuePriority" }
        "mend.policy-item-uuid": |api| {
            plain(&api);
            let fields = json!({"wsPolicyIssueItemUuid": "123345", "externalIssues": [{"identifier": "WPM-1"}]});
            outcome(&ask(&api, "updateExternalIntegrationIssues", fields).await)
        } => { "uuid": "3000 mend.policy-item-uuid", "any-text": "3000 mend.unknown-policy-item" }
        "mend.tracker-plugin-type": |api| {
            plain(&api);
            let uuid = first_violation(&api).await["issueUuid"].take();
            let mut seen = Vec::new();
            for kind in ["JIRA", "jira", "AZURE"] {
                let issues = json!([{"identifier": "WPM-1"}]);
                let fields = json!({"wsPolicyIssueItemUuid": uuid, "externalIssues": issues, "issueTrackerPluginType": kind});
                seen.push(outcome(&ask(&api, "updateExternalIntegrationIssues", fields).await));
            }
            seen.join(", ")
        } => { "free-text": "ok, ok, ok", "jira-only": "ok, ok, 3000 mend.tracker-plugin-type" }
    }
}

fn item_cases() -> Vec<super::Case> {
    cases! {
        "mend.empty-external-issues": |api| {
            plain(&api);
            counters(&report_all(&api, json!([])).await)
        } => { "refused": "3000 mend.empty-external-issues", "accepted": "0 0 0" }
        "mend.empty-identifier": |api| {
            plain(&api);
            counters(&report(&api, json!({"identifier": ""})).await)
        } => { "refused": "3000 mend.empty-identifier", "accepted": "1 0 0" }
        "mend.known-item-counts": |api| {
            plain(&api);
            let mut seen = Vec::new();
            for status in ["OPEN", "OPEN", "DONE"] {
                seen.push(counters(&report(&api, json!({"status": status})).await));
            }
            seen.join(", ")
        } => { "by-change": "1 0 0, 0 0 1, 0 1 0", "updated": "1 0 0, 0 1 0, 0 1 0" }
        "mend.absent-item-fields": |api| {
            plain(&api);
            let fields = json!({"url": "dev.example/1", "created": "2020-12-23 10:00:00", "extraData": {"team": "blue"}});
            let _ = report(&api, fields).await.mend_ok();
            let _ = report(&api, json!({"status": "DONE"})).await.mend_ok();
            let issue = stored(&api).remove(0);
            format!("{:?} {} {:?}", issue.url, issue.created.is_some(), issue.extra_data)
        } => {
            "kept": "Some(\"dev.example/1\") true {\"team\": \"blue\"}",
            "cleared": "None false {}"
        }
        "mend.same-identifier-twice": |api| {
            plain(&api);
            let twice = ["OPEN", "DONE"].map(|status| json!({"identifier": "WPM-1", "status": status}));
            let counted = counters(&report_all(&api, json!(twice)).await);
            let statuses = stored(&api).into_iter().map(|issue| issue.status.unwrap());
            format!("{counted} {}", statuses.collect::<Vec<_>>().join(" "))
        } => { "last-wins": "1 1 0 DONE", "refused": "3000 mend.same-identifier-twice " }
    }
}
