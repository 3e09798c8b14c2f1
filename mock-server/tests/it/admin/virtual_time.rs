//! Readers of a journal that wait, in virtual time.

use std::time::Duration;

use serde_json::json;

use super::{GET, on_default};
use crate::support::Api;

#[tokio::test(start_paused = true)]
async fn a_reader_of_the_journal_can_wait_for_what_has_not_happened_yet() {
    let api = std::sync::Arc::new(Api::docs_samples());
    let begun = tokio::time::Instant::now();
    let page = on_default(&api, GET, "journal?wait_ms=30000", None).await.ok();
    assert_eq!((&page["entries"], begun.elapsed().as_secs()), (&json!([]), 30));
    let waiting = tokio::spawn({
        let api = std::sync::Arc::clone(&api);
        async move {
            on_default(&api, GET, "journal?wait_ms=30000&operation=GET%20security_findings", None).await.ok()
        }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let _ = api.get("mobile_apps").await.ok();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished(), "that was another operation");
    let _ = api.get("security_findings").await.ok();
    let page = waiting.await.unwrap();
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    assert_eq!(page["entries"][0]["status"], 200);
    assert_eq!(begun.elapsed().as_secs(), 40);
}
