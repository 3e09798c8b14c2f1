//! What a run asked for and did not get in the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::case::{Case, Request, Run, group_of};
use crate::judge::ids::GroupId;
use crate::judge::journal::{Call, Reply, Vendor};
use crate::judge::vendor_requests::About;

/// Whom a failure concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// What a vendor was asked about.
    Vendor(About),
    /// The ticket of a group.
    Group(GroupId),
    /// The tracker as a whole.
    Tracker,
}

impl Subject {
    /// Whom a request concerns.
    pub(super) fn of(case: &Case<'_>, request: Request<'_>) -> Self {
        match request {
            Request::Vendor(request) => Self::Vendor(request.about()),
            Request::Tracker(request) => {
                let group = match &request.call {
                    Call::Create { group, .. } | Call::Find { group, .. } => group.clone(),
                    call => call.ticket().and_then(|ticket| group_of(&case.last, ticket)),
                };
                group.map_or(Self::Tracker, Self::Group)
            }
        }
    }

    /// Whether everything is concerned.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Self::Tracker | Self::Vendor(About::Everything))
    }

    /// Whether a group is concerned.
    pub(super) fn covers(&self, case: &Case<'_>, group: &GroupId) -> bool {
        match self {
            Self::Tracker => true,
            Self::Group(own) => own == group,
            Self::Vendor(about) => case.known.values().any(|item| item.group == *group && about.covers(item)),
        }
    }

    /// Whether a text names it, by any of the names it has.
    pub(super) fn is_named(&self, case: &Case<'_>, text: &str) -> bool {
        let group = match self {
            Self::Tracker | Self::Vendor(About::Everything) => return true,
            Self::Vendor(about) => return text.contains(about.name()) || self.names_part(case, text),
            Self::Group(group) => group,
        };
        let mut items = case.known.values();
        let tickets = case.last.tickets.values().filter(|ticket| ticket.origin.as_ref() == Some(group));
        text.contains(group.last_part())
            || items.any(|item| item.group == *group && text.contains(item.id.last_part()))
            || tickets
                .flat_map(|ticket| ticket.former_keys.iter().chain([&ticket.key]))
                .any(|key| text.contains(key.as_str()))
    }

    fn names_part(&self, case: &Case<'_>, text: &str) -> bool {
        let Self::Vendor(about) = self else { return false };
        case.known.values().any(|item| about.covers(item) && text.contains(item.id.last_part()))
    }
}

/// A request that was not granted, nor any later one for the same.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The last attempt.
    pub(super) index: usize,
    /// Whom it concerns.
    pub(super) subject: Subject,
}

/// The failures of a run.
pub(super) fn failures(case: &Case<'_>, run: &Run<'_>) -> Vec<Failure> {
    ends(case, run).into_iter().filter(|(_, end)| *end == End::Failed).map(|(failure, _)| failure).collect()
}

/// Whom something hindered in a run: by a failure, or by an answer that was lost on its way.
pub(super) fn hindered(case: &Case<'_>, run: &Run<'_>) -> BTreeSet<Subject> {
    ends(case, run).into_iter().map(|(failure, _)| failure.subject).collect()
}

/// How the last of several requests for the same went, if not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It has happened, and nobody said so: whoever believes that it has is right, and whoever waits is, too.
    Unheard,
    Failed,
}

/// What is the same in requests of which the last one counts: operation, vendor and whom it concerns.
type Asked = (String, Option<Vendor>, Subject);

fn ends(case: &Case<'_>, run: &Run<'_>) -> Vec<(Failure, End)> {
    let mut last: BTreeMap<Asked, Option<(usize, End)>> = BTreeMap::new();
    for (index, _, request) in case.requests(run) {
        let subject = Subject::of(case, request);
        let (name, vendor) = match request {
            Request::Vendor(request) => (request.operation.clone(), Some(request.vendor)),
            Request::Tracker(request) => (request.call.name().to_owned(), None),
        };
        // A search that finds the ticket settles a create that failed. It may have come too late for this run.
        if let Request::Tracker(found) = request
            && matches!(&found.call, Call::Find { found, .. } if !found.is_empty())
            && let Some(Some((_, end))) = last.get_mut(&("create".to_owned(), None, subject.clone()))
        {
            *end = End::Unheard;
        }
        let end = end(request, &subject).map(|end| (index, end));
        last.insert((name, vendor, subject), end);
    }
    let ends = last.into_iter().filter_map(|((.., subject), end)| {
        let (index, end) = end?;
        Some((Failure { index, subject }, end))
    });
    ends.collect()
}

fn end(request: Request<'_>, subject: &Subject) -> Option<End> {
    let (answer, is_write) = (request.answer(), request.is_write());
    match answer.reply {
        Reply::Done => None,
        // A row that is gone is an answer; a list that is not there is none.
        Reply::NotFound => (is_write || is_list(request, subject)).then_some(End::Failed),
        // The other side is as it was wanted, or has changed and is looked at again.
        Reply::Refused(409 | 412) => (!is_write).then_some(End::Failed),
        Reply::Refused(_) | Reply::Denied | Reply::TooMany | Reply::NotSent => Some(End::Failed),
        Reply::Failed(_) | Reply::Lost => {
            Some(if is_write && answer.is_applied { End::Unheard } else { End::Failed })
        }
    }
}

fn is_list(request: Request<'_>, subject: &Subject) -> bool {
    match (request, subject) {
        (_, Subject::Vendor(About::Everything)) => true,
        (Request::Vendor(request), Subject::Vendor(About::Scope(_))) => !request.query.is_empty(),
        _ => false,
    }
}
