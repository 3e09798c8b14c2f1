//! `fetchProjectPolicyIssues`: what it answers, and what it answers it about.

mod windows;

use std::collections::{BTreeMap, BTreeSet};

use fixtures::builders::mend::{library, licenses, policy, project, used, vulnerability};
use fixtures::world::mend::{ActionType, Filter, LicenseSpec, MatchType};
use serde_json::{Value, json};

use super::common::{
    assert_keys, fetch, first_project, issue_uuids, mend_world, of_organization, play, texts, world,
};
use crate::support::{Api, mend_body};

const FETCH: &str = "fetchProjectPolicyIssues";

const CRITICAL: &str = "EXAMPLE-2025-0001";
const OLD: &str = "EXAMPLE-2009-0002";

/// One project, and policies of which some ask for issues by this API.
fn several() -> Api {
    let group = "com.example";
    play(
        world()
            .mend_vulnerability(vulnerability(CRITICAL).cvss2(7.5).cvss3(9.8).fix("com.example:parser:2.0"))
            .mend_vulnerability(vulnerability(OLD).cvss2(7.2).cvss3(None))
            .mend_library(library(group, "copyleft", "1.0").license("GPL 2.0"))
            .mend_project(
                project("api")
                    .uses(used(library(group, "copyleft", "1.0").key_uuid()).path("lib/copyleft-1.0.jar"))
                    .library(library(group, "both", "1.0").licenses(["GPL 2.0", "MPL 2.0"]))
                    .library(library(group, "parser", "1.0").vulnerability(CRITICAL).vulnerability(OLD))
                    .library(library(group, "double", "1.0").license("MPL 2.0").vulnerability(CRITICAL))
                    .library(library(group, "legacy", "1.0"))
                    .library(library(group, "rejected", "1.0"))
                    .library(library(group, "plain", "1.0")),
            )
            .mend_project(project("empty"))
            .mend_policy(policy("[License] Copyleft", licenses(["GPL 2.0", "MPL 2.0"])))
            .mend_policy(policy("[Security] High", Filter::VulnerabilityScore { from: 7.0, to: 10.0 }))
            .mend_policy(policy("Legacy", by_artifact("legacy")).legacy())
            .mend_policy(policy("Rejects", by_artifact("rejected")).action(ActionType::Reject)),
    )
}

fn by_artifact(artifact_id: &str) -> Filter {
    let artifact_id = artifact_id.to_owned();
    Filter::GavRegex { group_id: String::new(), artifact_id, version: String::new() }
}

/// Policy, library and the names of what violates, issue by issue.
fn matches(answer: &Value) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for issue in answer["issues"].as_array().unwrap() {
        let name = |pointer: &str| issue.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let violations = issue["policyViolations"].as_array().unwrap();
        let of_what = violations.iter().map(|violation| {
            let what = violation.get("license").or(violation.get("vulnerability"));
            what.map_or("library", |what| what["name"].as_str().unwrap()).to_owned()
        });
        let names: BTreeSet<String> = of_what.collect();
        assert_eq!(names.len(), violations.len(), "each is about a single thing of its own");
        let before = found.insert((name("/policy/name"), name("/library/artifactId")), names);
        assert_eq!(before, None, "one issue for each policy and library");
    }
    found
}

fn issue<'a>(answer: &'a Value, policy: &str, artifact: &str) -> &'a Value {
    let issues = answer["issues"].as_array().unwrap();
    let is_wanted =
        |issue: &&Value| issue["policy"]["name"] == policy && issue["library"]["artifactId"] == artifact;
    issues.iter().find(is_wanted).unwrap()
}

/// MEND-FETCH-ISSUES, MEND-FETCH-ISSUE-PARTS, MEND-FETCH-ISSUE-FIELDS, MEND-FETCH-NEW-TRACKER,
/// MEND-FETCH-OTHER-ACTIONS, MEND-FETCH-VIOLATION-EACH, MEND-FETCH-LIBRARY-TWICE
#[tokio::test]
async fn an_issue_is_a_library_that_a_policy_for_this_tracker_matches_with_everything_it_matches_by() {
    let api = several();
    let answer = fetch(&api, &first_project(&api)).await;
    let row = |policy: &str, artifact: &str, names: &[&str]| {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        ((policy.to_owned(), artifact.to_owned()), names)
    };
    let expected: BTreeMap<_, _> = [
        row("[License] Copyleft", "copyleft", &["GPL 2.0"]),
        row("[License] Copyleft", "both", &["GPL 2.0", "MPL 2.0"]),
        row("[License] Copyleft", "double", &["MPL 2.0"]),
        row("[Security] High", "double", &[CRITICAL]),
        row("[Security] High", "parser", &[CRITICAL, OLD]),
    ]
    .into();
    assert_eq!(matches(&answer), expected);
    for issue in answer["issues"].as_array().unwrap() {
        assert_keys(issue, &["policy", "library", "policyViolations"]);
    }
}

