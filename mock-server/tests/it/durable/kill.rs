//! The binary is killed while clients write: every acknowledged write is there after a restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mock_server::kernel::ids::entropy;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::embedding::Process;

/// Clients, each with a target of its own.
const CLIENTS: usize = 4;
const ROUNDS: usize = 5;

/// What one client knows about its target.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Number of the last ticket that was acknowledged, and of the last one that was sent.
    ticket: (usize, usize),
    /// How many status changes were acknowledged, and how many were sent.
    statuses: (usize, usize),
    /// How many notes were acknowledged, and how many were sent.
    notes: (usize, usize),
}

fn start(directory: &Path, world: &str) -> Process {
    let state = directory.join("state").display().to_string();
    Process::start(directory, &["--world", world, "--clock", "manual", "--state", &state])
}

async fn targets(process: &Process) -> Vec<Value> {
    let (status, page) = process.send(reqwest::Method::GET, "security_finding_targets", None).await.unwrap();
    assert_eq!(status, 200);
    page["security_finding_targets"].as_array().unwrap().clone()
}

/// Writes until the server is gone.
async fn write(
    process: Arc<Process>,
    target: String,
    finding: String,
    mut known: Known,
    acknowledged: Arc<AtomicUsize>,
    more: Arc<Notify>,
) -> Known {
    let target = format!("security_finding_targets/{target}");
    loop {
        known.ticket.1 += 1;
        let ticket = json!({"external_id": format!("SEC-{}", known.ticket.1)});
        match process.send(reqwest::Method::PATCH, &target, Some(ticket)).await {
            Ok((status, _)) => assert_eq!(status, 200),
            Err(_) => return known,
        }
        known.ticket.0 = known.ticket.1;
        let status = if known.statuses.1.is_multiple_of(2) { "CLOSED_WONT_FIX" } else { "OPEN" };
        known.statuses.1 += 1;
        let path = format!("{target}/statuses");
        match process.send(reqwest::Method::POST, &path, Some(json!({"status": status}))).await {
            Ok((code, _)) => assert_eq!(code, 204),
            Err(_) => return known,
        }
        known.statuses.0 = known.statuses.1;
        known.notes.1 += 1;
        let path = format!("security_findings/{finding}/notes");
        match process.send(reqwest::Method::POST, &path, Some(json!({"text": "A note."}))).await {
            Ok((code, _)) => assert_eq!(code, 204),
            Err(_) => return known,
        }
        known.notes.0 = known.notes.1;
        acknowledged.fetch_add(3, Ordering::Relaxed);
        more.notify_one();
    }
}

