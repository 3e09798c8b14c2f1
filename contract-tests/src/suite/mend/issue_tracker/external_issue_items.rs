//! `updateExternalIntegrationIssues`: what an item may hold.

use fixtures::spec::mend::{
    MEND_EXT_DATE_TIME, MEND_EXT_EXTRA_DATA_MAP, MEND_EXT_EXTRA_FIELDS, MEND_EXT_FORBIDDEN_CHARS,
    MEND_EXT_IDENTIFIER_REQUIRED, MEND_EXT_OPTIONAL_FIELDS, MEND_EXT_STRING_LENGTH, MEND_EXT_URL_LENGTH,
    MEND_EXT_VALIDATED,
};
use serde_json::{Value, json};

use super::asking::{with, without};
use super::reporting::{Plugin, count, item};
use crate::suite::case::Case;
use crate::suite::check::{Held, Verdict, broken_at, checks, observed};

checks! { "mend/external-issues";
    identifier_required: MEND_EXT_IDENTIFIER_REQUIRED, Lasting, identifier_required;
    other_fields_may_be_absent: MEND_EXT_OPTIONAL_FIELDS, Lasting, other_fields_may_be_absent;
    priority_label_and_policy_id: MEND_EXT_EXTRA_FIELDS, Lasting, priority_label_and_policy_id;
    every_item_is_checked: MEND_EXT_VALIDATED, Lasting, every_item_is_checked;
    text_of_255_characters: MEND_EXT_STRING_LENGTH, Lasting, text_of_255_characters;
    url_of_2000_characters: MEND_EXT_URL_LENGTH, Lasting, url_of_2000_characters;
    date_times: MEND_EXT_DATE_TIME, Lasting, date_times;
    forbidden_characters: MEND_EXT_FORBIDDEN_CHARS, Lasting, forbidden_characters;
    extra_data_is_a_map_of_strings: MEND_EXT_EXTRA_DATA_MAP, Lasting, extra_data_is_a_map_of_strings;
}

/// Where the texts of an item stand that are no addresses.
const TEXTS: [(&str, Option<&str>); 5] = [
    ("identifier", None),
    ("status", None),
    ("extraData", Some("issuePriority")),
    ("extraData", Some("issueLabel")),
    ("extraData", Some("policyId")),
];

/// An item with everything but dates, of which readings differ on the form.
fn full(identifier: &str) -> Value {
    item(
        identifier,
        json!({
            "url": "https://tracker.example/browse/1",
            "status": "New",
            "extraData": {"issuePriority": "MEDIUM", "issueLabel": "contract", "policyId": "11203"},
        }),
    )
}

/// The same item with another text in one place.
fn with_text(whole: &Value, (field, member): (&str, Option<&str>), text: &str) -> Value {
    match member {
        None => with(whole, field, Value::from(text)),
        Some(member) => with(whole, field, with(&whole[field], member, Value::from(text))),
    }
}

fn identifier_required(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let (good, bad) = (full("1"), without(&full("2"), "identifier"));
    plugin.reported(json!([good]))?;
    plugin.refuses("an item without `identifier`", std::slice::from_ref(&bad))?;
    plugin.refuses_call("an item without `identifier`, after another", &plugin.fields(json!([good, bad])))
}

fn other_fields_may_be_absent(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    plugin.reported(json!([full("1")]))?;
    let but_for_one = ["url", "status", "extraData"].map(|name| without(&full(name), name));
    plugin.accepts("an item may lack a field that is not `identifier`", &but_for_one)?;
    plugin.accepts("an item may have an `identifier` only", &[item("2", json!({}))])
}

fn priority_label_and_policy_id(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let ticket = full("1");
    plugin.reported(json!([ticket]))?;
    observed(!plugin.is_new(&ticket)?.0, "a reported ticket is not kept")?;
    for place in &TEXTS[2..] {
        let changed = with_text(&ticket, *place, "7");
        let answer = plugin.report(json!([changed]))?;
        let member = place.1.unwrap_or_default();
        let [created, updated] = ["createdIssues", "updatedIssues"].map(|counter| count(&answer, counter));
        let is_overlooked = created + updated == 0 && count(&answer, "unaffectedIssues") > 0;
        if answer.is_refused() || is_overlooked {
            return broken_at(&answer.evidence, format!("another `{member}` is taken in"), &answer.json);
        }
        observed(updated > 0, "the answer counts no item as updated")?;
        // One change after the other, so that each is its own doing.
        plugin.reported(json!([ticket]))?;
    }
    Held::over(TEXTS[2..].len(), "no field was changed")
}

