//! What hangs on an issue: comments, remote links, properties.

use fixtures::world::jira::RemoteLinkSpec;
use serde_json::{Value, json};

use super::{Counted, time};
use crate::vendors::jira::rules::fields::Version;
use crate::vendors::jira::store::{Comment, Directory, Document, Issue};

/// A long text in the form of a version.
fn long_text(document: &Document, version: Version) -> Value {
    match version {
        Version::V3 => document.value(),
        Version::V2 => document.text().into(),
    }
}

/// A comment of an issue. Its links are whole, for [`crate::vendors::jira::wire::render`] may not touch what people wrote.
pub fn comment(issue: &Issue, row: &Comment, directory: &Directory, version: Version, here: &str) -> Value {
    let mut value = json!({
        "self": format!("{here}/issue/{}/comment/{}", issue.id, row.id),
        "id": row.id.to_string(),
        "body": long_text(&row.body, version),
        "created": time(row.created),
        "updated": time(row.updated),
        "jsdPublic": true,
    });
    if let Some(author) = row.author.as_ref().and_then(|id| directory.people.get(id.as_str())) {
        let author = whole(author, here);
        value["updateAuthor"] = author.clone();
        value["author"] = author;
    }
    value
}

/// A value with whole links.
pub fn whole(value: &Value, here: &str) -> Value {
    match value {
        Value::String(text) => text.replace(super::HERE, here).into(),
        Value::Array(values) => values.iter().map(|value| whole(value, here)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), whole(value, here))).collect())
        }
        other => other.clone(),
    }
}

/// The comments of an issue, a page of them.
pub fn comments(
    issue: &Issue,
    page: &Counted,
    newest_first: bool,
    directory: &Directory,
    version: Version,
    here: &str,
) -> Value {
    let places = page.places();
    let rows = if newest_first {
        let mut rows = issue.comments.slice(page.total - places.end..page.total - places.start);
        rows.reverse();
        rows
    } else {
        issue.comments.slice(places)
    };
    let rows = rows.into_iter().map(|(_, row)| comment(issue, row, directory, version, here));
    json!({
        "startAt": page.start,
        "maxResults": page.max,
        "total": page.total,
        "comments": rows.collect::<Vec<_>>(),
    })
}

/// A remote link of an issue.
pub fn remote_link(issue: &Issue, row: &RemoteLinkSpec, here: &str) -> Value {
    let mut value = json!({
        "id": row.id,
        "self": format!("{here}/issue/{}/remotelink/{}", issue.key, row.id),
        "application": row.application.clone().unwrap_or_else(|| json!({})),
        "object": row.object,
    });
    if let Some(global_id) = &row.global_id {
        value["globalId"] = global_id.as_str().into();
    }
    if let Some(relationship) = &row.relationship {
        value["relationship"] = relationship.as_str().into();
    }
    value
}

/// The key of a property with a link to it.
pub fn property_key(issue: &Issue, key: &str, here: &str) -> Value {
    let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
    json!({"self": format!("{here}/issue/{}/properties/{encoded}", issue.id), "key": key})
}
