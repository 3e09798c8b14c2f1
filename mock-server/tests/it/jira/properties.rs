//! `issue/:id/properties`

use serde_json::{Value, json};

use super::common::Jira;

#[tokio::test]
async fn properties_are_set_read_listed_and_deleted() {
    let jira = Jira::new();
    let path = "issue/SEC-1/properties";
    assert_eq!(jira.put(&format!("{path}/a%2Fb%20c"), json!([1])).await.status, 201, "JIRA-PROPERTY-UPSERT");
    assert_eq!(jira.put(&format!("{path}/a%2Fb%20c"), Value::Null).await.status, 200);
    assert_eq!(jira.get(&format!("{path}/a%2Fb%20c")).await.ok(), json!({"key": "a/b c", "value": null}));
    let keys = jira.get(path).await.ok();
    assert_eq!(
        keys["keys"][0],
        json!({"key": "a/b c", "self": "http://jira.example/rest/api/3/issue/10000/properties/a%2Fb%20c"})
    );
    assert_eq!(keys["keys"][1]["key"], "origin");
    jira.delete(&format!("{path}/origin")).await.no_content();
    jira.get(&format!("{path}/origin")).await.denied(404, "JIRA-PROPERTY-404");
    jira.delete(&format!("{path}/origin")).await.denied(404, "JIRA-PROPERTY-404");
}

#[tokio::test]
async fn keys_and_values_have_limits() {
    let jira = Jira::new();
    let put = |key: String, value: String| {
        let path = format!("issue/SEC-1/properties/{key}");
        let jira = &jira;
        async move { jira.send(http::Method::PUT, &path, Some(value)).await }
    };
    assert_eq!(put("k".repeat(255), "1".to_owned()).await.status, 201);
    put("k".repeat(256), "1".to_owned()).await.denied(400, "JIRA-PROPERTY-KEY");
    assert_eq!(put("v".to_owned(), json!("x".repeat(32_766)).to_string()).await.status, 201);
    put("v".to_owned(), json!("x".repeat(32_767)).to_string()).await.denied(400, "JIRA-PROPERTY-VALUE");
    put("v".to_owned(), "{".to_owned()).await.denied(400, "JIRA-PROPERTY-VALUE");
    put("v".to_owned(), String::new()).await.denied(400, "JIRA-PROPERTY-VALUE");
    // They come with a new issue under the same limits.
    let mut body = super::common::new_issue(json!({}));
    body["properties"] = json!([{"key": "", "value": 1}]);
    jira.post("issue", body.clone()).await.denied(400, "JIRA-PROPERTY-KEY");
    body["properties"] = json!([{"key": "k"}]);
    jira.post("issue", body).await.denied(400, "JIRA-PROPERTY-VALUE");
    // No search finds a property.
    jira.post("search/jql", json!({"jql": "issue.property[origin].target = \"1\""}))
        .await
        .denied(400, "JIRA-SEARCH-INVALID");
}

#[tokio::test]
async fn whether_a_property_is_an_update_is_a_reading() {
    for (value, seconds) in [("no", "00"), ("yes", "09")] {
        let jira = Jira::under("jira.property-bumps", value);
        let key = jira.create(json!({})).await;
        jira.advance(9);
        let _ = jira.put(&format!("issue/{key}/properties/a"), json!(1)).await;
        assert_eq!(jira.fields(&key).await["updated"], format!("2026-01-15T00:00:{seconds}.000+0000"));
    }
}
