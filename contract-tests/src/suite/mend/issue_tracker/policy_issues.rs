//! `fetchProjectPolicyIssues`: what it is asked, and which issues it answers.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_AUTH_USER_KEY, MEND_FETCH_ACTION_TYPE, MEND_FETCH_ISSUE_PARTS, MEND_FETCH_ISSUES,
    MEND_FETCH_NEW_TRACKER, MEND_FETCH_OTHER_ACTIONS, MEND_FETCH_PROJECT_TOKEN, MEND_FETCH_SCOPE,
    MEND_FETCH_WINDOW, MEND_REQUEST_TYPE,
};
use http::Method;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::Mend;
use super::asking::{
    FETCH, MATCHES, MODIFIED, about, about_organization, day_of, is_refused, key_uuid, project_of, refuses,
    violation_ids, with, without,
};
use super::trying_policies::TryingGround;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::{Row, Rows};
use crate::suite::shape::brief;

checks! { "mend/policy-issues";
    matched_library_is_an_issue: MEND_FETCH_ISSUES, Control, matched_library_is_an_issue;
    legacy_policies_left_out: MEND_FETCH_NEW_TRACKER, Control,
        |case| TryingGround::find(case)?.opens_none(&json!({"type": "CREATE_ISSUE"}));
    other_actions_left_out: MEND_FETCH_OTHER_ACTIONS, Control,
        |case| TryingGround::find(case)?.opens_none(&json!({"type": "REJECT"}));
    scope_is_that_of_the_project: MEND_FETCH_SCOPE, Reading, scope_is_that_of_the_project;
    issue_comes_with_its_parts: MEND_FETCH_ISSUE_PARTS, Reading, issue_comes_with_its_parts;
    request_type_required: MEND_REQUEST_TYPE, Reading, request_type_required;
    project_token: MEND_FETCH_PROJECT_TOKEN, Reading, project_token;
    action_type_may_be_absent: MEND_FETCH_ACTION_TYPE, Reading, action_type_may_be_absent;
    window: MEND_FETCH_WINDOW, Reading, window;
    user_key_required: MEND_AUTH_USER_KEY, Reading, user_key_required;
}

/// The forms of a window's bounds: those of clients, of the table and of the example.
const FORMS: [&str; 3] = ["%Y-%m-%d 00:00:00", "%Y/%m/%d-00:00", "%Y-%m-%d-00:00"];

fn is_of_organization(issue: &Row) -> bool {
    let policy = &issue.json["policy"];
    policy["policyContext"] == "DOMAIN" && policy["enabled"] == true
}

/// A library that the organization's policy matches in one project is found in another one.
fn matched_library_is_an_issue(case: &Case) -> Verdict {
    let api = case.mend()?;
    let issues = api.policy_issues()?;
    // Policies of projects and products may settle the matter otherwise than the organization's.
    let others: BTreeSet<&str> =
        issues.rows.iter().filter(|issue| !is_of_organization(issue)).map(project_of).collect();
    let what = "library that the organization's policies match in one project and that another one lacks";
    let pair = issues.rows.iter().filter(|issue| is_of_organization(issue)).find_map(|issue| {
        let library = key_uuid(issue)?;
        let lacks = |project: &str| {
            !issues.rows.iter().any(|row| project_of(row) == project && key_uuid(row) == Some(library))
        };
        let mut projects = issues.rows.iter().map(project_of);
        Some((library, projects.find(|project| !others.contains(project) && lacks(project))?))
    });
    let Some((library, project)) = pair else { return not_exercised(format!("there is no {what}")) };
    let event = json!({"type": "mend.scan", "project_token": project, "added": [{"key_uuid": library}]});
    case.happen(&event)?;
    let after = api.policy_issues_of(project)?;
    let first = after.find("issue in the project any more", |_| true)?;
    match after.rows.iter().find(|issue| key_uuid(issue) == Some(library)) {
        Some(_) => Held::once(),
        None => broken_at(&first.evidence, format!("an issue of the library {library}"), "none"),
    }
}

/// Two projects that have issues, each with its own.
fn two_projects(issues: &Rows) -> Result<[&str; 2], Stop> {
    let first = project_of(issues.find("issue", |_| true)?);
    let other = issues.find("issue in a second project", |issue| project_of(issue) != first)?;
    Ok([first, project_of(other)])
}

