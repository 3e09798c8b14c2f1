//! One server, many isolated worlds: every task makes a sandbox over HTTP, changes it, and sees only its own
//! change. This is what a test suite in any language does.
//!
//! Run it with `cargo run -p mock-server --example parallel_sandboxes`.

use mock_server::MockServer;
use reqwest::Client;
use serde_json::{Value, json};

const SANDBOXES: usize = 50;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let server = MockServer::start().await;
    let address = server.addresses().ok_or("the server listens nowhere")?.plain;
    let admin = format!("http://{address}/__admin");
    let client = Client::new();

    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..SANDBOXES {
        tasks.spawn(one_test(client.clone(), admin.clone(), format!("SEC-{number}")));
    }
    while let Some(finished) = tasks.join_next().await {
        finished??;
    }
    println!("{SANDBOXES} sandboxes of the same world, each with its own change");
    Ok(())
}

/// What one test does with a sandbox of its own.
async fn one_test(client: Client, admin: String, ticket: String) -> Result<(), Failure> {
    let made = client.post(format!("{admin}/sandboxes")).json(&json!({"world": "demo"})).send().await?;
    let sandbox: Value = made.error_for_status()?.json().await?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("not a text");
    let id = text(&sandbox["id"])?;
    let base_url = text(&sandbox["env"]["DATA_THEOREM_BASE_URL"])?;
    let authorization = format!("APIKey {}", text(&sandbox["env"]["DATA_THEOREM_API_KEY"])?);

    let targets = format!("{base_url}/security_finding_targets");
    let first = client.get(&targets).header("Authorization", &authorization).send().await?;
    let first: Value = first.error_for_status()?.json().await?;
    let target = format!("{targets}/{}", text(&first["security_finding_targets"][0]["id"])?);
    let patch =
        client.patch(&target).header("Authorization", &authorization).json(&json!({"external_id": ticket}));
    patch.send().await?.error_for_status()?;

    // Every sandbox has the same targets; nobody else's ticket shows here.
    let seen: Value =
        client.get(&target).header("Authorization", &authorization).send().await?.json().await?;
    assert_eq!(seen["external_id"], ticket);

    client.delete(format!("{admin}/sandboxes/{id}")).send().await?.error_for_status()?;
    Ok(())
}
