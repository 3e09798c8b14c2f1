//! No fault reads as an empty answer (row 56), and one that passes is got over.

use mock_server::kernel::faults::{Effect, Fault};
use serde_json::{Value, json};
use sync_client::adapters::mend::{Mend, TicketReport};
use sync_client::core::model::Standing;
use sync_client::ports::VendorError;

use crate::support::World;

/// How often a fault strikes that never ends.
const ALWAYS: u32 = 1_000;

/// A question with its request type; the answer as text, so that all are of one type.
type Question = (&'static str, fn(&Mend, &Subject) -> Result<String, VendorError>);

struct Subject {
    project: String,
    violation: String,
    library: String,
}

const QUESTIONS: [Question; 6] = [
    ("getOrganizationDetails", |mend, _| Ok(format!("{:?}", mend.identify()?.organization))),
    ("getOrganizationLastModifiedProjects", |mend, _| Ok(format!("{:?}", mend.modified_projects(None)?))),
    ("getOrganizationProjectVitals", |mend, _| Ok(format!("{:?}", mend.projects()?))),
    ("fetchProjectPolicyIssues", |mend, subject| Ok(format!("{:?}", mend.policy_issues(&subject.project)?))),
    ("getProjectLibrariesInfo", |mend, subject| {
        let library = subject.library.clone();
        Ok(format!("{:?}", mend.libraries_present(&subject.project, &[library])?))
    }),
    ("updateExternalIntegrationIssues", |mend, subject| {
        let report = TicketReport { identifier: "SEC-1".to_owned(), ..TicketReport::default() };
        mend.report(&subject.project, &subject.violation, &report).map(|_| "one".to_owned())
    }),
];

fn subject(world: &World) -> Subject {
    let (project, violation) = world.an_open_violation();
    let library = violation.library.key_uuid.clone().unwrap();
    Subject { project, violation: violation.uuid, library }
}

fn reply(status: u16, body: &str) -> Effect {
    Effect::Reply { status, headers: Vec::new(), body: body.to_owned() }
}

fn error(code: i64) -> Effect {
    reply(200, &json!({"errorCode": code, "errorMessage": "an error"}).to_string())
}

#[test]
fn a_hiccup_is_got_over() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    for (operation, ask) in QUESTIONS {
        let (mend, _) = world.client();
        let expected = ask(&mend, &subject).unwrap();
        for effect in
            [error(3000), error(4000), reply(200, "<html>busy</html>"), reply(200, ""), Effect::TruncatedJson]
        {
            let about = format!("{operation}, {effect:?}");
            let fault = match effect {
                Effect::TruncatedJson => Fault::after(operation, effect),
                effect => Fault::before(operation, effect),
            };
            world.control.plan_fault(fault.times(2)).unwrap();
            let (mend, _) = world.client();
            assert_eq!(ask(&mend, &subject).as_ref(), Ok(&expected), "{about}");
            assert_eq!(world.control.clear_faults(), 0, "{about}: the fault did not strike");
        }
    }
}

#[test]
fn a_fault_that_stays_is_an_error_and_never_an_empty_answer() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    for (operation, ask) in QUESTIONS {
        for (effect, expected) in [
            (error(4000), "Unavailable"),
            (error(2015), "Credential"),
            (reply(200, "<html>proxy</html>"), "Malformed"),
            (reply(200, "[]"), "Malformed"),
            (reply(200, "{}"), "Malformed"),
            (reply(200, r#"{"message": "Success"}"#), "Malformed"),
            (reply(200, ""), "Malformed"),
            (Effect::TruncatedJson, "Malformed"),
            (reply(500, "{}"), "Unavailable"),
            (reply(503, "<html>"), "Unavailable"),
            (reply(401, "{}"), "Credential"),
            (reply(404, r#"{"issues": [], "libraries": []}"#), "Refused"),
            (Effect::ConnectionReset, "Unavailable"),
            (Effect::EmptyResponse, "Unavailable"),
        ] {
            let about = format!("{operation}, {effect:?}");
            let fault = match effect {
                Effect::TruncatedJson => Fault::after(operation, effect),
                effect => Fault::before(operation, effect),
            };
            world.control.plan_fault(fault.times(ALWAYS)).unwrap();
            let (mend, _) = world.client();
            let found = ask(&mend, &subject).unwrap_err();
            assert!(format!("{found:?}").starts_with(expected), "{about}: {found:?}");
            assert!(!format!("{found:?} {found}").contains(world.control.mend().user_key()), "{about}");
            world.control.clear_faults();
        }
    }
}

/// 5001 about a project may mean that it is gone: that is no statement about anything in it.
#[test]
fn a_lasting_refusal_is_bounded_and_says_what_is_refused() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    for (operation, ask) in QUESTIONS {
        let is_of_organization = operation.starts_with("getOrganization");
        for (code, expected) in
            [(5001, if is_of_organization { "Credential" } else { "NotFound" }), (3000, "Refused")]
        {
            world.control.plan_fault(Fault::before(operation, error(code)).times(ALWAYS)).unwrap();
            world.control.clear_journal();
            let (mend, _) = world.client();
            let found = ask(&mend, &subject).unwrap_err();
            let is_identity = operation == "getOrganizationDetails";
            let expected = if is_identity { "Credential" } else { expected };
            assert!(format!("{found:?}").starts_with(expected), "{operation}, {code}: {found:?}");
            assert!(found.to_string().contains(&code.to_string()), "{found}");
            let requests = world.requests(operation).len();
            assert!(requests <= 12, "{operation}, {code}: {requests} requests");
            world.control.clear_faults();
        }
    }
}

#[test]
fn a_list_that_is_no_list_is_an_error() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    for ((operation, ask), list) in
        QUESTIONS[1..5].iter().zip(["lastModifiedProjects", "projectVitals", "issues", "libraries"])
    {
        for value in [Value::Null, json!({}), json!(""), json!(0)] {
            let effect = Effect::Rewrite { pointer: format!("/{list}"), value: value.clone() };
            world.control.plan_fault(Fault::after(operation, effect)).unwrap();
            let found = ask(&world.client().0, &subject);
            assert!(matches!(found, Err(VendorError::Malformed { .. })), "{operation}, {value}: {found:?}");
        }
    }
}

/// I5: a library in the answer that can't be told makes the whole answer worthless.
#[test]
fn a_library_without_an_id_says_nothing_about_the_others() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    for pointer in ["/libraries/0", "/libraries/0/keyUuid"] {
        let effect = Effect::Rewrite { pointer: pointer.to_owned(), value: Value::Null };
        world.control.plan_fault(Fault::after("getProjectLibrariesInfo", effect)).unwrap();
        let found =
            world.client().0.libraries_present(&subject.project, std::slice::from_ref(&subject.library));
        assert!(matches!(found, Err(VendorError::Malformed { .. })), "{pointer}: {found:?}");
    }
}

