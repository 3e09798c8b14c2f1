//! Projects.

use fixtures::spec::jira::JIRA_PROJECT_404;

use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, observed};

checks! { "jira/projects";
    unknown_project_404: JIRA_PROJECT_404, Reading, unknown_project_404;
    project_out_of_sight_404: JIRA_PROJECT_404, Control, project_out_of_sight_404;
}

fn unknown_project_404(case: &Case) -> Verdict {
    let api = case.jira()?;
    api.item(&format!("project/{}", api.project()))?;
    let (reply, evidence) = api.get("project/NOSUCHPROJECT")?;
    if reply.status != 404 {
        return broken_at(&evidence, "404 for a project that does not exist", reply.status);
    }
    Held::once()
}

fn project_out_of_sight_404(case: &Case) -> Verdict {
    let api = case.jira()?;
    let user = api.find_user("who sees some projects", |user| user.project_keys.is_some())?;
    let sees = |key: &str| user.project_keys.as_ref().is_some_and(|keys| keys.contains(key));
    let all = api.item("project/search")?;
    let foreign: Vec<&str> =
        all.list("values").iter().filter_map(|row| row["key"].as_str()).filter(|key| !sees(key)).collect();
    let limited = api.with_user(user);
    observed(sees(api.project()), "the user does not see the account's project")?;
    limited.item(&format!("project/{}", api.project()))?;
    for key in &foreign {
        api.item(&format!("project/{key}"))?;
        let (reply, evidence) = limited.get(&format!("project/{key}"))?;
        if reply.status != 404 {
            return broken_at(&evidence, "404 for a project that the user may not see", reply.status);
        }
    }
    Held::over(foreign.len(), "the user sees every project")
}
