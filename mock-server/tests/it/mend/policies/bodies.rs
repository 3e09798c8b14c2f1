//! The `policy` object of a request: what its fields may be, and how they are shown.

use fixtures::builders::mend;
use fixtures::world::mend::ActionType;
use serde_json::{Value, json};

use crate::support::Api;

use super::{add, api, copyleft, issues, listed, scoped, under, update, with};

/// MEND-POLICY-ADD-REQUIRED
#[tokio::test]
async fn name_owner_filter_and_action_are_required() {
    let api = api();
    for field in ["name", "owner", "filter", "action"] {
        let mut policy = copyleft();
        policy.as_object_mut().unwrap().remove(field);
        let message = add(&api, "Product", policy).await.mend_refused(3010, "MEND-POLICY-ADD-REQUIRED");
        assert_eq!(message, format!("Missing fields: policy.{field}"));
    }
    let message = add(&api, "Product", json!({})).await.mend_refused(3010, "MEND-POLICY-ADD-REQUIRED");
    assert_eq!(message, "Missing fields: policy.name, policy.owner, policy.filter, policy.action");
    let message = api.mend("addProductPolicy", scoped("Product")).await.mend_refused(3010, "MEND-POLICY-ADD");
    assert_eq!(message, "Missing fields: policy");
    assert_eq!(listed(&api, "Product", true).await, [] as [Value; 0]);
}

/// MEND-POLICY-OWNER
#[tokio::test]
async fn an_owner_is_given_by_id_name_or_email() {
    let api = api();
    for owner in [
        json!({"id": 2}),
        json!({"name": "ada"}),
        json!({"email": "ada@example.com"}),
        json!({"id": 2, "name": "ada"}),
    ] {
        let added = add(&api, "Product", with(copyleft(), "/owner", owner)).await.mend_ok();
        assert_eq!(added["owner"], json!({"id": 2, "email": "ada@example.com", "name": "ada"}));
    }
    let root = add(&api, "Product", with(copyleft(), "/owner", json!({"id": 1}))).await.mend_ok();
    assert_eq!(root["owner"]["name"], "root", "a global administrator may own a policy anywhere");
    add(&api, "GlobalOrganization", with(copyleft(), "/owner", json!({"id": 3}))).await.mend_ok();
    for (owner, path) in [
        (json!({}), "policy.owner has"),
        (json!({"id": "2"}), "policy.owner.id has"),
        (json!({"name": 2}), "policy.owner.name has"),
        (json!("ada"), "policy.owner has"),
    ] {
        let reply = add(&api, "Product", with(copyleft(), "/owner", owner.clone())).await;
        let message = reply.mend_refused(3000, "MEND-POLICY-OWNER");
        assert!(message.contains(path), "{owner}: {message}");
    }
}

/// MEND-ERROR-USERS
#[tokio::test]
async fn users_and_groups_that_a_policy_cannot_refer_to_have_codes_of_their_own() {
    let api = api();
    for (pointer, value, code, message) in [
        ("/owner", json!({"id": 9}), 2011, "User doesn't exist: policy.owner is no known user"),
        (
            "/owner",
            json!({"id": 2, "name": "grace"}),
            2011,
            "User doesn't exist: policy.owner is no known user",
        ),
        (
            "/owner",
            json!({"email": "grace@example.com"}),
            2007,
            "User is not in organization: policy.owner is a user of another organization",
        ),
        (
            "/action/group",
            json!({"id": 32}),
            2008,
            "Group does not exist: policy.action.group is no group of the organization",
        ),
        (
            "/action/group",
            json!({"id": 33}),
            2008,
            "Group does not exist: policy.action.group is no group of the organization",
        ),
    ] {
        let reply = add(&api, "Product", with(copyleft(), pointer, value)).await;
        assert_eq!(reply.mend_refused(code, "MEND-ERROR-USERS"), message);
    }
    assert_eq!(listed(&api, "Product", true).await, [] as [Value; 0], "nothing was stored");
}

const BAD: &str = "mend.bad-value-code";
const FILTER: &str = "MEND-FETCH-POLICY-FILTER";
const SEVERITY: &str = "MEND-POLICY-SEVERITY-FILTER";
const ACTION: &str = "MEND-POLICY-ACTION-OBJECT";
const SPELLING: &str = "mend.action-type-spelling";
const SETTINGS: &str = "MEND-POLICY-ISSUE-SETTINGS";

