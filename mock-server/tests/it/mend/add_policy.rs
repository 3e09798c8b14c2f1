//! `addPolicy` as the page has it: four scopes, and the one type of action that is about issue trackers.

use fixtures::builders::mend::{library, project, token, user};
use fixtures::world::mend::{ActionType, GlobalOrganizationSpec, Role};
use mock_server::MockServer;
use serde_json::{Value, json};

use super::common::{fetch, first_project, world};
use crate::support::Api;

/// One project with one library under the GPL, and a user who may define policies everywhere.
fn api() -> Api {
    let mut world = world()
        .mend_user(user("root").role(Role::GlobalAdministrator))
        .mend_project(project("Api").library(library("g", "copyleft", "1").license("GPL 3.0")))
        .build();
    let (name, token) = ("All".to_owned(), token("global", "All"));
    world.mend.global_organization = Some(GlobalOrganizationSpec { name, token });
    Api::with(MockServer::builder().world_spec(world))
}

/// The four requests, each with its token.
fn requests(api: &Api) -> [(&'static str, Value); 4] {
    let world = api.control().export_world().mend;
    let of = |field: &str, token: &str| json!({field: token});
    [
        ("addGlobalOrganizationPolicy", of("globalOrgToken", &world.global_organization.unwrap().token)),
        ("addOrganizationPolicy", of("orgToken", &world.organizations[0].token)),
        ("addProductPolicy", of("productToken", &world.products[0].token)),
        ("addProjectPolicy", of("projectToken", world.projects[0].token())),
    ]
}

fn policy(action: &Value) -> Value {
    json!({
        "name": "Copyleft",
        "owner": {"name": "root"},
        "filter": {"type": "LICENSE", "licenses": [{"name": "GPL 3.0"}]},
        "action": action,
    })
}

/// MEND-POLICY-ADD-SCOPES
#[tokio::test]
async fn a_policy_of_each_scope_asks_for_issues_in_its_projects() {
    for place in 0..4 {
        let api = api();
        let (request_type, mut fields) = requests(&api)[place].clone();
        assert_eq!(fetch(&api, &first_project(&api)).await["issues"], json!([]));
        let settings = json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"});
        fields["policy"] = policy(&json!({"type": "CREATE_ISSUE", "issueSettings": settings}));
        let id = api.mend(request_type, fields).await.mend_ok()["id"].take();
        let issues = fetch(&api, &first_project(&api)).await["issues"].take();
        assert_eq!(issues.as_array().unwrap().len(), 1, "{request_type}");
        assert_eq!(issues[0]["policy"]["id"], id, "{request_type}");
    }
}

/// MEND-POLICY-ADD-CREATE-ISSUE
#[tokio::test]
async fn only_a_policy_that_creates_issues_is_one_for_issue_trackers() {
    for kind in ActionType::ALL {
        let api = api();
        let (request_type, mut fields) = requests(&api)[3].clone();
        let mut action = json!({"type": kind.as_str()});
        if *kind == ActionType::CreateIssue {
            action["issueSettings"] = json!({"issueTrackerType": "COMMON_ISSUE_TRACKER"});
        }
        fields["policy"] = policy(&action);
        let added = api.mend(request_type, fields).await.mend_ok();
        assert_eq!(added["action"]["type"], kind.as_str());
        let issues = fetch(&api, &first_project(&api)).await["issues"].take();
        let expected = usize::from(kind.as_str() == "CREATE_ISSUE");
        assert_eq!(issues.as_array().unwrap().len(), expected, "{kind}");
    }
}