/// MEND-FETCH-SCOPE, MEND-FETCH-SCOPE-FIELDS, MEND-FETCH-NO-ISSUES
#[tokio::test]
async fn the_answer_names_organization_product_and_project_with_or_without_issues() {
    let api = several();
    let world = mend_world(&api);
    for (project, is_empty) in world.projects.iter().zip([false, true]) {
        let answer = fetch(&api, project.token()).await;
        assert_keys(&answer, &["organization", "product", "project", "issues"]);
        let organization = &world.organizations[0];
        assert_eq!(
            answer["organization"],
            json!({"domainName": organization.name, "orgToken": organization.token})
        );
        let product = &world.products[0];
        assert_eq!(answer["product"], json!({"productName": product.name, "productToken": product.token}));
        assert_eq!(answer["project"], json!({"projectName": project.name, "projectToken": project.token()}));
        assert_eq!(answer["issues"] == json!([]), is_empty);
    }
}

/// MEND-FETCH-POLICY-FIELDS, MEND-FETCH-POLICY-MATCH, MEND-FETCH-POLICY-OWNER, MEND-FETCH-POLICY-FILTER,
/// MEND-FETCH-POLICY-ACTION, MEND-FETCH-POLICY-CREATION
#[tokio::test]
async fn the_policy_of_an_issue_has_the_fields_of_the_sample() {
    let api = several();
    let (world, answer) = (mend_world(&api), fetch(&api, &first_project(&api)).await);
    let spec = &world.policies[0];
    let owner = world.users.iter().find(|user| user.id == spec.owner_id).unwrap();
    let by_license = &issue(&answer, "[License] Copyleft", "both")["policy"];
    let id_of = |name: &str| world.licenses.iter().find(|license| license.name == name).unwrap().id;
    let url = by_license["Url"].as_str().unwrap();
    assert!(url.starts_with("https://"), "{url}");
    let expected = json!({
        "policyMatch": {"type": "LICENSE", "value": "GPL 2.0, MPL 2.0"},
        "Url": url,
        "id": spec.id,
        "name": "[License] Copyleft",
        "owner": {"id": owner.id, "email": owner.email, "name": owner.name},
        "creationTime": "2025-12-01",
        "priority": 1,
        "filter": {
            "type": "LICENSE",
            "licenses": [
                {"id": id_of("GPL 2.0"), "name": "GPL 2.0"},
                {"id": id_of("MPL 2.0"), "name": "MPL 2.0"},
            ],
            "scoreFrom": 0.0,
            "scoreTo": 0.0,
        },
        "inclusive": false,
        "action": {"type": "CREATE_ISSUE", "failPolicyCheck": false},
        "productLevel": false,
        "enabled": true,
        "policyContext": "DOMAIN",
    });
    assert_eq!(*by_license, expected);

    let by_score = &issue(&answer, "[Security] High", "parser")["policy"];
    assert_eq!(by_score["policyMatch"]["type"], "VULNERABILITY_SCORE");
    assert_eq!(by_score["filter"]["scoreFrom"].as_f64(), Some(7.0));
    assert_eq!(by_score["filter"]["scoreTo"].as_f64(), Some(10.0));
}

