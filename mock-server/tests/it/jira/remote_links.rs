//! `issue/:id/remotelink`

use serde_json::{Value, json};

use super::common::Jira;

fn link(global_id: Option<&str>, title: &str) -> Value {
    json!({"globalId": global_id, "object": {"url": "https://e.example/1", "title": title}})
}

#[tokio::test]
async fn a_link_with_a_known_id_is_replaced() {
    let jira = Jira::new();
    let path = "issue/SEC-1/remotelink";
    let mut first = link(Some("system=x&id=1"), "One");
    first["relationship"] = "reported by".into();
    let made = jira.post(path, first).await;
    assert_eq!(made.status, 201, "JIRA-LINK-UPSERT");
    assert_eq!(
        made.json(),
        json!({"id": 10_000, "self": "http://jira.example/rest/api/3/issue/SEC-1/remotelink/10000"})
    );
    assert_eq!(jira.get(path).await.ok()[0]["relationship"], "reported by");
    let again = jira.post(path, link(Some("system=x&id=1"), "Two")).await;
    assert_eq!((again.status, again.json()["id"].clone()), (200, json!(10_000)));
    let one = jira.get(&format!("{path}?globalId=system%3Dx%26id%3D1")).await.ok();
    assert_eq!((&one["object"]["title"], one.get("relationship")), (&json!("Two"), None), "JIRA-LINK-NULLS");
    // Without an id every link is another one.
    assert_eq!(jira.post(path, link(None, "Three")).await.status, 201);
    assert_eq!(jira.post(path, link(None, "Three")).await.status, 201);
    assert_eq!(jira.get(path).await.ok().as_array().unwrap().len(), 3);

    jira.put(&format!("{path}/10001"), link(None, "Four")).await.no_content();
    assert_eq!(jira.get(&format!("{path}/10001")).await.ok()["object"]["title"], "Four");
    jira.delete(&format!("{path}/10001")).await.no_content();
    jira.delete(&format!("{path}?globalId=system%3Dx%26id%3D1")).await.no_content();
    assert_eq!(jira.get(path).await.ok().as_array().unwrap().len(), 1);
    for gone in [format!("{path}/10001"), format!("{path}?globalId=none")] {
        jira.get(&gone).await.denied(404, "JIRA-LINK-404");
        jira.delete(&gone).await.denied(404, "JIRA-LINK-404");
    }
}

#[tokio::test]
async fn no_two_links_of_an_issue_have_the_same_global_id() {
    let jira = Jira::new();
    let path = "issue/SEC-1/remotelink";
    for (global_id, title) in [(Some("x"), "One"), (Some("y"), "Two"), (None, "Three")] {
        assert_eq!(jira.post(path, link(global_id, title)).await.status, 201);
    }
    for number in [10_001, 10_002] {
        let refused = jira.put(&format!("{path}/{number}"), link(Some("x"), "Again")).await;
        let body = refused.denied(400, "JIRA-LINK-GLOBAL-ID");
        assert!(body["errors"]["globalId"].is_string(), "{body}");
    }
    let links = jira.get(path).await.ok();
    let titles: Vec<&Value> = links.as_array().unwrap().iter().map(|link| &link["object"]["title"]).collect();
    assert_eq!(titles, ["One", "Two", "Three"]);
    // Its own id, a new one, and the same one at another issue are nobody's business.
    jira.put(&format!("{path}/10000"), link(Some("x"), "One")).await.no_content();
    jira.put(&format!("{path}/10001"), link(Some("z"), "Two")).await.no_content();
    assert_eq!(jira.post("issue/SEC-2/remotelink", link(Some("x"), "One")).await.status, 201);
    assert_eq!(jira.get(&format!("{path}?globalId=z")).await.ok()["id"], 10_001);
}

#[tokio::test]
async fn a_link_is_asked_for_at_its_own_issue() {
    let jira = Jira::new();
    assert_eq!(jira.post("issue/SEC-1/remotelink", link(Some("x"), "One")).await.status, 201);
    for id in ["x", "-1", "1.0", "10000"] {
        let path = format!("issue/SEC-2/remotelink/{id}");
        jira.get(&path).await.denied(400, "JIRA-LINK-FOREIGN");
        jira.put(&path, link(None, "Two")).await.denied(400, "JIRA-LINK-FOREIGN");
        jira.delete(&path).await.denied(400, "JIRA-LINK-FOREIGN");
    }
    for query in ["", "?globalId=", "?globalid=x"] {
        jira.delete(&format!("issue/SEC-1/remotelink{query}")).await.denied(400, "JIRA-LINK-UNNAMED");
    }
    let _ = jira.get("issue/SEC-1/remotelink/10000").await.ok();
    // Where nobody has it any more, it is nobody's.
    jira.delete("issue/SEC-1").await.no_content();
    jira.get("issue/SEC-2/remotelink/10000").await.denied(404, "JIRA-LINK-404");
}

#[tokio::test]
async fn a_link_leads_somewhere_and_has_a_title() {
    let jira = Jira::new();
    for body in [
        json!({}),
        json!({"object": {"url": "https://e.example"}}),
        json!({"object": {"title": "x"}}),
        json!({"object": 1}),
        link(None, &"x".repeat(256)),
    ] {
        jira.post("issue/SEC-1/remotelink", body).await.denied(400, "JIRA-LINK-INVALID");
    }
}

#[tokio::test]
async fn whether_a_link_is_an_update_is_a_reading() {
    for (value, seconds) in [("no", "00"), ("yes", "09")] {
        let jira = Jira::under("jira.remote-link-bumps", value);
        let key = jira.create(json!({})).await;
        jira.advance(9);
        let _ = jira.post(&format!("issue/{key}/remotelink"), link(None, "x")).await;
        assert_eq!(jira.fields(&key).await["updated"], format!("2026-01-15T00:00:{seconds}.000+0000"));
    }
}