fn scope_is_that_of_the_project(case: &Case) -> Verdict {
    let api = case.mend()?;
    for project in two_projects(api.policy_issues()?)? {
        let answer = api.accepted(FETCH, &about(project))?;
        let json = &answer.json;
        let named = |scope: &str, token: &str, wanted: &str| match json[scope][token].as_str() {
            Some(shown) if shown != wanted => broken_at(&answer.evidence, wanted, &json[scope]),
            Some(_) => Ok(()),
            None => not_exercised(format!("the answer has no `{token}`")),
        };
        named("project", "projectToken", project)?;
        named("organization", "orgToken", api.org_token())?;
        let product = &json["product"]["productToken"];
        let of_product = api.call("getProductProjectVitals", &json!({"productToken": product}))?;
        let vitals = of_product.rows("projectVitals", "a project");
        if !vitals.rows.iter().any(|row| row.text("token") == Some(project)) {
            let expected = "`productToken` is that of the product with the project";
            return broken_at(&answer.evidence, expected, &json["product"]);
        }
        let known = api.projects()?.find("project", |row| row.text("projectToken") == Some(project))?;
        if let (Some(name), Some(shown)) = (known.text("name"), json["project"]["projectName"].as_str()) {
            named("project", "projectName", name).or_else(|_| broken_at(&answer.evidence, name, shown))?;
        }
    }
    Held::once()
}

fn issue_comes_with_its_parts(case: &Case) -> Verdict {
    let expected = "a library, a policy, and a match or several between them";
    case.mend()?.policy_issues()?.all(expected, |issue| {
        let (policy, library) = (&issue.json["policy"], &issue.json["library"]);
        let is_complete = !policy.is_null() && !library.is_null();
        let violations = issue.json["policyViolations"].as_array();
        let is_matched = violations.is_none_or(|violations| !violations.is_empty());
        (!is_complete || !is_matched).then(|| brief(&issue.json))
    })
}

/// A project with issues, and the fields that ask about it.
fn asked(api: Mend<'_>) -> Result<Value, Stop> {
    let issues = api.policy_issues()?;
    Ok(about(project_of(issues.find("violation", |row| !row.list("policyViolations").is_empty())?)))
}

fn request_type_required(case: &Case) -> Verdict {
    let api = case.mend()?;
    let organization = about_organization(api);
    let calls = [
        (FETCH, asked(api)?, "issues"),
        (MODIFIED, organization.clone(), "lastModifiedProjects"),
        (MATCHES, organization, "matches"),
    ];
    let mut seen = 0;
    for (name, fields, list) in calls {
        let answer = api.accepted(name, &fields)?;
        if answer.json[list].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let body = with(&fields, "userKey", Value::from(api.user_key()));
        let (is_refused, evidence) = is_refused(api, api.raw(Method::POST).json(&body))?;
        if !is_refused {
            let seen = evidence.reply_body();
            return broken_at(&evidence, format!("{name} without its name is refused"), seen);
        }
        seen += 1;
    }
    Held::over(seen, "no call was answered with a list")
}

fn project_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let all = api.policy_issues()?;
    let projects = two_projects(all)?;
    let [first, second] = projects.map(|project| violation_ids(&all.only(|row| project_of(row) == project)));
    observed(!first.is_empty() && !second.is_empty(), "a project has no violations")?;
    if !first.is_disjoint(&second) {
        let issue = all.find("issue", |issue| project_of(issue) == projects[1])?;
        return broken_at(&issue.evidence, "each project has violations of its own", "the same ones");
    }
    refuses(api, FETCH, &[("without `projectToken`", without(&about(projects[0]), "projectToken"))])
}

fn action_type_may_be_absent(case: &Case) -> Verdict {
    let api = case.mend()?;
    let fields = asked(api)?;
    let named = violation_ids(&api.accepted(FETCH, &fields)?.rows("issues", "an issue"));
    observed(!named.is_empty(), "the project has no violations")?;
    let answer = api.call(FETCH, &without(&fields, "policyActionType"))?;
    if answer.is_refused() {
        return broken_at(&answer.evidence, "an answer without `policyActionType` too", &answer.json);
    }
    let unnamed = violation_ids(&answer.rows("issues", "an issue"));
    if unnamed != named {
        let expected = format!("the same {} violations without `policyActionType`", named.len());
        return broken_at(&answer.evidence, expected, format!("{} violations", unnamed.len()));
    }
    Held::once()
}

