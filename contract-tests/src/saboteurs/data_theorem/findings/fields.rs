//! Saboteurs of what a finding looks like.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{edit_json, json_of, reply_to};
use super::super::list_layers::{bare_portal_path, last_row_twice};
use super::super::rows::{each_of, findings, with, without};
use super::{LIST, SINGLE, listed};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    [identity(), texts(), scores_and_states(), lists()].into_iter().flatten().collect()
}

/// Puts a value in place of another.
fn instead(name: &'static str, of: &'static str, value: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |row| {
        if row[name] == of {
            row[name] = json!(value);
        }
    }
}

fn identity() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/id-unique",
            "lists the last row of each page once more",
            last_row_twice(LIST, "security_findings"),
        ),
        Saboteur::new(
            "data-theorem/findings/mobile-app-id",
            "lists `mobile_app_id` as a number",
            listed(|row| {
                if let Some(id) = row["mobile_app_id"].as_str().and_then(|id| id.parse::<i64>().ok()) {
                    row["mobile_app_id"] = json!(id);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/issue-type-id-stable",
            "gives the same issue an `issue_type_id` of its own in each app",
            findings(|row| {
                let own = json!(format!("{}/{}", row["mobile_app_id"], row["issue_type_id"]));
                with("issue_type_id", own)(row);
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/links",
            "shows the links of a single finding as bare paths",
            json_of(SINGLE, each_of("links", |link| *link = link["href"].clone())),
        ),
        Saboteur::new(
            "data-theorem/findings/portal-url",
            "shows a bare path as `portal_url` of a single finding",
            bare_portal_path(SINGLE),
        ),
    ]
}

fn texts() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/date-created",
            "lists the day instead of a timestamp",
            listed(with("date_created", json!("2016-11-02"))),
        ),
        Saboteur::new(
            "data-theorem/findings/results-last-updated",
            "lists seconds since 1970 instead of a timestamp",
            listed(with("results_last_updated", json!(1_478_114_716))),
        ),
        Saboteur::new(
            "data-theorem/findings/description-intro",
            "lists the intro as a list of lines",
            listed(with("description_intro", json!(["An intro."]))),
        ),
        Saboteur::new(
            "data-theorem/findings/description",
            "lists an empty `description`",
            listed(with("description", json!(""))),
        ),
        Saboteur::new(
            "data-theorem/findings/recommendation",
            "leaves the recommendation out of lists",
            listed(without("recommendation")),
        ),
        Saboteur::new(
            "data-theorem/findings/screenshot-url",
            "shows a screenshot's address without scheme",
            findings(with("screenshot_url", json!("screenshots.example/1.png"))),
        ),
        Saboteur::new(
            "data-theorem/findings/secure-code",
            "shows an object instead of a code example in markdown",
            findings(with("secure_code", json!({"language": "java", "code": "x"}))),
        ),
        Saboteur::new(
            "data-theorem/findings/title",
            "lists an empty `title`",
            listed(with("title", json!(""))),
        ),
    ]
}

fn scores_and_states() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/cvss",
            "shows the vector under the page's misspelt name",
            findings(|row| {
                if let Some(vector) = row.as_object_mut().and_then(|members| members.remove("cvss_vector")) {
                    row["cvss_Vecotr"] = vector;
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/cvss-score",
            "shows the score as a string",
            findings(|row| {
                let text = json!(row["cvss_score"].to_string());
                with("cvss_score", text)(row);
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/cvss-vector",
            "shows the vector as a list of its metrics",
            findings(with("cvss_vector", json!(["AV:N", "AC:L"]))),
        ),
        Saboteur::new(
            "data-theorem/findings/aggregated-status",
            "lists OPEN findings as NEW",
            listed(instead("aggregated_status", "OPEN", "NEW")),
        ),
        Saboteur::new(
            "data-theorem/findings/aggregated-status-values",
            "shows a status of its own for CLOSED_BY_POLICY",
            findings(instead("aggregated_status", "CLOSED_BY_POLICY", "CLOSED_BY_RULE")),
        ),
        Saboteur::new(
            "data-theorem/findings/category",
            "lists categories in small letters",
            listed(|row| {
                let small = row["category"].as_str().unwrap_or_default().to_lowercase();
                with("category", json!(small))(row);
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/exploitability",
            "shows HARD for DIFFICULT and MODERATE",
            findings(|row| {
                instead("exploitability", "DIFFICULT", "HARD")(row);
                instead("exploitability", "MODERATE", "HARD")(row);
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/is-permanently-closed",
            "lists `is_permanently_closed` as a string",
            listed(|row| {
                let text = json!(row["is_permanently_closed"].to_string());
                with("is_permanently_closed", text)(row);
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/priority",
            "lists the priority P1 as a number",
            listed(|row| {
                if row["priority"] == "P1" {
                    row["priority"] = json!(1);
                }
            }),
        ),
        Saboteur::new(
            "data-theorem/findings/severity",
            "shows CRITICAL for HIGH in the list without filters",
            reply_to(LIST, |request, reply| {
                if !request.url.contains("severity=") {
                    edit_json(reply, each_of("security_findings", instead("severity", "HIGH", "CRITICAL")));
                }
            }),
        )
        .also(&[(
            "data-theorem/lists/findings-of-a-severity",
            "what the filter has to answer is counted in the list without filters",
        )]),
    ]
}

fn lists() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/findings/associated-cve-ids",
            "shows one CVE instead of a list of them",
            findings(with("associated_cve_ids", json!("CVE-2000-1909"))),
        ),
        Saboteur::new(
            "data-theorem/findings/associated-cwe-ids",
            "shows CWEs as numbers",
            findings(with("associated_cwe_ids", json!([99, 123]))),
        ),
        Saboteur::new(
            "data-theorem/findings/compliance-policy-references",
            "shows only the names of policies",
            findings(each_of("compliance_policy_references", |reference| {
                *reference = reference["compliance_policy"].clone();
            })),
        ),
        Saboteur::new(
            "data-theorem/findings/importance-tags",
            "shows tags in one string",
            findings(with("importance_tags", json!("SECURITY,PRIVACY"))),
        ),
        Saboteur::new(
            "data-theorem/findings/notes",
            "lists only the texts of notes",
            listed(each_of("notes", |note| *note = note["text"].clone())),
        ),
    ]
}
