//! I12: no credential shows anywhere, whatever the vendors do with it; and what looks like one in a finding is masked.

use std::fs;

use fixtures::scenes::{SceneContext, build};
use mock_server::MockServer;
use mock_server::kernel::faults::{Effect, Fault, Matcher, TextPredicate, When};
use serde_json::json;

use crate::world::World;

const IN_TEXT: [&str; 3] = ["hunter2secret", "AKIAIOSFODNN7CANARY", "tr0ub4dor-canary"];

fn world() -> World {
    let context = SceneContext { seed: 1, epoch: "2026-01-15T12:00:00Z".parse().unwrap(), page_size: 50 };
    let mut spec = build("one-open", context).unwrap();
    let leak = format!("It calls https://user:{}@internal.example/x in the clear.", IN_TEXT[0]);
    for finding in &mut spec.data_theorem.issue_types {
        finding.description.clone_from(&leak);
    }
    for target in &mut spec.data_theorem.security_finding_targets {
        target.text = format!("postgres://app:{}@db.example/app", IN_TEXT[2]);
    }
    World::over(MockServer::builder().world_spec(spec).page_size(50))
}

const EFFECTS: usize = 10;

fn effect(number: usize, echo: &str) -> Effect {
    let in_json = json!({"errorCode": 1005, "errorMessage": echo, "error": echo}).to_string();
    let reply = |status, body: &str| Effect::Reply {
        status,
        headers: vec![("x-echo".to_owned(), echo.to_owned())],
        body: body.to_owned(),
    };
    match number {
        0 => reply(401, echo),
        1 => reply(401, &in_json),
        2 => reply(403, &in_json),
        3 => reply(500, echo),
        4 => reply(302, echo),
        5 => reply(200, &in_json),
        6 => reply(429, echo),
        7 => reply(418, echo),
        8 => Effect::ConnectionReset,
        _ => Effect::EmptyResponse,
    }
}

#[test]
fn no_credential_shows_anywhere() {
    let world = world();
    let (key, user_key) =
        (world.server.data_theorem().api_key().to_owned(), world.server.mend().user_key().to_owned());
    let canaries = [key.as_str(), user_key.as_str(), IN_TEXT[0], IN_TEXT[2]];
    assert!(canaries.iter().all(|canary| canary.len() > 8), "long enough to be found by chance nowhere");
    // A vendor can echo what it was shown.
    let vendors = [
        ("/apis/", format!("no such key: APIKey {key}")),
        ("/api/v1", format!("no such userKey: {user_key}")),
    ];
    let mut said = String::new();
    for number in 0..EFFECTS {
        for (path, echo) in &vendors {
            for skip in [0, 1, 3, 5] {
                let when = if number % 2 == 0 { When::AfterApply } else { When::BeforeApply };
                let path = Some(TextPredicate::Contains((*path).to_owned()));
                let matcher = Matcher { path, skip, times: 2, ..Matcher::default() };
                world.control().plan_fault(Fault { matcher, when, effect: effect(number, echo) }).unwrap();
            }
        }
        for arguments in ["doctor -vv", "run -vv --full", "plan -vv --json"] {
            let mut command = world.command(arguments);
            let ended = crate::world::ended(command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"));
            said.push_str(&format!("{arguments}\n{}{}", ended.out, ended.err));
        }
        world.control().clear_faults();
    }
    assert_eq!(world.settle("run"), Vec::<String>::new());
    for arguments in ["tickets --json", "tickets 1", "tickets 2", "explain LOCAL-1 --json", "status --json"] {
        said.push_str(&world.run(arguments).done());
    }
    assert!(said.len() > 10_000, "something was said");
    for canary in canaries {
        let shown = said.find(canary).map(|at| &said[at.saturating_sub(300)..at]);
        assert_eq!(shown, None, "{canary:?} was printed");
        for entry in fs::read_dir(&world.state).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let is_in = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!is_in, "{canary:?} stands in {}", path.display());
        }
    }
    let text: String = world.tickets().iter().map(|ticket| ticket.description.clone()).collect();
    assert!(text.contains("internal.example") && text.contains("db.example"), "the rest is there: {text}");
}
