//! Row 18 of the catalogue: where the client's machine thinks it is changes nothing.

use serde_json::{Value, json};

use crate::world::World;

/// An export, a closing, and a quiet run; what it leaves, without the machine's own times.
fn everything(world: &World) -> Vec<String> {
    world.reset();
    let mut said = vec![world.run("run").done()];
    world.happen(
        json!({"type": "data_theorem.scan", "mobile_app_id": "643010001", "missed": "everything_else"}),
    );
    said.push(world.run("run").done());
    said.push(world.run("run").done());
    for request in world.requests() {
        let body = request.request.body.map(|body| String::from_utf8_lossy(&body.0).into_owned());
        said.push(format!("{} {} {body:?}", request.operation, request.request.query));
    }
    for ticket in world.tickets() {
        let comments: Vec<&str> = ticket.comments.iter().map(|comment| comment.text.as_str()).collect();
        said.push(format!("{:?} {} {:?} {comments:?}", ticket.summary, ticket.description, ticket.labels));
        let Value::Array(stories) = world.run(&format!("explain {} --json", ticket.summary.key)).json()
        else {
            panic!("no stories")
        };
        for happening in stories[0]["story"].as_array().unwrap() {
            said.push(format!("{} {}", happening["run"], happening["text"]));
            assert!(happening["at"].as_str().unwrap().ends_with('Z'), "{happening}");
        }
    }
    said
}

#[test]
fn time_zones_change_nothing() {
    let mut world = World::new("one-open");
    world.set("TZ", "UTC");
    let usual = everything(&world);
    assert!(usual.len() > 20);
    for zone in ["Asia/Kolkata", "America/New_York", "Pacific/Chatham", "no/where"] {
        world.variables.clear();
        world.set("TZ", zone);
        assert_eq!(everything(&world), usual, "{zone}");
    }
}
