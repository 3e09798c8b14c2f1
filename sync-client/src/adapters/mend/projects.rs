//! Which projects there are, and which were modified.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Mend;
use super::call::{About, Question};
use super::wire::{self, Object};
use crate::core::noticed::Noticed;
use crate::ports::VendorError;

/// The types of modification on the vendor's page.
const KNOWN_KINDS: [&str; 7] =
    ["INVENTORY", "METADATA", "SCAN", "POLICY_MATCH", "SCAN_COMMENT", "SOURCE_FILE_MATCH", "ALERTS"];

/// A project that was modified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifiedProject {
    /// Its token, by which everything else about it is asked. A project from before projects had tokens has its UUID
    /// here, as the server wants it.
    pub token: String,
    /// Its UUID, if the server shows it.
    pub uuid: Option<String>,
    /// When it was last modified, as far as rows say; UTC. A server that writes days gives the beginning of the day, so
    /// this is no later than the modification and says nothing about its time.
    pub newest: Option<Timestamp>,
    /// In which respects, in the vendor's words, e.g. `POLICY_MATCH`. Empty if no row says.
    pub kinds: BTreeSet<String>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its token.
    pub token: String,
    /// Its name.
    pub name: Option<String>,
    /// Its product's name. Mend does not always show it here.
    pub product: Option<String>,
}

impl Mend {
    /// The projects in which anything was modified at `from` (a second) or later, each once, in the order of their
    /// tokens; `None`: at any time. All types of modification are asked for, and no end is named: what happens while
    /// the question travels belongs to the answer. A project that is not in the answer need not be asked about.
    ///
    /// A row without a token is noticed and left out; only a full pass over [`Mend::projects`] finds such a project.
    pub fn modified_projects(&self, from: Option<Timestamp>) -> Result<Vec<ModifiedProject>, VendorError> {
        let question =
            Question { request_type: "getOrganizationLastModifiedProjects", about: About::Organization };
        let mut fields = Object::new();
        if let Some(from) = from {
            let from = from.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string();
            fields.insert("fromDateTime".to_owned(), json!(from));
        }
        let answer = self.ask(question, &fields).map_err(|failure| question.error(failure))?;
        let rows = wire::list(&answer.body, "lastModifiedProjects")
            .ok_or_else(|| question.malformed("it has no list lastModifiedProjects"))?;
        Ok(merged(rows, &self.noticed))
    }

    /// Every project of the organization, each once, in the order of their tokens. A row without a token is noticed and
    /// left out.
    pub fn projects(&self) -> Result<Vec<Project>, VendorError> {
        // One request, with names: Mend's clients that ask for products and then for the projects of each need one more
        // for every product, and learn no more.
        let question = Question { request_type: "getOrganizationProjectVitals", about: About::Organization };
        let answer = self.ask(question, &Object::new()).map_err(|failure| question.error(failure))?;
        let rows = wire::list(&answer.body, "projectVitals")
            .ok_or_else(|| question.malformed("it has no list projectVitals"))?;
        let mut projects = BTreeMap::new();
        for row in rows {
            let Some((row, token)) = row.as_object().and_then(|row| Some((row, wire::text(row, "token")?)))
            else {
                self.noticed.see("a row of projectVitals has no token");
                continue;
            };
            let (name, product) = (wire::text(row, "name"), wire::text(row, "productName"));
            projects.entry(token.clone()).or_insert(Project { token, name, product });
        }
        Ok(projects.into_values().collect())
    }
}

/// One project for all rows with the same token.
fn merged(rows: &[Value], noticed: &Noticed) -> Vec<ModifiedProject> {
    let mut projects: BTreeMap<String, ModifiedProject> = BTreeMap::new();
    for row in rows {
        let Some(row) = row.as_object() else {
            noticed.see("a row of lastModifiedProjects is no object");
            continue;
        };
        let uuid = wire::text(row, "uuid");
        let Some(token) = wire::text(row, "apiToken").or_else(|| uuid.clone()) else {
            noticed.see("a row of lastModifiedProjects has neither apiToken nor uuid");
            continue;
        };
        let project = projects.entry(token.clone()).or_insert_with(|| ModifiedProject {
            token,
            uuid: None,
            newest: None,
            kinds: BTreeSet::new(),
        });
        project.uuid = project.uuid.take().or(uuid);
        let time = wire::instant(row, "lastModified");
        if time.is_none() {
            noticed.see("a row of lastModifiedProjects has no lastModified that can be read");
        }
        project.newest = project.newest.max(time);
        if let Some(kind) = wire::text(row, "modificationType") {
            if !KNOWN_KINDS.contains(&kind.as_str()) {
                noticed.see(format!("unknown modificationType {:?}", wire::shown(&kind)));
            }
            project.kinds.insert(kind);
        }
    }
    projects.into_values().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merged;
    use crate::core::noticed::Noticed;

    #[test]
    fn a_project_is_there_once_with_all_it_was_modified_in() {
        let noticed = Noticed::default();
        let rows = [
            json!({"uuid": "u", "apiToken": "t", "modificationType": "SCAN", "lastModified": "2021-03-14 13:08:27"}),
            json!({"uuid": "u", "apiToken": "t", "modificationType": "NEW", "lastModified": "2021-03-15"}),
            json!({"uuid": "old", "modificationType": "SCAN", "lastModified": "2021-13-15"}),
            json!({"modificationType": "SCAN"}),
            json!(7),
        ];
        let projects = merged(&rows, &noticed);
        assert_eq!(projects.iter().map(|project| project.token.as_str()).collect::<Vec<_>>(), ["old", "t"]);
        assert_eq!((projects[0].newest, projects[0].uuid.as_deref()), (None, Some("old")));
        assert_eq!(projects[1].newest, Some("2021-03-15T00:00:00Z".parse().unwrap()));
        assert_eq!(projects[1].kinds.iter().collect::<Vec<_>>(), ["NEW", "SCAN"]);
        assert_eq!(noticed.counts().len(), 4);
        assert_eq!(noticed.counts()["unknown modificationType \"NEW\""], 1);
    }
}
