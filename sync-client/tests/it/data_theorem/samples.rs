//! The vendor's own samples, served back as its pages print them, impossible dates and stray cursors included.

use fixtures::samples::sample;
use mock_server::kernel::faults::When;
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use super::{fault, reply, rows};
use crate::support::Simulated;

fn serving(replies: &[(&str, &str)]) -> Simulated {
    let simulated = Simulated::scene("one-open", 100);
    for (operation, body) in replies {
        let served = fault(operation, (0, 1), When::BeforeApply, reply(200, &[], body));
        simulated.control().plan_fault(served).unwrap();
    }
    simulated
}

fn printed(name: &str) -> &'static str {
    sample(&format!("data-theorem/{name}")).unwrap().json
}

#[test]
fn the_sampled_target_is_read_whole() {
    let simulated = serving(&[("GET security_finding_targets/:id", printed("targets-get"))]);
    let target = simulated.data_theorem().target("12345").unwrap();
    assert_eq!(target.text.as_deref(), Some("`https://username:password@www.datatheorem.com`"));
    assert_eq!((target.standing, target.status.as_str()), (Standing::Closed, "CLOSED_FIXED"));
    assert_eq!(target.status_date, "2016-11-02T19:25:16.664990Z".parse().ok());
    assert_eq!(target.external_id.as_deref(), Some("JIRA-12345"));
    assert_eq!(target.mobile_app_id.as_deref(), Some("4567"));
    assert_eq!(target.security_finding_id.as_deref(), Some("8901"));
    assert_eq!(target.results_last_updated, None);
}

/// The sample has one row, a count of one, and a cursor all the same.
#[test]
fn the_sampled_list_of_targets_goes_on_to_an_empty_page() {
    let end = r#"{"security_finding_targets": [], "pagination_information": {"total_count": "1"}}"#;
    let list = "GET security_finding_targets";
    let simulated = serving(&[(list, printed("targets-list")), (list, end)]);
    let targets = rows(simulated.data_theorem().targets("643010001", None)).unwrap();
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0].security_finding_id.as_deref(), Some("053069"));
    assert_eq!((targets[0].standing.clone(), targets[0].contexts.len()), (Standing::Open, 2));
    let query = simulated.journal().pop().unwrap().request.query;
    assert_eq!(query, "mobile_app_id=643010001&cursor=kEgkIjrCzvdns0QISRmoRc35kaXNjby1vcmRlci03");
}

#[test]
fn the_sampled_list_of_targets_for_ever_is_an_error() {
    let list = "GET security_finding_targets";
    let simulated = serving(&[(list, printed("targets-list")), (list, printed("targets-list"))]);
    let pages: Vec<_> = simulated.data_theorem().targets("643010001", None).collect();
    assert!(matches!(pages.as_slice(), [Ok(_), Err(VendorError::Malformed { .. })]), "{pages:?}");
}

#[test]
fn the_sampled_findings_are_read_whole() {
    let simulated = serving(&[
        ("GET security_findings/:id", printed("findings-get")),
        ("GET security_findings", printed("findings-list")),
        ("GET security_findings", r#"{"security_findings": [], "pagination_information": {}}"#),
    ]);
    let vendor = simulated.data_theorem();
    let one = vendor.finding("4567").unwrap();
    let listed = rows(vendor.findings_of_app("1234")).unwrap().remove(0);
    for finding in [one, listed] {
        assert_eq!(finding.id, "4567");
        assert_eq!(finding.severity.as_deref(), Some("MEDIUM"));
        assert_eq!(finding.priority.as_deref(), Some("P1"));
        assert_eq!(finding.cvss_score, Some(5.0));
        assert_eq!(finding.recommendation.as_deref(), Some("Fix it asap"));
        assert!(finding.title.is_some_and(|title| title.starts_with("Lack of Verification")));
    }
    assert!(simulated.noticed.counts().is_empty(), "{:?}", simulated.noticed.counts());
}
