//! An account that is somebody's: read-only unless allowed, and afterwards as it was before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contract_tests::known_failures::KnownFailures;
use contract_tests::report::{Conclusion, Ending, Report};
use contract_tests::run::{Outcome, Run, Selection, run};
use contract_tests::saboteurs::layers::json_reply;
use contract_tests::suite::check::Needs;
use contract_tests::target::account::Account;
use contract_tests::target::exchange::{NoAnswer, Reply, Request};
use contract_tests::target::transport::{SharedTransport, Transport};
use contract_tests::target::{Kind, Target, Writes};
use mock_server::{Control, MockServer};
use serde_json::json;

use crate::support::unless;

/// A healthy server without an admin plane; counts requests that could change something.
struct Vendor {
    inner: contract_tests::target::transport::InProcess,
    data_theorem_writes: AtomicUsize,
}

impl Transport for Vendor {
    fn send(&self, request: Request) -> Result<Reply, NoAnswer> {
        if request.path().starts_with("/__admin") {
            return Ok(json_reply(404, &json!({"error": "no such page"})));
        }
        if request.path().starts_with("/apis/") && request.method != http::Method::GET {
            self.data_theorem_writes.fetch_add(1, Ordering::Relaxed);
        }
        self.inner.send(request)
    }
}

fn vendor(writes: Writes) -> (Target, Control, Arc<Vendor>) {
    // Under a system clock no two statuses of a target are of the same moment.
    let clock = "system".parse().unwrap();
    let server = MockServer::builder().world("contract").page_size(12).clock(clock).in_process().unwrap();
    let (data_theorem, mend, control) = (server.data_theorem(), server.mend(), server.control());
    let variable = |name: &str| {
        let value = match name {
            "DATA_THEOREM_BASE_URL" => data_theorem.base_url(),
            "DATA_THEOREM_API_KEY" => data_theorem.api_key(),
            "MEND_URL" => mend.url(),
            "MEND_USER_KEY" => mend.user_key(),
            _ => mend.org_token(),
        };
        Some(value.to_owned())
    };
    let account = Account::from_variables(variable).unwrap();
    let inner = contract_tests::target::transport::InProcess::new(server).unwrap();
    let vendor = Arc::new(Vendor { inner, data_theorem_writes: AtomicUsize::new(0) });
    let transport: SharedTransport = vendor.clone();
    let kind = Kind::Account { account, writes, is_vendor: true };
    (Target { name: "env".to_owned(), transport, kind }, control, vendor)
}

fn run_all(target: &Target) -> Run {
    run(target, &Selection::default(), 4, &|_| {}).unwrap()
}

/// What checks that only read need is there; the others are skipped with a reason.
#[test]
fn without_permission_nothing_is_changed() {
    let (target, control, vendor) = vendor(Writes::default());
    let before = control.export_world();
    let run = run_all(&target);
    assert_eq!(vendor.data_theorem_writes.load(Ordering::Relaxed), 0);
    assert_eq!(control.export_world(), before);
    let wrong: Vec<String> = unless(&run, |outcome| {
        matches!(outcome, Outcome::Held(_) | Outcome::Skipped(_) | Outcome::NotExercised(_))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    for check in &run.checks {
        let is_skipped = matches!(check.outcome, Outcome::Skipped(_));
        assert_eq!(is_skipped, check.check.needs != Needs::Reading, "{:?}", check.check);
    }
    let report = Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, false);
    assert_eq!(report.conclusion(), Conclusion::Held);
}

/// Everything but histories and the dates that writing moves: those can't be put back.
fn what_can_be_put_back(control: &Control) -> Vec<(String, String, Option<String>)> {
    let world = control.export_world();
    let targets = world.data_theorem.security_finding_targets.iter();
    let shown = targets.map(|target| {
        let status =
            target.statuses.iter().max_by_key(|entry| entry.date).map(|entry| entry.status.to_string());
        (target.id.clone(), status.unwrap_or_default(), target.external_id.clone())
    });
    shown.collect()
}

#[test]
fn with_permission_what_was_changed_is_put_back() {
    let app = "643020001".to_owned();
    let project = {
        let server = MockServer::builder().world("contract").in_process().unwrap();
        server.control().export_world().mend.projects[0].token().to_owned()
    };
    let writes = Writes { mobile_app_id: Some(app), project_token: Some(project) };
    let (target, control, vendor) = vendor(writes);
    let before = what_can_be_put_back(&control);
    let run = run_all(&target);
    assert!(vendor.data_theorem_writes.load(Ordering::Relaxed) > 20);
    let left: Vec<_> = run.checks.iter().flat_map(|check| check.left_behind.clone()).collect();
    assert!(left.is_empty(), "{left:#?}");
    let changed: Vec<_> =
        what_can_be_put_back(&control).into_iter().filter(|row| !before.contains(row)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    let wrong = unless(&run, |outcome| {
        matches!(outcome, Outcome::Held(_) | Outcome::Skipped(_) | Outcome::NotExercised(_))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    let held =
        run.checks.iter().filter(|check| check.check.needs == Needs::Writing && check.outcome.is_held());
    assert!(held.count() > 10);
}

/// What an account answered is somebody's: without permission it is in no report.
#[test]
fn reports_of_an_account_show_no_bodies_unless_asked() {
    let (mut target, _control, _vendor) = vendor(Writes::default());
    let saboteur = contract_tests::saboteurs::saboteurs();
    let saboteur = saboteur.iter().find(|one| one.check == "data-theorem/targets/link-shape").unwrap();
    target.transport = saboteur.sabotage(target.transport);
    let run = run_all(&target);
    for with_bodies in [false, true] {
        let report =
            Report::new(&target, &run, &KnownFailures::default(), jiff::Timestamp::UNIX_EPOCH, with_bodies);
        assert_eq!(report.conclusion(), Conclusion::Convicted);
        let broken = report.checks.iter().find(|check| check.result == Ending::Broken).unwrap();
        let text = serde_json::to_string(broken).unwrap();
        assert_eq!(text.contains("com.example.larkfield"), with_bodies, "{text}");
    }
}
