//! `security_finding_targets`: the affected components.

use std::sync::Arc;

use fixtures::spec::data_theorem as ledger;
use fixtures::world::data_theorem::Permission;
use smol_str::SmolStr;

use super::mobile_apps::app_scope;
use super::security_findings::write_note;
use super::{Account, Call, Refusal, Reply, render_list};
use crate::vendors::data_theorem::readings::{
    ExternalIdBumps, ManualStatusBumps, StatusPermission, StatusReasonPermission,
};
use crate::vendors::data_theorem::rules::bodies::ExternalIdChange;
use crate::vendors::data_theorem::rules::filters::{FilterSpec, ListSpec, Values};
use crate::vendors::data_theorem::rules::{auth, statuses};
use crate::vendors::data_theorem::store::{Group, Shape, StatusEntry, Target, TargetFilter};
use crate::vendors::data_theorem::wire;

static LIST: ListSpec = ListSpec {
    name: "security_finding_targets",
    filters: &[
        FilterSpec {
            name: "mobile_app_id",
            rule: &ledger::DT_TARGETS_LIST_MOBILE_APP_ID,
            values: Values::Integer,
            repeatable: false,
        },
        FilterSpec {
            name: "results_since",
            rule: &ledger::DT_TARGETS_LIST_RESULTS_SINCE,
            values: Values::Timestamp,
            repeatable: false,
        },
        FilterSpec {
            name: "security_finding_id",
            rule: &ledger::DT_TARGETS_LIST_SECURITY_FINDING_ID,
            values: Values::Text,
            repeatable: false,
        },
        FilterSpec {
            name: "status_group",
            rule: &ledger::DT_TARGETS_LIST_STATUS_GROUP,
            values: Values::Words(&["CLOSED", "OPEN"]),
            repeatable: false,
        },
        FilterSpec {
            name: "issue_type_id",
            rule: &ledger::DT_TARGETS_LIST_ISSUE_TYPE_ID,
            values: Values::Text,
            repeatable: false,
        },
    ],
};

/// `GET security_finding_targets`
pub(super) fn list_security_finding_targets(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let request = call.page(&LIST, account)?;
    let filters = &request.filters;
    let filter = TargetFilter {
        mobile_app_ids: app_scope(account, call, filters.one("mobile_app_id"))?,
        security_finding_id: filters.one("security_finding_id").map(str::to_owned),
        issue_type_id: filters.one("issue_type_id").map(str::to_owned),
        group: Group::named(filters.one("status_group")),
    };
    let page = account.store.list_targets(&filter, request.window(account));
    let readings = account.readings();
    let push = |out: &mut Vec<u8>, target: &Target| wire::push_target(out, target, Shape::List, readings);
    Ok(render_list(&LIST, wire::targets_list_key(readings), &request, &page, account, push))
}

/// `GET security_finding_targets/:id`
pub(super) fn get_security_finding_target(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let target = visible_target(account, call)?;
    Ok(render(account, &target))
}

/// `PATCH security_finding_targets/:id`: sets `external_id` and nothing else.
pub(super) fn patch_security_finding_target(
    account: &mut Account,
    call: &Call<'_>,
) -> Result<Reply, Refusal> {
    let target = visible_target(account, call)?;
    let readings = *account.readings();
    let change = call.body(&readings).external_id_change(&mut call.flags.borrow_mut())?;
    let bump = (readings.external_id_bumps == ExternalIdBumps::Yes).then_some(call.now);
    let external_id = match &change {
        ExternalIdChange::Unchanged => return Ok(render(account, &target)),
        ExternalIdChange::Cleared => None,
        ExternalIdChange::Set(id) => Some(id.as_str()),
    };
    account.store.set_external_id(&target, external_id, target.external_bug_tracker_url.as_deref(), bump);
    let target = visible_target(account, call)?;
    Ok(render(account, &target))
}

/// `POST security_finding_targets/:id/statuses`: closes or reopens.
pub(super) fn post_status(account: &mut Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let target = visible_target(account, call)?;
    let readings = *account.readings();
    if readings.status_permission == StatusPermission::ClosePermission {
        let granted = call.key.may(Permission::CloseIssues);
        auth::permission(
            granted,
            &ledger::DT_FINDING_CLOSE_PERMISSION,
            "results_api.can_close_issues",
            &readings,
        )
        .map_err(|refusal| Refusal::reading(refusal.status, &ledger::DT_STATUS_PERMISSION, refusal.reason))?;
    }
    let change = call.body(&readings).status_change(&mut call.flags.borrow_mut())?;
    let finding = account.store.finding(&target.facts.security_finding_id).cloned();
    let permanently_closed = finding.as_ref().is_some_and(|finding| finding.is_permanently_closed);
    statuses::manual_change(target.current.status, change.status, permanently_closed, &readings)?;
    if change.reason.is_some()
        && readings.status_reason_permission == StatusReasonPermission::CommentPermission
        && !call.key.may(Permission::CommentOnIssues)
    {
        let reason =
            "the API key lacks results_api.can_comment_on_issues, which a reason needs under this reading";
        let status = auth::missing_permission(&readings);
        return Err(Refusal::reading(status, &ledger::DT_STATUS_REASON_PERMISSION, reason));
    }

    let bump = (readings.manual_status_bumps == ManualStatusBumps::Yes).then_some(call.now);
    let entry = StatusEntry { status: change.status, date: call.now, build_version: None::<SmolStr> };
    account.store.push_status(&target, entry, bump);
    if permanently_closed && !change.status.is_closed() {
        reopen_for_good(account, &target);
    }
    if let Some(reason) = change.reason {
        write_note(account, call, &target.facts.security_finding_id, reason, false);
    }
    Ok(Reply::no_content())
}

/// A finding with a target that a client has reopened is permanently closed no longer.
fn reopen_for_good(account: &mut Account, target: &Target) {
    if let Some(finding) = account.store.finding(&target.facts.security_finding_id).cloned() {
        account.store.set_permanently_closed(&finding, false);
    }
}

fn render(account: &Account, target: &Target) -> Reply {
    let mut body = Vec::with_capacity(2048);
    wire::push_target(&mut body, target, Shape::Item, account.readings());
    Reply::ok(body)
}

/// The target that the path names, if it exists and the key may see its app.
fn visible_target(account: &Account, call: &Call<'_>) -> Result<Arc<Target>, Refusal> {
    let id = call.id(0);
    let Some(target) = account.store.target(id) else {
        return Err(auth::unknown_id("security finding target", id, account.readings()));
    };
    if call.key.sees(&target.facts.mobile_app_id) {
        Ok(Arc::clone(target))
    } else {
        let app = &target.facts.mobile_app_id;
        Err(auth::out_of_scope(&ledger::DT_AUTH_APP_SCOPE, app, account.readings()))
    }
}
