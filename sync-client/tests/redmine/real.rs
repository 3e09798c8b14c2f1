//! A Redmine that somebody started, and what an administrator does there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use sync_client::adapters::caller::{Caller, Patience};
use sync_client::adapters::http::Http;
use sync_client::adapters::redmine::{ApiKey, Identifier, KeyField, Redmine, RedmineSettings, TextFormat};
use sync_client::adapters::system_clock::SystemClock;
use sync_client::core::model::{GroupId, OpKey};
use sync_client::ports::NewTicket;

/// Over SQLite, a Redmine with several writers answers 500 now and then; and keys of tickets are made from vendors'
/// items, while Redmine is searched as a whole.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A Redmine that was set up by `seed.rb`, for one test alone.
pub(crate) struct Real {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) reader_key: String,
    admin_key: String,
    http: Client,
    _turn: MutexGuard<'static, ()>,
}

/// The custom fields that `seed.rb` makes.
pub(crate) const KEY_FIELD: &str = "Sync key";
pub(crate) const NO_FILTER: &str = "Key that no filter knows";
pub(crate) const OF_FEATURES: &str = "Key of features";
pub(crate) const OF_CHOSEN_PROJECTS: &str = "Key of chosen projects";

/// Where a test of its own has tickets.
pub(crate) struct Project {
    pub(crate) identifier: String,
}

impl Real {
    /// The Redmine of the environment; without one the test says so, and is over.
    pub(crate) fn there() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let found = (|| {
            Some(Self {
                url: variable("REDMINE_URL")?,
                key: variable("REDMINE_API_KEY")?,
                admin_key: variable("REDMINE_ADMIN_KEY")?,
                reader_key: variable("REDMINE_READER_KEY")?,
                http: Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap(),
                _turn: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner),
            })
        })();
        if found.is_none() {
            eprintln!("not run: needs Redmine, see sync-client/tests/redmine/install.sh");
        }
        found
    }

    /// What an administrator asks for: status and body.
    pub(crate) fn admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask(&self.admin_key, method, path, body)
    }

    /// The same with another key.
    #[expect(clippy::needless_pass_by_value, reason = "a body is written where it is sent")]
    pub(crate) fn ask(&self, key: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = request.header("x-redmine-api-key", key);
        let request = if body.is_null() { request } else { request.json(&body) };
        let reply = request.send().unwrap();
        let status = reply.status().as_u16();
        (status, serde_json::from_str(&reply.text().unwrap()).unwrap_or(Value::Null))
    }

    /// The number of a named thing in one of Redmine's lists.
    pub(crate) fn id(&self, path: &str, list: &str, name: &str) -> u64 {
        let (_, body) = self.admin("GET", path, Value::Null);
        let found = body[list].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {body}"))["id"].as_u64().unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> u64 {
        self.id("/custom_fields.json", "custom_fields", name)
    }

    /// A new project in which the client works with this role.
    pub(crate) fn project(&self, role: &str) -> Project {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let identifier = format!("test-{}-{number}", std::process::id());
        let _ = self.admin("DELETE", &format!("/projects/{identifier}.json"), Value::Null);
        let trackers: Vec<u64> =
            ["Bug", "Feature"].iter().map(|name| self.id("/trackers.json", "trackers", name)).collect();
        let (status, body) = self.admin(
            "POST",
            "/projects.json",
            json!({"project": {
                "name": identifier, "identifier": identifier, "is_public": false,
                "tracker_ids": trackers, "enabled_module_names": ["issue_tracking"],
            }}),
        );
        assert_eq!(status, 201, "{body}");
        let (_, me) = self.ask(&self.key, "GET", "/users/current.json", Value::Null);
        let role = self.id("/roles.json", "roles", role);
        let (status, body) = self.admin(
            "POST",
            &format!("/projects/{identifier}/memberships.json"),
            json!({"membership": {"user_id": me["user"]["id"], "role_ids": [role]}}),
        );
        assert_eq!(status, 201, "{body}");
        Project { identifier }
    }

    /// Takes a project away with all its tickets.
    pub(crate) fn remove(&self, project: &Project) {
        let (status, _) =
            self.admin("DELETE", &format!("/projects/{}.json", project.identifier), Value::Null);
        assert_eq!(status, 204);
    }

    pub(crate) fn settings(&self, project: &Project) -> RedmineSettings {
        RedmineSettings {
            url: self.url.parse().unwrap(),
            api_key: ApiKey::new(&self.key).unwrap(),
            project: Identifier::new(&project.identifier).unwrap(),
            key_field: KeyField::Id(self.field(KEY_FIELD)),
            tracker: Some("Bug".to_owned()),
            done_status: None,
            open_status: None,
            text_format: TextFormat::Textile,
            search_lag: Duration::from_secs(1),
        }
    }

    /// All tickets of a project, as Redmine lists them, open and closed.
    pub(crate) fn issues(&self, project: &Project) -> Vec<Value> {
        let mut issues = Vec::new();
        loop {
            let path = format!(
                "/issues.json?project_id={}&status_id=*&sort=id&limit=100&offset={}",
                project.identifier,
                issues.len()
            );
            let (status, body) = self.admin("GET", &path, Value::Null);
            assert_eq!(status, 200, "{body}");
            let rows = body["issues"].as_array().unwrap().clone();
            if rows.is_empty() {
                return issues;
            }
            issues.extend(rows);
        }
    }
}

pub(crate) fn redmine(settings: RedmineSettings) -> Redmine {
    let patience = Patience { timeout: Duration::from_secs(30), ..Patience::default() };
    Redmine::new(settings, Caller::new(Arc::new(Http::new(None).unwrap()), Arc::new(SystemClock), patience))
}

/// A ticket whose key no other test has.
pub(crate) fn ticket(project: &Project, number: u32) -> NewTicket {
    let group = GroupId::new(format!("{}/{number}", project.identifier));
    NewTicket {
        op: OpKey::of(&group),
        title: format!("Finding {number}"),
        description: "What was **found**.".to_owned(),
        labels: vec!["data-theorem".to_owned()],
    }
}
