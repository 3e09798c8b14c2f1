//! Reported tickets.

use fixtures::spec::mend::{
    MEND_ABSENT_ITEM_FIELDS, MEND_EMPTY_EXTERNAL_ISSUES, MEND_EMPTY_IDENTIFIER, MEND_EXT_EXTRA_DATA_KEYS,
    MEND_EXTERNAL_DATETIMES, MEND_EXTRA_DATA, MEND_EXTRA_FIELDS_PLACE, MEND_KNOWN_ITEM_COUNTS,
    MEND_LENGTH_UNIT, MEND_POLICY_ITEM_UUID, MEND_SAME_IDENTIFIER_TWICE, MEND_TRACKER_PLUGIN_TYPE,
    MEND_URL_SPECIAL_CHARS,
};
use serde_json::{Value, json};

use super::reports::{Reporter, TICKET};
use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed, probes};

probes! {
    MEND_LENGTH_UNIT, Lasting, length_unit;
    MEND_URL_SPECIAL_CHARS, Lasting, url_special_chars;
    MEND_EXTERNAL_DATETIMES, Lasting, external_datetimes;
    MEND_EXTRA_DATA, Lasting, extra_data;
    MEND_EXT_EXTRA_DATA_KEYS, Lasting, extra_data_keys;
    MEND_EXTRA_FIELDS_PLACE, Lasting, extra_fields_place;
    MEND_POLICY_ITEM_UUID, Lasting, policy_item_uuid;
    MEND_EMPTY_EXTERNAL_ISSUES, Lasting, empty_external_issues;
    MEND_EMPTY_IDENTIFIER, Lasting, empty_identifier;
    MEND_KNOWN_ITEM_COUNTS, Lasting, known_item_counts;
    MEND_ABSENT_ITEM_FIELDS, Lasting, absent_item_fields;
    MEND_SAME_IDENTIFIER_TWICE, Lasting, same_identifier_twice;
    MEND_TRACKER_PLUGIN_TYPE, Lasting, tracker_plugin_type;
}

/// Texts of 255 characters: one byte each, two bytes, and two units of UTF-16.
fn length_unit(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |letter: &str, count| reporter.takes(&json!({"status": letter.repeat(count)}));
    observed(takes("a", 255)?, "a status of 255 letters is refused")?;
    observed(!takes("a", 256)?, "a status of 256 letters is accepted")?;
    match (takes("\u{e9}", 255)?, takes("\u{1f600}", 255)?) {
        (true, true) => Ok("characters"),
        (true, false) => Ok("utf16"),
        (false, false) => Ok("bytes"),
        (false, true) => not_exercised("letters of two bytes count for more than those of four"),
    }
}

fn url_special_chars(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |url: &str| reporter.takes(&json!({"url": url}));
    observed(takes("https://tickets.example/browse/CONTRACT-1")?, "a plain `url` is refused")?;
    Ok(if takes("https://tickets.example/a%20project/CONTRACT-1")? { "allowed" } else { "refused" })
}

fn external_datetimes(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |created: &str| reporter.takes(&json!({"created": created}));
    match (takes("2020-12-23 10:00:00")?, takes("2020-12-23T10:00:00.123+02:00")?) {
        (true, true) => Ok("any"),
        (true, false) => Ok("space"),
        (false, true) => Ok("iso"),
        (false, false) => not_exercised("neither form is accepted"),
    }
}

fn extra_data(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |value: Value| reporter.takes(&json!({"extraData": value}));
    observed(takes(json!({"team": "blue"}))?, "an object of strings is refused as `extraData`")?;
    Ok(if takes(json!(["blue"]))? { "map-or-array" } else { "map" })
}

/// Texts of 255 and of 256 letters as keys, after both as values.
fn extra_data_keys(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |key: &str, value: &str| reporter.takes(&json!({"extraData": {key: value}}));
    let (fitting, too_long) = ("a".repeat(255), "a".repeat(256));
    observed(takes("team", &fitting)?, "a value of 255 letters is refused in `extraData`")?;
    observed(!takes("team", &too_long)?, "a value of 256 letters is accepted in `extraData`")?;
    observed(takes(&fitting, "blue")?, "a key of 255 letters is refused in `extraData`")?;
    Ok(if takes(&too_long, "blue")? { "unchecked" } else { "checked" })
}

