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

fn start(directory: &Path) -> Process {
    let state = directory.join("state").display().to_string();
    Process::start(directory, &["--world", "two-pages", "--clock", "manual", "--state", &state])
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kill_9() {
    let seed = std::env::var("KILL_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(entropy()[..8].try_into().unwrap()));
    println!("KILL_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let directory = TempDir::new().unwrap();
    let process = start(directory.path());
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
        process = Arc::new(start(directory.path()));
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
