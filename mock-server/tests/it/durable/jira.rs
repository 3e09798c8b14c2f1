//! What changed at Jira is there after a restart, whichever row holds it, and after a kill.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fixtures::world::JiraWorld;
use mock_server::kernel::ids::entropy;
use mock_server::{Control, MockServer};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{open, reopened};
use crate::embedding::Process;
use crate::jira::common::{Jira, basic, doc, new_issue};
use crate::support::{block_on, proptest_cases};

fn world(control: &Control) -> JiraWorld {
    control.export_world().jira
}

fn kept_in(directory: &TempDir) -> Jira {
    Jira::around(open(&MockServer::builder().world("jira").state(directory.path())))
}

/// Whatever clients and people can change, once. `step` is which part of it.
async fn change(jira: &Jira, step: usize) {
    jira.advance(1);
    let path = |rest: &str| format!("issue/SEC-1/{rest}");
    match step {
        0 => {
            let mut body = new_issue(json!({"labels": ["a"], "description": doc("x")}));
            body["properties"] = json!([{"key": "origin", "value": {"target": "7"}}]);
            body["update"] = json!({"comment": [{"add": {"body": doc("First.")}}]});
            drop(jira.post("issue", body).await);
        }
        1 => drop(
            jira.put(
                "issue/SEC-1",
                json!({"fields": {"summary": "Edited"}, "properties": [{"key": "k", "value": 1}]}),
            )
            .await,
        ),
        2 => drop(jira.post(&path("comment"), json!({"body": doc("Said.")})).await),
        3 => drop(jira.delete(&path("comment/10000")).await),
        4 => drop(jira.put(&path("properties/null"), Value::Null).await),
        5 => drop(jira.delete(&path("properties/origin")).await),
        6 => drop(
            jira.post(&path("remotelink"), json!({"globalId": "g", "object": {"url": "u", "title": "t"}}))
                .await,
        ),
        7 => drop(jira.delete(&path("remotelink?globalId=g")).await),
        8 => drop(jira.post(&path("transitions"), json!({"transition": {"id": "31"}})).await),
        9 => drop(jira.delete("issue/SEC-2").await),
        10 => jira.happens(json!({"type": "jira.issue_moved", "issue": "SEC-3", "project": "OUT"})),
        11 => jira.happens(json!({"type": "jira.issue_hidden", "issue": "DET-1", "is_hidden": true})),
        12 => jira.happens(
            json!({"type": "jira.limits_changed", "limits": {"search_lag_ms": 5, "comments_per_issue": 7}}),
        ),
        REVOKED => jira
            .happens(json!({"type": "jira.api_token_revoked", "account_id": "5b10ac8d82e05b22cc7d-limited"})),
        _ => drop(jira.put("issue/SEC-5/assignee", json!({"accountId": "5b10ac8d82e05b22cc7d-sync"})).await),
    }
}

const CHANGES: usize = 15;
const REVOKED: usize = 13;

#[tokio::test]
async fn every_change_is_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let jira = kept_in(&directory);
    let token = jira.api.server.jira().api_token().to_owned();
    // A revoked token writes the whole world, so what came before it would be there without a row of its own.
    for step in [REVOKED].into_iter().chain((0..CHANGES).filter(|step| *step != REVOKED)) {
        let before = world(&jira.api.control());
        change(&jira, step).await;
        assert_ne!(world(&jira.api.control()), before, "step {step} changes nothing");
    }
    let before = world(&jira.api.control());
    assert!(jira.api.control().saved().await);
    drop(jira);

    let (api, _directory) = reopened(directory).await;
    assert_eq!(world(&api.control()), before);
    assert_eq!(api.server.jira().api_token(), token);
    let jira = Jira::around(api);
    assert_eq!(jira.create(json!({})).await, "SEC-7", "numbers go on where they were");
    assert_eq!(jira.get("issue/SEC-3").await.ok()["key"], "OUT-3", "former keys are there");
    assert_eq!(jira.get("issue/SEC-1/properties/null").await.ok()["value"], Value::Null);
    jira.api.control().reset();
    assert_eq!(
        jira.get("issue/SEC-1").await.ok()["fields"]["summary"],
        "Open and labelled",
        "the origin is there too"
    );
}

