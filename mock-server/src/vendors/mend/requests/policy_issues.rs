//! `fetchProjectPolicyIssues`: what the issue policies match in a project, and so which issues a plugin should open.

use fixtures::spec::mend as ledger;
use fixtures::world::mend::PolicySpec;

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::readings::{
    ActionTypeSpelling, FetchFirstPage, FetchPaging, FetchWindowField, FetchWindowRows, PolicyActionType,
    ResolvedViolations,
};
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::{fields, windows};
use crate::vendors::mend::store::{LibraryId, Match, Project, Violation, Window};
use crate::vendors::mend::wire::policy_issues as wire;

/// Issues to a page, where a request names the page but not its size.
const PAGE_SIZE: usize = 100;

/// One element for each policy and library, with the violations that lie in the window.
pub(super) fn fetch_project_policy_issues(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let wants_issues = action_type(call)?;
    let window = windows::of_fetch(call.fields, call.readings)?;
    let page = page(call)?;
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let mut issues = if wants_issues { issues(account, project, window, call) } else { Vec::new() };
    order::arrange(&mut issues, |issue| format!("{}/{}", issue.policy.id, issue.library), call.readings);
    let issues = match page {
        Some(Page { skip, size }) => issues.into_iter().skip(skip).take(size).collect(),
        None => issues,
    };
    Ok(wire::reply(account, project, call.version, &issues))
}

/// A policy, a library, and what of the one the other violates.
pub(in crate::vendors::mend) struct Issue<'a> {
    pub(in crate::vendors::mend) policy: &'a PolicySpec,
    pub(in crate::vendors::mend) library: LibraryId,
    pub(in crate::vendors::mend) row: &'a Match,
    pub(in crate::vendors::mend) violations: Vec<&'a Violation>,
}

fn issues<'a>(account: &'a Account, project: &Project, window: Window, call: &Call<'_>) -> Vec<Issue<'a>> {
    let readings = call.readings;
    let mut issues = Vec::new();
    for (policy, library, row) in account.store.matches(project.spec.id) {
        let Some(policy) = account.store.policy(policy).filter(|policy| account.store.is_listed(policy))
        else {
            continue;
        };
        let mut violations: Vec<&Violation> = row
            .violations
            .iter()
            .map(|violation| &**violation)
            .filter(|violation| {
                violation.is_open() || readings.resolved_violations == ResolvedViolations::Listed
            })
            .collect();
        let is_inside = |violation: &Violation| {
            let time = match readings.fetch_window_field {
                FetchWindowField::Created => violation.spec.created,
                FetchWindowField::LastModified => violation.spec.last_modified,
            };
            (window.from..=window.to).contains(&time.as_second())
        };
        match readings.fetch_window_rows {
            FetchWindowRows::ViolationsInside => violations.retain(|violation| is_inside(violation)),
            FetchWindowRows::WholeIssue => {
                if !violations.iter().any(|violation| is_inside(violation)) {
                    violations.clear();
                }
            }
        }
        if !violations.is_empty() {
            issues.push(Issue { policy, library, row, violations });
        }
    }
    issues
}

/// Whether the request is about the one kind of action that is supported.
fn action_type(call: &Call<'_>) -> Result<bool, Refused> {
    let (field, readings) = ("policyActionType", call.readings);
    match fields::optional_text(call.fields, field, &ledger::MEND_FETCH_ACTION_TYPE, readings)? {
        None | Some("CREATE_ISSUE") => Ok(true),
        Some("Create Issue") if readings.action_type_spelling == ActionTypeSpelling::ProseToo => Ok(true),
        Some(_) if readings.policy_action_type == PolicyActionType::Empty => Ok(false),
        Some(_) => {
            let reason = format!("{field} has to be CREATE_ISSUE, the only one that is supported");
            Err(Refused::bad_value(&ledger::MEND_POLICY_ACTION_TYPE, reason, readings))
        }
    }
}

struct Page {
    skip: usize,
    size: usize,
}

/// The page that is asked for, if one is.
fn page(call: &Call<'_>) -> Result<Option<Page>, Refused> {
    let readings = call.readings;
    let asked = ["page", "pageSize"].iter().any(|field| fields::value(call.fields, field).is_some());
    match readings.fetch_paging {
        _ if !asked => return Ok(None),
        FetchPaging::Honoured => {}
        FetchPaging::Ignored => return Ok(None),
        FetchPaging::Refused => {
            let reason = "page and pageSize are only on the older page";
            return Err(Refused::bad_value(&ledger::MEND_FETCH_PAGING, reason, readings));
        }
    }
    let first = match readings.fetch_first_page {
        FetchFirstPage::One => 1,
        FetchFirstPage::Zero => 0,
    };
    let number = |field: &str, rule, least: usize, default: usize| match fields::value(call.fields, field) {
        None => Ok(default),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number >= least).ok_or_else(|| {
                let kind = if value.is_number() { "another number" } else { fields::kind(value) };
                let reason = format!("{field} has to be a whole number from {least}, not {kind}");
                Refused::bad_value(rule, reason, readings)
            })
        }
    };
    let page = number("page", &ledger::MEND_FETCH_PAGE, first, first)?;
    let size = number("pageSize", &ledger::MEND_FETCH_PAGE_SIZE, 1, PAGE_SIZE)?;
    Ok(Some(Page { skip: (page - first).saturating_mul(size), size }))
}