/// Rows 13 and 54.
#[test]
fn odd_rows_are_read_as_far_as_they_go() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    let operation = "fetchProjectPolicyIssues";
    let expected = world.client().0.policy_issues(&subject.project).unwrap();
    let read = |effect| {
        world.control.plan_fault(Fault::after(operation, effect)).unwrap();
        let (mend, noticed) = world.client();
        (mend.policy_issues(&subject.project).unwrap(), noticed.counts())
    };
    let (twice, noticed) = read(Effect::RepeatRows { count: 3 });
    assert_eq!((twice, noticed), (expected.clone(), [].into()));
    let at = |key: &str, value: Value| Effect::Rewrite {
        pointer: format!("/issues/0/policyViolations/0/{key}"),
        value,
    };
    let (issues, noticed) = read(at("status", json!("REOPENED")));
    let unknown = issues.violations.iter().filter(|violation| violation.standing == Standing::Unknown);
    assert_eq!(
        (unknown.count(), issues.violations.len(), issues.is_complete),
        (1, expected.violations.len(), true)
    );
    assert_eq!(noticed.get("unknown status \"REOPENED\" of a policy violation"), Some(&1));
    let (issues, noticed) = read(at("violationType", json!("SMELL")));
    assert_eq!(issues.violations.len(), expected.violations.len());
    assert_eq!(noticed.get("unknown violationType \"SMELL\""), Some(&1));
    let (issues, noticed) = read(at("issueUuid", Value::Null));
    assert_eq!((issues.violations.len(), issues.is_complete), (expected.violations.len() - 1, false));
    assert_eq!(noticed.len(), 1);
    let (issues, _) = read(at("created", json!("2021-13-01")));
    assert!(issues.is_complete && issues.violations.len() == expected.violations.len());
}

#[test]
fn counters_that_do_not_add_up_are_an_error() {
    let world = World::new("mend-demo");
    let subject = subject(&world);
    let (operation, ask) = QUESTIONS[5];
    for body in [
        json!({"createdIssues": 0, "updatedIssues": 0, "unaffectedIssues": 0}),
        json!({"createdIssues": 1, "updatedIssues": 1, "unaffectedIssues": 0}),
        json!({"createdIssues": 1, "updatedIssues": 0}),
        json!({"createdIssues": u64::MAX, "updatedIssues": 2, "unaffectedIssues": 0}),
        json!({"createdIssues": -1, "updatedIssues": 2, "unaffectedIssues": 0}),
    ] {
        world.control.plan_fault(Fault::after(operation, reply(200, &body.to_string()))).unwrap();
        let found = ask(&world.client().0, &subject);
        assert!(matches!(found, Err(VendorError::Malformed { .. })), "{body}: {found:?}");
    }
    let body = json!({"createdIssues": "1", "updatedIssues": "0", "unaffectedIssues": 0}).to_string();
    world.control.plan_fault(Fault::after(operation, reply(200, &body))).unwrap();
    assert!(ask(&world.client().0, &subject).is_ok());
}