proptest! {
    #![proptest_config(proptest_cases(12))]

    /// In whatever order things change, with a restart anywhere, the same is there as in a server that ran through.
    #[test]
    fn a_restart_is_not_noticed(steps in proptest::collection::vec(0..CHANGES, 1..12), at in any::<proptest::sample::Index>()) {
        let directory = TempDir::new().unwrap();
        let plain = Jira::new();
        let at = at.index(steps.len());
        let mut jira = kept_in(&directory);
        let mut directory = directory;
        for (place, step) in steps.iter().enumerate() {
            if place == at {
                prop_assert!(block_on(jira.api.control().saved()));
                drop(jira);
                let (api, same) = block_on(reopened(directory));
                directory = same;
                jira = Jira::around(api);
            }
            // What can't happen twice happens in neither.
            let outcome = |jira: &Jira| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(change(jira, *step)))).is_ok();
            prop_assert_eq!(outcome(&jira), outcome(&plain));
        }
        prop_assert_eq!(world(&jira.api.control()), world(&plain.api.control()));
    }
}

async fn send(
    process: &Process,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Result<(u16, Value), reqwest::Error> {
    let url = format!("{}/rest/api/3/{path}", process.env["JIRA_BASE_URL"]);
    let request = reqwest::Client::new().request(method, url).header("content-type", "application/json");
    let request =
        request.header("authorization", basic(&process.env["JIRA_EMAIL"], &process.env["JIRA_API_TOKEN"]));
    let response = request.body(body.map(|body| body.to_string()).unwrap_or_default()).send().await?;
    let status = response.status().as_u16();
    Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or_default()))
}

/// Makes issues with a label of its own and comments on each, until the server is gone. Returns the keys that were
/// acknowledged, each with whether its comment was, and how many issues were asked for.
async fn write(
    process: Arc<Process>,
    label: String,
    done: Arc<AtomicUsize>,
) -> (BTreeMap<String, bool>, usize) {
    let (mut known, mut asked) = (BTreeMap::new(), 0);
    loop {
        asked += 1;
        let made =
            send(&process, reqwest::Method::POST, "issue", Some(new_issue(json!({"labels": [label]})))).await;
        let Ok((201, made)) = made else { return (known, asked) };
        let key = made["key"].as_str().unwrap().to_owned();
        known.insert(key.clone(), false);
        let said = send(
            &process,
            reqwest::Method::POST,
            &format!("issue/{key}/comment"),
            Some(json!({"body": doc("x")})),
        )
        .await;
        let Ok((201, _)) = said else { return (known, asked) };
        known.insert(key, true);
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_issues_survive_kill_9() {
    let seed = std::env::var("KILL_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(entropy()[..8].try_into().unwrap()));
    println!("KILL_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let directory = TempDir::new().unwrap();
    let state = directory.path().join("state").display().to_string();
    let start =
        || Process::start(directory.path(), &["--world", "jira", "--clock", "manual", "--state", &state]);
    let mut process = Arc::new(start());
    for round in 0..4 {
        let done = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..3)
            .map(|client| {
                tokio::spawn(write(Arc::clone(&process), format!("r{round}c{client}"), Arc::clone(&done)))
            })
            .collect();
        let enough = random.random_range(1..60);
        while done.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        process.kill();
        let mut written = Vec::new();
        for client in clients {
            written.push(client.await.unwrap());
        }
        drop(process);
        process = Arc::new(start());
        for (client, (known, asked)) in written.into_iter().enumerate() {
            let context = format!("KILL_SEED={seed} round {round} client {client}");
            let query = json!({"jql": format!("labels = r{round}c{client}"), "fields": ["comment"], "maxResults": 100});
            let mut found = 0;
            let mut body = query.clone();
            loop {
                let (status, page) =
                    send(&process, reqwest::Method::POST, "search/jql", Some(body.clone())).await.unwrap();
                assert_eq!(status, 200, "{page}; {context}");
                found += page["issues"].as_array().unwrap().len();
                let Some(token) = page.get("nextPageToken") else { break };
                body["nextPageToken"] = token.clone();
            }
            assert!(
                (known.len()..=asked).contains(&found),
                "{found} of {} to {asked}; {context}",
                known.len()
            );
            for (key, is_said) in known {
                let (status, issue) =
                    send(&process, reqwest::Method::GET, &format!("issue/{key}"), None).await.unwrap();
                assert_eq!(status, 200, "{key}; {context}");
                assert!(!is_said || issue["fields"]["comment"]["total"] == 1, "{key}; {context}");
            }
        }
    }
    process.kill();
}
