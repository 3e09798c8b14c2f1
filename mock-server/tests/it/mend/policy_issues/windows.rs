//! Which seconds `fetchProjectPolicyIssues` is asked about.

use std::collections::BTreeSet;

use fixtures::world::mend::ViolationStatus;
use serde_json::{Value, json};

use super::super::common::{fetch, first_project, issue_uuids, mend_world, second};
use super::FETCH;
use crate::support::Api;

async fn windowed(api: &Api, from: &str, to: &str) -> BTreeSet<String> {
    let fields = json!({"projectToken": first_project(api), "fromDateTime": from, "toDateTime": to});
    issue_uuids(&api.mend(FETCH, fields).await.mend_ok())
}

/// Each open violation with the second it came up at.
fn created(api: &Api) -> Vec<(String, i64)> {
    let violations = mend_world(api).policy_violations;
    let open = violations.into_iter().filter(|violation| violation.status == ViolationStatus::Open);
    open.map(|violation| (violation.uuid, violation.created.as_second())).collect()
}

fn between(created: &[(String, i64)], from: i64, to: i64) -> BTreeSet<String> {
    created.iter().filter(|(_, at)| from <= *at && *at <= to).map(|(uuid, _)| uuid.clone()).collect()
}

/// MEND-FETCH-WINDOW, MEND-FETCH-WINDOW-SECONDS, MEND-TIMES-GMT
#[tokio::test]
async fn a_window_holds_what_came_up_from_its_first_second_to_its_last() {
    let api = Api::of("mend-window-edges");
    let created = created(&api);
    let edges: BTreeSet<i64> = created.iter().flat_map(|(_, at)| [at - 1, *at, at + 1]).collect();
    assert!(edges.len() > 20, "{edges:?}");
    for from in &edges {
        for to in &edges {
            let got = windowed(&api, &second(*from), &second(*to)).await;
            assert_eq!(got, between(&created, *from, *to), "{} to {}", second(*from), second(*to));
        }
    }
}

/// `mend.fetch-window-format`, `mend.fetch-window-minutes`
#[tokio::test]
async fn bounds_in_minutes_begin_with_the_minute_and_end_with_its_last_second() {
    let api = Api::of("mend-window-edges");
    let created = created(&api);
    let minutes: BTreeSet<i64> = created
        .iter()
        .flat_map(|(_, at)| [-1, 0, 1].map(|near| at.div_euclid(60) * 60 + 60 * near))
        .collect();
    for from in &minutes {
        for to in &minutes {
            let expected = between(&created, *from, to + 59);
            let [slashes, dashes] = ["%Y/%m/%d-%H:%M", "%Y-%m-%d-%H:%M"].map(|form| {
                [from, to].map(|at| jiff::Timestamp::from_second(*at).unwrap().strftime(form).to_string())
            });
            assert_eq!(windowed(&api, &slashes[0], &slashes[1]).await, expected, "{slashes:?}");
            assert_eq!(windowed(&api, &dashes[0], &dashes[1]).await, expected, "{dashes:?}");
            let mixed = windowed(&api, &second(*from), &dashes[1]).await;
            assert_eq!(mixed, expected, "a form for each bound: {} {}", second(*from), dashes[1]);
            let exact = windowed(&api, &slashes[0], &second(*to)).await;
            assert_eq!(exact, between(&created, *from, *to), "an end in seconds is that second");
        }
    }
}

/// MEND-FETCH-WITHOUT-WINDOW, MEND-FETCH-NO-WINDOW, `mend.fetch-window-missing`, `mend.fetch-window-one-bound`
#[tokio::test]
async fn without_both_bounds_every_issue_comes() {
    let api = Api::of("mend-window-edges");
    let created = created(&api);
    let all = between(&created, i64::MIN, i64::MAX);
    let middle = second(created[created.len() / 2].1);
    let token = first_project(&api);
    for fields in [
        json!({}),
        json!({"fromDateTime": null, "toDateTime": null}),
        json!({"fromDateTime": middle}),
        json!({"toDateTime": middle}),
        json!({"fromDateTime": middle, "toDateTime": null}),
    ] {
        let mut fields = fields;
        fields["projectToken"] = Value::from(token.as_str());
        let answer = api.mend(FETCH, fields.clone()).await.mend_ok();
        assert_eq!(issue_uuids(&answer), all, "{fields}");
    }
}

/// MEND-FETCH-NO-ISSUES, `mend.fetch-window-reversed`
#[tokio::test]
async fn a_window_without_issues_is_an_answer_like_any_other() {
    let api = Api::of("mend-window-edges");
    let token = first_project(&api);
    let full = fetch(&api, &token).await;
    for (from, to) in [
        ("2001-01-01 00:00:00", "2002-01-01 00:00:00"),
        ("2026-01-01 00:00:00", "2016-01-01 00:00:00"),
        ("0000-01-01 00:00:00", "0001-01-01 00:00:00"),
    ] {
        let fields = json!({"projectToken": token, "fromDateTime": from, "toDateTime": to});
        let answer = api.mend(FETCH, fields).await.mend_ok();
        assert_eq!(answer["issues"], json!([]), "{from} {to}");
        for scope in ["organization", "product", "project"] {
            assert_eq!(answer[scope], full[scope]);
        }
    }
}

