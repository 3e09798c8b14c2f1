//! `getProjectLibrariesInfo`.

use std::collections::BTreeSet;

use fixtures::spec::mend::{
    MEND_LIBRARIES_FIELDS, MEND_LIBRARIES_GONE, MEND_LIBRARIES_INFO, MEND_LIBRARIES_KEY_UUIDS,
    MEND_LIBRARIES_PROJECT_TOKEN,
};
use serde_json::{Value, json};

use super::super::{Answer, Mend};
use super::asking::{LIBRARIES, key_uuid, project_of, refuses, without};
use super::policy_issue_fields::{LIBRARY, has_all};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};
use crate::suite::rows::Rows;

checks! { "mend/libraries-info";
    named_libraries_only: MEND_LIBRARIES_INFO, Reading, named_libraries_only;
    gone_library_left_out: MEND_LIBRARIES_GONE, Control, gone_library_left_out;
    project_token: MEND_LIBRARIES_PROJECT_TOKEN, Reading, project_token;
    key_uuids_required: MEND_LIBRARIES_KEY_UUIDS, Reading, key_uuids_required;
    library_fields: MEND_LIBRARIES_FIELDS, Reading, library_fields;
}

/// A project and libraries of it that issues are about.
struct Subject {
    project: String,
    libraries: Vec<String>,
}

impl Subject {
    /// A project with at least two such libraries.
    fn find(api: Mend<'_>) -> Result<Self, Stop> {
        let issues = api.policy_issues()?;
        for issue in &issues.rows {
            let subject = Self::of(issues, project_of(issue));
            if subject.libraries.len() > 1 {
                return Ok(subject);
            }
        }
        not_exercised("no project has issues about several libraries")
    }

    fn of(issues: &Rows, project: &str) -> Self {
        let of_project = issues.rows.iter().filter(|issue| project_of(issue) == project);
        let libraries: BTreeSet<&str> = of_project.filter_map(key_uuid).collect();
        let libraries = libraries.into_iter().map(str::to_owned).collect();
        Self { project: project.to_owned(), libraries }
    }

    fn fields(&self, libraries: &[String]) -> Value {
        json!({"projectToken": self.project, "keyUuids": libraries})
    }

    fn ask(&self, api: Mend<'_>, libraries: &[String]) -> Result<(BTreeSet<String>, Answer), Stop> {
        let answer = api.accepted(LIBRARIES, &self.fields(libraries))?;
        Ok((named(&answer), answer))
    }

    /// The libraries that the call answers when all of them are asked for.
    fn answered(&self, api: Mend<'_>) -> Result<Vec<String>, Stop> {
        Ok(self.ask(api, &self.libraries)?.0.into_iter().collect())
    }
}

fn named(answer: &Answer) -> BTreeSet<String> {
    let rows = answer.rows("libraries", "a library").rows;
    rows.iter().filter_map(|row| row.text("keyUuid")).map(str::to_owned).collect()
}

fn named_libraries_only(case: &Case) -> Verdict {
    let api = case.mend()?;
    let subject = Subject::find(api)?;
    let mut seen = 0;
    for count in 1..=subject.libraries.len().min(3) {
        let asked = &subject.libraries[..count];
        let (shown, answer) = subject.ask(api, asked)?;
        if shown != asked.iter().cloned().collect() {
            return broken_at(&answer.evidence, format!("the libraries {asked:?}"), format!("{shown:?}"));
        }
        seen += count;
    }
    Held::over(seen, "no library is answered")
}

fn gone_library_left_out(case: &Case) -> Verdict {
    let api = case.mend()?;
    let subject = Subject::find(api)?;
    let there = subject.answered(api)?;
    let [gone, stays, ..] = there.as_slice() else { return not_exercised("few libraries are answered") };
    case.happen(&json!({"type": "mend.scan", "project_token": subject.project, "removed": [gone]}))?;
    let (shown, answer) = subject.ask(api, &[gone.clone(), stays.clone()])?;
    observed(shown.contains(stays), "the library that stayed is not answered any more")?;
    if shown.contains(gone) {
        return broken_at(&answer.evidence, format!("not {gone}, which is gone"), format!("{shown:?}"));
    }
    Held::once()
}

/// A library is answered for the project that has it, and not for one that does not.
fn project_token(case: &Case) -> Verdict {
    let api = case.mend()?;
    let subject = Subject::find(api)?;
    let [library, ..] = &subject.answered(api)?[..] else { return not_exercised("no library is answered") };
    let issues = api.policy_issues()?;
    let lacks = |project: &str| !has_library(api, project, library).unwrap_or(true);
    let other =
        issues.rows.iter().map(project_of).find(|project| *project != subject.project && lacks(project));
    if let Some(project) = other {
        let own = Subject::of(issues, project);
        observed(!own.answered(api)?.is_empty(), "the other project's libraries are not answered")?;
        let answer = api.call(LIBRARIES, &own.fields(std::slice::from_ref(library)))?;
        if named(&answer).contains(library) {
            let expected = format!("not {library}, which only another project has");
            return broken_at(&answer.evidence, expected, &answer.json);
        }
    }
    let fields = without(&subject.fields(std::slice::from_ref(library)), "projectToken");
    refuses(api, LIBRARIES, &[("without `projectToken`", fields)])
}

fn has_library(api: Mend<'_>, project: &str, key_uuid: &str) -> Result<bool, Stop> {
    let answer = api.accepted("getProjectLicenses", &json!({"projectToken": project}))?;
    Ok(named(&answer).contains(key_uuid))
}

fn key_uuids_required(case: &Case) -> Verdict {
    let api = case.mend()?;
    let subject = Subject::find(api)?;
    observed(!subject.answered(api)?.is_empty(), "no library is answered")?;
    let fields = without(&subject.fields(&[]), "keyUuids");
    refuses(api, LIBRARIES, &[("without `keyUuids`", fields)])
}

fn library_fields(case: &Case) -> Verdict {
    let api = case.mend()?;
    let subject = Subject::find(api)?;
    let (_, answer) = subject.ask(api, &subject.libraries)?;
    let fields: Vec<_> =
        LIBRARY.iter().filter(|(name, _)| !["url", "localPaths"].contains(name)).copied().collect();
    has_all(&answer.rows("libraries", "a library"), &fields)
}
