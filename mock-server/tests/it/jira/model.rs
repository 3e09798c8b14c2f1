//! Random operations against a naive model: a list of everything that happened, searched from end to end.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::common::Jira;
use crate::support::{block_on, proptest_cases};

const LAG: i64 = 20;
const LABELS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    Create(Vec<&'static str>),
    Label(Index, &'static str, bool),
    Close(Index),
    Reopen(Index),
    Delete(Index),
    Move(Index),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let index = || proptest::prelude::any::<Index>();
    proptest::prop_oneof![
        3 => proptest::sample::subsequence(LABELS.to_vec(), 0..3).prop_map(Step::Create),
        3 => (index(), select(LABELS.to_vec()), proptest::bool::ANY).prop_map(|(at, label, add)| Step::Label(at, label, add)),
        2 => index().prop_map(Step::Close),
        2 => index().prop_map(Step::Reopen),
        1 => index().prop_map(Step::Delete),
        1 => index().prop_map(Step::Move),
        3 => (0..15_i64).prop_map(Step::Wait),
    ]
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    key: String,
    labels: BTreeSet<&'static str>,
    is_done: bool,
}

/// Every state of every issue with the second it began at. `None`: it is gone.
#[derive(Default)]
struct Model {
    now: i64,
    history: Vec<(i64, u64, Option<Row>)>,
    numbers: BTreeMap<&'static str, u64>,
}

impl Model {
    /// The issues as they were so many seconds ago.
    fn at(&self, ago: i64) -> BTreeMap<u64, Row> {
        let mut rows = BTreeMap::new();
        for (_, id, row) in self.history.iter().filter(|(at, _, _)| *at <= self.now - ago) {
            match row {
                Some(row) => drop(rows.insert(*id, row.clone())),
                None => drop(rows.remove(id)),
            }
        }
        rows
    }

    fn note(&mut self, id: u64, row: Option<Row>) {
        self.history.push((self.now, id, row));
    }

    fn key(&mut self, project: &'static str) -> String {
        let number = self.numbers.entry(project).or_insert(0);
        *number += 1;
        format!("{project}-{number}")
    }
}

fn empty_site() -> Jira {
    let jira = Jira::new();
    let mut world = jira.api.control().export_world();
    world.jira.issues.clear();
    world.jira.limits.search_lag_ms = u64::try_from(LAG).unwrap() * 1_000;
    for project in &mut world.jira.projects {
        project.newest_number = None;
    }
    world.jira.newest = fixtures::world::jira::NumbersSpec::default();
    jira.api.control().replace_world(world).unwrap();
    jira
}

async fn apply(jira: &Jira, model: &mut Model, step: &Step) {
    let rows: Vec<(u64, Row)> = model.at(0).into_iter().collect();
    let pick = |at: &Index| (!rows.is_empty()).then(|| at.get(&rows).clone());
    match step {
        Step::Wait(seconds) => {
            jira.advance(*seconds);
            model.now += seconds;
        }
        Step::Create(labels) => {
            let key = jira.create(json!({"labels": labels})).await;
            let id: u64 = jira.get(&format!("issue/{key}?fields=summary")).await.ok()["id"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(key, model.key("SEC"));
            model.note(id, Some(Row { key, labels: labels.iter().copied().collect(), is_done: false }));
        }
        Step::Label(at, label, add) => {
            let Some((id, mut row)) = pick(at) else { return };
            let verb = if *add { "add" } else { "remove" };
            jira.put(&format!("issue/{}", row.key), json!({"update": {"labels": [{verb: label}]}}))
                .await
                .no_content();
            if *add {
                row.labels.insert(label)
            } else {
                row.labels.remove(label)
            };
            model.note(id, Some(row));
        }
        Step::Close(at) => {
            let Some((id, mut row)) = pick(at) else { return };
            let body = json!({"transition": {"id": "21"}, "fields": {"resolution": {"name": "Done"}}});
            let reply = jira.post(&format!("issue/{}/transitions", row.key), body).await;
            assert_eq!(reply.status, if row.is_done { 400 } else { 204 }, "{}", reply.text);
            row.is_done = true;
            model.note(id, Some(row));
        }
        Step::Reopen(at) => {
            let Some((id, mut row)) = pick(at) else { return };
            let reply = jira
                .post(&format!("issue/{}/transitions", row.key), json!({"transition": {"id": "41"}}))
                .await;
            assert_eq!(reply.status, if row.is_done { 204 } else { 400 }, "{}", reply.text);
            row.is_done = false;
            model.note(id, Some(row));
        }
        Step::Delete(at) => {
            let Some((id, row)) = pick(at) else { return };
            jira.delete(&format!("issue/{}", row.key)).await.no_content();
            model.note(id, None);
        }
        Step::Move(at) => {
            let Some((id, mut row)) = pick(at) else { return };
            let target = if row.key.starts_with("SEC") { "OUT" } else { "SEC" };
            jira.happens(json!({"type": "jira.issue_moved", "issue": row.key, "project": target}));
            let old = std::mem::replace(&mut row.key, model.key(target));
            assert_eq!(jira.get(&format!("issue/{old}")).await.ok()["key"], row.key.as_str());
            model.note(id, Some(row));
        }
    }
}

/// Whether a query means a row.
type Means = fn(&Row) -> bool;

proptest! {
    #![proptest_config(proptest_cases(60))]

    #[test]
    fn searches_see_the_past_and_reads_the_present(steps in proptest::collection::vec(step(), 1..40)) {
        let jira = empty_site();
        let mut model = Model::default();
        block_on(async {
            for step in &steps {
                apply(&jira, &mut model, step).await;
            }
        });
        let (now, seen) = (model.at(0), model.at(LAG));
        for (id, row) in &now {
            let issue = block_on(jira.get(&format!("issue/{id}"))).ok();
            prop_assert_eq!(&issue["key"], row.key.as_str());
            prop_assert_eq!(&issue["fields"]["labels"], &json!(row.labels));
            prop_assert_eq!(issue["fields"]["resolution"].is_null(), !row.is_done);
        }
        let queries: [(&str, Means); 7] = [
            ("labels = a", |row| row.labels.contains("a")),
            ("labels in (a, b) AND statusCategory != Done", |row| !row.is_done && (row.labels.contains("a") || row.labels.contains("b"))),
            ("project = SEC AND labels = c", |row| row.key.starts_with("SEC") && row.labels.contains("c")),
            ("project = OUT", |row| row.key.starts_with("OUT")),
            ("statusCategory = Done", |row| row.is_done),
            ("labels is EMPTY AND project in (SEC, OUT)", |row| row.labels.is_empty()),
            ("project = SEC OR labels = b", |row| row.key.starts_with("SEC") || row.labels.contains("b")),
        ];
        for (jql, means) in queries {
            let wanted: Vec<&str> = seen.values().rev().filter(|row| means(row)).map(|row| row.key.as_str()).collect();
            prop_assert_eq!(block_on(jira.found(jql)), wanted, "{}", jql);
            let ordered = format!("{jql} ORDER BY id ASC");
            let wanted: Vec<&str> = seen.values().filter(|row| means(row)).map(|row| row.key.as_str()).collect();
            prop_assert_eq!(block_on(jira.found(&ordered)), wanted, "{}", ordered);
        }
        // What was asked to be reconciled is seen as it is.
        let ids: Vec<u64> = now.keys().chain(seen.keys()).copied().collect::<BTreeSet<_>>().into_iter().take(50).collect();
        let body = json!({"jql": "labels = a", "fields": ["summary"], "maxResults": 100, "reconcileIssues": ids});
        let found = block_on(jira.post("search/jql", body)).ok();
        let found: Vec<&str> = found["issues"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
        let wanted: Vec<&str> = now.values().rev().filter(|row| row.labels.contains("a")).map(|row| row.key.as_str()).collect();
        prop_assert_eq!(found, wanted);
        let export = jira.api.control().export_world();
        prop_assert!(export.validate().is_empty());
        let known: Vec<Value> = export.jira.issues.iter().map(|issue| json!(issue.id)).collect();
        prop_assert_eq!(known, now.keys().map(|id| json!(id)).collect::<Vec<_>>());
    }
}
