//! `mobile_apps`: the list that a sync starts from, and one app.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem as ledger;
use fixtures::world::data_theorem::{ScanStatus, Subscription};

use super::{Account, Call, Refusal, Reply, render_list};
use crate::vendors::data_theorem::rules::auth;
use crate::vendors::data_theorem::rules::filters::{FilterSpec, Filters, ListSpec, Values};
use crate::vendors::data_theorem::store::{App, AppFilter};
use crate::vendors::data_theorem::wire;

static LIST: ListSpec = ListSpec {
    name: "mobile_apps",
    filters: &[
        FilterSpec {
            name: "platform",
            rule: &ledger::DT_APPS_LIST_PLATFORM,
            values: Values::Words(&["ANDROID", "ANDROID_AMAZON", "ANDROID_OCULUS", "WINDOWS_PHONE", "IOS"]),
            repeatable: false,
        },
        FilterSpec {
            name: "release_type",
            rule: &ledger::DT_APPS_LIST_RELEASE_TYPE,
            values: Values::Words(&["APP_STORE", "PRE_PROD"]),
            repeatable: false,
        },
        FilterSpec {
            name: "results_since",
            rule: &ledger::DT_APPS_LIST_RESULTS_SINCE,
            values: Values::Timestamp,
            repeatable: false,
        },
        FilterSpec {
            name: "scan_status",
            rule: &ledger::DT_APPS_LIST_SCAN_STATUS,
            values: Values::Words(&["NO_SCANS_INITIATED", "SCAN_ONGOING", "SCAN_COMPLETED"]),
            repeatable: false,
        },
        FilterSpec {
            name: "subscription",
            rule: &ledger::DT_APPS_LIST_SUBSCRIPTION,
            values: Values::Words(&["APP_LOGIC", "DYNAMIC", "NO_SUBSCRIPTION", "P1_ALERTS", "STATIC"]),
            repeatable: true,
        },
        FilterSpec {
            name: "blocked_scan_reason",
            rule: &ledger::DT_APPS_LIST_BLOCKED_SCAN_REASON,
            values: Values::Text,
            repeatable: false,
        },
    ],
};

/// `GET mobile_apps`
pub(super) fn list_mobile_apps(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let request = call.page(&LIST, account)?;
    let filter = app_filter(&request.filters, call.key.spec.mobile_app_ids.clone());
    let page = account.store.list_apps(&filter, request.window(account));
    let push = |out: &mut Vec<u8>, app: &App| wire::push_app(out, app, account.readings());
    Ok(render_list(&LIST, "mobile_apps", &request, &page, account, push))
}

fn app_filter(filters: &Filters, ids: Option<BTreeSet<String>>) -> AppFilter {
    let scan_status = filters.one("scan_status").map(|wanted| {
        let statuses = ScanStatus::ALL.iter().copied().map(Some).chain([None]);
        statuses.filter(|status| wire::app_scan_status(*status) == wanted).collect()
    });
    AppFilter {
        ids,
        platform: filters.one("platform").and_then(|text| text.parse().ok()),
        release_type: filters.one("release_type").and_then(|text| text.parse().ok()),
        subscriptions: filters
            .all("subscription")
            .iter()
            .filter_map(|text| text.parse::<Subscription>().ok())
            .collect(),
        scan_status,
        blocked_scan_reason: filters.one("blocked_scan_reason").map(str::to_owned),
    }
}

/// `GET mobile_apps/:id`
pub(super) fn get_mobile_app(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let app = visible_app(account, call)?;
    let mut body = Vec::new();
    wire::push_app(&mut body, app, account.readings());
    Ok(Reply::ok(body))
}

/// The app that the path names, if it exists and the key may see it.
pub(super) fn visible_app<'a>(account: &'a Account, call: &Call<'_>) -> Result<&'a App, Refusal> {
    let id = call.id(0);
    let Some(app) = account.store.app(id) else {
        return Err(auth::unknown_id("mobile app", id, account.readings()));
    };
    if call.key.sees(&app.facts.id) {
        Ok(app)
    } else {
        Err(auth::out_of_scope(&ledger::DT_AUTH_APP_SCOPE, &app.facts.id, account.readings()))
    }
}

/// The apps that a list of findings or targets is limited to, by its filter and by the key.
pub(super) fn app_scope(
    account: &Account,
    call: &Call<'_>,
    wanted: Option<&str>,
) -> Result<Option<BTreeSet<String>>, Refusal> {
    let readings = account.readings();
    let Some(wanted) = wanted else { return Ok(call.key.spec.mobile_app_ids.clone()) };
    if account.store.app(wanted).is_none() {
        if readings.unknown_app_filter == crate::vendors::data_theorem::readings::UnknownAppFilter::NotFound {
            let reason = format!("there is no mobile app {wanted}");
            return Err(Refusal::reading(404, &ledger::DT_UNKNOWN_APP_FILTER, reason));
        }
    } else if !call.key.sees(wanted) {
        return Err(auth::out_of_scope(&ledger::DT_AUTH_APP_SCOPE, wanted, readings));
    }
    Ok(Some(BTreeSet::from([wanted.to_owned()])))
}
