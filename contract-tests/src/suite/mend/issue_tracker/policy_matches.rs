//! `getPolicyMatchesConfiguration`.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_MATCHES_EXISTING_ORG, MEND_MATCHES_FIELDS, MEND_MATCHES_LIST, MEND_MATCHES_MEMBER,
    MEND_MATCHES_ORG_TOKEN,
};
use serde_json::{Value, json};

use super::super::Mend;
use super::asking::{MATCHES, about_organization, refuses};
use super::policy_issue_fields::has_all;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::rows::Rows;
use crate::suite::shape::Shape::*;

checks! { "mend/policy-matches";
    every_type_is_listed: MEND_MATCHES_LIST, Reading, every_type_is_listed;
    org_token_required: MEND_MATCHES_ORG_TOKEN, Reading,
        |case| refuses_after_success(case, "without `orgToken`", &json!({}));
    existing_organizations_only: MEND_MATCHES_EXISTING_ORG, Reading,
        |case| refuses_after_success(case, "of an unknown organization", &json!({"orgToken": "0".repeat(64)}));
    members_only: MEND_MATCHES_MEMBER, Control, members_only;
    match_fields: MEND_MATCHES_FIELDS, Reading, match_fields;
}

fn matches(api: Mend<'_>) -> Result<Rows, Stop> {
    Ok(api.accepted(MATCHES, &about_organization(api))?.rows("matches", "a type of match"))
}

fn match_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let answer = api.accepted(MATCHES, &about_organization(api))?;
    answer.expect_list("matches")?;
    let fields = [("type", FilledText), ("name", FilledText), ("description", FilledText)];
    has_all(&answer.rows("matches", "a type of match"), &fields)
}

fn refuses_after_success(case: &Case, offence: &str, fields: &Value) -> Verdict {
    let api = case.mend()?;
    observed(!matches(api)?.rows.is_empty(), "no type of match is listed")?;
    refuses(api, MATCHES, &[(offence, fields.clone())])
}

/// Every type that a policy is seen to have is listed, once.
fn every_type_is_listed(case: &Case) -> Verdict {
    let api = case.mend()?;
    let (listed, issues) = (matches(api)?, api.policy_issues()?);
    let first = listed.find("type of match", |_| true)?;
    let mut known = BTreeSet::new();
    if let Some(twice) = listed.rows.iter().find(|row| !known.insert(row.text("type").unwrap_or_default())) {
        return broken_at(&twice.evidence, "each type once", &twice.json);
    }
    let seen = issues.rows.iter().filter_map(|issue| issue.json["policy"]["filter"]["type"].as_str());
    let seen: BTreeSet<&str> = seen.collect();
    if let Some(missing) = seen.difference(&known).next() {
        return broken_at(&first.evidence, format!("{missing}, which a policy has"), format!("{known:?}"));
    }
    Held::over(seen.len(), "no policy was seen")
}

/// A member of another organization is answered about that one, and refused about this one.
fn members_only(case: &Case) -> Verdict {
    let api = case.mend()?;
    let stranger = api.find_user("of another organization", |user| {
        user.organization_token.as_deref().is_some_and(|token| token != api.org_token())
    })?;
    observed(!matches(api)?.rows.is_empty(), "no type of match is listed")?;
    let theirs = api.with_user_key(&stranger.user_key);
    let own = theirs.accepted(MATCHES, &json!({"orgToken": stranger.organization_token}))?;
    observed(!own.rows("matches", "a type").rows.is_empty(), "the other user is shown no type of match")?;
    refuses(theirs, MATCHES, &[("of an organization of others", about_organization(api))])?;
    Held::once()
}
