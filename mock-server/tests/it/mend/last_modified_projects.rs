//! `getOrganizationLastModifiedProjects`: which projects changed when, and in which respect.

use std::collections::BTreeSet;

use fixtures::builders::mend::{organization, product, project};
use fixtures::builders::{days, hours};
use fixtures::world::mend::ModificationType;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::common::{assert_keys, mend_world, of_organization, play, second, texts, world};
use crate::support::Api;

const MODIFIED: &str = "getOrganizationLastModifiedProjects";

/// Project, type of modification, and second.
type Row = (String, String, i64);

/// Two projects that were modified in every respect, some of them again within a second, and one of another
/// organization.
fn modified() -> Api {
    let mut projects = ["api", "app"].map(|name| project(name).scanned(days(9)));
    for (place, kind) in ModificationType::ALL.iter().enumerate() {
        let place = i64::try_from(place).unwrap();
        let ages = [
            days(7) - hours(place),
            days(3) - hours(place),
            days(3) - hours(place) - SignedDuration::from_secs(1),
        ];
        for (which, project) in projects.iter_mut().enumerate() {
            let taken = std::mem::replace(project, self::project("")).modified(*kind, ages[0]);
            *project =
                if which == 0 { taken.modified(*kind, ages[1]).modified(*kind, ages[2]) } else { taken };
        }
    }
    let [api, app] = projects;
    let other = organization("Elsewhere");
    let elsewhere = other.clone().build(world().build().epoch).token;
    let theirs = product("Theirs").organization(&elsewhere);
    let of_theirs = theirs.clone().build(world().build().epoch).token;
    play(
        world()
            .mend_organization(organization("Larkfield"))
            .mend_organization(other)
            .mend_product(product("Ours"))
            .mend_product(theirs)
            .mend_project(api)
            .mend_project(app)
            .mend_project(project("foreign").product(&of_theirs).modified(ModificationType::Scan, days(3)))
            .mend_evaluated(),
    )
}

/// What the answer has to be, by the words of the page.
fn expected(api: &Api, kinds: &[&str], from: Option<i64>, to: Option<i64>) -> BTreeSet<Row> {
    let world = mend_world(api);
    let ours = world.organizations[0].token.as_str();
    let products: BTreeSet<&str> = world
        .products
        .iter()
        .filter(|product| product.organization_token == ours)
        .map(|product| product.token.as_str())
        .collect();
    let mut rows = BTreeSet::new();
    for project in world.projects.iter().filter(|project| products.contains(project.product_token.as_str())) {
        for (kind, times) in project.modifications.iter().filter(|(kind, _)| kinds.contains(&kind.as_str())) {
            let seconds = times.iter().map(|time| time.as_second());
            let inside =
                seconds.filter(|at| from.is_none_or(|from| from <= *at) && to.is_none_or(|to| *at <= to));
            if let Some(newest) = inside.max() {
                rows.insert((project.token().to_owned(), kind.as_str().to_owned(), newest));
            }
        }
    }
    rows
}

fn rows(answer: &Value) -> BTreeSet<Row> {
    let list = answer["lastModifiedProjects"].as_array().unwrap();
    let rows: BTreeSet<Row> = list
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap();
            let at =
                jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", format!("{} +0000", text("lastModified")));
            let at = at.unwrap().to_timestamp().unwrap().as_second();
            (text("apiToken").to_owned(), text("modificationType").to_owned(), at)
        })
        .collect();
    assert_eq!(rows.len(), list.len(), "no row comes twice");
    rows
}

async fn ask(api: &Api, fields: Value) -> Value {
    api.mend(MODIFIED, of_organization(api, fields)).await.mend_ok()
}

fn every_kind() -> Vec<&'static str> {
    ModificationType::ALL.iter().map(|kind| kind.as_str()).collect()
}