/// Asserts that a policy with this value at a pointer is refused because of a rule, in words that begin so.
async fn assert_refused(api: &Api, pointer: &str, value: Value, rule: &str, text: &str) {
    let policy = with(copyleft(), pointer, value);
    let message = add(api, "Project", policy.clone()).await.mend_refused(3000, rule);
    assert!(message.starts_with(&format!("Invalid request parameters: {text}")), "{policy}: {message}");
    assert_eq!(listed(api, "Project", true).await, [] as [Value; 0], "nothing was stored");
}

/// MEND-POLICY-ACTION-OBJECT, MEND-POLICY-ISSUE-SETTINGS, MEND-POLICY-REASSIGN-GROUP
#[tokio::test]
async fn a_refusal_of_a_field_names_it_and_what_it_rests_on() {
    let api = api();
    for (pointer, value, rule, text) in [
        ("/name", json!("  "), BAD, "policy.name must not be empty"),
        ("/name", json!(7), "MEND-POLICY-ADD-REQUIRED", "policy.name has to be a string, not a number"),
        ("/priority", json!(0), "MEND-POLICY-PRIORITY", "policy.priority has to be a whole number from 1"),
        ("/priority", json!(1.5), "MEND-POLICY-PRIORITY", "policy.priority"),
        ("/priority", json!(4_294_967_296_u64), "MEND-POLICY-PRIORITY", "policy.priority"),
        ("/enabled", json!("true"), BAD, "policy.enabled has to be a boolean, not a string"),
        ("/inclusive", json!(1), "MEND-POLICY-INCLUSIVE", "policy.inclusive"),
        ("/action", json!("CREATE_ISSUE"), ACTION, "policy.action has to be an object, not a string"),
        ("/action/type", json!("EXPLODE"), SPELLING, "policy.action.type has to be one of CREATE_ISSUE"),
        ("/action/type", json!("Create Issue"), SPELLING, "policy.action.type"),
        ("/action/issueSettings", json!(true), SETTINGS, "policy.action.issueSettings has to be an object"),
        (
            "/action/issueSettings/issueTrackerType",
            json!("JIRA"),
            SETTINGS,
            "policy.action.issueSettings.issueT",
        ),
        ("/action/failPolicyCheck", json!("no"), "MEND-FETCH-POLICY-ACTION", "policy.action.failPolicyCheck"),
        ("/filter", json!([]), "MEND-POLICY-ADD-REQUIRED", "policy.filter has to be an object, not an array"),
        (
            "/filter/type",
            json!("SIZE"),
            "MEND-MATCHES-TEN",
            "policy.filter.type has to be one of RESOURCE_NAME",
        ),
    ] {
        assert_refused(&api, pointer, value, rule, text).await;
    }
    for (pointer, value, rule, missing) in [
        ("/action", json!({}), ACTION, "policy.action.type"),
        ("/action/issueSettings", json!({}), SETTINGS, "policy.action.issueSettings.issueTrackerType"),
        ("/action/group", json!({}), "MEND-POLICY-REASSIGN-GROUP", "policy.action.group.id"),
    ] {
        let reply = add(&api, "Project", with(copyleft(), pointer, value)).await;
        assert_eq!(reply.mend_refused(3010, rule), format!("Missing fields: {missing}"));
    }
}

/// MEND-POLICY-LICENSE-REMOVED
#[tokio::test]
async fn a_filter_takes_licences_that_there_are() {
    let api = api();
    for (licenses, rule, text) in [
        (json!([]), FILTER, " has to have a licence"),
        (json!({}), FILTER, " has to be an array, not an object"),
        (json!(["MIT"]), FILTER, "[0] has to be an object, not a string"),
        (json!([{"id": 6}, {}]), FILTER, "[1] has to have an id or a name"),
        (json!([{"name": "Beerware"}]), FILTER, "[0] is no known licence"),
        (json!([{"id": 5_000}]), FILTER, "[0] is no known licence"),
        (json!([{"id": 6, "name": "GPL 2.0"}]), FILTER, "[0].id is not that of the licence"),
        (json!([{"id": -1}]), "MEND-POLICY-LICENSE-REMOVED", "[0].name is needed"),
        (json!([{"id": -2}]), FILTER, "[0].id has to be a whole number"),
        (json!([{"name": 6}]), FILTER, "[0].name has to be a string"),
    ] {
        let text = format!("policy.filter.licenses{text}");
        assert_refused(&api, "/filter/licenses", licenses, rule, &text).await;
    }
}

