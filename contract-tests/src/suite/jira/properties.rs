//! Entity properties of an issue.

use fixtures::spec::jira::{JIRA_PROPERTY_404, JIRA_PROPERTY_KEY, JIRA_PROPERTY_UPSERT, JIRA_PROPERTY_VALUE};
use http::Method;
use serde_json::{Value, json};

use super::client::Jira;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};
use crate::suite::shape::brief;
use crate::target::exchange::{Evidence, Reply};

checks! { "jira/properties";
    made_with_201_replaced_with_200: JIRA_PROPERTY_UPSERT, Writing, made_with_201_replaced_with_200;
    key_of_255_at_most: JIRA_PROPERTY_KEY, Writing, key_of_255_at_most;
    value_of_32768_at_most: JIRA_PROPERTY_VALUE, Writing, value_of_32768_at_most;
    unknown_404: JIRA_PROPERTY_404, Writing, unknown_404;
}

/// Properties of an issue that the check made.
struct Properties<'c> {
    api: Jira<'c>,
    path: String,
}

impl<'c> Properties<'c> {
    fn of_new_issue(case: &'c Case) -> Result<Self, Stop> {
        let api = case.jira()?;
        let made = api.make(&json!({}))?;
        Ok(Self { api, path: format!("issue/{}/properties", made.key) })
    }

    fn put(&self, key: &str, value: &Value) -> Result<(Reply, Evidence), Stop> {
        self.api.put(&format!("{}/{key}", self.path), value)
    }

    /// Sets one, as a prerequisite.
    fn set(&self, key: &str, value: &Value) -> Result<(), Stop> {
        let (reply, evidence) = self.put(key, value)?;
        observed(reply.is_success(), format!("no property is set: {evidence}"))
    }

    /// The property is shown under its key with this value.
    fn shows(&self, key: &str, value: &Value) -> Verdict {
        let (reply, evidence) = self.api.get(&format!("{}/{key}", self.path))?;
        let json = reply.json().unwrap_or_default();
        if reply.status != 200 || json["key"] != key || json["value"] != *value {
            return broken_at(&evidence, format!("the property {key} as it was set"), brief(&json));
        }
        Held::once()
    }
}

fn made_with_201_replaced_with_200(case: &Case) -> Verdict {
    let properties = Properties::of_new_issue(case)?;
    for (value, status) in [(json!({"one": [1, null]}), 201), (json!("two"), 200)] {
        let (reply, evidence) = properties.put("contract.suite", &value)?;
        observed(reply.is_success(), format!("a property answers {}", reply.status))?;
        if reply.status != status {
            return broken_at(&evidence, status, reply.status);
        }
        properties.shows("contract.suite", &value)?;
    }
    Held::once()
}

fn key_of_255_at_most(case: &Case) -> Verdict {
    let properties = Properties::of_new_issue(case)?;
    properties.set(&"k".repeat(250), &json!(1))?;
    let (reply, evidence) = properties.put(&"k".repeat(256), &json!(1))?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "a key of 256 characters is refused", reply.status);
    }
    Held::once()
}

fn value_of_32768_at_most(case: &Case) -> Verdict {
    let properties = Properties::of_new_issue(case)?;
    properties.set("contract.suite", &json!("v".repeat(32_000)))?;
    let mut empty = properties.api.request(Method::PUT, &format!("{}/contract.empty", properties.path));
    empty = empty.header("content-type", "application/json");
    let (reply, evidence) = properties.api.send(empty)?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "an empty value is refused", reply.status);
    }
    let (reply, evidence) = properties.put("contract.long", &json!("v".repeat(32_800)))?;
    if !(400..500).contains(&reply.status) {
        return broken_at(&evidence, "a value of 32,802 characters is refused", reply.status);
    }
    Held::once()
}

fn unknown_404(case: &Case) -> Verdict {
    let properties = Properties::of_new_issue(case)?;
    properties.set("contract.known", &json!(1))?;
    properties.api.item(&format!("{}/contract.known", properties.path))?;
    let (reply, evidence) = properties.api.get(&format!("{}/contract.unknown", properties.path))?;
    if reply.status != 404 {
        return broken_at(&evidence, "404 for a property that does not exist", reply.status);
    }
    Held::once()
}
