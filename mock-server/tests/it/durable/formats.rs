//! State directories that earlier versions wrote.

use std::fs;
use std::path::Path;

use fixtures::scenes::{self, SceneContext};
use fixtures::world::MendWorld;
use fixtures::world::mend::Event;
use http::Method;
use mock_server::MockServer;
use mock_server::kernel::clock::manual_epoch;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{TARGET, external_id, open, reopened};
use crate::support::request;

/// What format 1 had for tables.
const FORMAT_1: &str = "
CREATE TABLE origin (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    settings TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;
CREATE TABLE bases (
    hash TEXT PRIMARY KEY,
    world TEXT NOT NULL CHECK (json_valid(world))
) STRICT;
CREATE TABLE sandboxes (
    id TEXT PRIMARY KEY,
    current TEXT NOT NULL REFERENCES bases (hash),
    origin TEXT NOT NULL REFERENCES bases (hash),
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    current_keys TEXT NOT NULL CHECK (json_valid(current_keys)),
    origin_keys TEXT NOT NULL CHECK (json_valid(origin_keys)),
    ids_made INTEGER NOT NULL CHECK (ids_made >= 0)
) STRICT;
CREATE TABLE rows (
    sandbox TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    place INTEGER NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (sandbox, kind, key, place)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 0x6d6f636b;
PRAGMA user_version = 1;
";

/// The world `docs-samples` as format 1 kept it: without a word of Mend, its keys a plain list, and one target with
/// a row of its own.
fn write_format_1(directory: &Path) {
    let context = SceneContext { seed: 1, epoch: manual_epoch(), page_size: 100 };
    let mut world = serde_json::to_value(scenes::build("docs-samples", context).unwrap()).unwrap();
    world.as_object_mut().unwrap().remove("mend");
    let mut keys = world["data_theorem"]["api_keys"].take();
    world["data_theorem"]["api_keys"] = keys.clone();
    for (place, key) in keys.as_array_mut().unwrap().iter_mut().enumerate() {
        key["secret"] = json!(format!("stored-secret-{place}"));
    }
    let targets = world["data_theorem"]["security_finding_targets"].as_array().unwrap();
    let place = |target: &Value| {
        let siblings =
            targets.iter().filter(|row| row["security_finding_id"] == target["security_finding_id"]);
        siblings.take_while(|row| row["id"] != target["id"]).count()
    };
    let mut target = targets.iter().find(|row| row["id"] == TARGET).unwrap().clone();
    let place = place(&target);
    target["external_id"] = json!("SEC-1");
    target["statuses"] = json!([]);
    let epoch = manual_epoch();
    let origin = json!({"world": "docs-samples", "seed": 1, "epoch": epoch});
    let settings = json!({
        "seed": 1, "epoch": epoch, "clock": {"manual": {"now": "2026-01-15T05:00:00Z"}}, "page_size": 100,
        "readings": {"dt.total-count-type": "number"},
    });
    let database = Connection::open(directory.join("state.sqlite")).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.execute_batch(FORMAT_1).unwrap();
    database.execute("INSERT INTO origin VALUES (1, ?1)", params![origin.to_string()]).unwrap();
    database.execute("INSERT INTO bases VALUES ('base', ?1)", params![world.to_string()]).unwrap();
    database
        .execute(
            "INSERT INTO sandboxes VALUES ('default', 'base', 'base', ?1, ?2, ?2, 3)",
            params![settings.to_string(), keys.to_string()],
        )
        .unwrap();
    database
        .execute(
            "INSERT INTO rows VALUES ('default', 'target', ?1, ?2, ?3)",
            params![TARGET, i64::try_from(place).unwrap(), target.to_string()],
        )
        .unwrap();
    database.close().unwrap();
}

fn format_in_header(directory: &Path) -> u32 {
    let bytes = fs::read(directory.join("state.sqlite")).unwrap();
    u32::from_be_bytes(bytes[60..64].try_into().unwrap())
}

#[tokio::test]
async fn format_1_is_read_and_brought_up_to_date() {
    let directory = TempDir::new().unwrap();
    write_format_1(directory.path());
    assert_eq!(format_in_header(directory.path()), 1);
    let api = open(&MockServer::builder().world("docs-samples").state(directory.path()));
    assert_eq!(format_in_header(directory.path()), 4, "an older version sees at once that it can't read it");
    assert_eq!(api.server.data_theorem().api_key(), "stored-secret-0");
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-1"));
    assert_eq!(api.control().now().to_string(), "2026-01-15T05:00:00Z");
    assert_eq!(api.control().readings()["dt.total-count-type"], "number");
    let world = api.control().export_world();
    assert_eq!(world.mend, MendWorld { is_evaluated: true, ..MendWorld::default() }, "it knew no Mend");
    let body = json!({"external_id": "SEC-2"});
    let _ = api.patch(&format!("security_finding_targets/{TARGET}"), body).await.ok();
    drop(api);

    let (api, _directory) = reopened(directory).await;
    assert_eq!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-2"));
    let _ = api.raw(request(Method::GET, "mobile_apps", "stored-secret-1", "")).await.ok();
    api.control().reset();
    assert_ne!(external_id(&api.control(), TARGET).as_deref(), Some("SEC-2"), "the origin is there too");
}

#[tokio::test]
async fn a_world_of_mend_can_take_the_place_of_one_from_format_1() {
    let directory = TempDir::new().unwrap();
    write_format_1(directory.path());
    let api = open(&MockServer::builder().state(directory.path()));
    let context = SceneContext { seed: 1, epoch: manual_epoch(), page_size: 100 };
    api.control().replace_world(scenes::build("mend-old-project", context).unwrap()).unwrap();
    assert!(api.control().saved().await);
    let (world, key) = (api.control().export_world(), api.server.mend().user_key().to_owned());
    assert_eq!(key.len(), 64);
    drop(api);
    let (api, _directory) = reopened(directory).await;
    assert_eq!((api.control().export_world(), api.server.mend().user_key()), (world, key.as_str()));
}

/// Format 2 has nothing of what format 3 added: users without a key, earlier requests, the newest policy.
#[tokio::test]
async fn format_2_is_read_and_brought_up_to_date() {
    let directory = TempDir::new().unwrap();
    let api = open(&MockServer::builder().world("mend-every-match-type").state(directory.path()));
    let key = api.server.mend().user_key().to_owned();
    let project_token = api.control().export_world().mend.projects[0].token().to_owned();
    let event = Event::ProjectRenamed { project_token, name: "renamed".to_owned() };
    api.control().happen(&event).unwrap();
    assert!(api.control().saved().await);
    let world = api.control().export_world();
    drop(api);
    let database = let_go_of(directory.path());
    database.pragma_update(None, "user_version", 2).unwrap();
    for text in texts(&database) {
        for new in ["is_revoked", "earlier_requests", "newest_policy_id", "tokens_revoked"] {
            assert!(!text.contains(new), "format 2 has no {new}: {text}");
        }
    }
    database.close().unwrap();
    assert_eq!(format_in_header(directory.path()), 2);
    let (api, directory) = reopened(directory).await;
    assert_eq!(format_in_header(directory.path()), 4);
    assert_eq!((api.control().export_world(), api.server.mend().user_key()), (world, key.as_str()));
}

/// Format 3 knew nothing of Jira: neither the worlds nor the credentials nor the rows have a word of it.
#[tokio::test]
async fn format_3_is_read_and_brought_up_to_date() {
    let directory = TempDir::new().unwrap();
    let api = open(&MockServer::builder().world("docs-samples").state(directory.path()));
    let body = json!({"external_id": "SEC-3"});
    let _ = api.patch(&format!("security_finding_targets/{TARGET}"), body).await.ok();
    let world = api.control().export_world();
    drop(api);
    let database = let_go_of(directory.path());
    database.pragma_update(None, "user_version", 3).unwrap();
    let without = "UPDATE bases SET world = json_remove(world, '$.jira');
        UPDATE sandboxes SET current_keys = json_remove(current_keys, '$.jira'), origin_keys = json_remove(origin_keys, '$.jira');";
    database.execute_batch(without).unwrap();
    assert!(texts(&database).iter().all(|text| !text.contains("jira")));
    database.close().unwrap();
    assert_eq!(format_in_header(directory.path()), 3);
    let (api, directory) = reopened(directory).await;
    assert_eq!(format_in_header(directory.path()), 4);
    assert_eq!(api.control().export_world(), world);
}

/// The database of a directory, once its last server has let go of it.
fn let_go_of(directory: &Path) -> Connection {
    let lock = fs::File::open(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    Connection::open(directory.join("state.sqlite")).unwrap()
}

/// All texts in which rows and worlds are written down.
fn texts(database: &Connection) -> Vec<String> {
    let query = "SELECT world FROM bases UNION ALL SELECT value FROM rows UNION ALL SELECT current_keys FROM sandboxes";
    let mut statement = database.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}