/// MEND-MODIFIED-PROJECTS, MEND-MODIFIED-ASPECTS, MEND-MODIFIED-TYPES, MEND-MODIFIED-TYPES-ABSENT
#[tokio::test]
async fn every_type_can_be_asked_for_alone_together_or_by_naming_none() {
    let api = modified();
    let documented =
        ["INVENTORY", "METADATA", "SCAN", "POLICY_MATCH", "SCAN_COMMENT", "SOURCE_FILE_MATCH", "ALERTS"];
    assert_eq!(BTreeSet::from(documented), every_kind().into_iter().collect());
    for kind in documented {
        let answer = rows(&ask(&api, json!({"modificationTypes": [kind]})).await);
        assert_eq!(answer, expected(&api, &[kind], None, None));
        assert_eq!(answer.len(), 2, "{kind}: both projects, and not the other organization's");
    }
    let some = ["SCAN", "ALERTS", "SCAN"];
    let answer = ask(&api, json!({"modificationTypes": some})).await;
    assert_eq!(rows(&answer), expected(&api, &some, None, None));
    for all in [json!({}), json!({"modificationTypes": null}), json!({"modificationTypes": documented})] {
        assert_eq!(rows(&ask(&api, all).await), expected(&api, &documented, None, None));
    }
}

/// MEND-MODIFIED-FROM, MEND-MODIFIED-TO, MEND-MODIFIED-RANGE-FORMAT, MEND-MODIFIED-ROW-DATE, MEND-TIMES-GMT
#[tokio::test]
async fn a_range_has_the_newest_modification_from_its_first_second_to_its_last() {
    for api in [modified(), Api::of("mend-window-edges")] {
        let world = mend_world(&api);
        let times = world.projects.iter().flat_map(|project| project.modifications.values().flatten());
        let edges: BTreeSet<i64> =
            times.flat_map(|time| [-1, 0, 1].map(|near| time.as_second() + near)).collect();
        let edges: Vec<Option<i64>> = std::iter::once(None).chain(edges.into_iter().map(Some)).collect();
        assert!(edges.len() > 20);
        for from in &edges {
            for to in edges.iter().step_by(2).chain(edges.last()) {
                let mut fields = json!({});
                for (bound, at) in [("fromDateTime", from), ("toDateTime", to)] {
                    if let Some(at) = at {
                        fields[bound] = Value::from(second(*at));
                    }
                }
                let answer = ask(&api, fields.clone()).await;
                assert_eq!(rows(&answer), expected(&api, &every_kind(), *from, *to), "{fields}");
            }
        }
    }
}

#[tokio::test]
async fn a_range_that_ended_before_a_later_modification_shows_the_earlier_one() {
    let api = modified();
    let token = mend_world(&api).projects[0].token().to_owned();
    let times = mend_world(&api).projects[0].modifications[&ModificationType::Scan].clone();
    let [.., before, last] = times[..] else { panic!("{times:?}") };
    assert_eq!(last.as_second() - before.as_second(), 1);
    let fields = json!({"modificationTypes": ["SCAN"], "toDateTime": second(before.as_second())});
    let row = (token, "SCAN".to_owned(), before.as_second());
    assert!(rows(&ask(&api, fields).await).contains(&row));
}

/// MEND-MODIFIED-ROW-FIELDS, MEND-MODIFIED-ROW-DATE
#[tokio::test]
async fn a_row_has_uuid_token_type_and_second() {
    let api = modified();
    let answer = ask(&api, json!({"modificationTypes": ["METADATA"]})).await;
    assert_keys(&answer, &["lastModifiedProjects"]);
    let world = mend_world(&api);
    for row in answer["lastModifiedProjects"].as_array().unwrap() {
        assert_keys(row, &["uuid", "apiToken", "modificationType", "lastModified"]);
        let project = world.projects.iter().find(|project| row["uuid"] == project.uuid).unwrap();
        assert_eq!(row["apiToken"], *project.api_token.as_ref().unwrap());
        let newest = project.modifications[&ModificationType::Metadata].last().unwrap();
        assert_eq!(row["lastModified"], second(newest.as_second()));
    }
}

/// MEND-MODIFIED-OLD-PROJECT
#[tokio::test]
async fn an_old_project_shows_its_uuid_as_its_token_and_is_asked_for_by_it() {
    let api = Api::of("mend-old-project");
    let world = mend_world(&api);
    let old = world.projects.iter().find(|project| project.api_token.is_none()).unwrap();
    let answer = ask(&api, json!({"modificationTypes": ["SCAN"]})).await;
    let shown = answer["lastModifiedProjects"].as_array().unwrap();
    let row = shown.iter().find(|row| row["uuid"] == old.uuid).unwrap();
    assert_eq!(row["apiToken"], old.uuid);
    assert!(shown.iter().any(|row| row["apiToken"] != row["uuid"]), "the others have a token");
    let issues = super::common::fetch(&api, row["apiToken"].as_str().unwrap()).await;
    assert_eq!(issues["project"], json!({"projectName": old.name, "projectToken": old.uuid}));
    assert_eq!(issues["issues"].as_array().unwrap().len(), 1);
}

