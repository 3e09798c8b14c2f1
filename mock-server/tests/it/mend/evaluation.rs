//! Policies and what they match, against the naive evaluator: random policies over random inventories, and random
//! changes of both.

mod naive;

use std::collections::{BTreeMap, BTreeSet};

use fixtures::strategies::{mend_inventories, mend_licenses, mend_policies, mend_scores, mend_worlds};
use fixtures::world::WorldSpec;
use fixtures::world::mend::{
    ActionType, Cvss3Spec, Event, Filter, LibraryUse, ModificationType, PolicyScope, PolicySpec,
    ViolationSpec, ViolationStatus,
};
use jiff::SignedDuration;
use mock_server::MockServer;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use self::naive::{Choices, Key, Known, Naive};
use crate::support::{Api, block_on, proptest_cases};

/// Something that may change what policies match.
#[derive(Debug, Clone)]
enum Step {
    Add(PolicySpec),
    /// Some of the fields of a policy, as bits.
    Update(Index, PolicySpec, u8),
    Remove(Vec<Index>),
    Scan(Index, Vec<LibraryUse>),
    Rescore(String, (f64, Option<f64>)),
    Licenses(Index, BTreeSet<String>),
    Publish(Index, Vec<Index>),
    Days(i64),
}

const NAME: u8 = 1;
const FILTER: u8 = 2;
const ACTION: u8 = 4;
const PRIORITY: u8 = 8;
const ENABLED: u8 = 16;

fn steps(world: &WorldSpec) -> BoxedStrategy<Step> {
    let mend = &world.mend;
    prop_oneof![
        3 => mend_policies(mend).prop_map(Step::Add),
        4 => (any::<Index>(), mend_policies(mend), 0..32_u8).prop_map(|(which, with, parts)| Step::Update(which, with, parts)),
        2 => (any::<Index>(), mend_policies(mend)).prop_map(|(which, with)| Step::Update(which, with, ENABLED)),
        1 => vec(any::<Index>(), 0..3).prop_map(Step::Remove),
        4 => (any::<Index>(), mend_inventories(mend)).prop_map(|(project, found)| Step::Scan(project, found)),
        2 => mend_scores().prop_map(|(name, scores)| Step::Rescore(name, scores)),
        2 => (any::<Index>(), mend_licenses()).prop_map(|(library, names)| Step::Licenses(library, names)),
        1 => (any::<Index>(), vec(any::<Index>(), 0..3)).prop_map(|(name, libraries)| Step::Publish(name, libraries)),
        1 => (1..400_i64).prop_map(Step::Days),
    ]
    .boxed()
}

fn choices() -> impl Strategy<Value = Choices> {
    (
        select(vec!["per-cause", "per-library", "none"]),
        select(vec!["new-uuid", "same-uuid"]),
        prop_oneof![3 => Just("at-once"), 1 => Just("next-scan")],
        select(vec!["yes", "no"]),
    )
        .prop_map(|(conflict, match_again, acts, rescore)| Choices {
            conflict,
            match_again,
            acts,
            rescore,
        })
}

proptest! {
    #![proptest_config(proptest_cases(80))]

    /// MEND-POLICY-PRIORITY, MEND-POLICY-NARROWER-SCOPE, MEND-POLICY-INCLUSIVE, MEND-POLICY-SEVERITY-FILTER,
    /// MEND-FETCH-ISSUES, MEND-FETCH-NEW-TRACKER
    #[test]
    fn what_is_open_is_what_a_naive_evaluation_gives(
        ((world, steps), choices) in (
            mend_worlds().prop_flat_map(|world| {
                let steps = vec(steps(&world), 0..12);
                (Just(world), steps)
            }),
            choices(),
        ),
    ) {
        block_on(run(&world, steps, choices));
    }
}

async fn run(world: &WorldSpec, steps: Vec<Step>, choices: Choices) {
    let Choices { conflict, match_again, acts, rescore } = choices;
    let readings = [
        ("mend.policy-conflict", conflict),
        ("mend.match-again", match_again),
        ("mend.new-policy-acts", acts),
        ("mend.rescore-touches-violation", rescore),
    ];
    let mut builder = MockServer::builder().world_spec(world.clone());
    for (id, value) in readings {
        builder = builder.reading(id, value).unwrap();
    }
    let api = Api::with(builder);
    let mut naive = Naive::new(&world.mend, api.control().now(), choices);
    compare(&api, &mut naive, true).await;
    for (place, step) in steps.into_iter().enumerate() {
        // Shown if the test fails.
        println!("step {place}: {step:?}");
        naive.now = api.control().advance(SignedDuration::from_secs(61));
        naive.stirred.clear();
        apply(&api, &mut naive, step).await;
        compare(&api, &mut naive, false).await;
    }
}

