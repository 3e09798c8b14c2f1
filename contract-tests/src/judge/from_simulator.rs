//! From the simulators' journals and worlds to histories and states. The one file here that knows the simulators.
//!
//! Deliberately absent: trackers. Whoever plays one tells what it was asked.

use std::collections::BTreeMap;

use fixtures::world::WorldSpec;
use fixtures::world::mend::{ActionType, ExternalIssueSpec, ViolationStatus};
use jiff::Timestamp;
use mock_server::kernel::faults::{Effect, Fault};
use mock_server::kernel::journal::Entry;
use serde_json::{Map, Value, json};

use super::capabilities::Grouping;
use super::ids::{ItemId, RunId, TicketKey};
use super::journal::{
    Answer, Change, Changed, Event, HowLong, Reply, Vendor, VendorRequest, Wait, WaitScope, What,
};
use super::state::{Link, Standing, VendorItem};
use super::vendor_requests;

/// The event that a journal entry is. `fault` is the planned fault that the entry names. None: the request was to
/// neither vendor.
pub fn event(entry: &Entry, fault: Option<&Fault>, run: Option<RunId>) -> Option<Event> {
    let path = &entry.request.path;
    let vendor = if path.starts_with("/apis/mobile_security/") {
        Vendor::DataTheorem
    } else if path.starts_with("/api/v1.") {
        Vendor::Mend
    } else {
        return None;
    };
    let body = entry.request.body.as_ref().and_then(|body| serde_json::from_slice(&body.0).ok());
    let request = VendorRequest {
        vendor,
        operation: entry.operation.to_string(),
        method: entry.request.method.to_string(),
        path: path.clone(),
        query: entry.request.query.clone(),
        body: body.unwrap_or(Value::Null),
        answer: answer(entry, fault),
    };
    Some(Event { at: entry.time, run, what: What::Vendor(request) })
}

fn answer(entry: &Entry, fault: Option<&Fault>) -> Answer {
    let effect = fault.map(|fault| &fault.effect);
    let is_granted = entry.rule.is_none();
    let (reply, is_rewritten) = match effect {
        Some(
            Effect::Hang
            | Effect::ConnectionReset
            | Effect::EmptyResponse
            | Effect::MalformedChunk
            | Effect::TruncatedJson,
        ) => (Reply::Lost, false),
        Some(Effect::Reply { status, body, .. }) => planned_reply(*status, body),
        Some(Effect::Rewrite { .. }) => (reply(entry, is_granted), true),
        Some(Effect::Delay { .. } | Effect::RepeatRows { .. }) | None => (reply(entry, is_granted), false),
    };
    Answer {
        is_applied: entry.phases.applied && is_granted,
        reply,
        fault: entry.fault.map(|id| match effect {
            Some(effect) => format!("{id}: {effect:?}"),
            None => id.to_string(),
        }),
        is_rewritten,
        wait: effect.and_then(wait),
    }
}

fn reply(entry: &Entry, is_granted: bool) -> Reply {
    match entry.status {
        None => Reply::Lost,
        // Mend says no with 200.
        Some(status @ 200..=299) if !is_granted => {
            let body = entry.reply.as_ref().map_or(&b""[..], |body| &body.0);
            mend_refusal(body).unwrap_or(Reply::Refused(status))
        }
        Some(status) => of_status(status),
    }
}

fn planned_reply(status: u16, body: &str) -> (Reply, bool) {
    if !(200..=299).contains(&status) {
        return (of_status(status), false);
    }
    match serde_json::from_str::<Value>(body) {
        Err(_) if body.is_empty() && status == 204 => (Reply::Done, true),
        Err(_) => (Reply::Lost, false),
        Ok(_) => match mend_refusal(body.as_bytes()) {
            Some(refusal) => (refusal, false),
            None => (Reply::Done, true),
        },
    }
}

fn mend_refusal(body: &[u8]) -> Option<Reply> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.get("errorCode")?.as_u64() {
        Some(2007 | 2011 | 5001) => Some(Reply::Denied),
        _ => Some(Reply::Refused(200)),
    }
}

fn of_status(status: u16) -> Reply {
    match status {
        200..=299 => Reply::Done,
        401 | 403 => Reply::Denied,
        404 => Reply::NotFound,
        429 => Reply::TooMany,
        500..=599 => Reply::Failed(status),
        other => Reply::Refused(other),
    }
}

/// The vendors' pages say nothing of limits, so a wait is taken to be as narrow as it can be.
fn wait(effect: &Effect) -> Option<Wait> {
    let Effect::Reply { status, headers, .. } = effect else { return None };
    let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let header = header.map(|(_, value)| value.as_str());
    let is_demanded = *status == 429 || (*status == 503 && header.is_some());
    is_demanded.then(|| Wait { how_long: HowLong::parse(header), scope: WaitScope::Operation })
}

/// An item, and the time under which lists that are asked for what is new show it.
type Listed = (VendorItem, Vec<Timestamp>);

/// The vendors' items in a world.
pub fn items(world: &WorldSpec, grouping: Grouping) -> BTreeMap<ItemId, VendorItem> {
    listed(world, grouping).into_iter().map(|(id, (item, _))| (id, item)).collect()
}

