//! The table, and how a value is held against it.

use serde_json::Value;

use Shape::{Anything, Closed, Flag, List, MapOf, Number, Open, Text, Texts};

/// What a value may be.
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    Texts,
    /// Whatever it likes to be.
    Anything,
    List(&'static Shape),
    /// An object with any members, all of this shape.
    MapOf(&'static Shape),
    /// An object with these members and no others.
    Closed(&'static [(&'static str, &'static Shape)]),
    /// An object with these members among others.
    Open(&'static [(&'static str, &'static Shape)]),
}

pub(super) const AVATARS: Shape =
    Closed(&[("16x16", &Text), ("24x24", &Text), ("32x32", &Text), ("48x48", &Text)]);
pub(super) const PERSON: Shape = Closed(&[
    ("accountId", &Text),
    ("accountType", &Text),
    ("active", &Flag),
    ("avatarUrls", &AVATARS),
    ("displayName", &Text),
    ("emailAddress", &Text),
    ("key", &Text),
    ("name", &Text),
    ("self", &Text),
    ("timeZone", &Text),
]);
pub(super) const WRAPPED: Shape =
    Closed(&[("items", &List(&Anything)), ("max-results", &Number), ("size", &Number)]);
pub(super) const USER: Shape = Closed(&[
    ("accountId", &Text),
    ("accountType", &Text),
    ("active", &Flag),
    ("appType", &Text),
    ("applicationRoles", &WRAPPED),
    ("avatarUrls", &AVATARS),
    ("displayName", &Text),
    ("emailAddress", &Text),
    ("expand", &Text),
    ("groups", &WRAPPED),
    ("key", &Text),
    ("locale", &Text),
    ("name", &Text),
    ("self", &Text),
    ("timeZone", &Text),
]);
pub(super) const SERVER: Shape = Closed(&[
    ("baseUrl", &Text),
    ("buildDate", &Text),
    ("buildNumber", &Number),
    ("deploymentType", &Text),
    ("displayUrl", &Text),
    ("displayUrlConfluence", &Text),
    ("displayUrlServicedeskHelpCenter", &Text),
    ("healthChecks", &List(&Anything)),
    ("scmInfo", &Text),
    ("serverTime", &Text),
    ("serverTimeZone", &Text),
    ("serverTitle", &Text),
    ("version", &Text),
    ("versionNumbers", &List(&Number)),
]);
pub(super) const ISSUE_TYPE: Shape = Closed(&[
    ("avatarId", &Number),
    ("description", &Text),
    ("entityId", &Text),
    ("hierarchyLevel", &Number),
    ("iconUrl", &Text),
    ("id", &Text),
    ("name", &Text),
    ("scope", &Anything),
    ("self", &Text),
    ("subtask", &Flag),
]);
pub(super) const PROJECT: Shape = Closed(&[
    ("archived", &Flag),
    ("assigneeType", &Text),
    ("avatarUrls", &AVATARS),
    ("components", &List(&Anything)),
    ("deleted", &Flag),
    ("description", &Text),
    ("email", &Text),
    ("entityId", &Text),
    ("expand", &Text),
    ("favourite", &Flag),
    ("id", &Text),
    ("isPrivate", &Flag),
    ("issueTypes", &List(&ISSUE_TYPE)),
    ("key", &Text),
    ("lead", &USER),
    ("name", &Text),
    ("projectTypeKey", &Text),
    ("properties", &MapOf(&Anything)),
    ("roles", &MapOf(&Text)),
    ("self", &Text),
    ("simplified", &Flag),
    ("style", &Text),
    ("url", &Text),
    ("uuid", &Text),
    ("versions", &List(&Anything)),
]);
pub(super) const PROJECT_PAGE: Shape = Closed(&[
    ("isLast", &Flag),
    ("maxResults", &Number),
    ("nextPage", &Text),
    ("self", &Text),
    ("startAt", &Number),
    ("total", &Number),
    ("values", &List(&PROJECT)),
]);
pub(super) const LABEL_PAGE: Shape = Closed(&[
    ("isLast", &Flag),
    ("maxResults", &Number),
    ("nextPage", &Text),
    ("self", &Text),
    ("startAt", &Number),
    ("total", &Number),
    ("values", &Texts),
]);
pub(super) const ERRORS: Shape =
    Closed(&[("errorMessages", &Texts), ("errors", &MapOf(&Text)), ("status", &Number)]);
pub(super) const NESTED: Shape = Closed(&[
    ("errorCollection", &ERRORS),
    ("status", &Number),
    ("warningCollection", &Closed(&[("warnings", &Texts)])),
]);
pub(super) const MADE: Shape =
    Closed(&[("id", &Text), ("key", &Text), ("self", &Text), ("transition", &NESTED), ("watchers", &NESTED)]);
pub(super) const FAILURE: Shape =
    Closed(&[("elementErrors", &ERRORS), ("failedElementNumber", &Number), ("status", &Number)]);
pub(super) const ALL_MADE: Shape = Closed(&[("errors", &List(&FAILURE)), ("issues", &List(&MADE))]);
pub(super) const ISSUE: Shape = Closed(&[
    ("changelog", &Anything),
    ("editmeta", &Anything),
    ("expand", &Text),
    ("fields", &FIELDS),
    ("fieldsToInclude", &Anything),
    ("id", &Text),
    ("key", &Text),
    ("names", &MapOf(&Text)),
    ("operations", &Anything),
    ("properties", &MapOf(&Anything)),
    ("renderedFields", &MapOf(&Anything)),
    ("schema", &MapOf(&SCHEMA)),
    ("self", &Text),
    ("transitions", &List(&TRANSITION)),
    ("versionedRepresentations", &Anything),
]);
/// The page says nothing of these but what their parts are elsewhere.
pub(super) const FIELDS: Shape = Open(&[
    ("comment", &COMMENT_PAGE),
    ("issuetype", &ISSUE_TYPE),
    ("labels", &Texts),
    ("project", &PROJECT),
    ("status", &STATUS),
    ("statusCategory", &CATEGORY),
    ("summary", &Text),
]);
pub(super) const CATEGORY: Shape =
    Open(&[("colorName", &Text), ("id", &Number), ("key", &Text), ("name", &Text), ("self", &Text)]);
pub(super) const STATUS: Shape = Open(&[
    ("description", &Text),
    ("iconUrl", &Text),
    ("id", &Text),
    ("name", &Text),
    ("self", &Text),
    ("statusCategory", &CATEGORY),
]);
pub(super) const SCHEMA: Shape = Closed(&[
    ("configuration", &Anything),
    ("custom", &Text),
    ("customId", &Number),
    ("items", &Text),
    ("system", &Text),
    ("type", &Text),
]);
pub(super) const FIELD_META: Shape = Closed(&[
    ("allowedValues", &List(&Anything)),
    ("autoCompleteUrl", &Text),
    ("configuration", &Anything),
    ("defaultValue", &Anything),
    ("hasDefaultValue", &Flag),
    ("key", &Text),
    ("name", &Text),
    ("operations", &Texts),
    ("required", &Flag),
    ("schema", &SCHEMA),
]);
pub(super) const CREATE_FIELD: Shape = Closed(&[
    ("allowedValues", &List(&Anything)),
    ("autoCompleteUrl", &Text),
    ("configuration", &Anything),
    ("defaultValue", &Anything),
    ("fieldId", &Text),
    ("hasDefaultValue", &Flag),
    ("key", &Text),
    ("name", &Text),
    ("operations", &Texts),
    ("required", &Flag),
    ("schema", &SCHEMA),
]);
pub(super) const CREATE_TYPES: Shape = Closed(&[
    ("issueTypes", &List(&ISSUE_TYPE)),
    ("maxResults", &Number),
    ("startAt", &Number),
    ("total", &Number),
]);
pub(super) const CREATE_FIELDS: Shape = Closed(&[
    ("fields", &List(&CREATE_FIELD)),
    ("maxResults", &Number),
    ("startAt", &Number),
    ("total", &Number),
]);
pub(super) const EDIT_META: Shape = Closed(&[("fields", &MapOf(&FIELD_META))]);
pub(super) const TRANSITION: Shape = Open(&[
    ("expand", &Text),
    ("fields", &MapOf(&FIELD_META)),
    ("hasScreen", &Flag),
    ("id", &Text),
    ("isAvailable", &Flag),
    ("isConditional", &Flag),
    ("isGlobal", &Flag),
    ("isInitial", &Flag),
    ("looped", &Flag),
    ("name", &Text),
    ("to", &STATUS),
]);
pub(super) const TRANSITIONS: Shape = Closed(&[("expand", &Text), ("transitions", &List(&TRANSITION))]);
pub(super) const COMMENT: Shape = Open(&[
    ("author", &PERSON),
    ("created", &Text),
    ("id", &Text),
    ("jsdAuthorCanSeeRequest", &Flag),
    ("jsdPublic", &Flag),
    ("renderedBody", &Text),
    ("self", &Text),
    ("updateAuthor", &PERSON),
    ("updated", &Text),
]);
pub(super) const COMMENT_PAGE: Shape =
    Open(&[("comments", &List(&COMMENT)), ("maxResults", &Number), ("startAt", &Number), ("total", &Number)]);
pub(super) const PROPERTY: Shape = Closed(&[("key", &Text), ("value", &Anything)]);
pub(super) const PROPERTY_KEYS: Shape =
    Closed(&[("keys", &List(&Closed(&[("key", &Text), ("self", &Text)])))]);
pub(super) const LINK: Shape = Closed(&[
    ("application", &Open(&[("name", &Text), ("type", &Text)])),
    ("globalId", &Text),
    ("id", &Number),
    ("object", &Open(&[("summary", &Text), ("title", &Text), ("url", &Text)])),
    ("relationship", &Text),
    ("self", &Text),
]);
pub(super) const LINK_MADE: Shape = Closed(&[("id", &Number), ("self", &Text)]);
pub(super) const SEARCH: Shape = Closed(&[
    ("isLast", &Flag),
    ("issues", &List(&ISSUE)),
    ("names", &MapOf(&Text)),
    ("nextPageToken", &Text),
    ("schema", &MapOf(&SCHEMA)),
]);
pub(super) const OLD_SEARCH: Shape = Closed(&[
    ("expand", &Text),
    ("issues", &List(&ISSUE)),
    ("maxResults", &Number),
    ("names", &MapOf(&Text)),
    ("schema", &MapOf(&SCHEMA)),
    ("startAt", &Number),
    ("total", &Number),
    ("warningMessages", &Texts),
]);
pub(super) const FIELD: Shape = Closed(&[
    ("clauseNames", &Texts),
    ("custom", &Flag),
    ("id", &Text),
    ("key", &Text),
    ("name", &Text),
    ("navigable", &Flag),
    ("orderable", &Flag),
    ("schema", &SCHEMA),
    ("scope", &Anything),
    ("searchable", &Flag),
]);
pub(super) const PRIORITY: Shape = Open(&[
    ("avatarId", &Number),
    ("description", &Text),
    ("iconUrl", &Text),
    ("id", &Text),
    ("isDefault", &Flag),
    ("name", &Text),
    ("self", &Text),
    ("statusColor", &Text),
]);
pub(super) const RESOLUTION: Shape =
    Closed(&[("description", &Text), ("id", &Text), ("name", &Text), ("self", &Text)]);

/// What is wrong with a value, with the place of it.
pub(super) fn misfit(value: &Value, shape: &Shape, at: &str) -> Option<String> {
    let members = |known: &[(&str, &'static Shape)], allows_others: bool| {
        let Value::Object(members) = value else { return Some(format!("{at} is no object: {value}")) };
        members.iter().find_map(|(name, member)| {
            let at = format!("{at}/{name}");
            match known.iter().find(|(known, _)| known == name) {
                Some((_, shape)) => misfit(member, shape, &at),
                None if allows_others => None,
                None => Some(format!("{at} is in no schema")),
            }
        })
    };
    let is = |fits: bool, what: &str| (!fits).then(|| format!("{at} is no {what}: {value}"));
    match shape {
        Text => is(value.is_string(), "text"),
        Number => is(value.is_i64() || value.is_u64(), "whole number"),
        Flag => is(value.is_boolean(), "flag"),
        Anything => None,
        Texts => misfit(value, &List(&Text), at),
        List(shape) => {
            let Value::Array(values) = value else { return Some(format!("{at} is no list: {value}")) };
            values
                .iter()
                .enumerate()
                .find_map(|(place, value)| misfit(value, shape, &format!("{at}/{place}")))
        }
        MapOf(shape) => {
            let Value::Object(members) = value else { return Some(format!("{at} is no object: {value}")) };
            members.iter().find_map(|(name, value)| misfit(value, shape, &format!("{at}/{name}")))
        }
        Closed(known) => members(known, false),
        Open(known) => members(known, true),
    }
}
