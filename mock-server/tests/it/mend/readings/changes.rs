//! What changed, and which libraries are still there.

use serde_json::{Value, json};

use super::{ask, ask_organization, count, fetch, first_project, key_uuid, outcome, plain, playing, seen_in};
use crate::support::{Api, Reply, mend_body};

async fn modified(api: &Api, fields: Value) -> Reply {
    ask_organization(api, "getOrganizationLastModifiedProjects", fields).await
}

/// The types of modification that a reply lists, each once.
fn kinds(reply: &Reply) -> String {
    seen_in(reply, |body| {
        let rows = body["lastModifiedProjects"].as_array().unwrap();
        let mut kinds: Vec<_> = rows.iter().map(|row| row["modificationType"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(" ")
    })
}

async fn libraries(api: &Api, key_uuids: Value) -> Reply {
    ask(api, "getProjectLibrariesInfo", json!({"keyUuids": key_uuids})).await
}

/// Switches a policy of the product off.
async fn disable_copyleft(api: &Api) {
    let issues = fetch(api, json!({})).await.mend_ok()["issues"].take();
    let mut policies = issues.as_array().unwrap().iter().map(|issue| &issue["policy"]);
    let id = &policies.find(|policy| policy["name"] == "Copyleft").unwrap()["id"];
    let change = json!({"productToken": super::PRODUCT, "policy": {"id": id, "enabled": false}});
    let _ = api.mend("updateProductPolicy", change).await.mend_ok();
}

pub(super) fn cases() -> Vec<super::Case> {
    cases! {
        "mend.modified-rows": |api| {
            playing(&api, "mend-docs-samples");
            count(&modified(&api, json!({})).await, "lastModifiedProjects")
        } => { "per-type": "6", "per-project": "4" }
        "mend.modified-all": |api| {
            playing(&api, "mend-docs-samples");
            kinds(&modified(&api, json!({"modificationTypes": ["aLL"]})).await)
        } => { "accepted": "INVENTORY POLICY_MATCH SCAN", "refused": "3000 mend.modified-all" }
        "mend.modified-alerts": |api| {
            plain(&api);
            let named = kinds(&modified(&api, json!({"modificationTypes": ["ALERTS"]})).await);
            let all = kinds(&modified(&api, json!({})).await);
            format!("{named}; {all}; {}", kinds(&modified(&api, json!({"modificationTypes": ["All"]})).await))
        } => {
            "accepted": "ALERTS; ALERTS INVENTORY POLICY_MATCH SCAN; ALERTS INVENTORY POLICY_MATCH SCAN",
            "refused": "3000 mend.modified-alerts; INVENTORY POLICY_MATCH SCAN; INVENTORY POLICY_MATCH SCAN"
        }
        "mend.modified-unknown-type": |api| {
            playing(&api, "mend-docs-samples");
            let some = kinds(&modified(&api, json!({"modificationTypes": ["SCAN", "NOPE"]})).await);
            format!("{some}; {}", kinds(&modified(&api, json!({"modificationTypes": ["NOPE"]})).await))
        } => {
            "refused": "3000 mend.modified-unknown-type; 3000 mend.modified-unknown-type",
            "ignored": "SCAN; "
        }
        "mend.libraries-no-longer-applies": |api| {
            plain(&api);
            let named = json!(["copyleft", "leaky", "harmless"].map(|artifact| key_uuid(&api, artifact)));
            let before = count(&libraries(&api, named.clone()).await, "libraries");
            disable_copyleft(&api).await;
            format!("{before} then {}", count(&libraries(&api, named).await, "libraries"))
        } => { "omitted": "3 then 2", "listed": "3 then 3" }
        "mend.key-uuids-type": |api| {
            plain(&api);
            count(&libraries(&api, json!(key_uuid(&api, "leaky"))).await, "libraries")
        } => { "array-or-string": "1", "array": "3000 mend.key-uuids-type" }
        "mend.unknown-key-uuid": |api| {
            plain(&api);
            count(&libraries(&api, json!([key_uuid(&api, "leaky"), "keyUuid_2"])).await, "libraries")
        } => { "left-out": "1", "refused": "8000 mend.unknown-key-uuid" }
        "mend.libraries-info-version": |api| {
            plain(&api);
            let named = json!({"projectToken": first_project(&api), "keyUuids": [key_uuid(&api, "leaky")]});
            let body = mend_body("getProjectLibrariesInfo", named);
            let user_key = api.server.mend().user_key().to_owned();
            let newer = outcome(&api.mend_as(&user_key, "v1.4", body.clone()).await);
            format!("{newer}, {}", outcome(&api.mend_as(&user_key, "v1.3", body).await))
        } => { "both": "ok, ok", "newer-only": "ok, 3000 mend.libraries-info-version" }
    }
}
