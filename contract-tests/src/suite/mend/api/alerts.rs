//! Alerts and their statuses.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_ALERT_COMMENTS, MEND_ALERT_DATES, MEND_ALERT_FIELDS, MEND_ALERT_VULNERABILITY, MEND_ALERTS_GET,
    MEND_ALERTS_GET_BY_TYPE, MEND_ALERTS_GET_IGNORED, MEND_ALERTS_IGNORE, MEND_ALERTS_MESSAGE,
    MEND_ALERTS_RANGE_FORMAT, MEND_ALERTS_SET_STATUS, MEND_ALERTS_STATUS_RESOLVED, MEND_ALERTS_STATUSES,
    MEND_ALERTS_TYPES,
};
use serde_json::{Value, json};

use super::super::client::{Answer, Mend};
use super::subjects::{
    call, changeable_projects, filled_product, listed, merge, organization, products, project, projects_of,
    rows_of, tokens,
};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken, broken_at, checks, expect, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::Shape::{Boolean, FilledText, Integer, Object, OneOf, Text};

const TYPES: &[&str] = &[
    "SECURITY_VULNERABILITY",
    "REJECTED_BY_POLICY_RESOURCE",
    "MULTIPLE_LIBRARY_VERSIONS",
    "MULTIPLE_LICENSES",
    "NEW_MAJOR_VERSION",
    "NEW_MINOR_VERSION",
    "HIGH_SEVERITY_BUG",
    "REJECTED_DEFACTO_RESOURCE",
];

/// A range that holds everything, and one from before there were alerts.
const EVER: [&str; 2] = ["2000-07-23 00:49:27", "2199-07-23 00:49:27"];
const LONG_AGO: [&str; 2] = ["1999-07-23 00:49:27", "1999-12-31 23:59:59"];

checks! { "mend/alerts";
    types: MEND_ALERTS_TYPES, Reading, |case| case.mend()?.alerts()?.each("type", &OneOf(TYPES));
    range_format: MEND_ALERTS_RANGE_FORMAT, Reading, range_format;
    statuses: MEND_ALERTS_STATUSES, Writing, statuses;
    resolved_is_not_set: MEND_ALERTS_STATUS_RESOLVED, Writing, resolved_is_not_set;
    get: MEND_ALERTS_GET, Reading, get;
    get_by_type: MEND_ALERTS_GET_BY_TYPE, Reading, get_by_type;
    get_ignored: MEND_ALERTS_GET_IGNORED, Writing, get_ignored;
    set_status: MEND_ALERTS_SET_STATUS, Writing, set_status;
    ignore: MEND_ALERTS_IGNORE, Writing, ignore;
    message: MEND_ALERTS_MESSAGE, Writing, message;
    comments: MEND_ALERT_COMMENTS, Reading, comments;
    fields: MEND_ALERT_FIELDS, Reading, fields;
    security_fields: MEND_ALERT_VULNERABILITY, Reading, security_fields;
    date_is_the_day_of_time: MEND_ALERT_DATES, Reading, date_is_the_day_of_time;
}

/// The alerts that one of a project's calls answers; that it answers them so is another check's business.
fn of_project(api: Mend<'_>, request_type: &str, project_token: &str) -> Result<Rows, Stop> {
    rows_of(api, request_type, &json!({"projectToken": project_token}), "alerts", "an alert")
}

fn uuids(alerts: &Rows) -> BTreeSet<String> {
    tokens(alerts, "alertUuid").into_iter().collect()
}

fn within(range: [&str; 2]) -> Value {
    json!({"fromDate": range[0], "toDate": range[1]})
}

fn range_format(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project(api)?;
    let all = uuids(&of_project(api, "getProjectAlerts", &project)?);
    observed(!all.is_empty(), "the project has no alerts")?;
    let ever = call("getProjectAlerts", json!({"projectToken": project}), "alerts").with(&within(EVER));
    ever.must_be_granted(api, "with a range")?;
    let found = uuids(&ever.granted(api)?.rows("alerts", "an alert"));
    expect(found == all, format!("{} alerts in a range that holds all", all.len()), found.len())?;
    Held::once()
}

/// Alerts that stand and whose status may be changed.
struct Standing<'c> {
    api: Mend<'c>,
    project: String,
    alerts: Vec<String>,
}

impl<'c> Standing<'c> {
    /// So many of one project.
    fn find(case: &'c Case, count: usize) -> Result<Self, Stop> {
        let api = case.mend()?;
        for project in changeable_projects(api)?.into_iter().take(5) {
            let mut alerts: Vec<String> =
                tokens(&of_project(api, "getProjectAlerts", &project)?, "alertUuid");
            alerts.truncate(count);
            if alerts.len() == count {
                return Ok(Self { api, project, alerts });
            }
        }
        Err(Stop::NotExercised(format!("no project has {count} alerts")))
    }