/// A label beside `extraData` is the one inside it only if both places are read. What an earlier run left is another
/// label, wherever it stood.
fn extra_fields_place(case: &Case) -> Result<&'static str, Stop> {
    let before = json!({"extraData": {"issueLabel": "before"}});
    let beside = json!({"issueLabel": "beside"});
    let inside = json!({"extraData": {"issueLabel": "beside"}});
    Ok(if last_is_new(case, &[before, beside, inside])? { "nested" } else { "both" })
}

/// Whether the last of these reports of a ticket says anything new.
fn last_is_new(case: &Case, reports: &[Value]) -> Result<bool, Stop> {
    let reporter = Reporter::find(case)?;
    reporter.counters_show_changes()?;
    let mut last = None;
    for fields in reports {
        last = Some(reporter.report(fields)?);
    }
    match last.map(|counters| (counters.updated, counters.unaffected)) {
        Some((1, 0)) => Ok(true),
        Some((0, 1)) => Ok(false),
        _ => not_exercised(format!("a report of a known ticket comes to {last:?}")),
    }
}

/// A text that is looked up gets the answer of an id that is unknown, whatever its form.
fn policy_item_uuid(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let refused = |uuid: &str| match reporter.call(&json!({"wsPolicyIssueItemUuid": uuid}))? {
        Err(refusal) => Ok((refusal.code, refusal.message.replace(uuid, "it"))),
        Ok(_) => not_exercised(format!("a violation {uuid:?} is known")),
    };
    let (unknown, malformed) = (refused("00000000-0000-4000-8000-000000000000")?, refused("123345")?);
    Ok(if unknown == malformed { "any-text" } else { "uuid" })
}

fn empty_external_issues(case: &Case) -> Result<&'static str, Stop> {
    match Reporter::find(case)?.counted(&json!({"externalIssues": []}))? {
        Err(_) => Ok("refused"),
        Ok(counters) if counters.sum() == 0 => Ok("accepted"),
        Ok(counters) => not_exercised(format!("of no ticket there are {counters:?}")),
    }
}

fn empty_identifier(case: &Case) -> Result<&'static str, Stop> {
    let accepted = Reporter::find(case)?.takes(&json!({"identifier": ""}))?;
    Ok(if accepted { "accepted" } else { "refused" })
}

fn known_item_counts(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    reporter.report(&json!({"status": "Open"}))?;
    let same = reporter.report(&json!({"status": "Open"}))?;
    let changed = reporter.report(&json!({"status": "Done"}))?;
    observed(changed.updated == 1, "a ticket with another status does not count as updated")?;
    match (same.updated, same.unaffected) {
        (0, 1) => Ok("by-change"),
        (1, 0) => Ok("updated"),
        _ => not_exercised(format!("the same ticket again comes to {same:?}")),
    }
}

/// An address that stayed is nothing new when it is reported again.
fn absent_item_fields(case: &Case) -> Result<&'static str, Stop> {
    let url = "https://tickets.example/browse/CONTRACT-1";
    let with_url = json!({"status": "Open", "url": url});
    let (without, again) = (json!({"status": "Done"}), json!({"status": "Done", "url": url}));
    Ok(if last_is_new(case, &[with_url, without, again])? { "cleared" } else { "kept" })
}

fn same_identifier_twice(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let twice = ["Open", "Done"].map(|status| json!({"identifier": TICKET, "status": status}));
    match reporter.counted(&json!({"externalIssues": twice}))? {
        Err(_) => Ok("refused"),
        Ok(counters) if counters.sum() == 2 => Ok("last-wins"),
        Ok(counters) => not_exercised(format!("of two tickets there are {counters:?}")),
    }
}

fn tracker_plugin_type(case: &Case) -> Result<&'static str, Stop> {
    let reporter = Reporter::find(case)?;
    let takes = |kind: &str| match reporter.counted(&json!({"issueTrackerPluginType": kind}))? {
        Err(_) => Ok(false),
        Ok(counters) if counters.sum() == 1 => Ok(true),
        Ok(counters) => not_exercised(format!("of one ticket there are {counters:?}")),
    };
    observed(takes("JIRA")?, "the type `JIRA` is refused")?;
    Ok(if takes("AZURE")? { "free-text" } else { "jira-only" })
}
