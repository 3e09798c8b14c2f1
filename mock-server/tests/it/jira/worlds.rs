//! Random sites with random things happening, against a model that keeps a copy of everything at every moment and goes
//! through it from end to end.

use std::collections::BTreeSet;

use fixtures::strategies::{jira_event_sequences, jira_worlds, whole_worlds};
use fixtures::world::WorldSpec;
use fixtures::world::jira::{Event, IssueSpec, UserSpec};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use mock_server::MockServer;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, proptest};
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::common::{Jira, basic, doc, new_issue};
use crate::durable::{open, reopened};
use crate::support::{Api, block_on, proptest_cases};

/// What a client sends. Whether it is granted is not the question here.
#[derive(Debug, Clone)]
enum Write {
    Create(Index, Vec<&'static str>),
    Label(Index, &'static str, bool),
    Comment(Index),
    Transition(Index, Index),
    Link(Index, &'static str),
    Property(Index),
    Delete(Index),
}

fn write() -> impl Strategy<Value = Write> {
    let labels = vec!["sync", "Sync", "new"];
    let at = || any::<Index>();
    proptest::prop_oneof![
        (at(), proptest::sample::subsequence(labels.clone(), 0..3))
            .prop_map(|(at, labels)| Write::Create(at, labels)),
        (at(), select(labels), any::<bool>()).prop_map(|(at, label, add)| Write::Label(at, label, add)),
        at().prop_map(Write::Comment),
        (at(), at()).prop_map(|(at, way)| Write::Transition(at, way)),
        (at(), select(vec!["x", "y"])).prop_map(|(at, id)| Write::Link(at, id)),
        at().prop_map(Write::Property),
        at().prop_map(Write::Delete),
    ]
}

/// What happens one after the other, each some seconds after the one before.
#[derive(Debug, Clone)]
enum Step {
    Event(Event),
    Write(Write),
}

fn steps(world: &WorldSpec) -> impl Strategy<Value = Vec<(i64, Step)>> + use<> {
    let events = jira_event_sequences(world, 5);
    (events, vec(write(), 0..6), vec(0..15_i64, 12), any::<bool>()).prop_map(
        |(events, writes, gaps, events_first)| {
            let (events, writes) = (events.into_iter().map(Step::Event), writes.into_iter().map(Step::Write));
            let steps: Vec<Step> =
                if events_first { events.chain(writes).collect() } else { writes.chain(events).collect() };
            gaps.into_iter().zip(steps).collect()
        },
    )
}

fn site(world: &WorldSpec) -> Jira {
    Jira::around(Api::with(MockServer::builder().world_spec(world.clone())))
}

fn issues(jira: &Jira) -> Vec<IssueSpec> {
    jira.api.control().export_world().jira.issues
}

async fn send(jira: &Jira, write: &Write) {
    let world = jira.api.control().export_world().jira;
    let issue = |at: &Index| {
        let keys: Vec<String> = world.issues.iter().map(|issue| issue.key.clone()).collect();
        (!keys.is_empty()).then(|| format!("issue/{}", at.get(&keys)))
    };
    let reply = match write {
        Write::Create(at, labels) => {
            let mut body = new_issue(json!({"labels": labels}));
            body["fields"]["project"] = json!({"key": at.get(&world.projects).key});
            jira.post("issue", body).await
        }
        Write::Label(at, label, add) => {
            let Some(path) = issue(at) else { return };
            let verb = if *add { "add" } else { "remove" };
            jira.put(&path, json!({"update": {"labels": [{verb: label}]}})).await
        }
        Write::Comment(at) => {
            let Some(path) = issue(at) else { return };
            jira.post(&format!("{path}/comment"), json!({"body": doc("Said.")})).await
        }
        Write::Transition(at, way) => {
            let Some(path) = issue(at) else { return };
            let ways: Vec<u64> =
                world.workflows.iter().flat_map(|flow| &flow.transitions).map(|way| way.id).collect();
            let body = json!({"transition": {"id": way.get(&ways).to_string()}});
            jira.post(&format!("{path}/transitions"), body).await
        }
        Write::Link(at, id) => {
            let Some(path) = issue(at) else { return };
            let body = json!({"globalId": id, "object": {"url": "https://e.example", "title": "t"}});
            jira.post(&format!("{path}/remotelink"), body).await
        }
        Write::Property(at) => {
            let Some(path) = issue(at) else { return };
            jira.put(&format!("{path}/properties/new"), json!(1)).await
        }
        Write::Delete(at) => {
            let Some(path) = issue(at) else { return };
            jira.delete(&path).await
        }
    };
    assert!(reply.status < 500, "{write:?} was answered with {} {}", reply.status, reply.text);
}

async fn take(jira: &Jira, seconds: i64, step: &Step) {
    jira.advance(seconds);
    match step {
        // A removal may find its issue removed already.
        Step::Event(event) => drop(jira.api.control().happen(event)),
        Step::Write(write) => send(jira, write).await,
    }
}

/// Every state of all issues with the instant it began at.
struct History(Vec<(Timestamp, Vec<IssueSpec>)>);

impl History {
    fn at(&self, instant: Timestamp) -> &[IssueSpec] {
        let before = self.0.iter().rfind(|(began, _)| *began <= instant);
        before.map_or(&self.0[0].1, |(_, issues)| issues)
    }
}

fn is_seen(issue: &IssueSpec, user: &UserSpec) -> bool {
    let project = issue.key.split('-').next().unwrap_or_default();
    !issue.is_hidden && user.project_keys.as_ref().is_none_or(|keys| keys.contains(project))
}

/// Whether a query means an issue, at an instant.
type Means = fn(&IssueSpec, Timestamp) -> bool;

const QUERIES: [(&str, Means); 8] = [
    ("labels = sync", |issue, _| issue.labels.contains("sync")),
    ("labels in (Sync, \"dt:1\") AND status != \"To Do\"", |issue, _| {
        (issue.labels.contains("Sync") || issue.labels.contains("dt:1")) && issue.status != 10_000
    }),
    ("project = SEC", |issue, _| issue.key.starts_with("SEC-")),
    ("project = SEC AND labels = sync", |issue, _| {
        issue.key.starts_with("SEC-") && issue.labels.contains("sync")
    }),
    ("statusCategory = Done", |issue, _| [10_002, 10_003].contains(&issue.status)),
    ("resolution is EMPTY AND assignee is EMPTY", |issue, _| {
        issue.resolution.is_none() && issue.assignee.is_none()
    }),
    ("updated >= -1m", |issue, now| issue.updated >= now - SignedDuration::from_mins(1)),
    ("updated < -1m OR labels is EMPTY", |issue, now| {
        issue.updated < now - SignedDuration::from_mins(1) || issue.labels.is_empty()
    }),
];

proptest! {
    #![proptest_config(proptest_cases(40))]

    #[test]
    fn whoever_searches_sees_the_past_and_whoever_reads_the_present(
        (world, steps) in jira_worlds().prop_flat_map(|world| (Just(world.clone()), steps(&world))),
        later in select(vec![0, 1, 15, 60_i64]),
    ) {
        let mut jira = site(&world);
        let lag = SignedDuration::from_millis(i64::try_from(world.jira.limits.search_lag_ms).unwrap());
        let control = jira.api.control();
        let mut history = History(vec![(control.now(), issues(&jira))]);
        for (seconds, step) in &steps {
            if matches!(step, Step::Event(Event::LimitsChanged { .. } | Event::ApiTokenRevoked { .. })) {
                continue;
            }
            block_on(take(&jira, *seconds, step));
            history.0.push((control.now(), issues(&jira)));
        }
        jira.advance(later);
        let now = control.now();
        for user in &world.jira.users {
            let token = jira.api.server.jira().api_token_of(&user.email).unwrap().to_owned();
            jira = jira.showing(Some(&basic(&user.email, &token)));
            let client = &jira;
            let mut labels = BTreeSet::new();
            for issue in history.at(now) {
                let reply = block_on(client.get(&format!("issue/{}", issue.key)));
                prop_assert_eq!(reply.status, if is_seen(issue, user) { 200 } else { 404 });
                if is_seen(issue, user) {
                    labels.extend(issue.labels.iter().cloned());
                    let shown = reply.json();
                    prop_assert_eq!(&shown["fields"]["labels"], &json!(issue.labels));
                    prop_assert_eq!(&shown["fields"]["status"]["id"], &json!(issue.status.to_string()));
                    prop_assert_eq!(&shown["fields"]["comment"]["total"], &json!(issue.comments.len()));
                }
            }
            let page = block_on(client.get("label?startAt=1&maxResults=2")).ok();
            let all: Vec<&String> = labels.iter().collect();
            prop_assert_eq!(&page["total"], &json!(all.len()));
            prop_assert_eq!(&page["values"], &json!(all.iter().skip(1).take(2).collect::<Vec<_>>()));
            for (jql, means) in QUERIES {
                if jql.starts_with("project = SEC") && user.project_keys.as_ref().is_some_and(|keys| !keys.contains("SEC")) {
                    continue;
                }
                let past = history.at(now - lag).iter();
                let mut found: Vec<(u64, &str)> = past
                    .filter(|issue| is_seen(issue, user) && !issue.is_archived && means(issue, now))
                    .map(|issue| (issue.id, issue.key.as_str()))
                    .collect();
                found.sort_unstable_by(|left, right| right.cmp(left));
                let wanted: Vec<&str> = found.into_iter().map(|(_, key)| key).collect();
                prop_assert_eq!(block_on(client.found(jql)), wanted, "{} of {}", jql, user.display_name);
            }
        }
    }

    #[test]
    fn what_is_exported_loads_and_is_exported_again(
        (world, steps) in whole_worlds().prop_flat_map(|world| (Just(world.clone()), steps(&world))),
    ) {
        let jira = site(&world);
        for (seconds, step) in &steps {
            block_on(take(&jira, *seconds, step));
        }
        let exported = jira.api.control().export_world();
        prop_assert_eq!(exported.validate(), Vec::new());
        let text = serde_json::to_string(&exported).unwrap();
        prop_assert_eq!(&serde_json::from_str::<WorldSpec>(&text).unwrap(), &exported);
        let again = site(&exported).api.control().export_world();
        prop_assert_eq!(again, exported);
    }

    /// Nothing that a world says is lost on its way in: what comes out differs in form alone.
    #[test]
    fn what_is_loaded_is_exported(world in jira_worlds()) {
        let exported = site(&world).api.control().export_world().jira;
        for (given, kept) in world.jira.issues.iter().zip(&exported.issues) {
            let same_texts = |issue: &IssueSpec| IssueSpec {
                description: None,
                comments: Vec::new(),
                ..issue.clone()
            };
            prop_assert_eq!(same_texts(kept), same_texts(given));
            prop_assert_eq!(&kept.description, &given.description);
            prop_assert_eq!(&kept.comments, &given.comments);
        }
        prop_assert_eq!(exported.issues.len(), world.jira.issues.len());
        let by_name = |mut world: fixtures::world::JiraWorld| {
            world.workflows.sort_by(|left, right| left.name.cmp(&right.name));
            (world.workflows, world.limits, world.statuses, world.priorities, world.custom_fields)
        };
        prop_assert_eq!(by_name(exported), by_name(world.jira));
    }
}

proptest! {
    #![proptest_config(proptest_cases(8))]

    #[test]
    fn a_server_that_restarts_is_as_it_was(
        (world, steps) in whole_worlds().prop_flat_map(|world| (Just(world.clone()), steps(&world))),
        at in any::<Index>(),
    ) {
        let directory = TempDir::new().unwrap();
        let mut jira = Jira::around(open(&MockServer::builder().world_spec(world).state(directory.path())));
        let mut directory = directory;
        let at = at.index(steps.len() + 1);
        for place in 0..=steps.len() {
            if place == at {
                let before = (jira.api.control().export_world(), jira.api.control().now());
                let users: Vec<UserSpec> = before.0.jira.users.clone();
                let tokens = |jira: &Jira| {
                    let site = jira.api.server.jira();
                    let of = |user: &UserSpec| site.api_token_of(&user.email).map(str::to_owned);
                    users.iter().map(of).collect::<Vec<_>>()
                };
                let kept = tokens(&jira);
                assert!(block_on(jira.api.control().saved()));
                drop(jira);
                let (api, same) = block_on(reopened(directory));
                directory = same;
                jira = Jira::around(api);
                prop_assert_eq!((jira.api.control().export_world(), jira.api.control().now()), before);
                prop_assert_eq!(tokens(&jira), kept);
                // Whatever was on its way has arrived.
                let labels: Value = block_on(jira.send(Method::GET, "label", None)).ok();
                for label in labels["values"].as_array().unwrap() {
                    let mut found = block_on(jira.found(&format!("labels = {label}")));
                    found.sort();
                    let has = |issue: &IssueSpec| {
                        issue.labels.contains(label.as_str().unwrap()) && !issue.is_hidden && !issue.is_archived
                    };
                    let mut wanted: Vec<String> = issues(&jira).into_iter().filter(has).map(|issue| issue.key).collect();
                    wanted.sort();
                    prop_assert_eq!(found, wanted);
                }
            }
            if let Some((seconds, step)) = steps.get(place) {
                block_on(take(&jira, *seconds, step));
            }
        }
        prop_assert_eq!(jira.api.control().export_world().validate(), Vec::new());
    }
}

/// JSON that a site takes and keeps is read again, however deep it is: from an exported world and from disk.
#[tokio::test]
async fn what_is_nested_as_deep_as_it_may_be_is_kept() {
    let directory = TempDir::new().unwrap();
    let jira = Jira::around(open(&MockServer::builder().world("jira").state(directory.path())));
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let property = |levels: usize| {
        jira.send(Method::PUT, "issue/SEC-1/properties/deep", Some(nested(levels).to_string()))
    };
    property(101).await.denied(400, "server.json-too-deep");
    assert_eq!(property(100).await.status, 201);
    let extension = |levels: usize| {
        let attributes = json!({"extensionKey": "k", "extensionType": "t", "parameters": nested(levels)});
        json!({"type": "doc", "version": 1, "content": [{"type": "extension", "attrs": attributes}]})
    };
    let comment = |levels: usize| jira.post("issue/SEC-1/comment", json!({"body": extension(levels)}));
    comment(96).await.denied(400, "server.json-too-deep");
    assert_eq!(comment(95).await.status, 201);
    let said = |levels: usize| Event::IssueCommented {
        issue: "SEC-2".to_owned(),
        author: None,
        body: fixtures::world::jira::Text::Document(extension(levels)),
    };
    assert!(jira.api.control().happen(&said(97)).is_err());
    jira.api.control().happen(&said(96)).unwrap();

    let exported = jira.api.control().export_world();
    let text = serde_json::to_string(&exported).unwrap();
    let read: WorldSpec = serde_json::from_str(&text).unwrap();
    assert_eq!(site(&read).api.control().export_world(), exported);
    assert!(jira.api.control().saved().await);
    drop(jira);
    let (api, _directory) = reopened(directory).await;
    assert_eq!(api.control().export_world(), exported);
}