    /// The request that does something with the alerts.
    fn ask(&self, request_type: &str, more: &Value) -> Result<Answer, Stop> {
        let fields = |more: &Value| {
            let mut fields = json!({"orgToken": self.api.org_token(), "alertUuids": self.alerts});
            merge(&mut fields, more);
            fields
        };
        let active = fields(&json!({"status": "Active"}));
        self.api.case().undo_later(self.api.request("setAlertsStatus", &active));
        self.api.call(request_type, &fields(more))
    }

    /// Sets the status; a refusal makes the check impossible.
    fn set(&self, status: &str) -> Result<Answer, Stop> {
        let answer = self.ask("setAlertsStatus", &json!({"status": status}))?;
        observed(!answer.is_refused(), format!("the status {status} is refused"))?;
        Ok(answer)
    }

    /// Whether all of them are in the list that one of the project's calls answers.
    fn are_in(&self, request_type: &str) -> Result<bool, Stop> {
        let listed = uuids(&of_project(self.api, request_type, &self.project)?);
        Ok(self.alerts.iter().all(|uuid| listed.contains(uuid)))
    }
}

fn statuses(case: &Case) -> Verdict {
    let standing = Standing::find(case, 1)?;
    for status in ["Ignored", "Active"] {
        let answer = standing.ask("setAlertsStatus", &json!({"status": status}))?;
        if answer.is_refused() {
            return broken_at(&answer.evidence, format!("the status `{status}` is taken"), &answer.json);
        }
    }
    for status in ["Closed", "OPEN_AGAIN"] {
        let answer = standing.ask("setAlertsStatus", &json!({"status": status}))?;
        if !answer.is_refused() {
            return broken_at(&answer.evidence, format!("the status `{status}` is refused"), &answer.json);
        }
    }
    // A server that takes everything has not been seen to know these words.
    expect(standing.are_in("getProjectAlerts")?, "an alert that is active again is listed", "it is not")?;
    Held::once()
}

fn resolved_is_not_set(case: &Case) -> Verdict {
    let standing = Standing::find(case, 1)?;
    for status in ["Ignored", "Active"] {
        standing.set(status)?;
    }
    let answer = standing.ask("setAlertsStatus", &json!({"status": "Resolved"}))?;
    if !answer.is_refused() {
        return broken_at(&answer.evidence, "`Resolved` is refused", &answer.json);
    }
    expect(standing.are_in("getProjectAlerts")?, "the alert stands as before", "it is not listed")?;
    Held::once()
}

fn get(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (product, projects) = filled_product(api)?;
    let calls = [
        call("getOrganizationAlerts", organization(api), "alerts"),
        call("getProductAlerts", json!({"productToken": product}), "alerts"),
        call("getProjectAlerts", json!({"projectToken": projects.first()}), "alerts"),
    ];
    let mut seen = 0;
    let mut wider: Option<BTreeSet<String>> = None;
    for call in &calls {
        let alerts = uuids(&listed(api, call, "an alert")?);
        seen += alerts.len();
        let foreign = wider.as_ref().and_then(|wider| alerts.difference(wider).next());
        if let Some(uuid) = foreign {
            let expected = format!("the alerts of {} are among those of the wider scope", call.request_type);
            return broken(expected, format!("{uuid} is not"));
        }
        wider = Some(alerts);
    }
    let narrow = wider.unwrap_or_default().len();
    observed(narrow > 0, "the project has no alerts")?;
    Held::over(seen, "there are no alerts")
}

/// The calls by type list what the others do, of one type. Which date the range looks at is left open; it is none
/// of long ago.
fn get_by_type(case: &Case) -> Verdict {
    let api = case.mend()?;
    let project = project(api)?;
    let all = of_project(api, "getProjectAlerts", &project)?;
    let kinds: BTreeSet<&str> = all.rows.iter().filter_map(|row| row.text("type")).collect();
    observed(kinds.len() > 1, "the project has alerts of one type only")?;
    for kind in kinds.iter().copied().take(3) {
        let fields = json!({"projectToken": project, "alertType": kind});
        let of_kind = call("getProjectAlertsByType", fields, "alerts");
        let found = listed(api, &of_kind, "an alert")?;
        found.all(&format!("an alert of {kind}"), |row| {
            (row.text("type") != Some(kind)).then(|| row.json["type"].to_string())
        })?;
        let expected = uuids(&all.only(|row| row.text("type") == Some(kind)));
        expect(uuids(&found) == expected, format!("{} alerts of {kind}", expected.len()), found.rows.len())?;
        let long_ago = listed(api, &of_kind.with(&within(LONG_AGO)), "an alert")?;
        expect(long_ago.rows.is_empty(), "no alerts of the last century", long_ago.rows.len())?;
    }
    Held::once()
}