/// MEND-POLICY-SEVERITY-FILTER
#[tokio::test]
async fn a_filter_takes_values_that_can_match() {
    let api = api();
    let long = "a".repeat(1_001);
    let elsewhere = mend::token("product", "Elsewhere");
    for (kind, fields, rule, text) in [
        (
            "VULNERABILITY_SEVERITY",
            json!({"vulnerabilitySeverity": "high"}),
            SEVERITY,
            ".vulnerabilitySeverity has",
        ),
        (
            "VULNERABILITY_SEVERITY",
            json!({"vulnerabilitySeverity": "LOW", "effectiveVulnerabilitiesOnly": 1}),
            SEVERITY,
            ".effectiveVulnerabilitiesOnly has to be a boolean",
        ),
        (
            "VULNERABILITY_SCORE",
            json!({"scoreFrom": -0.1, "scoreTo": 10}),
            FILTER,
            ".scoreFrom has to be a number",
        ),
        (
            "VULNERABILITY_SCORE",
            json!({"scoreFrom": 0, "scoreTo": 10.1}),
            FILTER,
            ".scoreTo has to be a number",
        ),
        (
            "VULNERABILITY_SCORE",
            json!({"scoreFrom": 7.1, "scoreTo": 7}),
            FILTER,
            ".scoreFrom must not be greater",
        ),
        ("GAV_REGEX", json!({"groupId": "", "version": ""}), BAD, " has to have a groupId"),
        ("GAV_REGEX", json!({"groupId": long}), BAD, ".groupId must not have more than 1000 characters"),
        ("RESOURCE_NAME_REGEX", json!({"resourceName": ""}), BAD, ".resourceName must not be empty"),
        ("RESOURCE_NAME_REGEX", json!({"resourceName": long}), BAD, ".resourceName must not have more"),
        ("PRIMARY_ATTRIBUTE_VALUE", json!({"primaryAttributeValue": ""}), BAD, ".primaryAttributeValue must"),
        ("LIBRARY_STALENESS", json!({"olderThanDays": -1}), BAD, ".olderThanDays has to be a whole number"),
        (
            "LIBRARY_REQUEST_HISTORY",
            json!({"libraryRequest": "MAYBE"}),
            BAD,
            ".libraryRequest has to be one of",
        ),
        ("PRODUCT", json!({"productToken": elsewhere}), BAD, ".productToken is no product"),
        ("EFFECTIVENESS", json!({"effective": "yes"}), BAD, ".effective has to be a boolean"),
    ] {
        let filter = with(json!(fields), "/type", json!(kind));
        assert_refused(&api, "/filter", filter, rule, &format!("policy.filter{text}")).await;
    }
}

#[tokio::test]
async fn a_filter_has_the_fields_of_its_type() {
    let api = api();
    for (fields, rule, missing) in [
        (json!({"type": "LICENSE"}), FILTER, "licenses"),
        (json!({"type": "VULNERABILITY_SEVERITY"}), SEVERITY, "vulnerabilitySeverity"),
        (json!({"type": "VULNERABILITY_SCORE", "scoreFrom": 1}), FILTER, "scoreTo"),
        (json!({"type": "EFFECTIVENESS"}), BAD, "effective"),
        (json!({"type": "RESOURCE_NAME_REGEX"}), BAD, "resourceName"),
        (json!({"type": "LIBRARY_STALENESS"}), BAD, "olderThanDays"),
        (json!({"type": "PRODUCT"}), BAD, "productToken"),
        (json!({"type": "PRIMARY_ATTRIBUTE_VALUE"}), BAD, "primaryAttributeValue"),
        (json!({"type": "LIBRARY_REQUEST_HISTORY"}), BAD, "libraryRequest"),
        (json!({}), "MEND-MATCHES-TEN", "type"),
    ] {
        let reply = add(&api, "Project", with(copyleft(), "/filter", fields)).await;
        assert_eq!(reply.mend_refused(3010, rule), format!("Missing fields: policy.filter.{missing}"));
    }
}

#[tokio::test]
async fn patterns_of_a_thousand_characters_are_taken_whatever_the_bytes() {
    let api = api();
    let long = "é".repeat(1_000);
    let filter = json!({"type": "RESOURCE_NAME_REGEX", "resourceName": long});
    let added = add(&api, "Project", with(copyleft(), "/filter", filter)).await.mend_ok();
    assert_eq!(added["filter"]["resourceName"], json!(long));
}

