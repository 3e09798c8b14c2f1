//! The readings of the Data Theorem pages, as types: one enum per reading, one field per choice in force.
//!
//! Ids, values and defaults repeat the ledger in `fixtures::spec`; a test holds the two together.

use fixtures::spec::Reading;
use fixtures::spec::data_theorem as ledger;

use crate::vendors::readings::ReadingError;

readings! {
    /// How a list says that there is no further page.
    last_page_cursor: LastPageCursor = DT_LAST_PAGE_CURSOR {
        Absent = "absent", Null = "null", Empty = "empty", EmptyPage = "empty-page",
    }
    /// JSON type of `total_count`.
    total_count_type: TotalCountType = DT_TOTAL_COUNT_TYPE { String = "string", Number = "number" }
    /// Key of the list of targets.
    targets_list_key: TargetsListKey = DT_TARGETS_LIST_KEY_NAME {
        SecurityFindingTargets = "security_finding_targets", Targets = "targets",
    }
    /// Names of the CVSS fields.
    cvss_names: CvssNames = DT_CVSS_NAMES { Cvss = "cvss", Cvss3 = "cvss3" }
    /// Reply to a new note.
    notes_reply: NotesReply = DT_NOTES_REPLY { NoContent = "no-content", SampleBody = "sample-body" }
    /// Spelling of UTC in timestamps.
    timestamp_offset: TimestampOffset = DT_TIMESTAMP_OFFSET { Plus = "plus", Minus = "minus", Z = "z" }
    /// Order of a target's `statuses`.
    statuses_order: StatusesOrder = DT_STATUSES_ORDER { NewestFirst = "newest-first", OldestFirst = "oldest-first" }
    /// Whether `status_group=OPEN` includes `OPEN_READY_TO_RESCAN`.
    open_group_rescan: OpenGroupRescan = DT_OPEN_GROUP_RESCAN { Included = "included", Excluded = "excluded" }
    /// When a finding is `NEW`.
    aggregated_new: AggregatedNew = DT_AGGREGATED_NEW { AllNew = "all-new", AnyNew = "any-new" }
    /// Whether a finding can be `OPEN_READY_TO_RESCAN`.
    aggregated_rescan: AggregatedRescan = DT_AGGREGATED_RESCAN { Open = "open", Verbatim = "verbatim" }
    /// Links of targets in lists.
    target_list_links: TargetListLinks = DT_TARGET_LIST_LINKS { AsSampled = "as-sampled", ItemLinks = "item-links" }
    /// Flags of the closing note.
    closing_note_flags: ClosingNoteFlags = DT_CLOSING_NOTE_FLAGS { AsSampled = "as-sampled", Internal = "internal" }
    /// Wording of the closing note.
    closing_note_text: ClosingNoteText = DT_CLOSING_NOTE_TEXT {
        OnlyPermanentSaysSo = "only-permanent-says-so", AlwaysPermanent = "always-permanent",
    }
    /// Reply to closing a finding that is closed.
    close_when_closed: CloseWhenClosed = DT_CLOSE_WHEN_CLOSED { Conflict = "409", BadRequest = "400" }
    /// `is_permanently_closed` of a finding that is not.
    not_permanently_closed: NotPermanentlyClosed = DT_NOT_PERMANENTLY_CLOSED { False = "false", Omitted = "omitted" }
    /// Whether findings show `issue_type_id`.
    finding_issue_type: FindingIssueType = DT_FINDING_ISSUE_TYPE { Emitted = "emitted", Omitted = "omitted" }
    /// Which fields lists and items carry.
    sampled_fields: SampledFields = DT_SAMPLED_FIELDS { All = "all", AsSampled = "as-sampled" }
    /// Form of portal links.
    portal_url: PortalUrl = DT_PORTAL_URL { MobileApp = "mobile-app", App = "app" }
    /// Body of an error.
    error_body: ErrorBody = DT_ERROR_BODY { ErrorObject = "error-object", Message = "message", Empty = "empty" }
    /// Reply about an app that the key may not see.
    app_out_of_scope: AppOutOfScope = DT_APP_OUT_OF_SCOPE { Forbidden = "403", NotFound = "404" }
    /// Reply about an id that does not exist.
    unknown_id: UnknownId = DT_UNKNOWN_ID { NotFound = "404", Forbidden = "403" }
    /// Reply to a key that lacks a permission.
    missing_permission: MissingPermission = DT_MISSING_PERMISSION { Forbidden = "403", Unauthorized = "401" }
    /// Status of malformed filters, bodies and values.
    invalid_request: InvalidRequest = DT_INVALID_REQUEST { BadRequest = "400", UnprocessableContent = "422" }
    /// What happens to a malformed filter.
    malformed_filter: MalformedFilter = DT_MALFORMED_FILTER { Refused = "refused", Ignored = "ignored" }
    /// What an empty `results_since` means.
    empty_results_since: EmptyResultsSince = DT_EMPTY_RESULTS_SINCE { Absent = "absent", Refused = "refused" }
    /// What a `+` that was not percent-encoded means in `results_since`.
    raw_plus: RawPlus = DT_RAW_PLUS { Refused = "refused", Plus = "plus" }
    /// What happens to query parameters that do not exist.
    unknown_parameter: UnknownParameter = DT_UNKNOWN_PARAMETER { Ignored = "ignored", Refused = "refused" }
    /// What happens to body fields that do not exist.
    unknown_body_field: UnknownBodyField = DT_UNKNOWN_BODY_FIELD { Ignored = "ignored", Refused = "refused" }
    /// What `external_id: null` does.
    external_id_null: ExternalIdNull = DT_EXTERNAL_ID_NULL { Unchanged = "unchanged", Cleared = "cleared" }
    /// What `external_id: ""` does.
    external_id_empty: ExternalIdEmpty = DT_EXTERNAL_ID_EMPTY { Cleared = "cleared", Stored = "stored" }
    /// Whether setting an `external_id` moves `results_last_updated`.
    external_id_bumps: ExternalIdBumps = DT_EXTERNAL_ID_BUMPS { No = "no", Yes = "yes" }
    /// Whether a manual status change moves `results_last_updated`.
    manual_status_bumps: ManualStatusBumps = DT_MANUAL_STATUS_BUMPS { Yes = "yes", No = "no" }
    /// Whether a note moves `results_last_updated`.
    note_bumps: NoteBumps = DT_NOTE_BUMPS { No = "no", Yes = "yes" }
    /// Whether a new priority moves `results_last_updated`.
    priority_bumps: PriorityBumps = DT_PRIORITY_BUMPS { No = "no", Yes = "yes" }
    /// Whether `results_since` includes its own instant.
    results_since_bound: ResultsSinceBound = DT_RESULTS_SINCE_BOUND { Inclusive = "inclusive", Exclusive = "exclusive" }
    /// Order of lists.
    list_order: ListOrder = DT_LIST_ORDER {
        UpdatedDescending = "updated-descending", UpdatedAscending = "updated-ascending",
    }
    /// Filters on later pages.
    cursor_filters: CursorFilters = DT_CURSOR_FILTERS { Bound = "bound", Repeated = "repeated" }
    /// What happens to a malformed or foreign cursor.
    malformed_cursor: MalformedCursor = DT_MALFORMED_CURSOR { Refused = "refused", FirstPage = "first-page" }
    /// Reply to giving a manually closed target another manual close.
    manual_close_to_other: ManualCloseToOther = DT_MANUAL_CLOSE_TO_OTHER {
        Conflict = "409", BadRequest = "400", Allowed = "allowed",
    }
    /// Reply to reopening a target that was not closed manually.
    reopen_not_manual: ReopenNotManual = DT_REOPEN_NOT_MANUAL {
        Conflict = "409", BadRequest = "400", Allowed = "allowed",
    }
    /// Reply to `OPEN` on a target that is open under another name.
    open_on_new: OpenOnNew = DT_OPEN_ON_NEW { Conflict = "409", Allowed = "allowed" }
    /// Reply to reopening a target of a permanently closed finding.
    reopen_permanently_closed: ReopenPermanentlyClosed = DT_REOPEN_PERMANENTLY_CLOSED {
        Conflict = "409", Allowed = "allowed",
    }
    /// Whether `Authorization: Bearer` is accepted.
    bearer_scheme: BearerScheme = DT_BEARER_SCHEME { Refused = "refused", Accepted = "accepted" }
    /// Case of enum values in filters.
    enum_case: EnumCase = DT_ENUM_CASE { Exact = "exact", Insensitive = "insensitive" }
    /// Whether requests with a body need `Content-Type: application/json`.
    content_type: ContentType = DT_CONTENT_TYPE { Tolerant = "tolerant", Required = "required" }
    /// Whether a scan reopens a fixed target of a permanently closed finding.
    seen_again_permanently_closed: SeenAgainPermanentlyClosed = DT_SEEN_AGAIN_PERMANENTLY_CLOSED {
        StaysClosed = "stays-closed", Reopened = "reopened",
    }
    /// Status of a fixed target that a scan sees again.
    seen_again_after_fixed: SeenAgainAfterFixed = DT_SEEN_AGAIN_AFTER_FIXED { Open = "open", New = "new" }
    /// Meaning of a slash at the end of a path.
    trailing_slash: TrailingSlash = DT_TRAILING_SLASH { NotFound = "404", Same = "same" }
    /// Reply to filtering by an app that does not exist.
    unknown_app_filter: UnknownAppFilter = DT_UNKNOWN_APP_FILTER { Empty = "empty", NotFound = "404" }
    /// Optional fields without a value.
    null_fields: NullFields = DT_NULL_FIELDS { Omitted = "omitted", Null = "null" }
    /// Lists without an entry.
    empty_lists: EmptyLists = DT_EMPTY_LISTS { Emitted = "emitted", Omitted = "omitted" }
    /// Permission needed to set a target's status.
    status_permission: StatusPermission = DT_STATUS_PERMISSION { ClosePermission = "close-permission", None = "none" }
    /// Permission needed for the reason of a status change.
    status_reason_permission: StatusReasonPermission = DT_STATUS_REASON_PERMISSION {
        None = "none", CommentPermission = "comment-permission",
    }
    /// Author of a key's notes.
    note_author: NoteAuthor = DT_NOTE_AUTHOR { KeyName = "key-name", Address = "address" }
    /// Fields of apps whose names we could not confirm.
    app_unconfirmed_fields: AppUnconfirmedFields = DT_APP_UNCONFIRMED_FIELDS {
        Emitted = "emitted", Omitted = "omitted",
    }
    /// Whether lists other than the documented one take `page_size`.
    page_size_parameter: PageSizeParameter = DT_PAGE_SIZE_PARAMETER { Ignored = "ignored", Honoured = "honoured" }
}

#[cfg(test)]
mod tests {
    use super::Readings;

    #[test]
    fn types_and_ledger_agree() {
        crate::vendors::readings::tests::agree(
            "dt.",
            Readings::LEDGER,
            Readings::default().list(),
            |id, value| {
                let mut readings = Readings::default();
                readings.set(id, value).map(|()| readings.list())
            },
        );
    }
}
