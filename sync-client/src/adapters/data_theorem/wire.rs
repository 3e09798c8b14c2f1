//! Data Theorem's JSON, read under every variation that its pages leave open.

use serde_json::Value;

use super::items::{App, Finding, Target};
use super::row::{Row, as_text};
use crate::core::model::Standing;
use crate::core::noticed::Noticed;

/// Where the list of apps stands.
pub(super) const APPS_KEYS: &[&str] = &["mobile_apps"];
/// Where the list of targets stands: in the sample, and in the text.
pub(super) const TARGETS_KEYS: &[&str] = &["security_finding_targets", "targets"];
/// Where the list of findings stands.
pub(super) const FINDINGS_KEYS: &[&str] = &["security_findings"];

/// The most characters of a vendor's word that are noted.
const WORD_CHARS_MAX: usize = 60;

/// Reads a row; `None`: it is none, or has no id. That is noted then.
pub(super) type ReadRow<T> = fn(Value, &Noticed) -> Option<T>;

/// A page of a list before its rows are read.
#[derive(Debug, PartialEq)]
pub(super) struct ListPage {
    pub(super) rows: Vec<Value>,
    pub(super) cursor: Option<String>,
    pub(super) total: Option<u64>,
    /// Whether `pagination_information` is there.
    pub(super) says_how_it_goes_on: bool,
}

/// Reads a page whose rows stand under one of these keys. What is no list is an error, never an empty list (I5).
pub(super) fn list(body: Value, keys: &[&str]) -> Result<ListPage, String> {
    let Value::Object(mut body) = body else {
        return Err("it answers 200 with something that is no list".into());
    };
    let key = keys.iter().find(|key| body.contains_key(**key));
    let Some(Value::Array(rows)) = key.and_then(|key| body.remove(*key)) else {
        return Err(format!("it answers 200 without a list {:?}", keys.first().copied().unwrap_or_default()));
    };
    let Some(Value::Object(mut paging)) = body.remove("pagination_information") else {
        return Ok(ListPage { rows, cursor: None, total: None, says_how_it_goes_on: false });
    };
    let cursor = match paging.remove("next_cursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) => Some(cursor).filter(|cursor| !cursor.is_empty()),
        Some(_) => return Err("it answers 200 with a next_cursor that is no text".to_owned()),
    };
    let total = paging.remove("total_count").and_then(whole_number);
    Ok(ListPage { rows, cursor, total, says_how_it_goes_on: true })
}

/// Reads an app.
pub(super) fn app(row: Value, noticed: &Noticed) -> Option<App> {
    let mut row = Row::new("app", row, noticed)?;
    Some(App {
        id: row.id()?,
        name: row.text("name"),
        bundle_id: row.text("bundle_id"),
        platform: row.text("platform"),
        release_type: row.text("release_type"),
        portal_url: row.text("portal_url"),
        results_last_updated: row.time("results_last_updated"),
    })
}

/// Reads a target.
pub(super) fn target(row: Value, noticed: &Noticed) -> Option<Target> {
    let mut row = Row::new("target", row, noticed)?;
    let id = row.id()?;
    let status = row.text("current_status").unwrap_or_default();
    Some(Target {
        id,
        mobile_app_id: row.text("mobile_app_id"),
        security_finding_id: row.text("security_finding_id"),
        text: row.text("text").or_else(|| row.text("formatted_text")),
        contexts: row.list("additional_contexts").into_iter().filter_map(context).collect(),
        standing: standing(&status, noticed),
        status,
        status_date: row.time("current_status_date"),
        date_created: row.time("date_created"),
        external_id: row.text("external_id"),
        portal_url: row.text("portal_url"),
        results_last_updated: row.time("results_last_updated"),
    })
}

/// Reads a finding.
pub(super) fn finding(row: Value, noticed: &Noticed) -> Option<Finding> {
    let mut row = Row::new("finding", row, noticed)?;
    Some(Finding {
        id: row.id()?,
        mobile_app_id: row.text("mobile_app_id"),
        title: row.text("title"),
        severity: row.text("severity"),
        priority: row.text("priority"),
        category: row.text("category"),
        exploitability: row.text("exploitability"),
        aggregated_status: row.text("aggregated_status"),
        description_intro: row.text("description_intro"),
        description: row.text("description"),
        recommendation: row.text("recommendation"),
        secure_code: row.text("secure_code"),
        cvss_score: row.number("cvss_score").or_else(|| row.number("cvss3_score")),
        cvss_vector: row.text("cvss_vector").or_else(|| row.text("cvss3_vector")),
        importance_tags: row.texts("importance_tags"),
        cve_ids: row.texts("associated_cve_ids"),
        cwe_ids: row.texts("associated_cwe_ids"),
        portal_url: row.text("portal_url"),
        results_last_updated: row.time("results_last_updated"),
    })
}

