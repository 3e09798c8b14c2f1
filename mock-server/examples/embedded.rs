//! A server inside the program that uses it: a planned fault, and the journal as evidence.
//!
//! Run it with `cargo run -p mock-server --example embedded`.

use mock_server::MockServer;
use mock_server::kernel::faults::{Effect, Fault};
use mock_server::kernel::journal::Filter;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One app, one finding, one open target; a free port; a clock that stands still.
    let server = MockServer::builder().world("one-open").start().await?;
    let (base_url, api_key) =
        (server.data_theorem().base_url().to_owned(), server.data_theorem().api_key().to_owned());
    let authorization = format!("APIKey {api_key}");
    let client = reqwest::Client::new();

    let list: serde_json::Value = client
        .get(format!("{base_url}/security_finding_targets?status_group=OPEN"))
        .header("Authorization", &authorization)
        .send()
        .await?
        .json()
        .await?;
    let target = list["security_finding_targets"][0]["id"].as_str().ok_or("no open target")?;
    println!("open target: {target}");

    // The next PATCH takes effect, but its reply is lost.
    let operation = "PATCH security_finding_targets/:id";
    let reply = Effect::Reply { status: 502, headers: Vec::new(), body: String::new() };
    server.control().plan_fault(Fault::after(operation, reply))?;

    let link = || {
        client
            .patch(format!("{base_url}/security_finding_targets/{target}"))
            .header("Authorization", &authorization)
            .json(&json!({"external_id": "SEC-1"}))
            .send()
    };
    assert_eq!(link().await?.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(link().await?.status(), StatusCode::OK);

    // Both requests were applied; the journal tells which one the fault struck.
    let patches = Filter { operation: Some(operation.to_owned()), ..Filter::default() };
    let journal = server.control().journal(&patches);
    for entry in &journal.entries {
        println!(
            "{} {} -> {:?}, applied {}, fault {:?}",
            entry.seq, entry.operation, entry.status, entry.phases.applied, entry.fault
        );
    }
    assert_eq!(journal.entries.len(), 2);
    assert!(journal.entries.iter().all(|entry| entry.phases.applied));
    assert_eq!(journal.entries[0].fault, Some(1));
    assert_eq!(journal.evicted, 0, "the journal is complete evidence");
    Ok(())
}