async fn apply(api: &Api, naive: &mut Naive, step: Step) {
    let control = api.control();
    let key_uuid = |naive: &Naive, index: &Index| index.get(&naive.world.libraries).key_uuid.clone();
    match step {
        Step::Add(policy) => {
            let reply = api.mend(&request_type("add", "Policy", &policy.scope), add(&policy)).await;
            if !may_have(naive, &policy.scope, &policy.filter) {
                reply.mend_refused(3000, "mend.bad-value-code");
                return;
            }
            let id = reply.mend_ok()["id"].as_u64().unwrap();
            assert!(naive.world.policies.iter().all(|known| known.id != id), "{id}");
            let owner_id = naive.world.users[0].id;
            naive.add_policy(PolicySpec { id, owner_id, creation_time: naive.now, ..policy });
        }
        Step::Update(which, with, parts) if !naive.world.policies.is_empty() => {
            let before = which.get(&naive.world.policies).clone();
            let (body, after) = update(&before, &with, parts);
            let reply = api.mend(&request_type("update", "Policy", &before.scope), body).await;
            if parts & FILTER != 0 && !may_have(naive, &before.scope, &after.filter) {
                reply.mend_refused(3000, "mend.bad-value-code");
                return;
            }
            assert_eq!(reply.mend_ok()["enabled"], after.is_enabled);
            naive.update_policy(after);
        }
        Step::Remove(which) if !naive.world.policies.is_empty() => {
            let chosen: Vec<PolicySpec> =
                which.iter().map(|which| which.get(&naive.world.policies).clone()).collect();
            let scope = chosen.first().map_or(PolicyScope::GlobalOrganization, |policy| policy.scope.clone());
            let ids: Vec<u64> = chosen.iter().map(|policy| policy.id).collect();
            let mut body = token(&scope);
            body["policyIds"] = json!(ids);
            let reply = api.mend(&request_type("remove", "Policies", &scope), body).await.mend_ok();
            assert_eq!(reply, json!({"removedPolicies": naive.remove_policies(&scope, &ids)}));
        }
        Step::Scan(which, found) => {
            let project = which.get(&naive.world.projects).clone();
            let is_found = |key_uuid: &String| found.iter().any(|found| found.key_uuid == *key_uuid);
            let removed = project.inventory.iter().map(|used| used.key_uuid.clone());
            let removed = removed.filter(|key_uuid| !is_found(key_uuid)).collect();
            let project_token = project.token().to_owned();
            naive.scan(&project_token, &found);
            let (added, source_files_changed, comment) = (found, false, None);
            let event = Event::Scan { project_token, added, removed, source_files_changed, comment };
            control.happen(&event).unwrap();
        }
        Step::Rescore(name, (score, cvss3)) => {
            naive.rescore(&name, score, cvss3);
            let cvss3 = cvss3.map(|score| Cvss3Spec { score, vector: None });
            control.happen(&Event::VulnerabilityRescored { name, score: Some(score), cvss3 }).unwrap();
        }
        Step::Licenses(library, licenses) => {
            let key_uuid = key_uuid(naive, &library);
            naive.change_licenses(&key_uuid, &licenses);
            control.happen(&Event::LicensesChanged { key_uuid, licenses }).unwrap();
        }
        Step::Publish(which, libraries) => {
            let vulnerability = Box::new(which.get(&naive.world.vulnerabilities).clone());
            let key_uuids: BTreeSet<String> = libraries.iter().map(|index| key_uuid(naive, index)).collect();
            naive.publish(&vulnerability.name, &key_uuids);
            control.happen(&Event::VulnerabilityPublished { vulnerability, key_uuids }).unwrap();
        }
        Step::Days(days) => {
            control.advance(SignedDuration::from_hours(24 * days));
        }
        Step::Update(..) | Step::Remove(_) => {}
    }
}

/// Whether a policy of this scope may have this filter: it can't name another organization's product.
fn may_have(naive: &Naive, scope: &PolicyScope, filter: &Filter) -> bool {
    match filter {
        Filter::Product { product_token } => naive.may_name(scope, product_token),
        _ => true,
    }
}