/// MEND-FETCH-LIBRARY-FIELDS
#[tokio::test]
async fn the_library_of_an_issue_has_the_fields_of_the_sample() {
    let api = several();
    let (world, answer) = (mend_world(&api), fetch(&api, &first_project(&api)).await);
    let shown = &issue(&answer, "[License] Copyleft", "copyleft")["library"];
    let spec = world.libraries.iter().find(|library| library.artifact_id == "copyleft").unwrap();
    let url = shown["url"].as_str().unwrap();
    assert!(url.starts_with("https://"), "{url}");
    let expected = json!({
        "keyUuid": spec.key_uuid,
        "keyId": spec.key_id,
        "filename": "copyleft-1.0.jar",
        "type": "MAVEN_ARTIFACT",
        "url": url,
        "coordinates": "com.example:copyleft:1.0",
        "localPaths": ["lib/copyleft-1.0.jar"],
        "sha1": spec.sha1,
        "name": "copyleft",
        "artifactId": "copyleft",
        "version": "1.0",
        "groupId": "com.example",
        "architecture": "",
        "languageVersion": "",
    });
    assert_eq!(*shown, expected);
}

/// MEND-FETCH-VIOLATION-FIELDS, MEND-FETCH-VIOLATION-DATES, MEND-FETCH-VIOLATION-OPEN,
/// MEND-FETCH-VIOLATION-LICENSE, MEND-FETCH-VIOLATION-VULNERABILITY, MEND-FETCH-CVSS3-ABSENT
#[tokio::test]
async fn violations_have_the_fields_of_the_sample_and_say_what_they_are_about() {
    let api = several();
    let answer = fetch(&api, &first_project(&api)).await;
    let by_license = &issue(&answer, "[License] Copyleft", "copyleft")["policyViolations"][0];
    let frame = ["issueUuid", "status", "violationType", "created", "lastModified"];
    assert_keys(by_license, &[&frame[..], &["license"]].concat());
    assert_eq!(by_license["violationType"], "LICENSE");
    assert_eq!(by_license["status"], "OPEN");
    // Found 30 days before the epoch, when the policy was 15 days old.
    assert_eq!(
        (&by_license["created"], &by_license["lastModified"]),
        (&json!("2025-12-16"), &json!("2025-12-16"))
    );
    let license = &by_license["license"];
    assert_keys(license, &["name", "spdxName", "url", "references"]);
    assert_eq!((&license["name"], &license["references"]), (&json!("GPL 2.0"), &json!([])));

    let issue = issue(&answer, "[Security] High", "parser");
    let found = |name: &str| {
        let violations = issue["policyViolations"].as_array().unwrap();
        violations.iter().find(|violation| violation["vulnerability"]["name"] == name).unwrap()
    };
    let critical = found(CRITICAL);
    assert_keys(critical, &[&frame[..], &["vulnerability"]].concat());
    assert_eq!(critical["violationType"], "VULNERABILITY");
    let shown = &critical["vulnerability"];
    for field in ["name", "type", "severity", "cvss3_severity", "publishDate", "url", "description"] {
        assert!(shown[field].is_string(), "{field} of {shown}");
    }
    assert_eq!(shown["publishDate"], "2025-10-07");
    assert_eq!((shown["score"].as_f64(), shown["cvss3_score"].as_f64()), (Some(7.5), Some(9.8)));
    assert_eq!(shown["topFix"]["fixResolution"], "com.example:parser:2.0");
    let old = found(OLD);
    assert!(
        old["vulnerability"].get("cvss3_severity").is_none()
            && old["vulnerability"].get("cvss3_score").is_none()
    );
    assert!(old["vulnerability"].get("topFix").is_none());
    assert_eq!(issue_uuids(&answer).len(), 7, "every violation has an id of its own");
}

/// MEND-FETCH-VIOLATION-LICENSE
#[tokio::test]
async fn a_licence_without_an_identifier_or_an_address_has_them_as_empty_texts() {
    let house = LicenseSpec { id: 7, name: "House".to_owned(), spdx_name: None, url: None };
    let api = play(
        world()
            .mend_license(house)
            .mend_project(project("api").library(library("com.example", "web", "1.0").license("House")))
            .mend_policy(policy("[License] House", licenses(["House"]))),
    );
    let answer = fetch(&api, &first_project(&api)).await;
    let shown = &issue(&answer, "[License] House", "web")["policyViolations"][0]["license"];
    assert_eq!(*shown, json!({"name": "House", "spdxName": "", "url": "", "references": []}));
}

