//! Every fault at every request: what is read is the truth, or an error.

use jiff::SignedDuration;
use mock_server::kernel::faults::{Effect, Fault, Matcher, When};
use sync_client::adapters::caller::Patience;
use sync_client::adapters::data_theorem::DataTheorem;
use sync_client::ports::{Clock as _, VendorError};

use super::{Everything, everything, fault, reply, rows};
use crate::support::Simulated;

/// Everything a sync asks for, in one go.
fn visit(vendor: &DataTheorem) -> Result<(Everything, Option<String>), VendorError> {
    vendor.identify()?;
    let all = everything(vendor)?;
    let first = &all.targets[0];
    vendor.app(&all.apps[0].id)?;
    vendor.finding(&all.findings[0].id)?;
    vendor.link(&first.id, "LOCAL-1")?;
    let linked = vendor.target(&first.id)?.external_id;
    Ok((all, linked))
}

/// A fault, and whether asking again helps within the same run.
fn faults() -> Vec<(&'static str, When, Effect, bool)> {
    let (before, after) = (When::BeforeApply, When::AfterApply);
    let html = "<html>Too many requests</html>";
    vec![
        ("429 with seconds", before, reply(429, &[("retry-after", "7")], html), true),
        (
            "429 with a date",
            before,
            reply(
                429,
                &[
                    ("retry-after", "Fri, 01 Jan 2100 00:00:07 GMT"),
                    ("date", "Fri, 01 Jan 2100 00:00:00 GMT"),
                ],
                html,
            ),
            true,
        ),
        ("429 without a time", before, reply(429, &[], html), true),
        ("429 with an odd time", before, reply(429, &[("retry-after", "-1")], ""), true),
        ("503 with a fraction", before, reply(503, &[("retry-after", "1.5")], ""), true),
        ("500 not applied", before, reply(500, &[], ""), true),
        ("500 applied", after, reply(500, &[], "{}"), true),
        ("reset before", before, Effect::ConnectionReset, true),
        ("reset after", after, Effect::ConnectionReset, true),
        ("closed", after, Effect::EmptyResponse, true),
        ("chunk", after, Effect::MalformedChunk, true),
        ("hang", before, Effect::Hang, true),
        ("slow", after, Effect::Delay { ms: 61_000 }, true),
        ("truncated JSON", after, Effect::TruncatedJson, false),
        ("empty 200", before, reply(200, &[], ""), false),
        (
            "200 with an error",
            before,
            reply(200, &[], r#"{"error": {"code": 500, "message": "sorry"}}"#),
            false,
        ),
        ("200 with a page for people", before, reply(200, &[], "<html>down for maintenance</html>"), false),
    ]
}

#[test]
fn one_fault_anywhere_changes_nothing_that_is_read() {
    let calm = Simulated::scene("two-pages", 2);
    let wanted = visit(&calm.data_theorem()).unwrap();
    let requests = u32::try_from(calm.journal().len()).unwrap();
    assert!(requests >= 9, "{requests}");
    for (name, when, effect, is_cured) in faults() {
        for skip in 0..requests {
            let simulated = Simulated::scene("two-pages", 2);
            let start = simulated.clock.now();
            let matcher = Matcher { skip, ..Matcher::default() };
            simulated.control().plan_fault(Fault { matcher, when, effect: effect.clone() }).unwrap();
            let read = visit(&simulated.data_theorem());
            assert!(simulated.control().pending_faults().is_empty(), "{name} at {skip} did not strike");
            if is_cured {
                assert_eq!(read.as_ref(), Ok(&wanted), "{name} at {skip}");
                let passed = simulated.clock.now().duration_since(start);
                let least = if name.contains("seconds") || name.contains("date") { 7_000 } else { 500 };
                assert!(passed >= SignedDuration::from_millis(least), "{name} at {skip}: {passed:?}");
                assert_eq!(u32::try_from(simulated.journal().len()), Ok(requests + 1), "{name} at {skip}");
            } else {
                assert!(matches!(read, Err(VendorError::Malformed { .. })), "{name} at {skip}: {read:?}");
                let again = visit(&simulated.data_theorem()).unwrap();
                assert_eq!(again.1, wanted.1, "{name} at {skip}");
                assert_eq!(again.0.targets.len(), wanted.0.targets.len(), "{name} at {skip}");
            }
        }
    }
}

/// I18 and I19: whatever the server does, there is an end, and it is not bothered.
#[test]
fn a_server_in_lasting_trouble_is_asked_a_few_times() {
    for (effect, requests) in [
        (reply(429, &[], ""), 5),
        (reply(429, &[("retry-after", "60")], ""), 5),
        (reply(429, &[("retry-after", "100000")], ""), 1),
        (reply(500, &[], ""), 5),
        (Effect::ConnectionReset, 5),
        (Effect::Hang, 5),
    ] {
        let simulated = Simulated::scene("one-open", 100);
        let forever = fault("GET mobile_apps", (0, 1_000), When::BeforeApply, effect.clone());
        simulated.control().plan_fault(forever).unwrap();
        let vendor = simulated.data_theorem();
        assert!(matches!(vendor.identify(), Err(VendorError::Unavailable { .. })), "{effect:?}");
        assert_eq!(simulated.journal().len(), requests, "{effect:?}");
    }
}

#[test]
fn a_run_is_over_at_its_deadline() {
    for effect in [reply(429, &[("retry-after", "20")], ""), Effect::Hang, Effect::ConnectionReset] {
        let simulated = Simulated::scene("one-open", 100);
        let forever = fault("GET mobile_apps", (0, 1_000), When::BeforeApply, effect.clone());
        simulated.control().plan_fault(forever).unwrap();
        let deadline = simulated.clock.now() + SignedDuration::from_secs(50);
        let patience = Patience { attempts_max: 1_000, deadline: Some(deadline), ..Patience::default() };
        let vendor = simulated.data_theorem_with(simulated.server.data_theorem().api_key(), patience);
        for _ in 0..5 {
            assert!(matches!(rows(vendor.apps(None)), Err(VendorError::Unavailable { .. })), "{effect:?}");
        }
        assert!(simulated.clock.now() <= deadline, "{effect:?}");
        assert!(simulated.journal().len() < 40, "{effect:?}: {}", simulated.journal().len());
    }
}

/// The link was set although its reply got lost: setting it again does no harm, and no other target is touched.
#[test]
fn a_lost_reply_to_a_link_is_harmless() {
    for effect in [Effect::ConnectionReset, reply(502, &[], ""), Effect::Hang] {
        let simulated = Simulated::scene("one-open", 100);
        let vendor = simulated.data_theorem();
        let target = everything(&vendor).unwrap().targets.remove(0);
        let lost = fault("PATCH security_finding_targets/:id", (0, 2), When::AfterApply, effect);
        simulated.control().plan_fault(lost).unwrap();
        vendor.link(&target.id, "LOCAL-1").unwrap();
        assert_eq!(vendor.target(&target.id).unwrap().external_id.as_deref(), Some("LOCAL-1"));
    }
}