/// What changed from one world to another.
pub fn changes(before: &WorldSpec, after: &WorldSpec, grouping: Grouping) -> Vec<Change> {
    let projects = &after.mend.projects;
    let (mut before, after) = (listed(before, grouping), listed(after, grouping));
    let mut changes = Vec::new();
    for (id, (item, times)) in after {
        let (was, old_times) = match before.remove(&id) {
            Some((was, times)) => (Some(was), times),
            None => (None, Vec::new()),
        };
        if was.as_ref() == Some(&item) {
            continue;
        }
        // Every list on the way to the item has to show it, so the oldest time counts.
        let is_shown = times.iter().enumerate().all(|(place, time)| old_times.get(place) != Some(time));
        let listed_at = times.into_iter().min().filter(|_| is_shown);
        changes.push(Change { what: Changed::Item(item), listed_at });
    }
    for (id, (item, _)) in before {
        // Mend drops a violation with its policy; what no longer applies is over. With its project, nothing is said.
        let project = item.scope.last_part();
        let is_over = item.vendor() == Vendor::Mend && projects.iter().any(|known| known.token() == project);
        let what = if is_over {
            let status = ViolationStatus::Resolved.as_str().to_owned();
            Changed::Item(VendorItem { standing: Standing::Closed, status, ..item })
        } else {
            Changed::Gone(id)
        };
        changes.push(Change { what, listed_at: None });
    }
    changes
}

fn listed(world: &WorldSpec, grouping: Grouping) -> BTreeMap<ItemId, Listed> {
    data_theorem(world, grouping)
        .chain(mend(world, grouping))
        .map(|listed| (listed.0.id.clone(), listed))
        .collect()
}

fn data_theorem(world: &WorldSpec, grouping: Grouping) -> impl Iterator<Item = Listed> {
    let account = &world.data_theorem;
    let findings: BTreeMap<_, _> =
        account.security_findings.iter().map(|finding| (finding.id.as_str(), finding)).collect();
    let apps: BTreeMap<_, _> = account.mobile_apps.iter().map(|app| (app.id.as_str(), app)).collect();
    account.security_finding_targets.iter().filter_map(move |target| {
        let finding = findings.get(target.security_finding_id.as_str())?;
        let app = apps.get(finding.mobile_app_id.as_str())?;
        let status = target.statuses.first()?.status.as_str();
        let id = format!("data-theorem/target/{}", target.id);
        let group =
            if grouping.by_finding { format!("data-theorem/finding/{}", finding.id) } else { id.clone() };
        let external = target.external_id.as_deref().filter(|id| !id.is_empty()).map(TicketKey::from);
        let item = VendorItem {
            id: id.into(),
            group: group.into(),
            scope: format!("data-theorem/app/{}", app.id).into(),
            parent: finding.id.clone(),
            standing: vendor_requests::standing(status),
            status: status.to_owned(),
            link: Link::External(external),
        };
        Some((item, vec![target.results_last_updated, app.results_last_updated]))
    })
}

fn mend(world: &WorldSpec, grouping: Grouping) -> impl Iterator<Item = Listed> {
    let account = &world.mend;
    let opens_issues = |policy: &u64| {
        let policy = account.policies.iter().find(|known| known.id == *policy);
        policy.map(|policy| {
            (
                policy.action.kind == ActionType::CreateIssue && policy.action.issue_tracker.is_some(),
                policy.is_enabled,
            )
        })
    };
    account.policy_violations.iter().filter_map(move |violation| {
        let Some((true, is_enabled)) = opens_issues(&violation.policy_id) else { return None };
        let project = &violation.project_token;
        let id = format!("mend/violation/{project}/{}", violation.uuid);
        let group = if grouping.by_library {
            format!("mend/library/{project}/{}", violation.key_uuid)
        } else {
            id.clone()
        };
        let is_open = violation.status == ViolationStatus::Open && is_enabled;
        let reports = account.external_issues.iter().filter(|issue| issue.violation_uuid == violation.uuid);
        let item = VendorItem {
            id: id.into(),
            group: group.into(),
            scope: format!("mend/project/{project}").into(),
            parent: violation.key_uuid.clone(),
            standing: if is_open { Standing::Open } else { Standing::Closed },
            status: violation.status.as_str().to_owned(),
            link: Link::Reports(
                reports.map(|issue| (issue.identifier.as_str().into(), reported(issue))).collect(),
            ),
        };
        Some((item, vec![violation.last_modified]))
    })
}

/// A report as a request would say it.
fn reported(issue: &ExternalIssueSpec) -> Map<String, Value> {
    let ExternalIssueSpec { violation_uuid: _, identifier, url, status, created, last_modified, extra_data } =
        issue;
    let mut fields = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    say("identifier", Some(json!(identifier)));
    say("url", url.as_ref().map(|url| json!(url)));
    say("status", status.as_ref().map(|status| json!(status)));
    say("created", created.map(|date| json!(date.to_string())));
    say("lastModified", last_modified.map(|date| json!(date.to_string())));
    say("extraData", (!extra_data.is_empty()).then(|| json!(extra_data)));
    fields
}
