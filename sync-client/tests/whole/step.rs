//! Whether both sides are in step, looked at from outside: the vendors' world and the tracker's tickets.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::world::WorldSpec;
use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::mend::ViolationStatus;
use sync_client::core::model::{GroupId, OpKey};

use crate::world::World;

/// What the vendor says of an item, and which ticket it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) is_open: bool,
    pub(crate) links: Vec<String>,
}

/// What is not in step; nothing: all is well. Tickets in `left_to_people` were closed or opened by people, whose word
/// stands. Grouping is one ticket per item.
pub(crate) fn problems(world: &World, left_to_people: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut by_op: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for ticket in world.tracker.tickets() {
        if let Some(op) = ticket.op {
            by_op.entry(op).or_default().push((ticket.summary.key, ticket.summary.is_done));
        }
    }
    let items = items(&world.vendors_side());
    let mut known = BTreeSet::new();
    for (group, side) in &items {
        let op = OpKey::of(&GroupId::new(group.as_str())).as_str().to_owned();
        let of_item = by_op.get(&op).cloned().unwrap_or_default();
        known.insert(op);
        match (of_item.as_slice(), side.is_open) {
            ([], true) => problems.push(format!("{group} is open and has no ticket")),
            ([], false) => {}
            ([(key, is_done)], is_open) => {
                if *is_done == is_open && !left_to_people.contains(key) {
                    problems.push(format!("{key} is done: {is_done}, and {group} is open: {is_open}"));
                }
                // Only what is still there can be told its ticket.
                if side.links != [key.clone()] && (is_open || !side.links.is_empty()) {
                    problems.push(format!("{group} has {key}, and the vendor knows {:?}", side.links));
                }
            }
            (several, _) => problems.push(format!("{group} has {several:?}")),
        }
    }
    for (op, tickets) in by_op.iter().filter(|(op, _)| !known.contains(*op)) {
        if tickets.iter().any(|(_, is_done)| !is_done) {
            problems.push(format!("{tickets:?} with {op} belongs to nothing that is there, and is open"));
        }
    }
    problems
}

/// Every item, by the group it is alone in.
pub(crate) fn items(spec: &WorldSpec) -> BTreeMap<String, Side> {
    let mut items = BTreeMap::new();
    for target in &spec.data_theorem.security_finding_targets {
        let status = target.statuses.first().map(|one| one.status);
        let is_open =
            matches!(status, Some(TargetStatus::New | TargetStatus::Open | TargetStatus::OpenReadyToRescan));
        let links = target.external_id.clone().into_iter().collect();
        items.insert(format!("data-theorem/target/{}", target.id), Side { is_open, links });
    }
    for violation in &spec.mend.policy_violations {
        let links = spec.mend.external_issues.iter().filter(|issue| issue.violation_uuid == violation.uuid);
        let links = links.map(|issue| issue.identifier.clone()).collect();
        let policy = spec.mend.policies.iter().find(|policy| policy.id == violation.policy_id);
        let is_open =
            violation.status == ViolationStatus::Open && policy.is_some_and(|policy| policy.is_enabled);
        let group = format!("mend/violation/{}/{}", violation.project_token, violation.uuid);
        items.insert(group, Side { is_open, links });
    }
    items
}
