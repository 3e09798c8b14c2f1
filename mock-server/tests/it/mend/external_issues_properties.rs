//! The validation of `updateExternalIntegrationIssues` against an oracle that was written from the page alone, and
//! random sequences of calls against a naive map.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::world::mend::ExternalIssueSpec;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

use super::external_issues::{counters, report, stored, two_violations, violations_of};
use crate::support::{Api, block_on, proptest_cases};

const UNITS: [&str; 3] = ["characters", "utf16", "bytes"];

/// The texts of an item that the page limits to 255; `team` stands for a key of the plugin's own.
const TEXTS: [&str; 6] = [
    "identifier",
    "status",
    "extraData.issuePriority",
    "extraData.issueLabel",
    "extraData.policyId",
    "extraData.team",
];

fn under(readings: &[(&'static str, &'static str)]) -> Api {
    let api = two_violations();
    api.control().set_readings(readings.iter().copied()).unwrap();
    api
}

/// An item whose field has this value, and otherwise only what is required.
fn item(field: &str, value: &str) -> Value {
    let mut item = json!({"identifier": "WPM-1"});
    match field.split_once('.') {
        Some((object, key)) => item[object] = json!({key: value}),
        None => item[field] = json!(value),
    }
    item
}

/// How long a text is.
fn length(text: &str, unit: &str) -> usize {
    let of = |character: char| match (unit, u32::from(character)) {
        ("characters", _) => 1,
        ("utf16", point) => 1 + usize::from(point > 0xffff),
        (_, point) => {
            1 + usize::from(point > 0x7f) + usize::from(point > 0x7ff) + usize::from(point > 0xffff)
        }
    };
    text.chars().map(of).sum()
}

/// What the page says of a text: its limit and the characters that are forbidden.
fn is_valid(field: &str, text: &str, unit: &str, allows_special_urls: bool) -> bool {
    let limit = if field == "url" { 2_000 } else { 255 };
    let is_special = text.contains('<') || text.contains('>') || text.contains('%') || text.contains('&');
    length(text, unit) <= limit && (!is_special || (field == "url" && allows_special_urls))
}

