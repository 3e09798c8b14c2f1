//! Saboteurs of alerts.

use serde_json::{Value, json};

use super::super::super::Saboteur;
use super::super::super::layers::{Layer, body_of, json_of};
use super::super::steps::{each, refuses, renames};
use crate::saboteurs::data_theorem::rows::without;

const LIST: &[&str] = &["getOrganizationAlerts"];
const SET: &[&str] = &["setAlertsStatus"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/alerts/types",
            "has a type of its own for several licences",
            each(LIST, "alerts", |row| {
                if row["type"] == "MULTIPLE_LICENSES" {
                    row["type"] = json!("LICENSES");
                }
            }),
        ),
        Saboteur::new(
            "mend/alerts/range-format",
            "refuses a range with seconds",
            refuses(&["getProjectAlerts"], |fields| fields.get("fromDate").is_some()),
        ),
        Saboteur::new(
            "mend/alerts/statuses",
            "takes Closed for Ignored",
            status_becomes("Closed", "Ignored"),
        ),
        Saboteur::new(
            "mend/alerts/resolved-is-not-set",
            "takes Resolved for Active",
            status_becomes("Resolved", "Active"),
        ),
        Saboteur::new(
            "mend/alerts/get",
            "answers a product's alerts under another name",
            renames(&["getProductAlerts"], "alerts", "productAlerts"),
        ),
        Saboteur::new(
            "mend/alerts/get-by-type",
            "ignores the range of a call by type",
            body_of(&["getProjectAlertsByType"], |body| {
                without("fromDate")(body);
                without("toDate")(body);
            }),
        ),
        Saboteur::new(
            "mend/alerts/get-ignored",
            "answers a product's ignored alerts under another name",
            renames(&["getProductIgnoredAlerts"], "alerts", "ignoredAlerts"),
        ),
        Saboteur::new(
            "mend/alerts/set-status",
            "sets the status of the first of several alerts",
            only_first(SET),
        ),
        Saboteur::new(
            "mend/alerts/ignore",
            "ignores the first of several alerts",
            only_first(&["ignoreAlerts"]),
        ),
        Saboteur::new(
            "mend/alerts/message",
            "says nothing about ignored alerts",
            json_of(&["ignoreAlerts"], without("message")),
        ),
        Saboteur::new(
            "mend/alerts/comments",
            "leaves the comments of an organization's ignored alerts out",
            each(&["getOrganizationIgnoredAlerts"], "alerts", without("comments")),
        ),
        Saboteur::new(
            "mend/alerts/fields",
            "leaves `modifiedDate` out of an organization's alerts",
            each(LIST, "alerts", without("modifiedDate")),
        ),
        Saboteur::new(
            "mend/alerts/security-fields",
            "leaves the status of an organization's alerts out",
            each(LIST, "alerts", without("status")),
        ),
        Saboteur::new(
            "mend/alerts/date-is-the-day-of-time",
            "shows the day after as `date` of an organization's alerts",
            each(LIST, "alerts", |row| {
                let date: Option<jiff::civil::Date> = row["date"].as_str().and_then(|date| date.parse().ok());
                if let Some(next) = date.and_then(|date| date.tomorrow().ok()) {
                    row["date"] = json!(next.to_string());
                }
            }),
        ),
    ]
}

fn status_becomes(from: &'static str, to: &'static str) -> Layer {
    body_of(SET, move |body| {
        if body["status"] == from {
            body["status"] = json!(to);
        }
    })
}

/// Takes only the first of the alerts that a call names.
fn only_first(operations: &'static [&'static str]) -> Layer {
    body_of(operations, |body| {
        if let Some(uuids) = body.get_mut("alertUuids").and_then(Value::as_array_mut) {
            uuids.truncate(1);
        }
    })
}
