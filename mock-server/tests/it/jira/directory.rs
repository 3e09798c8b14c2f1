//! What an administrator set up, and what starts where.

use serde_json::{Value, json};

use super::common::Jira;
use crate::support::Api;

#[tokio::test]
async fn lists_of_what_is_set_up() {
    let jira = Jira::new();
    let names = |list: Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(jira.get("priority").await.ok()), ["Highest", "High", "Medium", "Low", "Lowest"]);
    assert_eq!(names(jira.get("status").await.ok()), ["To Do", "In Progress", "Done", "Won't Do"]);
    assert_eq!(names(jira.get("statuscategory").await.ok()), ["To Do", "In Progress", "Done"]);
    assert_eq!(names(jira.get("issuetype").await.ok()), ["Task", "Bug", "Vulnerability"]);
    assert_eq!(names(jira.get("resolution").await.ok())[0], "Done");
    assert!(names(jira.get("field").await.ok()).contains(&"External id".to_owned()));
    assert_eq!(jira.get("label").await.ok()["values"], json!(["crypto", "sync"]));
    assert_eq!(jira.get("label?startAt=1&maxResults=1").await.ok()["values"], json!(["sync"]));
}

#[tokio::test]
async fn projects_are_found() {
    let jira = Jira::new();
    let found = jira.get("project/search?query=se").await.ok();
    assert_eq!(
        (&found["total"], &found["values"][0]["key"], &found["isLast"]),
        (&json!(1), &json!("SEC"), &json!(true))
    );
    let page = jira.get("project/search?maxResults=1&startAt=1").await.ok();
    assert_eq!((&page["values"][0]["key"], &page["isLast"]), (&json!("OUT"), &json!(false)));
    assert_eq!(jira.get("project/search?keys=DET,out").await.ok()["total"], 2);
    for name in ["SEC", "sec", "10000"] {
        let project = jira.get(&format!("project/{name}")).await.ok();
        assert_eq!(
            (&project["key"], &project["issueTypes"][2]["name"]),
            (&json!("SEC"), &json!("Vulnerability"))
        );
    }
}

#[tokio::test]
async fn the_demonstration_has_a_project_and_its_variables() {
    let api = Api::of("demo");
    let env = api.control().environment().env;
    assert_eq!((env["JIRA_EMAIL"].as_str(), env["JIRA_PROJECT"].as_str()), ("sync@larkfield.example", "SEC"));
    assert!(env.contains_key("JIRA_BASE_URL") && env["JIRA_API_TOKEN"].starts_with("ATATT3x"));
    let jira = Jira::around(api);
    assert_eq!(jira.found("project = SEC").await, ["SEC-3", "SEC-2", "SEC-1"]);
    let elsewhere = Api::of("empty").control().environment().env;
    assert!(!elsewhere.contains_key("JIRA_BASE_URL"));
}

#[tokio::test]
async fn a_world_comes_back_as_it_went_out() {
    let jira = Jira::new();
    let key = jira.create(json!({"labels": ["a"]})).await;
    let _ = jira
        .post(
            &format!("issue/{key}/remotelink"),
            json!({"globalId": "g", "object": {"url": "u", "title": "t"}}),
        )
        .await;
    jira.delete("issue/SEC-5").await.no_content();
    let world = jira.api.control().export_world();
    assert_eq!(world.validate(), []);
    let text = serde_json::to_string(&world).unwrap();
    assert!(!text.contains("ATATT3x"), "an export has no tokens");
    jira.api.control().replace_world(serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(jira.api.control().export_world(), world);
    assert_eq!(jira.get(&format!("issue/{key}")).await.status, 200, "tokens stay");
    assert_eq!(jira.create(json!({})).await, "SEC-7", "numbers go on");
    jira.api.control().reset();
    assert_eq!(jira.api.control().export_world(), world);
}
