//! Random sequences: a healthy simulator agrees with the models, and one that loses something does not.

use std::sync::Arc;

use contract_tests::saboteurs::layers::{ALL_PATHS, Layer, Sabotaged, body_of, edit_json, reply_to};
use contract_tests::sequences::{SequencesEnding, SequencesRun, run};
use contract_tests::target::Target;
use serde_json::json;

use crate::support::in_process;

/// The number that a variable sets, or this one. What is no number is no reason to run something else quietly.
fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn a_healthy_simulator_agrees_with_the_models() {
    let (sequences, seed) = (number("SEQUENCES", 24).try_into().unwrap(), number("SEQUENCES_SEED", 1));
    eprintln!("{sequences} sequences per vendor, seed {seed}");
    for run in run(&in_process(&[]), None, sequences, seed) {
        assert!(matches!(run.ending, SequencesEnding::Agreed), "seed {seed}: {run:#?}");
    }
}

fn sabotaged(vendor: &str, layer: Layer) -> SequencesRun {
    let transport =
        Arc::new(Sabotaged { inner: Arc::clone(&in_process(&[]).transport), paths: ALL_PATHS, layer });
    let target = Target::simulator("sabotaged", transport, "http://localhost", None, &[]).unwrap().unwrap();
    run(&target, Some(vendor), 200, 1).remove(0)
}

fn shortest(run: SequencesRun) -> Vec<String> {
    match run.ending {
        SequencesEnding::Differed { requests, .. } => requests,
        other => unreachable!("{other:?}"),
    }
}

/// A reason that is lost, a ticket that is counted as updated although nothing changed, a label that stays: each is shown
/// by a sequence without a superfluous request.
#[test]
fn a_difference_is_shown_by_a_shortest_sequence() {
    let lost_reason = body_of(&["POST security_finding_targets/:id/statuses"], |body| {
        if let Some(members) = body.as_object_mut() {
            members.remove("reason");
        }
    });
    let requests = shortest(sabotaged("data-theorem", lost_reason));
    assert_eq!(requests.len(), 1, "{requests:#?}");
    assert!(requests[0].contains("statuses") && requests[0].contains("reason"), "{requests:#?}");

    let miscounted = reply_to(&["updateExternalIntegrationIssues"], |_, reply| {
        edit_json(reply, |json| {
            if json["unaffectedIssues"] == 2 {
                json["unaffectedIssues"] = json!(1);
                json["updatedIssues"] = json!(1);
            }
        });
    });
    let requests = shortest(sabotaged("mend", miscounted));
    // Two tickets are reported, together or one by one, and then both again.
    assert!((2..=3).contains(&requests.len()), "{requests:#?}");
    assert!(
        requests.iter().all(|request| request.contains("updateExternalIntegrationIssues")),
        "{requests:#?}"
    );

    let keeps_labels = body_of(&["PUT issue/:id"], |body| {
        let steps = body.pointer_mut("/update/labels").and_then(serde_json::Value::as_array_mut);
        for step in steps.into_iter().flatten() {
            if let Some(verbs) = step.as_object_mut() {
                verbs.remove("remove");
            }
        }
    });
    let requests = shortest(sabotaged("jira", keeps_labels));
    assert_eq!(requests.len(), 2, "{requests:#?}");
    assert!(requests[0].contains("POST") && requests[1].contains("remove"), "{requests:#?}");
}