/// MEND-MODIFIED-REQUEST-TOKEN, MEND-MODIFIED-REQUEST-TOKEN-KEY, MEND-REQUEST-TOKEN-TEXT,
/// MEND-REQUEST-TOKEN-SYNTAX, `mend.request-token-flag`
#[tokio::test]
async fn a_request_token_comes_only_when_it_is_asked_for_by_a_boolean_or_its_text() {
    let api = modified();
    for without in [json!(false), json!("false"), Value::Null] {
        let answer = ask(&api, json!({"includeRequestToken": without})).await;
        assert_keys(&answer, &["lastModifiedProjects"]);
    }
    for with in [json!(true), json!("true")] {
        let answer = ask(&api, json!({"includeRequestToken": with})).await;
        assert_keys(&answer, &["lastModifiedProjects", "requestToken"]);
        let token = answer["requestToken"].as_str().unwrap();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    }
    for wrong in [json!("True"), json!("yes"), json!(""), json!(1), json!([true])] {
        let fields = of_organization(&api, json!({"includeRequestToken": wrong}));
        let message = api.mend(MODIFIED, fields).await.mend_refused(3000, "mend.request-token-flag");
        assert!(message.contains("includeRequestToken"), "{message}");
    }
}

/// MEND-MODIFIED-TYPES, MEND-MODIFIED-TYPES-ALL, `mend.modified-all`, `mend.modified-unknown-type`
#[tokio::test]
async fn all_means_every_type_and_an_unknown_type_is_refused() {
    let api = modified();
    for all in ["All", "ALL", "all"] {
        let answer = rows(&ask(&api, json!({"modificationTypes": [all]})).await);
        assert_eq!(answer, expected(&api, &every_kind(), None, None));
    }
    for unknown in ["scan", "SCANS", "", "INVENTORY "] {
        let fields = of_organization(&api, json!({"modificationTypes": ["SCAN", unknown]}));
        let message = api.mend(MODIFIED, fields).await.mend_refused(3000, "mend.modified-unknown-type");
        assert!(message.contains("modificationTypes"), "{message}");
    }
    for wrong in
        [json!("SCAN"), json!({"SCAN": true}), json!(1), json!([1]), json!([null]), json!([["SCAN"]])]
    {
        let fields = of_organization(&api, json!({"modificationTypes": wrong}));
        let _ = api.mend(MODIFIED, fields).await.mend_refused(3000, "MEND-MODIFIED-TYPES");
    }
}

/// MEND-MODIFIED-RANGE-FORMAT
#[tokio::test]
async fn bounds_have_one_form() {
    let api = modified();
    for wrong in [
        json!(""),
        json!("2020-07-23"),
        json!("2020-07-23T00:49:27"),
        json!("2020/07/23-00:49"),
        json!("2020-07-23-00:49"),
        json!("2020-07-32 00:49:27"),
        json!("2020-07-23 00:49:27.0"),
        json!(1_595_465_367),
        json!(false),
    ] {
        for bound in ["fromDateTime", "toDateTime"] {
            let fields = of_organization(&api, json!({bound: wrong}));
            let message = api.mend(MODIFIED, fields).await.mend_refused(3000, "MEND-MODIFIED-RANGE-FORMAT");
            assert!(message.contains(bound), "{message}");
        }
    }
}

/// MEND-MODIFIED-ORG-TOKEN
#[tokio::test]
async fn the_organization_has_to_be_named_and_only_its_projects_come() {
    let api = modified();
    let missing = api.mend(MODIFIED, json!({})).await.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    assert_eq!(missing, "Missing fields: orgToken");
    let elsewhere = mend_world(&api).organizations[1].token.clone();
    let reply = api.mend(MODIFIED, json!({"orgToken": elsewhere})).await;
    let _ = reply.mend_refused(5001, "MEND-ACCESS-ROLE");
    let project = mend_world(&api).projects[0].token().to_owned();
    let reply = api.mend(MODIFIED, json!({"orgToken": project})).await;
    let _ = reply.mend_refused(5001, "mend.unknown-scope-token");
    let shown = ask(&api, json!({})).await;
    let foreign = mend_world(&api).projects[2].token().to_owned();
    assert!(!texts(&shown["lastModifiedProjects"], "/apiToken").contains(&foreign.as_str()));
}
