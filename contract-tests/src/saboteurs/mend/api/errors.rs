//! Saboteurs of refusals.

use serde_json::json;

use super::super::super::Saboteur;
use super::super::super::layers::json_of;
use super::super::steps::recodes;

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "mend/errors/body",
            "writes `errorCode` as a text",
            json_of(&["getProjectVitals"], |json| {
                if let Some(code) = json["errorCode"].as_i64() {
                    json["errorCode"] = json!(code.to_string());
                }
            }),
        ),
        Saboteur::new(
            "mend/errors/not-allowed",
            "has another code for a call that its user may not make",
            recodes(&["getOrganizationDetails"], 5001, 5002),
        ),
        Saboteur::new(
            "mend/errors/invalid-parameters",
            "takes a bad value for a missing one",
            recodes(&["getProjectAlertsByType"], 3000, 3010),
        ),
        Saboteur::new(
            "mend/errors/missing-fields",
            "takes a missing token for one that may not be used",
            recodes(&["getProjectTags"], 3010, 5001),
        ),
        Saboteur::new(
            "mend/errors/library-uuid",
            "has no code of its own for the id of no library",
            recodes(&["getProjectLibraryDependencies"], 8000, 4000),
        ),
        Saboteur::new(
            "mend/errors/unknown-users-and-groups",
            "takes an unknown group for a bad value",
            recodes(&["addProjectPolicy"], 2008, 3000),
        ),
    ]
}