/// Every filter there is, as it is shown.
pub(super) fn filters() -> Vec<Value> {
    let mut filters = vec![
        json!({"type": "LICENSE", "licenses": [{"id": 1, "name": "GPL 2.0"}, {"id": 6, "name": "MIT"}, {"id": -1, "name": "Removed 1.0"}]}),
        json!({"type": "VULNERABILITY_SEVERITY", "vulnerabilitySeverity": "HIGH", "effectiveVulnerabilitiesOnly": true}),
        json!({"type": "VULNERABILITY_SCORE", "scoreFrom": 6.5, "scoreTo": 10.0}),
        json!({"type": "EFFECTIVENESS", "effective": false}),
        json!({"type": "GAV_REGEX", "groupId": "org.*", "artifactId": "", "version": "1.?"}),
        json!({"type": "RESOURCE_NAME_REGEX", "resourceName": "*.jar"}),
        json!({"type": "LIBRARY_STALENESS", "olderThanDays": 365}),
        json!({"type": "PRODUCT", "productToken": mend::token("product", "Wallet")}),
        json!({"type": "PRIMARY_ATTRIBUTE_VALUE", "primaryAttributeValue": "red"}),
        json!({"type": "LIBRARY_REQUEST_HISTORY", "libraryRequest": "REJECTED"}),
    ];
    for filter in &mut filters {
        for score in ["scoreFrom", "scoreTo"] {
            let shown = filter.get(score).cloned().unwrap_or_else(|| json!(0.0));
            filter[score] = shown;
        }
    }
    filters
}

/// MEND-POLICY-UPDATE-ANSWER, MEND-POLICY-LICENSE-REMOVED: what was answered can be sent back.
#[tokio::test]
async fn every_filter_is_shown_as_it_was_given_and_can_be_sent_back() {
    let api = api();
    for filter in filters() {
        let mut added = add(&api, "Project", with(copyleft(), "/filter", filter.clone())).await.mend_ok();
        assert_eq!(added["filter"], filter);
        let before = listed(&api, "Project", false).await;
        assert_eq!(update(&api, "Project", added.clone()).await.mend_ok(), added);
        assert_eq!(listed(&api, "Project", false).await, before);
        // The same for copying a policy, which makes a new one.
        added["name"] = json!("Copy");
        let copy = add(&api, "Project", added.clone()).await.mend_ok();
        assert_ne!(copy["id"], added["id"]);
        assert_eq!(copy["filter"], filter);
    }
    let types: Vec<Value> = filters().iter().map(|filter| filter["type"].clone()).collect();
    let known = api.mend("getPolicyMatchesConfiguration", scoped("Organization")).await.mend_ok();
    for known in known["matches"].as_array().unwrap() {
        assert!(types.contains(&known["type"]), "{known}");
    }
}

/// MEND-POLICY-REASSIGN-GROUP
#[tokio::test]
async fn every_action_is_taken_and_a_reassignment_shows_its_group() {
    let api = api();
    for kind in ActionType::ALL {
        let action = json!({"type": kind.as_str(), "failPolicyCheck": true, "group": {"id": 31}});
        let added = add(&api, "Project", with(copyleft(), "/action", action)).await.mend_ok();
        let mut expected = json!({"type": kind.as_str(), "failPolicyCheck": true});
        if *kind == ActionType::Reassign {
            expected["group"] = json!({"id": 31});
        }
        assert_eq!(added["action"], expected);
    }
    assert_eq!(issues(&api).await, [] as [Value; 0], "none of them asks for issues by this API");
}

#[tokio::test]
async fn the_prose_form_of_an_action_is_taken_under_its_reading_and_shown_as_the_constant() {
    let api = under(&[("mend.action-type-spelling", "prose-too")]);
    for word in ["Create Issue", "Issue", "CREATE_ISSUE"] {
        let added = add(&api, "Project", with(copyleft(), "/action/type", json!(word))).await.mend_ok();
        assert_eq!(added["action"]["type"], "CREATE_ISSUE");
    }
    let reply = add(&api, "Project", with(copyleft(), "/action/type", json!("create issue"))).await;
    reply.mend_refused(3000, "mend.action-type-spelling");
}

#[tokio::test]
async fn what_means_nothing_in_a_policy_is_tolerated_and_noted() {
    let api = api();
    let policy = with(with(copyleft(), "/color", json!("red")), "/id", json!(5));
    let added = add(&api, "Project", policy).await.mend_ok();
    assert_ne!(added["id"], 5);
    let flags = api.last_entry().flags.join("\n");
    assert!(flags.contains("color") && flags.contains("policy.id"), "{flags}");
    add(&api, "Project", with(added, "/id", Value::Null)).await.mend_ok();
    assert_eq!(api.last_entry().flags, [] as [String; 0], "fields that answers have are no surprise");
}
