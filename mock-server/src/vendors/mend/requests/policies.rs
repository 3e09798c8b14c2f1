//! Adding, getting, updating and removing policies, in the scope that the token leads to.
//!
//! Answers are the bare object, because no answer of this API was seen to have an envelope. Several policies of a
//! scope may have the same priority; then the older one comes first. Nothing that is added or changed moves the
//! others.

use fixtures::spec::mend as ledger;
use fixtures::world::mend::{PolicyScope, PolicySpec};
use serde::Serialize;
use serde_json::Value;

use super::{Call, order};
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::nested::Object;
use crate::vendors::mend::rules::{fields, policies, policy_bodies};
use crate::vendors::mend::store::{Moment, PolicyId, Store};
use crate::vendors::mend::wire;

pub(super) fn add_policy(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let body = read_policy(account, call)?;
    if body.id.is_some() {
        call.flag("ignored policy.id: the id of a new policy is assigned");
    }
    let new = body.for_a_new_policy(call.readings)?;
    let scope = call.scope.of_policies(&account.store);
    let spec = PolicySpec {
        id: account.store.next_policy_id(),
        name: new.name,
        owner_id: new.owner_id,
        creation_time: call.now,
        priority: new.priority.unwrap_or_else(|| priority_after(&scope, &account.store)),
        is_enabled: new.is_enabled,
        is_inclusive: new.is_inclusive,
        filter: new.filter,
        action: new.action,
        scope,
    };
    account.store.add_policy(spec.clone(), &mut Moment::live(call.now, &mut account.ids));
    Ok(wire::body(&wire::policies::policy(account, &spec, None)))
}

pub(super) fn get_policies(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    #[derive(Serialize)]
    struct Policies<'a> {
        policies: Vec<wire::policies::Policy<'a>>,
    }
    let request = Object::of_request(call.fields, call.readings);
    let with_inherited =
        request.boolean("aggregatePolicies", &ledger::MEND_POLICY_AGGREGATE)?.unwrap_or(true);
    let mut scopes = scopes_from(&call.scope, &account.store);
    if !with_inherited {
        scopes.truncate(1);
    }
    let mut found: Vec<(_, &PolicySpec)> = scopes
        .iter()
        .flat_map(|scope| account.store.policies_in(scope))
        .filter_map(|policy| Some((policies::rank(policy, &scopes)?, &**policy)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    order::arrange(&mut found, |(_, policy)| policy.id.to_string(), call.readings);
    let policies =
        found.into_iter().map(|(_, policy)| wire::policies::policy(account, policy, None)).collect();
    Ok(wire::body(&Policies { policies }))
}

pub(super) fn update_policy(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let body = read_policy(account, call)?;
    let (rule, readings) = (&ledger::MEND_POLICY_UPDATE_ID, call.readings);
    let id = body.id.ok_or_else(|| Refused::missing(&["policy.id"], rule, readings))?;
    let scope = call.scope.of_policies(&account.store);
    let before = account.store.policy(id).filter(|policy| policy.scope == scope);
    let before = before.ok_or_else(|| {
        let reason = format!("policy.id has to be that of a policy of this scope, which {id} is not");
        Refused::bad_value(rule, reason, readings)
    })?;
    let spec = body.onto(before);
    if spec != **before {
        account.store.update_policy(spec.clone(), &mut Moment::live(call.now, &mut account.ids));
    }
    Ok(wire::body(&wire::policies::policy(account, &spec, None)))
}

/// Ids that no policy of the scope has are not counted.
pub(super) fn remove_policies(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Removed {
        removed_policies: usize,
    }
    let ids = policy_ids(call)?;
    let scope = call.scope.of_policies(&account.store);
    let mut moment = Moment::live(call.now, &mut account.ids);
    let removed_policies = account.store.remove_policies(&scope, &ids, &mut moment);
    Ok(wire::body(&Removed { removed_policies }))
}

fn read_policy(account: &Account, call: &Call<'_>) -> Result<policy_bodies::PolicyBody, Refused> {
    let body = policy_bodies::read(call.fields, &call.scope, account, call.readings)?;
    for field in &body.unknown_fields {
        let field: String = field.chars().take(60).collect();
        call.flag(format!("ignored the unknown field {field:?} of the policy"));
    }
    Ok(body)
}

fn policy_ids(call: &Call<'_>) -> Result<Vec<PolicyId>, Refused> {
    let (field, rule) = ("policyIds", &ledger::MEND_POLICY_REMOVE_IDS);
    let Some(value) = fields::value(call.fields, field) else {
        return Err(Refused::missing(&[field], rule, call.readings));
    };
    let ids = value.as_array().and_then(|values| values.iter().map(Value::as_u64).collect());
    let reason = "policyIds has to be an array of whole numbers";
    ids.ok_or_else(|| Refused::bad_value(rule, reason, call.readings))
}

/// A policy without a priority comes after the others of its scope.
fn priority_after(scope: &PolicyScope, store: &Store) -> u32 {
    store.policies_in(scope).map(|policy| policy.priority).max().unwrap_or_default().saturating_add(1)
}

/// The scopes whose policies apply in a scope, from the narrowest to the widest.
fn scopes_from(scope: &Scope, store: &Store) -> Vec<PolicyScope> {
    let mut scopes = vec![scope.of_policies(store)];
    let (product, organization) = match scope {
        Scope::GlobalOrganization => return scopes,
        Scope::Organization(_) => (None, None),
        Scope::Product(product) => (None, Some(product.organization)),
        Scope::Project(project) => (store.product_of_id(project.product), Some(project.organization)),
    };
    scopes.extend(product.map(|product| PolicyScope::Product(product.spec.token.clone())));
    let organization = organization.and_then(|id| store.organization(id));
    scopes.extend(organization.map(|organization| PolicyScope::Organization(organization.token.clone())));
    scopes.push(PolicyScope::GlobalOrganization);
    scopes
}