/// The ticket that an item shows.
pub(super) fn external_id(body: &Value) -> Option<String> {
    body.get("external_id").cloned().and_then(as_text)
}

/// What a status means. Only the documented words mean anything: who knows what a new one that begins with `CLOSED_`
/// will stand for (I20).
fn standing(status: &str, noticed: &Noticed) -> Standing {
    match status {
        "NEW" | "OPEN" | "OPEN_READY_TO_RESCAN" => Standing::Open,
        "CLOSED_FIXED"
        | "CLOSED_PARTIALLY_FIXED"
        | "CLOSED_WONT_FIX"
        | "CLOSED_BY_POLICY"
        | "CLOSED_RISK_ACCEPTED"
        | "CLOSED_COMPENSATING_CONTROL"
        | "CLOSED_ITEM_NOT_FOUND" => Standing::Closed,
        "" => {
            noticed.see("data-theorem: a target without current_status");
            Standing::Unknown
        }
        other => {
            let word: String = other.chars().take(WORD_CHARS_MAX).collect();
            noticed.see(format!("data-theorem: unknown current_status {word:?}"));
            Standing::Unknown
        }
    }
}

/// A context is text with a type; plain text is as good.
fn context(value: Value) -> Option<String> {
    match value {
        Value::Object(mut fields) => fields.remove("body").and_then(as_text),
        other => as_text(other),
    }
}

