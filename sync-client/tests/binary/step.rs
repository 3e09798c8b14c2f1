//! Whether both sides are in step, looked at from outside: the vendors' world and the ticket file.

use std::collections::BTreeMap;

use fixtures::world::data_theorem::TargetStatus;
use fixtures::world::mend::ViolationStatus;
use sync_client::adapters::local::{CLIENT, Details};
use sync_client::core::model::{GroupId, OpKey};

use crate::world::World;

/// What the keys of tickets of this tracker begin with. Items may be in others too.
const OURS: &str = "LOCAL-";

/// What is not in step; nothing: all is well. People have not worked on tickets, and every item has one of its own.
pub(crate) fn problems(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    let tickets = world.tickets();
    let mut by_op: BTreeMap<&str, Vec<&Details>> = BTreeMap::new();
    for ticket in &tickets {
        by_op.entry(ticket.op.as_deref().unwrap_or("none")).or_default().push(ticket);
        problems.extend(repeated(ticket));
    }
    for (group, (is_open, links)) in items(world) {
        let op = OpKey::of(&GroupId::new(group.as_str()));
        match (by_op.remove(op.as_str()).as_deref().unwrap_or_default(), is_open) {
            ([], false) => {}
            // It has a ticket in somebody else's tracker.
            ([], true) if !links.is_empty() && links.iter().all(|link| !link.starts_with(OURS)) => {}
            ([ticket], is_open) => {
                if ticket.summary.is_done == is_open {
                    let status = &ticket.summary.status;
                    problems
                        .push(format!("{} is {status}, and {group} is open: {is_open}", ticket.summary.key));
                }
                let ours: Vec<&String> = links.iter().filter(|link| link.starts_with(OURS)).collect();
                if ours != [&ticket.summary.key] && (is_open || !ours.is_empty()) {
                    problems
                        .push(format!("{group} has {}, and the vendor knows {links:?}", ticket.summary.key));
                }
            }
            (several, _) => problems.push(format!("{group} has {} tickets, open: {is_open}", several.len())),
        }
    }
    problems.extend(
        by_op
            .values()
            .flatten()
            .filter(|ticket| !ticket.summary.is_done)
            .map(|ticket| format!("{} belongs to nothing that is there, and is open", ticket.summary.key)),
    );
    problems
}

/// A comment that the client made twice, with nothing in between.
fn repeated(ticket: &Details) -> Option<String> {
    let ours: Vec<&str> = ticket
        .comments
        .iter()
        .filter(|comment| comment.author == CLIENT)
        .map(|comment| comment.text.as_str())
        .collect();
    let twice = ours.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(format!("{} says twice {:?}", ticket.summary.key, twice[0]))
}

/// Every item of the vendors: whether it is open, and its tickets there.
pub(crate) fn items(world: &World) -> BTreeMap<String, (bool, Vec<String>)> {
    let spec = world.vendors_side();
    let mut items = BTreeMap::new();
    for target in &spec.data_theorem.security_finding_targets {
        let status = target.statuses.first().map(|one| one.status);
        let is_open =
            matches!(status, Some(TargetStatus::New | TargetStatus::Open | TargetStatus::OpenReadyToRescan));
        let links = target.external_id.clone().into_iter().collect();
        items.insert(format!("data-theorem/target/{}", target.id), (is_open, links));
    }
    for violation in &spec.mend.policy_violations {
        let links = spec.mend.external_issues.iter().filter(|issue| issue.violation_uuid == violation.uuid);
        let links = links.map(|issue| issue.identifier.clone()).collect();
        let policy = spec.mend.policies.iter().find(|policy| policy.id == violation.policy_id);
        let is_open =
            violation.status == ViolationStatus::Open && policy.is_some_and(|policy| policy.is_enabled);
        items.insert(
            format!("mend/violation/{}/{}", violation.project_token, violation.uuid),
            (is_open, links),
        );
    }
    items
}
