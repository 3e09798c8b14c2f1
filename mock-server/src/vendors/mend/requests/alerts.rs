//! Alerts: those that stand, those that somebody ignored, and ignoring them.

use std::sync::Arc;

use fixtures::spec::Rule;
use fixtures::spec::mend as ledger;
use fixtures::world::mend::{AlertStatus, AlertType};
use serde::Serialize;

use super::projects::projects;
use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::{datetimes, fields};
use crate::vendors::mend::store::{Alert, Moment, Project, Store, Window};
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::alerts::{View, alerts};

/// The alerts that stand.
pub(super) fn get_alerts(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let window = window(call)?;
    Ok(reply(account, call, window, false, |alert| alert.spec.status == AlertStatus::Active))
}

/// The alerts of one type that stand. Those of a project say whether its code reaches a vulnerability.
pub(super) fn get_alerts_by_type(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let kind = alert_type(call)?;
    let window = window(call)?;
    let with_reachability = matches!(call.scope, Scope::Project(_));
    Ok(reply(account, call, window, with_reachability, |alert| {
        alert.spec.kind == kind && alert.spec.status == AlertStatus::Active
    }))
}

/// The alerts that somebody ignored.
pub(super) fn get_ignored_alerts(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let window = window(call)?;
    Ok(reply(account, call, window, false, |alert| alert.spec.status == AlertStatus::Ignored))
}

fn reply(
    account: &Account,
    call: &Call<'_>,
    window: Window,
    with_reachability: bool,
    is_wanted: impl Fn(&Alert) -> bool,
) -> Vec<u8> {
    let mut rows: Vec<(&Project, &Alert)> = Vec::new();
    for project in projects(account, call) {
        for alert in account.store.alerts(project.spec.id) {
            let second = alert.spec.last_modified.as_second();
            if (window.from..=window.to).contains(&second) && is_wanted(alert) {
                rows.push((project, alert));
            }
        }
    }
    order::arrange(&mut rows, |(_, alert)| alert.spec.uuid.as_str(), call.readings);
    alerts(&account.store, &rows, View { version: call.version, now: call.now, with_reachability })
}

fn alert_type(call: &Call<'_>) -> Result<AlertType, Refused> {
    let rule = &ledger::MEND_ALERTS_GET_BY_TYPE;
    let text = fields::required_text(call.fields, "alertType", rule, call.readings)?;
    text.parse().map_err(|error| {
        let reason = format!("alertType is unknown: {error}");
        Refused::bad_value(&ledger::MEND_ALERTS_TYPES, reason, call.readings)
    })
}

/// The range of `fromDate` and `toDate`, of which both, one or none may be given. It looks at when alerts last
/// changed and holds both ends: no page says so.
fn window(call: &Call<'_>) -> Result<Window, Refused> {
    let bound = |name: &str| {
        let rule = &ledger::MEND_ALERTS_RANGE_FORMAT;
        let Some(text) = fields::optional_text(call.fields, name, rule, call.readings)? else {
            return Ok(None);
        };
        match datetimes::with_seconds(text) {
            Some(bound) => Ok(Some(bound.second)),
            None => {
                let reason = format!("{name} is no date of the form YYYY-MM-DD HH:mm:ss");
                Err(Refused::bad_value(rule, reason, call.readings))
            }
        }
    };
    Ok(Window { from: bound("fromDate")?.unwrap_or(i64::MIN), to: bound("toDate")?.unwrap_or(i64::MAX) })
}

/// Sets the status of alerts to `Active` or `Ignored`, of all of them or of none. Without `comments` those that are
/// there stay.
pub(super) fn set_alerts_status(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let rule = &ledger::MEND_ALERTS_SET_STATUS;
    let text = fields::required_text(call.fields, "status", rule, call.readings)?;
    let status = match text.parse() {
        Ok(AlertStatus::Resolved) => {
            let reason = "status can't be set to Resolved: a scan does that";
            return Err(Refused::bad_value(&ledger::MEND_ALERTS_STATUS_RESOLVED, reason, call.readings));
        }
        Ok(status) => status,
        Err(error) => {
            let reason = format!("status is unknown: {error}");
            return Err(Refused::bad_value(&ledger::MEND_ALERTS_STATUSES, reason, call.readings));
        }
    };
    set_status(account, call, status, rule)
}

/// Ignores alerts, all of them or none.
pub(super) fn ignore_alerts(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    set_status(account, call, AlertStatus::Ignored, &ledger::MEND_ALERTS_IGNORE)
}

/// What setting a status answers. Clients print the text; that it counts is ours.
#[derive(Serialize)]
struct Done {
    message: String,
}

fn set_status(
    account: &mut Account,
    call: &Call<'_>,
    status: AlertStatus,
    rule: &'static Rule,
) -> Result<Vec<u8>, Refused> {
    let uuids = fields::required_texts(call.fields, "alertUuids", rule, call.readings)?;
    let comments = fields::optional_text(call.fields, "comments", rule, call.readings)?;
    for (place, uuid) in uuids.iter().enumerate() {
        let Some(alert) = alert_in(&account.store, uuid, &call.scope) else {
            let reason = format!("alertUuids[{place}] is of no alert of the organization");
            return Err(Refused::bad_value(rule, reason, call.readings));
        };
        if alert.spec.status == AlertStatus::Resolved {
            let reason = format!("alertUuids[{place}] is of an alert that a scan has resolved");
            return Err(Refused::bad_value(&ledger::MEND_ALERTS_STATUS_RESOLVED, reason, call.readings));
        }
    }
    let mut changed = 0;
    for uuid in uuids {
        let mut moment = Moment::live(call.now, &mut account.ids);
        changed += usize::from(account.store.set_alert_status(uuid, status, comments, &mut moment).is_some());
    }
    Ok(wire::body(&Done {
        message: format!("Successfully set the status to {status}: {changed} alerts changed"),
    }))
}

/// The alert with this uuid, if it belongs to the organization.
fn alert_in<'a>(store: &'a Store, uuid: &str, scope: &Scope) -> Option<&'a Arc<Alert>> {
    let alert = store.alert(uuid)?;
    let project = store.project_of_id(alert.key.project)?;
    matches!(scope, Scope::Organization(id) if *id == project.organization).then_some(alert)
}
