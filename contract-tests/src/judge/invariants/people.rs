//! I9 and I10: what belongs to people.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::judge::case::{Case, group_of};
use crate::judge::ids::{GroupId, TicketKey};
use crate::judge::journal::{Call, Changed, Edited, Event, Reply, TrackerRequest, What};
use crate::judge::replay::Moment;
use crate::judge::state::{Author, Standing};

pub(super) fn fields_stay(case: &Case<'_>, findings: &mut Findings) {
    // Fields by ticket that a person changed after the client's last word, with the edit.
    let mut theirs: BTreeMap<(TicketKey, String), usize> = BTreeMap::new();
    let mut ours: BTreeMap<TicketKey, BTreeSet<String>> = BTreeMap::new();
    let mut conflicts: BTreeMap<TicketKey, usize> = BTreeMap::new();
    case.each(|moment, index, event| match &event.what {
        What::Edited(edit) => {
            let key = now_called(moment, &edit.ticket);
            let field = match &edit.what {
                Edited::SetField { name, .. } => name.clone(),
                Edited::LabelAdded(_) | Edited::LabelRemoved(_) => "labels".to_owned(),
                _ => return,
            };
            findings.saw();
            theirs.insert((key, field), index);
        }
        What::Tracker(TrackerRequest { call, answer }) => {
            if let Call::Create { ticket: Some(key), labels, .. } = call {
                ours.entry(key.clone()).or_default().extend(labels.iter().cloned());
            }
            let Some(key) = call.ticket().map(|key| now_called(moment, key)) else { return };
            let conflict = conflicts.get(&key).copied();
            match call {
                Call::Get { .. } if answer.reply == Reply::Done => {
                    conflicts.remove(&key);
                }
                call if call.is_write() => {
                    if let Some(conflict) = conflict {
                        let text = format!("{key} is written again after a conflict without looking at it");
                        findings.convict(case, &[conflict, index], text);
                    }
                }
                _ => {}
            }
            match call {
                Call::SetField { name, .. } => {
                    findings.saw();
                    if let Some(edit) = theirs.get(&(key.clone(), name.clone())) {
                        let text = format!("{name} of {key} was changed by a person and is overwritten");
                        findings.convict(case, &[*edit, index], text);
                    }
                }
                Call::Label { added, removed, .. } => {
                    findings.saw();
                    let ours = ours.entry(key.clone()).or_default();
                    if let Some(label) = removed.iter().find(|label| !ours.contains(*label)) {
                        let text =
                            format!("the label {label:?} of {key} is removed, which is not the client's");
                        findings.convict(case, &[index], text);
                    }
                    ours.extend(added.iter().cloned());
                }
                _ => {}
            }
            if call.is_write() && matches!(answer.reply, Reply::Refused(409 | 412)) {
                findings.saw();
                conflicts.insert(key, index);
            }
        }
        _ => {}
    });
}

fn now_called(moment: &Moment, key: &TicketKey) -> TicketKey {
    moment.state.ticket(key).map_or_else(|| key.clone(), |ticket| ticket.key.clone())
}

/// What the client may still do about a group's ticket.
#[derive(Debug, Default)]
struct Leave {
    /// An item came to need a ticket since the client last acted on that.
    is_wanted_again: bool,
    /// An item changed since the client last wrote a comment.
    has_news: bool,
    /// The person's last decision about the ticket, and whether the client wrote a comment since.
    decision: Option<(usize, bool)>,
}

pub(super) fn decisions_stand(case: &Case<'_>, findings: &mut Findings) {
    let mut leaves: BTreeMap<GroupId, Leave> = BTreeMap::new();
    case.each(|moment, index, event| match &event.what {
        What::Happened(change) => {
            if let Changed::Item(item) = &change.what {
                let leave = leaves.entry(item.group.clone()).or_default();
                let before = moment.state.items.get(&item.id).map(|item| item.standing);
                leave.has_news |= before != Some(item.standing);
                leave.is_wanted_again |= before != Some(Standing::Open) && item.standing == Standing::Open;
            }
        }
        What::Edited(edit) => {
            if let (Edited::SetDone(_), Some(group)) = (&edit.what, group_of(&moment.state, &edit.ticket)) {
                leaves.entry(group).or_default().decision = Some((index, false));
            }
        }
        What::RunEnded(_) => {
            for _ in leaves.values().filter(|leave| leave.decision.is_some()) {
                findings.saw();
            }
        }
        What::Tracker(request) => acts(case, findings, &mut leaves, moment, (index, event, request)),
        _ => {}
    });
}

fn acts(
    case: &Case<'_>,
    findings: &mut Findings,
    leaves: &mut BTreeMap<GroupId, Leave>,
    moment: &Moment,
    (index, _event, request): (usize, &Event, &TrackerRequest),
) {
    if let Call::Create { group: Some(group), .. } = &request.call {
        leaves.insert(group.clone(), Leave::default());
        return;
    }
    let Some(key) = request.call.ticket() else { return };
    let Some(group) = group_of(&moment.state, key) else { return };
    let is_theirs = moment
        .state
        .ticket(key)
        .is_some_and(|ticket| ticket.is_done && ticket.decided_by == Some(Author::Person));
    let leave = leaves.entry(group).or_default();
    let decision = leave.decision.map(|(decision, _)| decision);
    let shown: Vec<usize> = decision.into_iter().chain([index]).collect();
    let is_repeated = case.repeats_doubt(index);
    // What was surely not done uses no news up.
    let is_done = request.answer.reply.may_have_taken_effect();
    match &request.call {
        Call::SetDone { is_done: false, .. } => {
            if is_theirs && !leave.is_wanted_again && !is_repeated {
                let text = format!("{key} was closed by a person and is opened again without news");
                findings.convict(case, &shown, text);
            }
            leave.is_wanted_again &= !is_done;
        }
        Call::Comment { .. } => {
            let has_spoken = leave.decision.is_some_and(|(_, has_spoken)| has_spoken);
            if is_theirs && has_spoken && !leave.has_news && !is_repeated {
                let text = format!("{key} was closed by a person and gets another comment without news");
                findings.convict(case, &shown, text);
            }
            leave.has_news &= !is_done;
            leave.decision = leave.decision.map(|(decision, has_spoken)| (decision, has_spoken || is_done));
        }
        _ => {}
    }
}