/// When the violations of an issue came up and changed.
fn days_of(issue: &Row) -> Option<BTreeSet<Date>> {
    let violations = issue.list("policyViolations").iter();
    violations.flat_map(|one| ["created", "lastModified"].map(|name| day_of(one[name].as_str()))).collect()
}

/// A project's issues, and a period with some of them well inside and others well outside.
struct Period<'r> {
    project: &'r str,
    from: Date,
    to: Date,
    inside: BTreeSet<&'r str>,
    outside: BTreeSet<&'r str>,
}

impl<'r> Period<'r> {
    /// The days at either end belong to neither side: readings differ on where exactly a window ends.
    fn around(all: &'r Rows, project: &'r str, day: Date) -> Option<Self> {
        let (from, to) = (day.checked_sub(2.days()).ok()?, day.checked_add(2.days()).ok()?);
        let (mut inside, mut outside) = (BTreeSet::new(), BTreeSet::new());
        for issue in all.rows.iter().filter(|issue| project_of(issue) == project) {
            let days = days_of(issue)?;
            let ids = issue.list("policyViolations").iter().filter_map(|one| one["issueUuid"].as_str());
            if days.iter().all(|day| from < *day && *day < to) {
                inside.extend(ids);
            } else if days.iter().all(|day| *day < from || to < *day) {
                outside.extend(ids);
            }
        }
        (!inside.is_empty() && !outside.is_empty()).then_some(Self { project, from, to, inside, outside })
    }

    fn find(all: &'r Rows) -> Option<Self> {
        all.rows.iter().find_map(|issue| {
            let day = *days_of(issue)?.first()?;
            Self::around(all, project_of(issue), day)
        })
    }
}

fn window(case: &Case) -> Verdict {
    let api = case.mend()?;
    let Some(period) = Period::find(api.policy_issues()?) else {
        return not_exercised("no project has violations of several days");
    };
    let mut ignored = None;
    for form in FORMS {
        let bound = |day: Date| day.strftime(form).to_string();
        let fields = with(&about(period.project), "fromDateTime", Value::from(bound(period.from)));
        let answer = api.call(FETCH, &with(&fields, "toDateTime", Value::from(bound(period.to))))?;
        if answer.is_refused() {
            continue;
        }
        let shown = violation_ids(&answer.rows("issues", "an issue"));
        let is_shown = |id: &&&str| shown.contains(**id);
        if period.outside.iter().all(|id| is_shown(&id)) {
            // This form may be one that is ignored; another may be understood.
            ignored = ignored.or(Some(answer));
            continue;
        }
        let missed = period.inside.iter().filter(|id| !is_shown(id)).count();
        let too_many = period.outside.iter().filter(is_shown).count();
        if missed + too_many > 0 {
            let expected = format!("the violations from {} to {}", period.from, period.to);
            let seen = format!("{missed} of that time missing, {too_many} of other times");
            return broken_at(&answer.evidence, expected, seen);
        }
        return Held::over(period.inside.len(), "nothing lies in the window");
    }
    match ignored {
        Some(answer) => {
            let expected = format!("only the violations from {} to {}", period.from, period.to);
            broken_at(&answer.evidence, expected, "those of other times too")
        }
        None => not_exercised("no form of a window's bounds is accepted"),
    }
}

fn user_key_required(case: &Case) -> Verdict {
    let api = case.mend()?;
    let organization = about_organization(api);
    let calls = [
        (FETCH, asked(api)?, "issues"),
        (MODIFIED, organization.clone(), "lastModifiedProjects"),
        (MATCHES, organization, "matches"),
    ];
    let mut seen = 0;
    for (name, fields, list) in calls {
        let answer = api.accepted(name, &fields)?;
        if answer.json[list].as_array().is_some_and(|rows| !rows.is_empty()) {
            refuses(api.anonymous(), name, &[("without `userKey`", fields)])?;
            seen += 1;
        }
    }
    Held::over(seen, "no call was answered with a list")
}
