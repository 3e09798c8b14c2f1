//! `issue/:id/transitions`: the ways on through the workflow.

use serde_json::{Value, json};

use super::common::{Jira, doc};

async fn ways(jira: &Jira, key: &str) -> Vec<(String, String)> {
    let ways = jira.get(&format!("issue/{key}/transitions")).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    ways["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|way| (text(&way["id"]), text(&way["to"]["name"])))
        .collect()
}

fn pairs(ways: &[(&str, &str)]) -> Vec<(String, String)> {
    ways.iter().map(|(id, to)| ((*id).to_owned(), (*to).to_owned())).collect()
}

#[tokio::test]
async fn the_ways_on_depend_on_status_and_workflow() {
    let jira = Jira::new();
    assert_eq!(
        ways(&jira, "SEC-1").await,
        pairs(&[("11", "In Progress"), ("21", "Done"), ("31", "Won't Do")]),
        "JIRA-TRANSITIONS-FROM-STATUS"
    );
    assert_eq!(ways(&jira, "SEC-2").await, pairs(&[("21", "Done"), ("31", "Won't Do"), ("51", "To Do")]));
    assert_eq!(ways(&jira, "SEC-3").await, pairs(&[("41", "To Do")]));
    assert_eq!(ways(&jira, "DET-1").await, pairs(&[("711", "In Progress")]));

    let plain = jira.get("issue/SEC-1/transitions").await.ok();
    assert!(plain["transitions"][1].get("fields").is_none());
    let shown = jira.get("issue/SEC-1/transitions?expand=transitions.fields&transitionId=21").await.ok();
    let [way] = shown["transitions"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    assert_eq!((&way["name"], &way["hasScreen"]), (&json!("Resolve issue"), &json!(true)));
    assert_eq!(way["fields"]["resolution"]["required"], true, "JIRA-TRANSITIONS-FIELDS");
    assert_eq!(way["fields"]["resolution"]["allowedValues"][0]["name"], "Done");
}

#[tokio::test]
async fn an_issue_is_closed_and_reopened() {
    let jira = Jira::new();
    jira.advance(1);
    let close = json!({
        "transition": {"id": "21"}, "fields": {"resolution": {"name": "Done"}},
        "update": {"comment": [{"add": {"body": doc("Fixed.")}}]},
    });
    jira.post("issue/SEC-1/transitions", close.clone()).await.no_content();
    let fields = jira.fields("SEC-1").await;
    let at = "2026-01-15T00:00:01.000+0000";
    assert_eq!(
        (&fields["status"]["name"], &fields["resolution"]["name"]),
        (&json!("Done"), &json!("Done")),
        "JIRA-TRANSITION-204"
    );
    assert_eq!(
        (&fields["resolutiondate"], &fields["statuscategorychangedate"], &fields["updated"]),
        (&json!(at), &json!(at), &json!(at))
    );
    assert_eq!(fields["comment"]["comments"][1]["body"], doc("Fixed."));
    // What closed it leads on from there no more.
    jira.post("issue/SEC-1/transitions", close).await.denied(400, "JIRA-TRANSITION-INVALID");
    jira.post("issue/SEC-1/transitions", json!({"transition": {"id": 41}})).await.no_content();
    let fields = jira.fields("SEC-1").await;
    assert_eq!(
        (&fields["status"]["name"], &fields["resolution"], &fields["resolutiondate"]),
        (&json!("To Do"), &Value::Null, &Value::Null)
    );
    // A way that sets its resolution itself.
    jira.post("issue/SEC-1/transitions", json!({"transition": {"id": "31"}})).await.no_content();
    assert_eq!(jira.fields("SEC-1").await["resolution"]["name"], "Won't Do");
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let jira = Jira::new();
    let resolved = json!({"resolution": {"name": "Done"}});
    for (body, rule) in [
        (json!({}), "JIRA-TRANSITION-INVALID"),
        (json!({"transition": {"name": "Done"}}), "JIRA-TRANSITION-INVALID"),
        (json!({"transition": {"id": "721"}, "fields": resolved}), "JIRA-TRANSITION-INVALID"),
        (json!({"transition": {"id": "21"}}), "JIRA-TRANSITION-REQUIRED"),
        (json!({"transition": {"id": "21"}, "fields": {"resolution": null}}), "JIRA-TRANSITION-REQUIRED"),
        (
            json!({"transition": {"id": "21"}, "fields": {"resolution": {"name": "Gone"}}}),
            "JIRA-EDIT-INVALID",
        ),
        (json!({"transition": {"id": "11"}, "fields": resolved}), "JIRA-FIELD-SCREEN"),
        (json!({"transition": {"id": "11"}, "fields": {"summary": "x"}}), "JIRA-FIELD-SCREEN"),
    ] {
        let _ = jira.post("issue/SEC-1/transitions", body).await.denied(400, rule);
    }
    let denied = jira.post("issue/SEC-1/transitions", json!({"transition": {"id": "99"}})).await.json();
    assert_eq!(denied["errorMessages"][0], "Transition id '99' is not valid for this issue.");
    let fields = jira.fields("SEC-1").await;
    assert_eq!((&fields["status"]["name"], &fields["comment"]["total"]), (&json!("To Do"), &json!(1)));
    jira.post("issue/SEC-99/transitions", json!({})).await.denied(404, "JIRA-ISSUE-404");
}

#[tokio::test]
async fn a_detour_has_two_steps() {
    let jira = Jira::new();
    jira.post("issue/DET-1/transitions", json!({"transition": {"id": "711"}})).await.no_content();
    let done = json!({"transition": {"id": "721"}, "fields": {"resolution": {"id": "10000"}}});
    jira.post("issue/DET-1/transitions", done).await.no_content();
    assert_eq!(jira.fields("DET-1").await["status"]["statusCategory"]["key"], "done");
}