/// The seed, printed.
fn seed() -> u64 {
    let seed = std::env::var("KILL_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(entropy()[..8].try_into().unwrap()));
    println!("KILL_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kill_9() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let directory = TempDir::new().unwrap();
    let process = start(directory.path(), "two-pages");
    let rows = targets(&process).await;
    let mine: Vec<(String, String)> = {
        // One target per finding, so that notes can be counted per client.
        let by_finding: BTreeMap<&str, &Value> = rows
            .iter()
            .filter(|row| !row["current_status"].as_str().unwrap().starts_with("CLOSED"))
            .map(|row| (row["security_finding_id"].as_str().unwrap(), row))
            .collect();
        let pairs = by_finding
            .iter()
            .map(|(finding, row)| (row["id"].as_str().unwrap().to_owned(), (*finding).to_owned()));
        pairs.take(CLIENTS).collect()
    };
    assert_eq!(mine.len(), CLIENTS, "the world has too few open targets");
    let mut before = Vec::new();
    for (target, finding) in &mine {
        before.push(counts(&process, target, finding).await);
    }
    let mut known = vec![Known::default(); CLIENTS];
    let mut process = Arc::new(process);
    for round in 0..ROUNDS {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let more = Arc::new(Notify::new());
        let clients: Vec<_> = mine
            .iter()
            .zip(&known)
            .map(|((target, finding), known)| {
                let (target, finding, known) = (target.clone(), finding.clone(), known.clone());
                tokio::spawn(write(
                    Arc::clone(&process),
                    target,
                    finding,
                    known,
                    Arc::clone(&acknowledged),
                    Arc::clone(&more),
                ))
            })
            .collect();
        let enough = random.random_range(1..120);
        while acknowledged.load(Ordering::Relaxed) < enough {
            more.notified().await;
        }
        // The writes of the other clients are anywhere on their way.
        for _ in 0..random.random_range(0..2_000) {
            tokio::task::yield_now().await;
        }
        process.kill();
        for (client, place) in clients.into_iter().zip(0..) {
            known[place] = client.await.unwrap();
        }
        drop(process);
        process = Arc::new(start(directory.path(), "two-pages"));
        for (place, (target, finding)) in mine.iter().enumerate() {
            let (ticket, statuses, notes) = counts(&process, target, finding).await;
            let (_, statuses_before, notes_before) = before[place];
            let known = &mut known[place];
            let context = format!("KILL_SEED={seed} round {round} client {place}: {known:?}");
            let between = |(acknowledged, sent): (usize, usize), found: usize, what: &str| {
                assert!((acknowledged..=sent).contains(&found), "{what}: found {found}; {context}");
            };
            between(known.ticket, ticket, "ticket");
            between(known.statuses, statuses - statuses_before, "statuses");
            between(known.notes, notes - notes_before, "notes");
            known.ticket = (ticket, ticket);
            known.statuses = (statuses - statuses_before, statuses - statuses_before);
            known.notes = (notes - notes_before, notes - notes_before);
        }
    }
    process.kill();
}

/// Number of the ticket, of the statuses and of the notes.
async fn counts(process: &Process, target: &str, finding: &str) -> (usize, usize, usize) {
    let path = format!("security_finding_targets/{target}");
    let (_, target) = process.send(reqwest::Method::GET, &path, None).await.unwrap();
    let path = format!("security_findings/{finding}");
    let (_, finding) = process.send(reqwest::Method::GET, &path, None).await.unwrap();
    let ticket = target["external_id"]
        .as_str()
        .and_then(|text| text.strip_prefix("SEC-"))
        .map_or(0, |number| number.parse().unwrap());
    (ticket, target["statuses"].as_array().unwrap().len(), finding["notes"].as_array().map_or(0, Vec::len))
}

/// Reports issues for a policy violation of Mend's, one after the other, until the server is gone. Returns how many
/// were acknowledged, and how many were sent.
async fn report(
    process: Arc<Process>,
    (project, violation): (String, String),
    known: usize,
    acknowledged: Arc<AtomicUsize>,
    more: Arc<Notify>,
) -> (usize, usize) {
    let mut number = known;
    loop {
        let issue = json!({"identifier": format!("SEC-{}", number + 1), "status": "open"});
        let fields =
            json!({"projectToken": project, "wsPolicyIssueItemUuid": violation, "externalIssues": [issue]});
        match process.mend("updateExternalIntegrationIssues", fields).await {
            Ok((status, reply)) => {
                assert_eq!((status, &reply["createdIssues"]), (200, &json!(1)), "{reply}");
            }
            Err(_) => return (number, number + 1),
        }
        number += 1;
        acknowledged.fetch_add(1, Ordering::Relaxed);
        more.notify_one();
    }
}

async fn exported_mend(process: &Process) -> Value {
    let url = format!("{}/__admin/sandboxes/default/world", process.origin());
    let mut world: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    world["mend"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_issues_at_mend_survive_kill_9() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let directory = TempDir::new().unwrap();
    let mut process = Arc::new(start(directory.path(), "mend-every-match-type"));
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let world = exported_mend(&process).await;
    let mine: Vec<(String, String)> = world["policy_violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["status"] == "OPEN")
        .map(|row| (text(row, "project_token"), text(row, "uuid")))
        .take(CLIENTS)
        .collect();
    assert_eq!(mine.len(), CLIENTS, "the world has too few open violations");
    let mut known = vec![0; CLIENTS];
    for round in 0..ROUNDS {
        let (acknowledged, more) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let clients: Vec<_> = mine
            .iter()
            .zip(&known)
            .map(|(item, known)| {
                let (acknowledged, more) = (Arc::clone(&acknowledged), Arc::clone(&more));
                tokio::spawn(report(Arc::clone(&process), item.clone(), *known, acknowledged, more))
            })
            .collect();
        let enough = random.random_range(1..120);
        while acknowledged.load(Ordering::Relaxed) < enough {
            more.notified().await;
        }
        process.kill();
        let mut counts = Vec::new();
        for client in clients {
            counts.push(client.await.unwrap());
        }
        drop(process);
        process = Arc::new(start(directory.path(), "mend-every-match-type"));
        let issues = exported_mend(&process).await["external_issues"].take();
        for (place, ((_, violation), (acknowledged, sent))) in mine.iter().zip(counts).enumerate() {
            let issues = issues.as_array().unwrap().iter();
            let found = issues.filter(|row| row["violation_uuid"] == violation.as_str()).count();
            let context = format!("KILL_SEED={seed} round {round} client {place}");
            assert!((acknowledged..=sent).contains(&found), "found {found} of {sent}; {context}");
            known[place] = found;
        }
    }
    process.kill();
}