/// MEND-FETCH-WINDOW, `mend.fetch-window-unparsable`
#[tokio::test]
async fn a_bound_that_is_no_date_is_refused_by_its_name() {
    let api = Api::of("mend-window-edges");
    let token = first_project(&api);
    let good = "2026-01-01 00:00:00";
    for wrong in [
        "",
        " ",
        "yesterday",
        "2022-01-15",
        "2022-01-15T00:00:00",
        "2022-01-15T00:00:00Z",
        "2022-02-30 00:00:00",
        "2022-01-15 24:00:00",
        "2022-01-15 00:60:00",
        "2022-01-15 00:00:60",
        "2022-1-15 00:00:00",
        "2022-01-15 00:00",
        "2022/01/15 00:00:00",
        "2022/01/15-00:00:00",
        "2022-13-01-00:00",
        "2022-01-15 00:00:00 ",
        "2022-01-15 00:00:00Z",
        "+022-01-15 00:00:00",
        "٢٠٢٢-01-15 00:00:00",
        "1642204800",
    ] {
        for (bound, other) in [("fromDateTime", "toDateTime"), ("toDateTime", "fromDateTime")] {
            let fields = json!({"projectToken": token, bound: wrong, other: good});
            let message = api.mend(FETCH, fields).await.mend_refused(3000, "mend.fetch-window-format");
            assert!(message.contains(bound), "{wrong:?}: {message}");
        }
    }
    for wrong in [json!(1_642_204_800), json!(true), json!([good]), json!({})] {
        let fields = json!({"projectToken": token, "fromDateTime": wrong, "toDateTime": good});
        let _ = api.mend(FETCH, fields).await.mend_refused(3000, "mend.fetch-window-format");
    }
}

/// MEND-FETCH-PAGE, MEND-FETCH-WINDOW
#[tokio::test]
async fn a_page_is_a_page_of_what_lies_in_the_window() {
    let api = Api::of("mend-window-edges");
    let created = created(&api);
    let (from, to) = (created[2].1, created[9].1);
    let mut seen = BTreeSet::new();
    for page in 1..=4 {
        let fields = json!({
            "projectToken": first_project(&api), "fromDateTime": second(from), "toDateTime": second(to),
            "page": page, "pageSize": 3,
        });
        seen.extend(issue_uuids(&api.mend(FETCH, fields).await.mend_ok()));
    }
    assert_eq!(seen, between(&created, from, to));
}

/// `mend.fetch-window-reversed`, `mend.fetch-window-bounds`, `mend.fetch-window-minutes`
#[tokio::test]
async fn what_an_end_stands_for_decides_what_is_reversed_and_what_is_inside() {
    let api = Api::of("mend-window-edges");
    let created = created(&api);
    let noon = created.iter().map(|(_, at)| *at).find(|at| at.rem_euclid(86_400) == 43_200).unwrap();
    let minute = jiff::Timestamp::from_second(noon).unwrap().strftime("%Y/%m/%d-%H:%M").to_string();
    let token = first_project(&api);
    let ask = async |from: &str, to: &str| {
        let fields = json!({"projectToken": token, "fromDateTime": from, "toDateTime": to});
        api.mend(FETCH, fields).await
    };
    api.control().set_readings([("mend.fetch-window-reversed", "refused")]).unwrap();
    let within = issue_uuids(&ask(&second(noon + 30), &minute).await.mend_ok());
    assert_eq!(within, between(&created, noon + 30, noon + 59), "the minute goes on");
    let _ = ask(&second(noon + 60), &minute).await.mend_refused(3000, "mend.fetch-window-reversed");
    api.control().set_readings([("mend.fetch-window-minutes", "start-of-minute")]).unwrap();
    let _ = ask(&second(noon + 30), &minute).await.mend_refused(3000, "mend.fetch-window-reversed");
    api.control().set_readings([("mend.fetch-window-bounds", "to-exclusive")]).unwrap();
    assert_eq!(ask(&second(noon), &second(noon)).await.mend_ok()["issues"], json!([]), "empty, not reversed");
    for (minutes, last) in [("start-of-minute", noon - 1), ("whole-minute", noon + 58)] {
        api.control().set_readings([("mend.fetch-window-minutes", minutes)]).unwrap();
        let got = issue_uuids(&ask(&second(noon - 60), &minute).await.mend_ok());
        assert_eq!(got, between(&created, noon - 60, last), "{minutes}");
    }
}

/// MEND-FETCH-WINDOW, MEND-MODIFIED-TO
#[tokio::test]
async fn a_window_may_end_with_the_last_second_that_can_be_written() {
    let api = Api::of("mend-window-edges");
    let all = between(&created(&api), i64::MIN, i64::MAX);
    let never = "9999-12-31 23:59:59";
    assert_eq!(windowed(&api, "0000-01-01 00:00:00", never).await, all);
    assert_eq!(windowed(&api, "0000/01/01-00:00", "9999-12-31-23:59").await, all);
    let mut fields = json!({"orgToken": api.server.mend().org_token()});
    let modified = api.mend("getOrganizationLastModifiedProjects", fields.clone()).await.mend_ok();
    fields["toDateTime"] = json!(never);
    assert_eq!(api.mend("getOrganizationLastModifiedProjects", fields).await.mend_ok(), modified);
    let fields = json!({"projectToken": first_project(&api), "toDate": never});
    let _ = api.mend("getProjectAlerts", fields).await.mend_ok();
}
