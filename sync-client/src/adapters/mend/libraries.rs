//! Which libraries a project still has: the positive statement that lets a ticket be closed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Mend;
use super::call::{About, Answer, Failure, Question};
use super::wire::{self, Object};
use crate::ports::VendorError;

/// The most libraries per request. No page names a limit.
const BATCH: usize = 100;
/// The error code for a library that the server does not know at all.
const INVALID_LIBRARY: i64 = 8000;

impl Mend {
    /// Those of the libraries that may not be taken for gone: the project has them, or the server refuses to say. The
    /// others are gone, or have no policy issue that still applies; the server says so by a complete answer without
    /// them (I5). An error says nothing about any of them.
    pub fn libraries_present(
        &self,
        project_token: &str,
        key_uuids: &[String],
    ) -> Result<BTreeSet<String>, VendorError> {
        let asked: BTreeSet<&str> = key_uuids.iter().map(String::as_str).collect();
        let asked: Vec<&str> = asked.into_iter().collect();
        let mut present = BTreeSet::new();
        for batch in asked.chunks(BATCH) {
            self.batch_present(project_token, batch, &mut present)?;
        }
        Ok(present)
    }

    fn batch_present(
        &self,
        project_token: &str,
        batch: &[&str],
        present: &mut BTreeSet<String>,
    ) -> Result<(), VendorError> {
        let question =
            Question { request_type: "getProjectLibrariesInfo", about: About::Project(project_token) };
        let fields = Object::from_iter([("keyUuids".to_owned(), json!(batch))]);
        match self.ask(question, &fields) {
            Ok(answer) => present.extend(listed(question, &answer, batch)?),
            // One library that the server does not know makes it refuse all of them. That is no statement that this
            // one left the project, so it counts as there.
            Err(Failure::Refused { code: Some(INVALID_LIBRARY), .. }) => match batch {
                [] => {}
                [library] => {
                    self.noticed
                        .see("getProjectLibrariesInfo refuses to say whether a library is there: 8000");
                    present.insert((*library).to_owned());
                }
                more => {
                    let (one, other) = more.split_at(more.len() / 2);
                    self.batch_present(project_token, one, present)?;
                    self.batch_present(project_token, other, present)?;
                }
            },
            Err(failure) => return Err(question.error(failure)),
        }
        Ok(())
    }
}

/// The asked libraries that an answer lists. An answer with anything in it that can't be read says nothing: what can't
/// be read may be the library that seems to be missing.
fn listed(question: Question<'_>, answer: &Answer, asked: &[&str]) -> Result<BTreeSet<String>, VendorError> {
    let rows = wire::list(&answer.body, "libraries")
        .ok_or_else(|| question.malformed("it has no list libraries"))?;
    let asked: BTreeMap<String, &str> = asked.iter().map(|id| (id.to_ascii_lowercase(), *id)).collect();
    let mut listed = BTreeSet::new();
    for row in rows {
        let key_uuid = row
            .as_object()
            .and_then(|row| row.get("keyUuid"))
            .and_then(Value::as_str)
            .ok_or_else(|| question.malformed("a library in it has no keyUuid"))?;
        if let Some(id) = asked.get(&key_uuid.to_ascii_lowercase()) {
            listed.insert((*id).to_owned());
        }
    }
    Ok(listed)
}
