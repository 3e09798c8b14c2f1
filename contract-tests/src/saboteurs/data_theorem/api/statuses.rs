//! Saboteurs of what statuses mean.

use serde_json::json;

use super::super::super::Saboteur;
use super::super::super::layers::{Layer, json_of};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "data-theorem/statuses/new-when-first-found",
            "shows what was found for the first time as OPEN",
            of_component("contract.New", "NEW", "OPEN"),
        ),
        Saboteur::new(
            "data-theorem/statuses/open-when-found-again",
            "shows what was found again as NEW",
            of_component("contract.FoundAgain", "OPEN", "NEW"),
        ),
        Saboteur::new(
            "data-theorem/statuses/fixed-when-found-no-more",
            "shows what was found no more as partially fixed",
            of_component("contract.Fixed", "CLOSED_FIXED", "CLOSED_PARTIALLY_FIXED"),
        ),
        Saboteur::new(
            "data-theorem/statuses/wont-fix-when-a-person-says-so",
            "shows what a person closed as closed by a policy",
            of_component("contract.WontFix", "CLOSED_WONT_FIX", "CLOSED_BY_POLICY"),
        ),
    ]
}

/// Shows another status of a single target whose text names this component.
fn of_component(component: &'static str, is: &'static str, shown: &'static str) -> Layer {
    json_of(&["GET security_finding_targets/:id"], move |target| {
        let named = target["text"].as_str().is_some_and(|text| text.contains(component));
        if named && target["current_status"] == is {
            target["current_status"] = json!(shown);
        }
    })
}