/// Compares all that the server says with what the evaluator says, and learns what new violations are called.
async fn compare(api: &Api, naive: &mut Naive, at_the_start: bool) {
    let exported = api.control().export_world();
    let mut errors = exported.validate();
    // A violation outlives its policy.
    errors.retain(|error| !error.path.ends_with("/policy_id"));
    assert!(errors.is_empty(), "{errors:?}");
    let exported = exported.mend;
    let mut by_key: BTreeMap<Key, Vec<&ViolationSpec>> = BTreeMap::new();
    for violation in &exported.policy_violations {
        by_key.entry(key(violation)).or_default().push(violation);
    }
    let is_open = |violation: &&&ViolationSpec| violation.status == ViolationStatus::Open;
    let open: BTreeSet<&Key> =
        by_key.iter().filter(|(_, rows)| rows.iter().any(|row| is_open(&row))).map(|(key, _)| key).collect();
    assert_eq!(open, naive.open.keys().collect(), "what is open");

    let used: BTreeSet<String> = naive
        .past
        .values()
        .flatten()
        .chain(naive.open.values().flatten())
        .map(|known| known.uuid.clone())
        .collect();
    for (key, known) in &mut naive.open {
        let rows: Vec<&&ViolationSpec> = by_key[key].iter().filter(is_open).collect();
        assert_eq!(rows.len(), 1, "{key:?}");
        let (uuid, last_modified) = (rows[0].uuid.clone(), rows[0].last_modified);
        match known {
            Some(known) => assert_eq!((&known.uuid, known.last_modified), (&uuid, last_modified), "{key:?}"),
            None => {
                assert!(!used.contains(&uuid), "{key:?} has an id that was used");
                if !at_the_start {
                    assert_eq!((rows[0].created, last_modified), (naive.now, naive.now), "{key:?}");
                }
                *known = Some(Known { uuid, last_modified });
            }
        }
    }
    let past: BTreeSet<(&Key, &String)> =
        naive.past.iter().flat_map(|(key, rows)| rows.iter().map(move |known| (key, &known.uuid))).collect();
    let resolved = by_key.iter().flat_map(|(key, rows)| {
        let resolved = rows.iter().filter(|row| row.status == ViolationStatus::Resolved);
        resolved.map(move |row| (key, &row.uuid))
    });
    assert_eq!(resolved.collect::<BTreeSet<_>>(), past, "what was open");

    if !at_the_start {
        let stirred = exported.projects.iter().filter(|project| {
            let times = project.modifications.get(&ModificationType::PolicyMatch);
            times.and_then(|times| times.last()).is_some_and(|last| *last == naive.now)
        });
        let stirred: BTreeSet<String> = stirred.map(|project| project.token().to_owned()).collect();
        assert_eq!(stirred, naive.stirred, "where matches changed");
    }
    for project in &naive.world.projects {
        let reply =
            api.mend("fetchProjectPolicyIssues", json!({"projectToken": project.token()})).await.mend_ok();
        assert_eq!(fetched(&reply), expected(naive, project.token()), "{reply:#}");
    }
}

fn key(violation: &ViolationSpec) -> Key {
    let ViolationSpec { policy_id, project_token, key_uuid, cause, .. } = violation.clone();
    (policy_id, project_token, key_uuid, cause)
}

/// What is compared of an issue: its policy as it looks now, its library as it lies now, and the ids of what is
/// violated.
type Row = (u64, String, bool, u64, String, Vec<String>, BTreeSet<String>);

fn fetched(reply: &Value) -> BTreeSet<Row> {
    let row = |issue: &Value| {
        let (policy, library) = (&issue["policy"], &issue["library"]);
        assert_eq!(policy["action"]["type"], "CREATE_ISSUE");
        let texts = |values: &Value, field: Option<&str>| -> Vec<String> {
            let values = values.as_array().unwrap().iter();
            values
                .map(|value| field.map_or(value, |field| &value[field]).as_str().unwrap().to_owned())
                .collect()
        };
        let violations = texts(&issue["policyViolations"], Some("issueUuid"));
        (
            policy["id"].as_u64().unwrap(),
            policy["name"].as_str().unwrap().to_owned(),
            policy["enabled"].as_bool().unwrap(),
            policy["priority"].as_u64().unwrap(),
            library["keyUuid"].as_str().unwrap().to_owned(),
            texts(&library["localPaths"], None),
            violations.into_iter().collect(),
        )
    };
    let issues = reply["issues"].as_array().unwrap();
    let rows: BTreeSet<Row> = issues.iter().map(row).collect();
    assert_eq!(rows.len(), issues.len(), "an issue for each policy and library");
    rows
}

fn expected(naive: &Naive, token: &str) -> BTreeSet<Row> {
    let project = naive.world.projects.iter().find(|project| project.token() == token).unwrap();
    let mut rows: BTreeMap<(u64, &str), Row> = BTreeMap::new();
    for (policy, key) in naive.listed(token) {
        let used = project.inventory.iter().find(|used| used.key_uuid == key.2).unwrap();
        let row = rows.entry((policy.id, &key.2)).or_insert_with(|| {
            let (name, paths) = (policy.name.clone(), used.local_paths.clone());
            (
                policy.id,
                name,
                policy.is_enabled,
                policy.priority.into(),
                key.2.clone(),
                paths,
                BTreeSet::new(),
            )
        });
        row.6.insert(naive.open[key].clone().unwrap().uuid);
    }
    rows.into_values().collect()
}