async fn is_accepted(api: &Api, items: &Value) -> bool {
    let (before, violation) = (stored(api), violations_of(api, "api").remove(0));
    let reply = report(api, &violation, items.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let is_accepted = reply.json().get("errorCode").is_none();
    assert!(is_accepted || stored(api) == before, "a refused call stored something: {items}");
    is_accepted
}

/// MEND-EXT-STRING-LENGTH, MEND-EXT-URL-LENGTH, `mend.length-unit`
#[tokio::test]
async fn lengths_end_exactly_where_the_page_says_in_every_unit() {
    // One, two, three and four bytes; the last is two UTF-16 units, and the one before a letter with its accent.
    let alphabets = ["a", "é", "€", "😀", "e\u{301}"];
    for unit in UNITS {
        let api = under(&[("mend.length-unit", unit)]);
        for (field, limit) in TEXTS.map(|field| (field, 255)).into_iter().chain([("url", 2_000)]) {
            for alphabet in alphabets {
                for aim in [limit - 1, limit, limit + 1] {
                    // As many as there are in one unit, and as many as fill this one, with an `a` where none fits.
                    let filled = alphabet.repeat(aim / length(alphabet, unit));
                    let texts = [
                        alphabet.chars().cycle().take(aim).collect::<String>(),
                        filled.clone() + &"a".repeat(aim - length(&filled, unit)),
                    ];
                    for text in texts {
                        let got = is_accepted(&api, &json!([item(field, &text)])).await;
                        let expected = is_valid(field, &text, unit, false);
                        assert_eq!(got, expected, "{field}: {} {unit} of {alphabet}", length(&text, unit));
                    }
                }
            }
        }
    }
}

/// MEND-EXT-FORBIDDEN-CHARS, `mend.url-special-chars`
#[tokio::test]
async fn every_forbidden_character_is_refused_wherever_it_stands_in_every_text() {
    for (reading, allows_special_urls) in [("refused", false), ("allowed", true)] {
        let api = under(&[("mend.url-special-chars", reading)]);
        for (field, limit) in TEXTS.map(|field| (field, 255)).into_iter().chain([("url", 2_000)]) {
            for special in ["<", ">", "%", "&"] {
                let (whole, half) = ("x".repeat(limit - 1), "é".repeat(limit / 2 - 1));
                for text in [
                    special.to_owned(),
                    format!("{special}a"),
                    format!("a{special}"),
                    format!("a{special}b"),
                    format!("😀{special}é"),
                    format!("{special}{special}"),
                    format!("{special}{whole}"),
                    format!("{whole}{special}"),
                    format!("{half}{special}{half}"),
                ] {
                    let got = is_accepted(&api, &json!([item(field, &text)])).await;
                    assert_eq!(
                        got,
                        is_valid(field, &text, "characters", allows_special_urls),
                        "{field} {text:?}"
                    );
                }
            }
        }
    }
}

/// MEND-EXT-FORBIDDEN-CHARS
#[tokio::test]
async fn no_other_character_is_forbidden() {
    let api = two_violations();
    let forbidden: BTreeSet<char> = ['<', '>', '%', '&'].into();
    let ascii = (0..0x80_u8).map(char::from);
    let others = ['＜', '＞', '％', '＆', '‹', '›', '٪', '\u{feff}', '\u{202e}', '\u{10ffff}'];
    for character in ascii.chain(others) {
        for field in TEXTS.into_iter().chain(["url"]) {
            let got = is_accepted(&api, &json!([item(field, &format!("a{character}b"))])).await;
            assert_eq!(got, !forbidden.contains(&character), "{character:?} in {field}");
        }
    }
}

/// A text that is often just right or just wrong, and whether it is a date-time.
fn texts() -> impl Strategy<Value = String> {
    let pieces = select(vec!["a", "é", "€", "😀", " ", "-", "<", ">", "%", "&", "\u{0}", "\"", "\\"]);
    let filled = (select(vec!["a", "é", "😀"]), select(vec![254_usize, 255, 256, 1_999, 2_000, 2_001]))
        .prop_map(|(alphabet, count)| alphabet.repeat(count));
    prop_oneof![
        3 => "[ -;=?-~]{1,8}",
        2 => vec(pieces, 0..6).prop_map(|pieces| pieces.concat()),
        1 => filled,
    ]
}

/// A date-time, and whether the page takes it for one.
fn date_times() -> impl Strategy<Value = (String, bool)> {
    let number = |range: std::ops::Range<u32>| range.prop_map(|number| format!("{number:02}"));
    let date = (1990..2030_u32, number(0..14), number(0..33));
    let time = (number(0..25), number(0..61), number(0..61));
    let zone = select(vec!["", "Z", "+02:00", "-11:30", "+2:00", " UTC", "z"]);
    let fraction = select(vec!["", ".5", ".123", ".", ".123456789", ".1234567890"]);
    (date, select(vec!["T", " ", "_", "t"]), time, fraction, zone).prop_map(
        |((year, month, day), between, (hour, minute, second), fraction, zone)| {
            let text = format!("{year}-{month}-{day}{between}{hour}:{minute}:{second}{fraction}{zone}");
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match month.as_str() {
                "04" | "06" | "09" | "11" => 30,
                "02" => 28 + i32::from(is_leap),
                "00" | "13" => 0,
                _ => 31,
            };
            let day: i32 = day.parse().unwrap();
            let is_valid = (1..=days).contains(&day)
                && ["T", " "].contains(&between)
                && hour.as_str() < "24"
                && minute.as_str() < "60"
                && second.as_str() < "60"
                && ["", ".5", ".123", ".123456789"].contains(&fraction)
                && ["", "Z", "+02:00", "-11:30"].contains(&zone);
            (text, is_valid)
        },
    )
}

/// A value for a field and whether the page accepts it there.
type Judged = (Value, bool);

fn not_a_text() -> impl Strategy<Value = Value> {
    select(vec![json!(1), json!(1.5), json!(true), json!([]), json!(["a"]), json!({}), json!({"a": "b"})])
}

fn text_field(field: &'static str, unit: &'static str, special_urls: bool) -> impl Strategy<Value = Judged> {
    prop_oneof![
        12 => texts().prop_map(move |text| {
            let is_valid = is_valid(field, &text, unit, special_urls) && !(field == "identifier" && text.is_empty());
            (json!(text), is_valid)
        }),
        1 => not_a_text().prop_map(|value| (value, false)),
        1 => Just((Value::Null, field != "identifier")),
    ]
}

fn date_field() -> impl Strategy<Value = Judged> {
    prop_oneof![
        6 => date_times().prop_map(|(text, is_valid)| (json!(text), is_valid)),
        1 => texts().prop_map(|text| (json!(text), false)),
        1 => not_a_text().prop_map(|value| (value, false)),
        1 => Just((Value::Null, true)),
    ]
}

fn extra_field(unit: &'static str) -> impl Strategy<Value = Judged> {
    let value = prop_oneof![
        12 => texts().prop_map(move |text| (json!(text), is_valid("extraData", &text, unit, false))),
        1 => not_a_text().prop_map(|value| (value, false)),
        1 => Just((Value::Null, false)),
    ];
    let map = btree_map(select(vec!["issuePriority", "issueLabel", "policyId", "team"]), value, 0..4);
    prop_oneof![
        8 => map.prop_map(|entries| {
            let is_valid = entries.values().all(|(_, is_valid)| *is_valid);
            (json!(entries.into_iter().map(|(key, (value, _))| (key, value)).collect::<BTreeMap<_, _>>()), is_valid)
        }),
        1 => select(vec![json!(1), json!("a"), json!(["a"]), json!([])]).prop_map(|value| (value, false)),
        1 => Just((Value::Null, true)),
    ]
}

/// An item and the fields of it that the page does not accept, in the page's order.
fn items(unit: &'static str, special_urls: bool) -> impl Strategy<Value = (Value, Vec<&'static str>)> {
    (
        option::weighted(0.95, text_field("identifier", unit, special_urls)),
        option::of(text_field("url", unit, special_urls)),
        option::of(text_field("status", unit, special_urls)),
        option::of(date_field()),
        option::of(date_field()),
        option::of(extra_field(unit)),
    )
        .prop_map(|(identifier, url, status, created, last_modified, extra)| {
            let names = ["identifier", "url", "status", "created", "lastModified", "extraData"];
            let fields = [identifier, url, status, created, last_modified, extra];
            let (mut item, mut wrong) = (json!({}), Vec::new());
            for (name, field) in names.into_iter().zip(fields) {
                match field {
                    Some((value, is_valid)) => {
                        item[name] = value;
                        if !is_valid {
                            wrong.push(name);
                        }
                    }
                    None if name == "identifier" => wrong.push(name),
                    None => {}
                }
            }
            (item, wrong)
        })
}

/// Items under a choice of readings.
type Case = (&'static str, bool, Vec<(Value, Vec<&'static str>)>);