/// MEND-FETCH-POLICY-MATCH, MEND-FETCH-POLICY-FILTER
#[tokio::test]
async fn every_match_type_is_shown_under_its_own_name() {
    let api = Api::of("mend-every-match-type");
    let answer = fetch(&api, &super::common::project(&api, "wallet-api")).await;
    let shown: BTreeSet<&str> = texts(&answer["issues"], "/policy/policyMatch/type").into_iter().collect();
    assert_eq!(shown, MatchType::ALL.iter().map(|kind| kind.as_str()).collect());
    for issue in answer["issues"].as_array().unwrap() {
        let kind = &issue["policy"]["policyMatch"]["type"];
        assert_eq!(issue["policy"]["filter"]["type"], *kind);
        assert!(issue["policy"]["policyMatch"]["value"].is_string(), "{issue}");
        for violation in issue["policyViolations"].as_array().unwrap() {
            let violation_type = violation["violationType"].as_str().unwrap();
            match (violation.get("license"), violation.get("vulnerability")) {
                (Some(_), None) => assert_eq!(violation_type, "LICENSE"),
                (None, Some(_)) => assert_eq!(violation_type, "VULNERABILITY"),
                (None, None) => assert_eq!(kind, violation_type),
                both => panic!("{both:?}"),
            }
        }
    }
}

/// `mend.disabled-policies`
#[tokio::test]
async fn matches_of_a_disabled_policy_stay_and_say_so() {
    let api = several();
    let token = first_project(&api);
    let before = fetch(&api, &token).await;
    let id = mend_world(&api).policies[0].id;
    let body = of_organization(&api, json!({"policy": {"id": id, "enabled": false}}));
    let _ = api.mend("updateOrganizationPolicy", body).await.mend_ok();
    let after = fetch(&api, &token).await;
    assert_eq!(matches(&after), matches(&before));
    assert_eq!(issue_uuids(&after), issue_uuids(&before));
    for issue in after["issues"].as_array().unwrap() {
        assert_eq!(issue["policy"]["enabled"], json!(issue["policy"]["id"] != json!(id)));
    }
}

/// MEND-FETCH-PROJECT-TOKEN, MEND-AUTH-SCOPE-TOKEN
#[tokio::test]
async fn the_project_has_to_be_named_and_only_its_issues_come() {
    let api = several();
    let missing = api.mend(FETCH, json!({})).await.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    assert_eq!(missing, "Missing fields: projectToken");
    for nothing in [Value::Null, json!("")] {
        let reply = api.mend(FETCH, json!({"projectToken": nothing})).await;
        let _ = reply.mend_refused(3010, "MEND-AUTH-SCOPE-TOKEN");
    }
    let _ = api.mend(FETCH, json!({"projectToken": 1})).await.mend_refused(3000, "MEND-AUTH-SCOPE-TOKEN");
    for unknown in ["0".repeat(64).as_str(), api.server.mend().org_token()] {
        let reply = api.mend(FETCH, json!({"projectToken": unknown})).await;
        let message = reply.mend_refused(5001, "mend.unknown-scope-token");
        assert_eq!(message, "User is not allowed to perform this action");
    }
    let other = super::common::project(&api, "empty");
    assert!(issue_uuids(&fetch(&api, &other).await).is_empty());
}

/// MEND-SEVERITY-CRITICAL-14, MEND-SEVERITY-BANDS, MEND-SEVERITY-CVSS2, MEND-API-VERSIONS
#[tokio::test]
async fn severities_follow_from_scores_and_only_1_4_knows_critical() {
    let scores = [
        (0.1, "low"),
        (3.9, "low"),
        (4.0, "medium"),
        (6.9, "medium"),
        (7.0, "high"),
        (8.9, "high"),
        (9.0, "critical"),
        (10.0, "critical"),
    ];
    let mut described = world();
    let mut vulnerable = library("com.example", "parser", "1.0");
    for (place, (score, _)) in scores.iter().enumerate() {
        let name = format!("EXAMPLE-2025-{place}");
        vulnerable = vulnerable.vulnerability(&name);
        described = described.mend_vulnerability(vulnerability(&name).cvss2(*score).cvss3(*score));
    }
    let every = Filter::VulnerabilityScore { from: 0.0, to: 10.0 };
    let api =
        play(described.mend_project(project("api").library(vulnerable)).mend_policy(policy("All", every)));
    let body = mend_body(FETCH, json!({"projectToken": first_project(&api)}));
    let key = api.server.mend().user_key().to_owned();
    for version in ["v1.3", "v1.4"] {
        let answer = api.mend_as(&key, version, body.clone()).await.mend_ok();
        let violations = answer["issues"][0]["policyViolations"].as_array().unwrap();
        assert_eq!(violations.len(), scores.len());
        for violation in violations {
            let shown = &violation["vulnerability"];
            let place: usize = shown["name"].as_str().unwrap()[13..].parse().unwrap();
            let (score, severity) = scores[place];
            assert_eq!(shown["cvss3_score"].as_f64(), Some(score));
            let by_cvss2 = if severity == "critical" { "high" } else { severity };
            let by_cvss3 = if version == "v1.3" { by_cvss2 } else { severity };
            assert_eq!(shown["severity"], by_cvss2, "{version} {score}");
            assert_eq!(shown["cvss3_severity"], by_cvss3, "{version} {score}");
        }
    }
}

