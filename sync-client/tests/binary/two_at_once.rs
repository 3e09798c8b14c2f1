//! I13: of two runs on one ledger, one goes on and the other one leaves.

use std::time::Duration;

use mock_server::kernel::faults::{Effect, Fault, Matcher, When};

use crate::step::problems;
use crate::world::{World, end_within};

#[test]
fn the_second_run_leaves_and_asks_nobody_anything() {
    let world = World::new("one-open");
    let slow =
        Fault { matcher: Matcher::default(), when: When::BeforeApply, effect: Effect::Delay { ms: 3_000 } };
    world.control().plan_fault(slow).unwrap();
    let mut first = world.start("run");
    let asked = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !world.requests().is_empty()
    });
    assert!(asked, "{}", world.said());
    for arguments in ["run", "run --every 1s", "run --full --json"] {
        let second = world.run(arguments);
        assert_eq!((second.code(), second.out.as_str()), (Some(6), ""), "{second:?}");
        let file = world.file("ledger.sqlite").display().to_string();
        assert!(second.err.contains(&file) && second.err.contains("another run"), "{}", second.err);
    }
    assert_eq!(world.requests().len(), 1, "only the first run's: {:?}", world.requests());
    assert_eq!(world.run("status").code(), Some(0), "looking is allowed meanwhile");
    assert_eq!(first.try_wait().unwrap(), None, "all that took longer than the pause of the first run");
    assert_eq!(end_within(&mut first, Duration::from_secs(20)).unwrap().code(), Some(0), "{}", world.said());
    assert_eq!(world.links().len(), 2);
    assert_eq!(problems(&world), Vec::<String>::new());
    assert_eq!(world.run("run").done(), "nothing to do\n", "the lock left with its holder");
}