fn calls() -> impl Strategy<Value = Case> {
    (select(UNITS.to_vec()), any::<bool>()).prop_flat_map(|(unit, special_urls)| {
        vec(items(unit, special_urls), 1..4).prop_map(move |items| (unit, special_urls, items))
    })
}

proptest! {
    #![proptest_config(proptest_cases(400))]

    /// MEND-EXT-VALIDATED, MEND-EXT-STRING-LENGTH, MEND-EXT-URL-LENGTH, MEND-EXT-DATE-TIME,
    /// MEND-EXT-FORBIDDEN-CHARS, MEND-EXT-EXTRA-DATA-MAP, MEND-EXT-IDENTIFIER-REQUIRED
    #[test]
    fn a_call_is_accepted_exactly_if_the_page_accepts_every_field_of_every_item((unit, special_urls, items) in calls()) {
        let special = if special_urls { "allowed" } else { "refused" };
        let api = under(&[("mend.length-unit", unit), ("mend.url-special-chars", special)]);
        let wrong: Vec<(usize, &str)> =
            items.iter().enumerate().flat_map(|(place, (_, wrong))| wrong.iter().map(move |name| (place, *name))).collect();
        let sent: Value = items.iter().map(|(item, _)| item.clone()).collect();
        let reply = block_on(report(&api, &violations_of(&api, "api")[0], sent.clone()));
        prop_assert_eq!(reply.status, 200);
        let answer = reply.json();
        if wrong.is_empty() {
            prop_assert!(answer.get("errorCode").is_none(), "{} refuses {}", answer, sent);
            let sum: u64 = ["createdIssues", "updatedIssues", "unaffectedIssues"].iter().map(|key| answer[*key].as_u64().unwrap()).sum();
            prop_assert_eq!(sum, items.len() as u64);
        } else {
            let message = answer["errorMessage"].as_str().unwrap_or_default();
            let (place, field) = wrong[0];
            prop_assert!(message.contains(&format!("externalIssues[{place}].{field}")), "{:?} is wrong, not: {}", wrong, message);
            prop_assert!(stored(&api).is_empty(), "nothing is stored");
        }
    }
}

/// An item of a sequence of calls, all of whose fields are fine.
#[derive(Debug, Clone)]
struct Reported {
    identifier: &'static str,
    url: Option<&'static str>,
    status: Option<&'static str>,
    created: Option<&'static str>,
    last_modified: Option<&'static str>,
    extra_data: BTreeMap<&'static str, &'static str>,
}

