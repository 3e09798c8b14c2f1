//! How long, how much memory, how many writes: only with `SYNC_MEASURE` set to a scene, and best with `--release`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::World;

/// Seconds and the most memory, in MiB, of a run.
fn measured(world: &World, arguments: &str) -> (f64, u64) {
    #[expect(clippy::disallowed_methods, reason = "this measures")]
    let began = Instant::now();
    let mut child = world.start(arguments);
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
            peak_kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(peak_kib);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert_eq!(ended.code(), Some(0), "{}", world.said());
            return (began.elapsed().as_secs_f64(), peak_kib / 1_024);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_large_account() {
    let Ok(scene) = std::env::var("SYNC_MEASURE") else {
        eprintln!("not run: SYNC_MEASURE is not set, e.g. to scale:apps=300,targets=45000");
        return;
    };
    let world = World::new(&scene);
    let (seconds, mib) = measured(&world, "run");
    let made = world.tickets().len();
    eprintln!("first export: {made} tickets, {seconds:.1} s, at most {mib} MiB");
    world.forget_requests();
    let (seconds, mib) = measured(&world, "run");
    eprintln!("idle: {seconds:.2} s, {} requests, at most {mib} MiB", world.requests().len());
    assert_eq!(world.links(), []);
    let (seconds, mib) = measured(&world, "run --full");
    eprintln!("full, idle: {seconds:.2} s, {} requests so far, at most {mib} MiB", world.requests().len());

    let app = world.vendors_side().data_theorem.mobile_apps[0].id.clone();
    let open_before = world.tickets().iter().filter(|ticket| !ticket.summary.is_done).count();
    world.happen(json!({"type": "data_theorem.scan", "mobile_app_id": app, "missed": "everything_else"}));
    world.forget_requests();
    let (seconds, mib) = measured(&world, "run");
    let closed = open_before - world.tickets().iter().filter(|ticket| !ticket.summary.is_done).count();
    let requests = world.requests().len();
    eprintln!("{closed} closings: {seconds:.2} s, {requests} requests, at most {mib} MiB");
}
