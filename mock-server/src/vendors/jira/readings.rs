//! The readings of Jira, as types: one enum per reading, one field per choice in force.
//!
//! Ids, values and defaults repeat the ledger in `fixtures::spec`; a test holds the two together.

use fixtures::spec::Reading;
use fixtures::spec::jira as ledger;

use crate::vendors::readings::ReadingError;

readings! {
    /// What the limits of texts count.
    length_unit: LengthUnit = JIRA_LENGTH_UNIT { Utf16 = "utf16", Characters = "characters" }
    /// What of a document counts towards its limit.
    document_length: DocumentLength = JIRA_DOCUMENT_LENGTH { Text = "text", Json = "json" }
    /// Longest label.
    label_length: LabelLength = JIRA_LABEL_LENGTH { Limited = "255", Unlimited = "unlimited" }
    /// Whether a search for a label minds the case.
    label_case: LabelCase = JIRA_LABEL_CASE { Sensitive = "sensitive", Insensitive = "insensitive" }
    /// What a search for the key of an issue that does not exist comes to.
    unknown_key: UnknownKey = JIRA_UNKNOWN_KEY { Refused = "refused", Empty = "empty" }
    /// Where the old search still works.
    old_search: OldSearch = JIRA_OLD_SEARCH { V2Only = "v2-only", Gone = "gone" }
    /// Whether an edit that changes nothing moves `updated`.
    unchanged_edit: UnchangedEdit = JIRA_UNCHANGED_EDIT { Keeps = "keeps", Bumps = "bumps" }
    /// Whether a property moves `updated`.
    property_bumps: PropertyBumps = JIRA_PROPERTY_BUMPS { No = "no", Yes = "yes" }
    /// Whether a remote link moves `updated`.
    link_bumps: LinkBumps = JIRA_LINK_BUMPS { Yes = "yes", No = "no" }
    /// What a request for an archived issue comes to.
    archived_issue: ArchivedIssue = JIRA_ARCHIVED_ISSUE { ReadOnly = "read-only", NotFound = "not-found" }
    /// Order of a search that names none.
    default_order: DefaultOrder = JIRA_DEFAULT_ORDER { NewestFirst = "newest-first", OldestFirst = "oldest-first" }
    /// Whether the body of a refusal repeats the status.
    error_status: ErrorStatus = JIRA_ERROR_STATUS { Absent = "absent", Present = "present" }
    /// Status for a user who may see and not change.
    write_denied: WriteDenied = JIRA_WRITE_DENIED { Forbidden = "403", BadRequest = "400" }
    /// Whether a body needs the type application/json.
    content_type: ContentType = JIRA_CONTENT_TYPE { Required = "required", Tolerant = "tolerant" }
    /// What a page token of another search comes to.
    bad_page_token: BadPageToken = JIRA_BAD_PAGE_TOKEN { Refused = "refused", FirstPage = "first-page" }
}

#[cfg(test)]
mod tests {
    use super::Readings;

    #[test]
    fn types_and_ledger_agree() {
        crate::vendors::readings::tests::agree(
            "jira.",
            Readings::LEDGER,
            Readings::default().list(),
            |id, value| {
                let mut readings = Readings::default();
                readings.set(id, value).map(|()| readings.list())
            },
        );
    }
}