/// Documented as text, and accepted as a number too.
fn whole_number(value: Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{FINDINGS_KEYS, TARGETS_KEYS, app, external_id, finding, list, target};
    use crate::core::model::Standing;
    use crate::core::noticed::Noticed;

    fn noticed(read: impl FnOnce(&Noticed)) -> Vec<String> {
        let noticed = Noticed::default();
        read(&noticed);
        noticed.counts().into_keys().map(|what| what.replacen("data-theorem: ", "", 1)).collect()
    }

    #[test]
    fn a_page_is_read_in_every_form_it_can_have() {
        let page = |body: Value| {
            let page = list(body, TARGETS_KEYS).unwrap();
            (page.rows.len(), page.cursor, page.total, page.says_how_it_goes_on)
        };
        let next = Some("c".to_owned());
        for (paging, wanted) in [
            (json!({"total_count": "12", "next_cursor": "c"}), (1, next.clone(), Some(12), true)),
            (json!({"total_count": 12, "next_cursor": "c"}), (1, next, Some(12), true)),
            (json!({"total_count": "many"}), (1, None, None, true)),
            (json!({"next_cursor": null}), (1, None, None, true)),
            (json!({"next_cursor": ""}), (1, None, None, true)),
            (json!(null), (1, None, None, false)),
        ] {
            for key in TARGETS_KEYS {
                let body = json!({*key: [1], "pagination_information": paging.clone()});
                assert_eq!(page(body.clone()), wanted, "{body}");
            }
        }
        assert_eq!(page(json!({"targets": []})), (0, None, None, false));
    }

    /// I5
    #[test]
    fn what_is_no_list_is_no_empty_list() {
        for body in [
            json!(null),
            json!([]),
            json!({}),
            json!({"pagination_information": {"total_count": "0"}}),
            json!({"security_findings": null}),
            json!({"security_findings": {}}),
            json!({"targets": []}),
            json!({"error": {"code": 500}}),
            json!({"security_findings": [], "pagination_information": {"next_cursor": 7}}),
        ] {
            assert!(list(body.clone(), FINDINGS_KEYS).is_err(), "{body}");
        }
    }

    /// I20, row 54 of the catalogue.
    #[test]
    fn only_documented_words_mean_anything() {
        let read = |status: Value| {
            let mut standing = None;
            let seen = noticed(|noticed| {
                standing =
                    target(json!({"id": "1", "current_status": status}), noticed).map(|row| row.standing);
            });
            (standing.unwrap(), seen)
        };
        for word in ["NEW", "OPEN", "OPEN_READY_TO_RESCAN"] {
            assert_eq!(read(json!(word)), (Standing::Open, vec![]), "{word}");
        }
        for word in [
            "FIXED",
            "PARTIALLY_FIXED",
            "WONT_FIX",
            "BY_POLICY",
            "RISK_ACCEPTED",
            "COMPENSATING_CONTROL",
            "ITEM_NOT_FOUND",
        ] {
            assert_eq!(read(json!(format!("CLOSED_{word}"))), (Standing::Closed, vec![]), "{word}");
        }
        for word in ["CLOSED_BY_MAGIC", "CLOSED", "open", "REOPENED"] {
            assert_eq!(
                read(json!(word)),
                (Standing::Unknown, vec![format!("unknown current_status {word:?}")])
            );
        }
        assert_eq!(
            read(json!(null)),
            (Standing::Unknown, vec!["a target without current_status".to_owned()])
        );
    }

    #[test]
    fn a_row_needs_an_id_and_nothing_else() {
        for (id, wanted) in
            [(json!("053069"), Some("053069")), (json!(4_651_453_173_202_944_u64), Some("4651453173202944"))]
        {
            let row = json!({"id": id});
            assert_eq!(app(row.clone(), &Noticed::default()).map(|row| row.id).as_deref(), wanted);
            assert_eq!(target(row.clone(), &Noticed::default()).map(|row| row.id).as_deref(), wanted);
            assert_eq!(finding(row, &Noticed::default()).map(|row| row.id).as_deref(), wanted);
        }
        for row in [
            json!({}),
            json!({"id": null}),
            json!({"id": ""}),
            json!({"id": " "}),
            json!({"id": ".."}),
            json!({"id": true}),
            json!(7),
            json!(null),
        ] {
            assert!(!noticed(|noticed| assert_eq!(app(row.clone(), noticed), None)).is_empty(), "{row}");
            assert!(!noticed(|noticed| assert_eq!(finding(row.clone(), noticed), None)).is_empty(), "{row}");
        }
    }

    /// Row 55 of the catalogue.
    #[test]
    fn impossible_dates_are_noted() {
        for date in [json!("2017-13-02T19:25:16.664998-00:00"), json!("yesterday"), json!(12), json!([1])] {
            let seen = noticed(|noticed| {
                let row = json!({"id": "1", "current_status": "OPEN", "current_status_date": date});
                let row = target(row, noticed).unwrap();
                assert_eq!((row.status_date, row.standing), (None, Standing::Open));
            });
            assert_eq!(seen.len(), 1, "{date}: {seen:?}");
        }
    }

    #[test]
    fn fields_have_two_names_and_several_types() {
        let read = |row: Value| finding(row, &Noticed::default()).unwrap();
        for row in [
            json!({"id": "1", "cvss_score": 5, "cvss_vector": "AV:N"}),
            json!({"id": "1", "cvss3_score": 5.0, "cvss3_vector": "AV:N"}),
            json!({"id": 1, "cvss_score": "5.0", "cvss_vector": null, "cvss3_vector": "AV:N"}),
        ] {
            let row = read(row);
            assert_eq!((row.cvss_score, row.cvss_vector.as_deref()), (Some(5.0), Some("AV:N")));
        }
        let bare = read(json!({"id": "1"}));
        let nulls =
            json!({"id": "1", "title": null, "importance_tags": null, "cvss_score": null, "priority": ""});
        assert_eq!(read(nulls), bare);
        let contexts = json!([{"body": "a", "type": "X"}, "b", {"type": "X"}, 7, null]);
        let row = target(
            json!({"id": "1", "formatted_text": "t", "additional_contexts": contexts}),
            &Noticed::default(),
        );
        let row = row.unwrap();
        assert_eq!(
            (row.text.as_deref(), row.contexts),
            (Some("t"), vec!["a".to_owned(), "b".to_owned(), "7".to_owned()])
        );
    }

    #[test]
    fn an_empty_ticket_is_none() {
        for (value, wanted) in
            [(json!("J-1"), Some("J-1")), (json!(7), Some("7")), (json!(""), None), (json!(null), None)]
        {
            let row = json!({"id": "1", "external_id": value});
            assert_eq!(external_id(&row).as_deref(), wanted);
            assert_eq!(target(row, &Noticed::default()).unwrap().external_id.as_deref(), wanted);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            let names = prop_oneof![
                Just("id"),
                Just("text"),
                Just("current_status"),
                Just("current_status_date"),
                Just("external_id"),
                Just("cvss_score"),
                Just("importance_tags"),
                Just("additional_contexts"),
                Just("body"),
                Just("targets"),
                Just("pagination_information"),
                Just("next_cursor"),
                Just("total_count"),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names, inner), 0..8).prop_map(|fields| {
                    fields
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_is_too_odd(value in any_json()) {
            let noticed = Noticed::default();
            let row = target(value.clone(), &noticed);
            prop_assert!(row.is_none_or(|row| !row.id.is_empty() && row.external_id.as_deref() != Some("")));
            let _ = (app(value.clone(), &noticed), finding(value.clone(), &noticed));
            let page = list(value, TARGETS_KEYS);
            prop_assert!(page.is_err() || page.is_ok_and(|page| page.cursor.as_deref() != Some("")));
        }
    }
}
