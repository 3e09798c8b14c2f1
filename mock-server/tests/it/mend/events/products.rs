//! What a product has changes with the libraries of its projects, and so do the matches of policies that ask for it.

use fixtures::builders::mend::{library, policy, product, project, token};
use fixtures::world::mend::{Event, Filter};
use jiff::SignedDuration;

use super::super::common::{fetch, issue_uuids, play, project as token_of, texts, world};
use super::{assert_reloads, modified_now, only, scan};
use crate::support::Api;

/// Two products: `api` and `app` are projects of the first, `shop` and `till` of the second. A policy of the second
/// asks what the first has.
fn two_products() -> Api {
    let of = |artifact: &str| library("com.example", artifact, "1.0");
    let (wallet, store) = (token("product", "Wallet"), token("product", "Store"));
    let policy = policy("Shared", Filter::Product { product_token: wallet }).on_product(&store);
    let api = play(
        world()
            .mend_product(product("Wallet"))
            .mend_product(product("Store"))
            .mend_project(project("api").library(of("plain")).library(of("both")))
            .mend_project(project("app").library(of("both")))
            .mend_project(project("shop").product(&store).library(of("plain")).library(of("both")))
            .mend_project(project("till").product(&store).library(of("new")))
            .mend_policy(policy),
    );
    api.control().advance(SignedDuration::from_hours(1));
    api
}

/// The libraries of a project that the policy matches.
async fn shared(api: &Api, project: &str) -> Vec<String> {
    let answer = fetch(api, &token_of(api, project)).await;
    let mut shared: Vec<_> =
        texts(&answer["issues"], "/library/artifactId").into_iter().map(str::to_owned).collect();
    shared.sort();
    assert_eq!(issue_uuids(&answer).len(), shared.len());
    shared
}

#[tokio::test]
async fn a_library_that_a_scan_brings_into_a_product_is_shared_with_others() {
    let api = two_products();
    assert_eq!(shared(&api, "shop").await, ["both", "plain"]);
    assert_eq!(shared(&api, "till").await, [""; 0]);
    let effects = api.control().happen(&scan(&api, &["new"], &[])).unwrap();
    assert_eq!(shared(&api, "till").await, ["new"]);
    assert_eq!((effects.opened_violations, effects.resolved_violations), (1, 0));
    assert_eq!(effects.changed_projects, ["api", "till"].map(|name| token_of(&api, name)));
    let scanned: &[&str] = &["INVENTORY", "SCAN"];
    assert_eq!(modified_now(&api).await, only(&[("api", scanned), ("till", &["POLICY_MATCH"])]));
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_library_that_leaves_a_product_is_shared_no_more() {
    let api = two_products();
    let effects = api.control().happen(&scan(&api, &[], &["plain", "both"])).unwrap();
    assert_eq!(shared(&api, "shop").await, ["both"], "another project of the product has it");
    assert_eq!((effects.opened_violations, effects.resolved_violations), (0, 1));
    let scanned: &[&str] = &["INVENTORY", "SCAN"];
    assert_eq!(modified_now(&api).await, only(&[("api", scanned), ("shop", &["POLICY_MATCH"])]));
    api.control().advance(SignedDuration::from_secs(1));
    api.control().happen(&scan(&api, &["plain"], &[])).unwrap();
    assert_eq!(shared(&api, "shop").await, ["both", "plain"]);
    assert_reloads(&api).await;
}

#[tokio::test]
async fn a_deleted_project_takes_its_libraries_from_its_product() {
    let api = two_products();
    let project_token = token_of(&api, "api");
    let effects =
        api.control().happen(&Event::ProjectDeleted { project_token: project_token.clone() }).unwrap();
    assert_eq!(shared(&api, "shop").await, ["both"]);
    assert_eq!(effects.changed_projects, [project_token, token_of(&api, "shop")]);
    assert_eq!(effects.resolved_violations, 1);
    assert_eq!(modified_now(&api).await, only(&[("shop", &["POLICY_MATCH"])]));
    assert_reloads(&api).await;
}