impl Reported {
    fn json(&self) -> Value {
        let mut item = json!({"identifier": self.identifier});
        let fields = [
            ("url", self.url),
            ("status", self.status),
            ("created", self.created),
            ("lastModified", self.last_modified),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                item[name] = json!(value);
            }
        }
        if !self.extra_data.is_empty() {
            item["extraData"] = json!(self.extra_data);
        }
        item
    }

    fn spec(&self, violation: &str) -> ExternalIssueSpec {
        let text = |text: Option<&str>| text.map(str::to_owned);
        // Both spellings below are of one of these instants.
        let time =
            |text: &str| if text.contains("10:00") { "2026-01-02T08:00:00Z" } else { "2026-01-03T00:00:01Z" };
        let instant = |text: Option<&str>| text.map(|text| time(text).parse().unwrap());
        ExternalIssueSpec {
            violation_uuid: violation.to_owned(),
            identifier: self.identifier.to_owned(),
            url: text(self.url),
            status: text(self.status),
            created: instant(self.created),
            last_modified: instant(self.last_modified),
            extra_data: self
                .extra_data
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }
}

fn reported() -> impl Strategy<Value = Reported> {
    let times =
        || select(vec!["2026-01-02T10:00:00+02:00", "2026-01-02 10:00:00+02:00", "2026-01-03 00:00:01"]);
    let extra = btree_map(select(vec!["issuePriority", "team"]), select(vec!["LOW", "HIGH"]), 0..3);
    let identifiers = select(vec!["WPM-1", "WPM-2", "wpm-1", "\u{10ffff}\u{10ffff}"]);
    let parts = (
        identifiers,
        option::of(select(vec!["a/1", "a/2"])),
        option::of(select(vec!["New", "Done"])),
        option::of(times()),
        option::of(times()),
        extra,
    );
    parts.prop_map(|(identifier, url, status, created, last_modified, extra_data)| Reported {
        identifier,
        url,
        status,
        created,
        last_modified,
        extra_data,
    })
}

/// What is stored when an item comes onto what was known.
fn onto(said: ExternalIssueSpec, known: Option<&ExternalIssueSpec>, is_kept: bool) -> ExternalIssueSpec {
    let Some(known) = known.filter(|_| is_kept) else { return said };
    let mut merged = known.clone();
    merged.url = said.url.or(merged.url);
    merged.status = said.status.or(merged.status);
    merged.created = said.created.or(merged.created);
    merged.last_modified = said.last_modified.or(merged.last_modified);
    merged.extra_data.extend(said.extra_data);
    merged
}

proptest! {
    #![proptest_config(proptest_cases(150))]

    /// MEND-EXT-REPORT, MEND-EXT-COUNTERS, MEND-EXT-MANY-ITEMS, MEND-EXT-OPTIONAL-FIELDS, MEND-EXT-AGAIN
    #[test]
    fn sequences_of_calls_count_and_store_what_a_naive_map_does(
        calls in vec((0..2_usize, vec(reported(), 1..5)), 1..8),
        is_kept in any::<bool>(),
    ) {
        let api = under(&[("mend.absent-item-fields", if is_kept { "kept" } else { "cleared" })]);
        let violations = violations_of(&api, "api");
        let mut naive: BTreeMap<(String, String), ExternalIssueSpec> = BTreeMap::new();
        for (which, items) in &calls {
            let violation = &violations[*which];
            let (mut created, mut updated, mut unaffected) = (0, 0, 0);
            for item in items {
                let key = (violation.clone(), item.identifier.to_owned());
                let known = naive.get(&key);
                let next = onto(item.spec(violation), known, is_kept);
                match known {
                    None => created += 1,
                    Some(known) if *known == next => unaffected += 1,
                    Some(_) => updated += 1,
                }
                naive.insert(key, next);
            }
            prop_assert_eq!(created + updated + unaffected, items.len());
            let sent = items.iter().map(Reported::json).collect();
            let answer = block_on(report(&api, violation, sent)).mend_ok();
            prop_assert_eq!(answer, counters(created, updated, unaffected));
            let by_key: BTreeMap<_, _> =
                stored(&api).into_iter().map(|issue| ((issue.violation_uuid.clone(), issue.identifier.clone()), issue)).collect();
            prop_assert_eq!(&by_key, &naive);
        }
        // What has been said last about everything changes nothing when it is said once more.
        let before = api.control().export_world();
        for violation in &violations {
            let said: Vec<Value> = naive.values().filter(|issue| issue.violation_uuid == *violation).map(|issue| json!({
                "identifier": issue.identifier, "url": issue.url, "status": issue.status, "created": issue.created,
                "lastModified": issue.last_modified, "extraData": issue.extra_data,
            })).collect();
            if !said.is_empty() {
                let count = said.len();
                let answer = block_on(report(&api, violation, json!(said))).mend_ok();
                prop_assert_eq!(answer, counters(0, 0, count));
            }
        }
        prop_assert_eq!(api.control().export_world(), before);
    }
}
