//! Tags of projects: several values to a key.
#![expect(clippy::unnecessary_wraps, reason = "the table has handlers of one form")]

use fixtures::spec::Rule;
use fixtures::spec::mend as ledger;
use fixtures::world::mend::ModificationType;
use serde::Serialize;

use super::Call;
use super::projects::projects;
use crate::vendors::mend::account::Account;
use crate::vendors::mend::rules::access::Scope;
use crate::vendors::mend::rules::errors::Refused;
use crate::vendors::mend::rules::fields;
use crate::vendors::mend::wire;
use crate::vendors::mend::wire::projects::{ProjectTags, tags};

/// What a changing request answers. The texts are ours; only that of a removal is close to the vendor's.
#[derive(Serialize)]
struct Done {
    message: &'static str,
}

/// The tags of an organization's projects, those without tags included.
pub(super) fn get_organization_project_tags(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    Ok(project_tags(account, call))
}

/// The tags of one project, in a list.
pub(super) fn get_project_tags(account: &Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    Ok(project_tags(account, call))
}

fn project_tags(account: &Account, call: &Call<'_>) -> Vec<u8> {
    let project_tags = projects(account, call).into_iter().map(|row| tags(row, call.readings)).collect();
    wire::body(&ProjectTags { project_tags })
}

/// Adds a value to those that the key has. A value that is there already becomes the one saved last.
pub(super) fn save_project_tag(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let (key, value) = tag(call, &ledger::MEND_TAGS_SAVE)?;
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let is_last =
        project.spec.tags.get(key).and_then(|values| values.last()).is_some_and(|last| last == value);
    if !is_last {
        account.store.change_project(project.spec.id, |spec| {
            let values = spec.tags.entry(key.to_owned()).or_default();
            values.retain(|known| known != value);
            values.push(value.to_owned());
        });
        account.store.note_modified(project.spec.id, ModificationType::Metadata, call.now);
    }
    Ok(wire::body(&Done { message: "Successfully saved project tag" }))
}

/// Takes exactly this value from those that the key has.
pub(super) fn remove_project_tag(account: &mut Account, call: &Call<'_>) -> Result<Vec<u8>, Refused> {
    let (key, value) = tag(call, &ledger::MEND_TAGS_REMOVE)?;
    let Scope::Project(project) = &call.scope else { return Ok(b"{}".to_vec()) };
    let is_there = project.spec.tags.get(key).is_some_and(|values| values.iter().any(|known| known == value));
    if !is_there {
        return Ok(wire::body(&Done { message: "Nothing was removed: the project has no such tag" }));
    }
    account.store.change_project(project.spec.id, |spec| {
        if let Some(values) = spec.tags.get_mut(key) {
            values.retain(|known| known != value);
        }
        spec.tags.retain(|_, values| !values.is_empty());
    });
    account.store.note_modified(project.spec.id, ModificationType::Metadata, call.now);
    Ok(wire::body(&Done { message: "Successfully removed project tag" }))
}

fn tag<'a>(call: &'a Call<'_>, rule: &'static Rule) -> Result<(&'a str, &'a str), Refused> {
    let key = fields::required_text(call.fields, "tagKey", rule, call.readings)?;
    let value = fields::required_text(call.fields, "tagValue", rule, call.readings)?;
    Ok((key, value))
}
