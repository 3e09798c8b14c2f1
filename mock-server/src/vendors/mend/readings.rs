//! The readings of the Mend pages, as types: one enum per reading, one field per choice in force.
//!
//! Ids, values and defaults repeat the ledger in `fixtures::spec`; a test holds the two together.

use fixtures::spec::Reading;
use fixtures::spec::mend as ledger;

use crate::vendors::readings::ReadingError;

readings! {
    /// Which forms may the bounds of `fetchProjectPolicyIssues` have?
    fetch_window_format: FetchWindowFormat = MEND_FETCH_WINDOW_FORMAT { Any = "any", Space = "space", Slashes = "slashes", Dashes = "dashes" }
    /// What answers a bound of `fetchProjectPolicyIssues` that is no date in an accepted form?
    fetch_window_unparsable: FetchWindowUnparsable = MEND_FETCH_WINDOW_UNPARSABLE { Refused = "refused", Ignored = "ignored" }
    /// What answers `fetchProjectPolicyIssues` with neither bound?
    fetch_window_missing: FetchWindowMissing = MEND_FETCH_WINDOW_MISSING { All = "all", Refused = "refused" }
    /// What answers `fetchProjectPolicyIssues` with only one of its two bounds?
    fetch_window_one_bound: FetchWindowOneBound = MEND_FETCH_WINDOW_ONE_BOUND { All = "all", HalfOpen = "half-open", Refused = "refused" }
    /// What answers a window of `fetchProjectPolicyIssues` whose start is later than its end?
    fetch_window_reversed: FetchWindowReversed = MEND_FETCH_WINDOW_REVERSED { Empty = "empty", Refused = "refused" }
    /// Which date of a violation does the window of `fetchProjectPolicyIssues` look at?
    fetch_window_field: FetchWindowField = MEND_FETCH_WINDOW_FIELD { Created = "created", LastModified = "last-modified" }
    /// Does the window of `fetchProjectPolicyIssues` include its end?
    fetch_window_bounds: FetchWindowBounds = MEND_FETCH_WINDOW_BOUNDS { Inclusive = "inclusive", ToExclusive = "to-exclusive" }
    /// What does an end of the window that is given in minutes stand for?
    fetch_window_minutes: FetchWindowMinutes = MEND_FETCH_WINDOW_MINUTES { WholeMinute = "whole-minute", StartOfMinute = "start-of-minute" }
    /// Which violations of an issue are in the answer when only some lie in the window?
    fetch_window_rows: FetchWindowRows = MEND_FETCH_WINDOW_ROWS { ViolationsInside = "violations-inside", WholeIssue = "whole-issue" }
    /// What do `page` and `pageSize` do?
    fetch_paging: FetchPaging = MEND_FETCH_PAGING { Honoured = "honoured", Ignored = "ignored", Refused = "refused" }
    /// Which number has the first page?
    fetch_first_page: FetchFirstPage = MEND_FETCH_FIRST_PAGE { One = "1", Zero = "0" }
    /// What answers `fetchProjectPolicyIssues` with another `policyActionType` than `CREATE_ISSUE`?
    policy_action_type: PolicyActionType = MEND_POLICY_ACTION_TYPE { Refused = "refused", Empty = "empty" }
    /// Is the prose form `Create Issue` accepted where the action type is `CREATE_ISSUE`?
    action_type_spelling: ActionTypeSpelling = MEND_ACTION_TYPE_SPELLING { Constant = "constant", ProseToo = "prose-too" }
    /// Are the matches of a disabled policy in the answer of `fetchProjectPolicyIssues`?
    disabled_policies: DisabledPolicies = MEND_DISABLED_POLICIES { Listed = "listed", Omitted = "omitted" }
    /// Are violations that no longer apply in the answer of `fetchProjectPolicyIssues`?
    resolved_violations: ResolvedViolations = MEND_RESOLVED_VIOLATIONS { Omitted = "omitted", Listed = "listed" }
    /// Which of several policies that match the same library wins?
    policy_conflict: PolicyConflict = MEND_POLICY_CONFLICT { PerCause = "per-cause", PerLibrary = "per-library", None = "none" }
    /// Does a policy about the severity `HIGH` match critical vulnerabilities, too?
    high_includes_critical: HighIncludesCritical = MEND_HIGH_INCLUDES_CRITICAL { No = "no", Yes = "yes" }
    /// Which `violationType` has a match that is about neither a licence nor a vulnerability?
    other_violation_type: OtherViolationType = MEND_OTHER_VIOLATION_TYPE { MatchType = "match-type", Library = "library" }
    /// Which `issueUuid` has a match that was gone and comes back?
    match_again: MatchAgain = MEND_MATCH_AGAIN { NewUuid = "new-uuid", SameUuid = "same-uuid" }
    /// When does a new or changed policy act on libraries that are already there?
    new_policy_acts: NewPolicyActs = MEND_NEW_POLICY_ACTS { AtOnce = "at-once", NextScan = "next-scan" }
    /// Does a new score or severity move `lastModified` of a violation that goes on?
    rescore_touches_violation: RescoreTouchesViolation = MEND_RESCORE_TOUCHES_VIOLATION { Yes = "yes", No = "no" }
    /// Does ignoring an alert end the policy violation of the same vulnerability?
    ignored_alert_violation: IgnoredAlertViolation = MEND_IGNORED_ALERT_VIOLATION { Unaffected = "unaffected", Resolved = "resolved" }
    /// How is the key of a policy's link written?
    policy_url_key: PolicyUrlKey = MEND_POLICY_URL_KEY { Capital = "capital", Lower = "lower" }
    /// What is `productLevel` of a policy?
    product_level: ProductLevel = MEND_PRODUCT_LEVEL { AlwaysFalse = "false", ByScope = "by-scope" }
    /// How many rows does a project have in `getOrganizationLastModifiedProjects`?
    modified_rows: ModifiedRows = MEND_MODIFIED_ROWS { PerType = "per-type", PerProject = "per-project" }
    /// Is `All` accepted in `modificationTypes`?
    modified_all: ModifiedAll = MEND_MODIFIED_ALL { Accepted = "accepted", Refused = "refused" }
    /// Is `ALERTS` accepted in `modificationTypes`?
    modified_alerts: ModifiedAlerts = MEND_MODIFIED_ALERTS { Accepted = "accepted", Refused = "refused" }
    /// What answers an unknown word in `modificationTypes`?
    modified_unknown_type: ModifiedUnknownType = MEND_MODIFIED_UNKNOWN_TYPE { Refused = "refused", Ignored = "ignored" }
    /// Does `getProjectLibrariesInfo` leave out a library that is there but whose policy issues no longer apply?
    libraries_no_longer_applies: LibrariesNoLongerApplies = MEND_LIBRARIES_NO_LONGER_APPLIES { Omitted = "omitted", Listed = "listed" }
    /// Which type has `keyUuids`?
    key_uuids_type: KeyUuidsType = MEND_KEY_UUIDS_TYPE { ArrayOrString = "array-or-string", Array = "array" }
    /// What answers an id in `keyUuids` that no library of the project has?
    unknown_key_uuid: UnknownKeyUuid = MEND_UNKNOWN_KEY_UUID { LeftOut = "left-out", Refused = "refused" }
    /// Which versions of the API have `getProjectLibrariesInfo`?
    libraries_info_version: LibrariesInfoVersion = MEND_LIBRARIES_INFO_VERSION { Both = "both", NewerOnly = "newer-only" }
    /// What do the limits of 255 and 2000 count?
    length_unit: LengthUnit = MEND_LENGTH_UNIT { Characters = "characters", Utf16 = "utf16", Bytes = "bytes" }
    /// May `url` contain `<`, `>`, `%` or `&`?
    url_special_chars: UrlSpecialChars = MEND_URL_SPECIAL_CHARS { Refused = "refused", Allowed = "allowed" }
    /// Which forms may `created` and `lastModified` of an external issue have?
    external_datetimes: ExternalDatetimes = MEND_EXTERNAL_DATETIMES { Any = "any", Space = "space", Iso = "iso" }
    /// Which types may `extraData` have?
    extra_data: ExtraData = MEND_EXTRA_DATA { Map = "map", MapOrArray = "map-or-array" }
    /// Do the limits of texts hold for the keys of `extraData`?
    ext_extra_data_keys: ExtExtraDataKeys = MEND_EXT_EXTRA_DATA_KEYS { Checked = "checked", Unchecked = "unchecked" }
    /// Where do `issuePriority`, `issueLabel` and `policyId` stand?
    extra_fields_place: ExtraFieldsPlace = MEND_EXTRA_FIELDS_PLACE { Nested = "nested", Both = "both" }
    /// Must `wsPolicyIssueItemUuid` have the form of a UUID?
    policy_item_uuid: PolicyItemUuid = MEND_POLICY_ITEM_UUID { Uuid = "uuid", AnyText = "any-text" }
    /// What answers an empty `externalIssues`?
    empty_external_issues: EmptyExternalIssues = MEND_EMPTY_EXTERNAL_ISSUES { Refused = "refused", Accepted = "accepted" }
    /// What answers an `identifier` that is an empty string?
    empty_identifier: EmptyIdentifier = MEND_EMPTY_IDENTIFIER { Refused = "refused", Accepted = "accepted" }
    /// How does an item count that is already known?
    known_item_counts: KnownItemCounts = MEND_KNOWN_ITEM_COUNTS { ByChange = "by-change", Updated = "updated" }
    /// What becomes of a field that a known item had and that is absent when it is sent again?
    absent_item_fields: AbsentItemFields = MEND_ABSENT_ITEM_FIELDS { Kept = "kept", Cleared = "cleared" }
    /// What answers a call that has the same `identifier` twice?
    same_identifier_twice: SameIdentifierTwice = MEND_SAME_IDENTIFIER_TWICE { LastWins = "last-wins", Refused = "refused" }
    /// Which `issueTrackerPluginType` is accepted?
    tracker_plugin_type: TrackerPluginType = MEND_TRACKER_PLUGIN_TYPE { FreeText = "free-text", JiraOnly = "jira-only" }
    /// Which form do dates in an answer have?
    dates: Dates = MEND_DATES { PerField = "per-field", DaysEverywhere = "days-everywhere" }
    /// Which JSON is accepted in a request?
    json_strictness: JsonStrictness = MEND_JSON_STRICTNESS { Strict = "strict", Lenient = "lenient" }
    /// Which types may `includeRequestToken` have?
    request_token_flag: RequestTokenFlag = MEND_REQUEST_TOKEN_FLAG { BooleanOrString = "boolean-or-string", Boolean = "boolean" }
    /// What answers an `integrationType` other than the two of the page?
    other_integration_type: OtherIntegrationType = MEND_OTHER_INTEGRATION_TYPE { Refused = "refused", Accepted = "accepted" }
    /// Which error code has a request that lacks a required field?
    missing_field_code: MissingFieldCode = MEND_MISSING_FIELD_CODE { MissingFields = "3010", InvalidParameters = "3000" }
    /// Which error code has a field with a bad value?
    bad_value_code: BadValueCode = MEND_BAD_VALUE_CODE { InvalidParameters = "3000", InvalidOption = "2021" }
    /// Which error code has a scope token that no visible organization, product or project has?
    unknown_scope_token: UnknownScopeToken = MEND_UNKNOWN_SCOPE_TOKEN { NotAllowed = "5001", InvalidParameters = "3000" }
    /// Which error code has a well-formed `wsPolicyIssueItemUuid` that the project does not have?
    unknown_policy_item: UnknownPolicyItem = MEND_UNKNOWN_POLICY_ITEM { InvalidParameters = "3000", NotAllowed = "5001" }
    /// Which error code has an unknown `requestType`?
    unknown_request_type: UnknownRequestType = MEND_UNKNOWN_REQUEST_TYPE { InvalidParameters = "3000", Unexpected = "4000" }
    /// What answers a body that is no JSON, or JSON but no object?
    unreadable_body: UnreadableBody = MEND_UNREADABLE_BODY { InvalidParameters = "3000", BadRequest = "400" }
    /// What happens to a scope token that the call does not document, such as `orgToken` on a project's call?
    foreign_scope_token: ForeignScopeToken = MEND_FOREIGN_SCOPE_TOKEN { Silent = "silent", Warned = "warned" }
    /// May an auditor make calls that change something?
    auditor_writes: AuditorWrites = MEND_AUDITOR_WRITES { Allowed = "allowed", Refused = "refused" }
    /// What is the value of a tag in an answer?
    tag_values: TagValues = MEND_TAG_VALUES { List = "list", Scalar = "scalar" }
    /// In which order do the elements of a list come?
    list_order: ListOrder = MEND_LIST_ORDER { Stable = "stable", Shuffled = "shuffled" }
}

#[cfg(test)]
mod tests {
    use super::Readings;

    #[test]
    fn types_and_ledger_agree() {
        crate::vendors::readings::tests::agree(
            "mend.",
            Readings::LEDGER,
            Readings::default().list(),
            |id, value| {
                let mut readings = Readings::default();
                readings.set(id, value).map(|()| readings.list())
            },
        );
    }
}