/// MEND-FETCH-ACTION-TYPE, `mend.policy-action-type`
#[tokio::test]
async fn the_action_type_may_be_absent_and_only_one_is_supported() {
    let api = several();
    let token = first_project(&api);
    let all = fetch(&api, &token).await;
    for same in [json!("CREATE_ISSUE"), Value::Null] {
        let fields = json!({"projectToken": token, "policyActionType": same});
        assert_eq!(api.mend(FETCH, fields).await.mend_ok(), all);
    }
    for other in ["REJECT", "create_issue", "Create Issue", "", "CREATE_ISSUE "] {
        let fields = json!({"projectToken": token, "policyActionType": other});
        let message = api.mend(FETCH, fields).await.mend_refused(3000, "mend.policy-action-type");
        assert!(message.contains("policyActionType") && message.contains("CREATE_ISSUE"), "{message}");
    }
    for wrong in [json!(1), json!(["CREATE_ISSUE"]), json!({}), json!(true)] {
        let fields = json!({"projectToken": token, "policyActionType": wrong});
        let _ = api.mend(FETCH, fields).await.mend_refused(3000, "MEND-FETCH-ACTION-TYPE");
    }
}

/// MEND-FETCH-PAGE, MEND-FETCH-PAGE-SIZE, `mend.fetch-first-page`
#[tokio::test]
async fn pages_cut_the_list_of_issues_and_nothing_else() {
    let api = several();
    let token = first_project(&api);
    let full = fetch(&api, &token).await;
    let all = full["issues"].as_array().unwrap();
    for size in 1..=all.len() + 1 {
        let mut joined = Vec::new();
        for page in 1..=all.len() + 1 {
            let fields = json!({"projectToken": token, "page": page, "pageSize": size});
            let answer = api.mend(FETCH, fields).await.mend_ok();
            let issues = answer["issues"].as_array().unwrap();
            let left = all.len().saturating_sub(size * (page - 1));
            assert_eq!(issues.len(), left.min(size), "page {page} of {size}");
            assert_eq!(answer["project"], full["project"]);
            joined.extend(issues.iter().cloned());
        }
        assert_eq!(joined, *all, "pages of {size}");
    }
    for fields in [json!({"page": 1}), json!({"pageSize": 1_000}), json!({"page": null, "pageSize": null})] {
        let mut fields = fields;
        fields["projectToken"] = Value::from(token.as_str());
        assert_eq!(api.mend(FETCH, fields).await.mend_ok(), full);
    }
    for (page, size) in [(u64::MAX, 1), (1 << 40, u64::MAX)] {
        let fields = json!({"projectToken": token, "page": page, "pageSize": size});
        assert_eq!(api.mend(FETCH, fields).await.mend_ok()["issues"], json!([]));
    }
}

/// MEND-FETCH-PAGE, MEND-FETCH-PAGE-SIZE
#[tokio::test]
async fn a_page_that_is_no_number_from_one_is_refused() {
    let api = several();
    let token = first_project(&api);
    for (field, rule) in [("page", "MEND-FETCH-PAGE"), ("pageSize", "MEND-FETCH-PAGE-SIZE")] {
        for wrong in [json!(0), json!(-1), json!(1.5), json!("1"), json!(true), json!([1]), json!(1e300)] {
            let fields = json!({"projectToken": token, field: wrong});
            let message = api.mend(FETCH, fields).await.mend_refused(3000, rule);
            assert!(message.contains(field), "{message}");
        }
    }
}