fn get_ignored(case: &Case) -> Verdict {
    let standing = Standing::find(case, 1)?;
    let api = standing.api;
    let product = product_of(api, &standing.project)?;
    let calls = [
        call("getOrganizationIgnoredAlerts", organization(api), "alerts"),
        call("getProductIgnoredAlerts", json!({"productToken": product}), "alerts"),
        call("getProjectIgnoredAlerts", json!({"projectToken": standing.project}), "alerts"),
    ];
    for (status, is_ignored) in [("Ignored", true), ("Active", false)] {
        standing.set(status)?;
        observed(standing.are_in("getProjectAlerts")? != is_ignored, "the status does not change")?;
        for call in &calls {
            let found = uuids(&listed(api, call, "an alert")?);
            let is_listed = standing.alerts.iter().all(|uuid| found.contains(uuid));
            let expected = format!("{status} alerts in {}: {is_ignored}", call.request_type);
            expect(is_listed == is_ignored, expected, is_listed)?;
        }
    }
    Held::once()
}

/// The token of a project's product.
fn product_of(api: Mend<'_>, project: &str) -> Result<String, Stop> {
    for product in tokens(&products(api)?, "productToken") {
        if tokens(&projects_of(api, &product)?, "projectToken").iter().any(|token| token == project) {
            return Ok(product);
        }
    }
    Err(Stop::NotExercised("no product has the project".to_owned()))
}

const COMMENTS: &str = "Looked at by the contract suite.";

/// The ignored alerts have what was said of them.
fn are_ignored_with_comments(standing: &Standing<'_>) -> Result<(), Stop> {
    let ignored = of_project(standing.api, "getProjectIgnoredAlerts", &standing.project)?;
    for uuid in &standing.alerts {
        let row = ignored.rows.iter().find(|row| row.text("alertUuid") == Some(uuid));
        let seen = row.map_or("none", |row| row.text("comments").unwrap_or("one without comments"));
        expect(seen == COMMENTS, format!("an ignored alert {uuid} with its comments"), seen)?;
    }
    expect(!standing.are_in("getProjectAlerts")?, "the alerts stand no longer", "they are still listed")
}

fn set_status(case: &Case) -> Verdict {
    let standing = Standing::find(case, 2)?;
    let answer = standing.ask("setAlertsStatus", &json!({"status": "Ignored", "comments": COMMENTS}))?;
    observed(!answer.is_refused(), "the status Ignored is refused")?;
    are_ignored_with_comments(&standing)?;
    standing.set("Active")?;
    expect(standing.are_in("getProjectAlerts")?, "the alerts stand again", "they are not listed")?;
    Held::once()
}

fn ignore(case: &Case) -> Verdict {
    let standing = Standing::find(case, 2)?;
    let answer = standing.ask("ignoreAlerts", &json!({"comments": COMMENTS}))?;
    observed(!answer.is_refused(), "ignoring alerts is refused")?;
    are_ignored_with_comments(&standing)?;
    Held::once()
}

fn message(case: &Case) -> Verdict {
    let standing = Standing::find(case, 1)?;
    for (request_type, more) in [
        ("ignoreAlerts", json!({"comments": COMMENTS})),
        ("setAlertsStatus", json!({"status": "Active"})),
        ("setAlertsStatus", json!({"status": "Ignored"})),
    ] {
        let answer = standing.ask(request_type, &more)?;
        observed(!answer.is_refused(), format!("{request_type} is refused"))?;
        if !answer.json["message"].is_string() {
            return broken_at(&answer.evidence, format!("a `message` of {request_type}"), &answer.json);
        }
    }
    Held::once()
}

fn comments(case: &Case) -> Verdict {
    let api = case.mend()?;
    let ignored = api.accepted("getOrganizationIgnoredAlerts", &organization(api))?;
    ignored.rows("alerts", "an ignored alert").each("comments", &Text)
}

fn fields(case: &Case) -> Verdict {
    let alerts = case.mend()?.alerts()?;
    for name in
        ["type", "level", "project", "projectToken", "date", "modifiedDate", "creation_date", "alertUuid"]
    {
        alerts.each(name, &FilledText)?;
    }
    alerts.each("library", &Object)?;
    alerts.each("projectId", &Integer)?;
    alerts.each("directDependency", &Boolean)?;
    alerts.each("description", &Text)?;
    alerts.each("time", &Integer)
}

fn security_fields(case: &Case) -> Verdict {
    let is_security = |row: &Row| row.text("type") == Some("SECURITY_VULNERABILITY");
    let alerts = case.mend()?.alerts()?.only(is_security);
    alerts.each("vulnerability", &Object)?;
    alerts.each("status", &FilledText)
}

fn date_is_the_day_of_time(case: &Case) -> Verdict {
    let dated = case
        .mend()?
        .alerts()?
        .only(|row| row.get("time").is_some_and(Value::is_i64) && row.text("date").is_some());
    dated.all("`date` is the day of `time`, in UTC", |row| {
        let time = jiff::Timestamp::from_millisecond(row.json["time"].as_i64()?).ok();
        let day = time.map(|time| time.strftime("%Y-%m-%d").to_string());
        (day.as_deref() != row.text("date")).then(|| format!("{:?} for {:?}", row.text("date"), day))
    })
}