fn every_item_is_checked(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let [first, second] = ["1", "2"].map(full);
    plugin.reported(json!([first, second]))?;
    let offences = [
        ("identifier", json!("CONTRACT<2")),
        ("status", json!("a < b")),
        ("created", json!("yesterday")),
        ("lastModified", json!("yesterday")),
        ("extraData", json!("MEDIUM")),
    ];
    for (field, wrong) in offences {
        let items = json!([first, with(&second, field, wrong)]);
        plugin.refuses_call(&format!("a second item with a bad `{field}`"), &plugin.fields(items))?;
    }
    Held::once()
}

/// A text of this many characters.
fn text_of(length: usize, beginning: &str) -> String {
    beginning.chars().chain(std::iter::repeat('x')).take(length).collect()
}

fn text_of_255_characters(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let whole = full("1");
    plugin.reported(json!([whole]))?;
    let with_lengths = |length: usize| {
        TEXTS.map(|place| with_text(&whole, place, &text_of(length, &format!("{}-", place.0))))
    };
    plugin.accepts("a text of 255 characters is accepted", &with_lengths(255))?;
    plugin.refuses("a text of 256 characters", &with_lengths(256))
}

fn url_of_2000_characters(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let whole = full("1");
    plugin.reported(json!([whole]))?;
    let of =
        |length: usize| with(&whole, "url", Value::from(text_of(length, "https://tracker.example/browse/")));
    plugin.accepts("a URL of 2000 characters is accepted", &[of(256), of(2_000)])?;
    plugin.refuses("a URL of 2001 characters", &[of(2_001)])
}

/// Dates in the form of the page's table and in that of its example.
const DATES: [&str; 2] = ["2026-01-05 10:00:00", "2026-01-05T10:00:00"];

fn date_times(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let whole = full("1");
    plugin.reported(json!([whole]))?;
    for field in ["created", "lastModified"] {
        let dated = |date: &str| with(&whole, field, Value::from(date));
        let mut accepted = None;
        let mut refused = None;
        for date in DATES {
            let answer = plugin.report(json!([dated(&format!("{date}+02:00"))]))?;
            if answer.is_refused() {
                refused = Some(answer);
            } else {
                accepted = accepted.or(Some(date));
            }
        }
        let Some(date) = accepted else {
            let Some(answer) = refused else { continue };
            let expected = format!("`{field}` takes a date-time with an offset, in a form of the page");
            return broken_at(&answer.evidence, expected, &answer.json);
        };
        plugin.accepts("an offset may be absent", &[dated(date)])?;
        let wrong = [
            "yesterday".to_owned(),
            date.replace("-01-05", "-13-05"),
            date.replace("-01-05", "-02-30"),
            date.replace("10:00:00", "25:00:00"),
        ];
        plugin.refuses(&format!("`{field}` that is no valid date-time"), &wrong.map(|date| dated(&date)))?;
    }
    Held::once()
}

fn forbidden_characters(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let whole = full("1");
    plugin.reported(json!([whole]))?;
    for character in ['<', '>', '%', '&'] {
        let items = TEXTS.map(|place| with_text(&whole, place, &format!("CONTRACT {character} 1")));
        plugin.refuses(&format!("a text with {character}"), &items)?;
    }
    Held::once()
}

fn extra_data_is_a_map_of_strings(case: &Case) -> Verdict {
    let plugin = Plugin::find(case)?;
    let whole = full("1");
    plugin.reported(json!([whole]))?;
    let of = |extra: Value| with(&whole, "extraData", extra);
    plugin.accepts("`extraData` with other names too", &[of(json!({"issueLabel": "a", "team": "b"}))])?;
    let wrong = [
        json!("MEDIUM"),
        json!(1),
        json!({"issuePriority": 1}),
        json!({"issueLabel": ["a"]}),
        json!({"team": {"name": "b"}}),
        json!({"policyId": true}),
    ];
    plugin.refuses("`extraData` that is no map of strings", &wrong.map(of))
}