/// `addProductPolicy` and its like.
fn request_type(verb: &str, noun: &str, scope: &PolicyScope) -> String {
    let scope = match scope {
        PolicyScope::GlobalOrganization => "GlobalOrganization",
        PolicyScope::Organization(_) => "Organization",
        PolicyScope::Product(_) => "Product",
        PolicyScope::Project(_) => "Project",
    };
    format!("{verb}{scope}{noun}")
}

fn token(scope: &PolicyScope) -> Value {
    match scope {
        PolicyScope::GlobalOrganization => {
            json!({"globalOrgToken": fixtures::builders::mend::token("global", "All")})
        }
        PolicyScope::Organization(token) => json!({"orgToken": token}),
        PolicyScope::Product(token) => json!({"productToken": token}),
        PolicyScope::Project(token) => json!({"projectToken": token}),
    }
}

fn add(policy: &PolicySpec) -> Value {
    let mut body = token(&policy.scope);
    body["policy"] = json!({
        "name": policy.name,
        "owner": {"id": policy.owner_id},
        "filter": filter(&policy.filter),
        "action": action(policy),
        "priority": policy.priority,
        "enabled": policy.is_enabled,
        "inclusive": policy.is_inclusive,
    });
    body
}

/// A request that changes these parts of a policy, and the policy that should come of it.
fn update(before: &PolicySpec, with: &PolicySpec, parts: u8) -> (Value, PolicySpec) {
    let mut policy = json!({"id": before.id});
    let mut after = before.clone();
    if parts & NAME != 0 {
        policy["name"] = json!(with.name);
        after.name.clone_from(&with.name);
    }
    if parts & FILTER != 0 {
        policy["filter"] = filter(&with.filter);
        policy["inclusive"] = json!(with.is_inclusive);
        after.filter = with.filter.clone();
        after.is_inclusive = with.is_inclusive;
    }
    if parts & ACTION != 0 {
        policy["action"] = action(with);
        let keeps_tracker = before.action.kind == with.action.kind && with.action.issue_tracker.is_none();
        let tracker = if keeps_tracker { before.action.issue_tracker } else { with.action.issue_tracker };
        after.action = with.action.clone();
        after.action.issue_tracker = tracker;
    }
    if parts & PRIORITY != 0 {
        policy["priority"] = json!(with.priority);
        after.priority = with.priority;
    }
    if parts & ENABLED != 0 {
        after.is_enabled = !before.is_enabled;
        policy["enabled"] = json!(after.is_enabled);
    }
    let mut body = token(&before.scope);
    body["policy"] = policy;
    (body, after)
}

fn action(policy: &PolicySpec) -> Value {
    let action = &policy.action;
    let mut body = json!({"type": action.kind.as_str(), "failPolicyCheck": action.fails_policy_check});
    if action.kind == ActionType::CreateIssue && action.issue_tracker.is_some() {
        body["issueSettings"] = json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"});
    }
    body
}

/// A filter as a request has it, written down independently of the simulator.
fn filter(filter: &Filter) -> Value {
    let mut body = match filter {
        Filter::License { licenses } => {
            json!({"licenses": licenses.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()})
        }
        Filter::VulnerabilitySeverity { severity, effective_only } => json!({
            "vulnerabilitySeverity": severity.as_str().to_uppercase(),
            "effectiveVulnerabilitiesOnly": effective_only,
        }),
        Filter::VulnerabilityScore { from, to } => json!({"scoreFrom": from, "scoreTo": to}),
        Filter::Effectiveness { is_effective } => json!({"effective": is_effective}),
        Filter::GavRegex { group_id, artifact_id, version } => {
            json!({"groupId": group_id, "artifactId": artifact_id, "version": version})
        }
        Filter::ResourceNameRegex { pattern } => json!({"resourceName": pattern}),
        Filter::LibraryStaleness { older_than_days } => json!({"olderThanDays": older_than_days}),
        Filter::Product { product_token } => json!({"productToken": product_token}),
        Filter::PrimaryAttributeValue { value } => json!({"primaryAttributeValue": value}),
        Filter::LibraryRequestHistory { decision } => json!({"libraryRequest": decision.as_str()}),
    };
    body["type"] = json!(filter.match_type().as_str());
    body
}
