//! Row 59 of the catalogue: a certificate of an unknown authority is refused, and trusted when its authority is named.

use std::net::SocketAddr;

use mock_server::MockServer;
use mock_server::server::tls::TlsSettings;

use crate::step::problems;
use crate::world::World;

#[test]
fn an_authority_is_trusted_when_it_is_named() {
    let authority = tempfile::tempdir().unwrap();
    let ca = authority.path().join("ca.pem");
    let settings = TlsSettings { ca_out: Some(ca.clone()), ..TlsSettings::default() };
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut world = World::over(MockServer::builder().world("one-open").tls(any_port, settings));
    let origin = format!("https://localhost:{}", world.server.addresses().unwrap().tls.unwrap().port());
    world.set("DATA_THEOREM_BASE_URL", &format!("{origin}/apis/mobile_security/results/v2"));
    world.set("MEND_URL", &origin);
    let config = world.directory.path().join("sync.toml");
    std::fs::write(&config, "[tls]\nca_file = \"ca.pem\"\n").unwrap();
    std::fs::copy(&ca, world.directory.path().join("ca.pem")).unwrap();

    let refused = world.run("doctor");
    assert_eq!(refused.code(), Some(4), "{refused:?}");
    assert_eq!(refused.out.matches("certificate").count(), 2, "both sides say why: {}", refused.out);
    let refused = world.run("run");
    assert_eq!(refused.code(), Some(4), "{refused:?}");
    assert!(refused.err.contains("certificate"), "{}", refused.err);
    assert!(
        world.tickets().is_empty() && world.requests().is_empty(),
        "no credential was shown to a stranger"
    );

    world.run("doctor --config sync.toml").done();
    assert_eq!(world.run("run --config sync.toml").done(), "2 created, 2 linked\n");
    world.set("SYNC_CA_FILE", ca.to_str().unwrap());
    world.run("doctor").done();
    assert_eq!(world.run("run").done(), "nothing to do\n");
    assert_eq!(problems(&world), Vec::<String>::new());

    world.forget_requests();
    std::fs::write(&ca, "-----BEGIN NONSENSE-----\n").unwrap();
    for command in ["run", "plan", "doctor"] {
        let unusable = world.run(command);
        assert_eq!(unusable.code(), Some(2), "{unusable:?}");
        assert!(unusable.err.contains("ca.pem, which SYNC_CA_FILE names, can't be used"), "{}", unusable.err);
    }
    assert!(world.requests().is_empty());
    world.run("tickets").done();
}
