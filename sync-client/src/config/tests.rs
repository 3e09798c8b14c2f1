use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::{Choice, SourceChoice};
use super::{ConfigError, Places, Settings, TrackerKind, TrackerSettings, file};
use crate::adapters::jira::Api;
use crate::adapters::local::Uniqueness;
use crate::adapters::redmine::{KeyField, TextFormat};
use crate::core::policy::{OnChange, Policy, TargetGroups};
use crate::core::text::Credentials;

const EXAMPLE: &str = include_str!("../../../docs/examples/sync-client.toml");

const DATA_THEOREM: &[(&str, &str)] =
    &[("DATA_THEOREM_BASE_URL", "https://dt.example/v2"), ("DATA_THEOREM_API_KEY", "dt-key")];
const MEND: &[(&str, &str)] =
    &[("MEND_URL", "https://mend.example"), ("MEND_USER_KEY", "mend-key"), ("MEND_ORG_TOKEN", "org")];
const REDMINE: &[(&str, &str)] = &[
    ("REDMINE_URL", "https://redmine.example/r/"),
    ("REDMINE_API_KEY", "redmine-key"),
    ("REDMINE_PROJECT", "sec"),
];
const JIRA: &[(&str, &str)] = &[
    ("JIRA_BASE_URL", "https://jira.example/rest/api/3/"),
    ("JIRA_EMAIL", "sync@jira.example"),
    ("JIRA_API_TOKEN", "jira-token"),
    ("JIRA_PROJECT", "SEC"),
];
const HOME: &[(&str, &str)] = &[("HOME", "/home/ada")];

/// An authority whose key nobody has.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUHL2RCnk5iwAzOe/IQV8kn7I8QygwCgYIKoZIzj0EAwIw
JTEjMCEGA1UEAwwabW9jay1zZXJ2ZXIgdGVzdCBhdXRob3JpdHkwIBcNNzUwMTAx
MDAwMDAwWhgPNDA5NjAxMDEwMDAwMDBaMCUxIzAhBgNVBAMMGm1vY2stc2VydmVy
IHRlc3QgYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDQ8vBFd2
wKaQdTfq16nIQQe1ZZeA/u90mujPYoS8DF5HFUQ0RNqrQQRI8+Kuty2HaXNYKmk8
s3GMzwcozRPJQqNCMEAwDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBR8Aj6Yx7UB
up7+lYP+r6aI1MrpbjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQC
IAC/xqMgmKaLjJQRI9ZeBhGKPbDNqbdjANSS+FqhOXKjAiA5Tfi7YKN020oql2hk
K03Z96Q49hp3OO38Sv/jgr5UKw==
-----END CERTIFICATE-----
";

fn load(path: Option<&Path>, variables: &[&[(&str, &str)]], choice: Choice) -> Result<Settings, ConfigError> {
    let all = variables.concat();
    let lookup = |name: &str| all.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    Settings::load_choosing(path, lookup, choice)
}

fn from_environment(variables: &[&[(&str, &str)]]) -> Result<Settings, ConfigError> {
    load(None, variables, Choice::default())
}

struct Written(tempfile::TempDir);

impl Written {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("sync.toml"), text).unwrap();
        Self(directory)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("sync.toml")
    }

    fn load(&self, variables: &[&[(&str, &str)]]) -> Result<Settings, ConfigError> {
        load(Some(&self.path()), variables, Choice::default())
    }
}

fn problem(text: &str) -> String {
    let error = Written::new(text).load(&[DATA_THEOREM, HOME]).unwrap_err().to_string();
    let (_, place) = error.split_once("sync.toml:").unwrap_or_else(|| panic!("no place in {error}"));
    place.to_owned()
}

#[test]
fn the_environment_alone_suffices() {
    let settings = from_environment(&[DATA_THEOREM, MEND, HOME]).unwrap();
    assert_eq!(settings.sources.data_theorem.unwrap().base_url.as_str(), "https://dt.example/v2");
    assert_eq!(settings.sources.mend.unwrap().org_token, "org");
    assert_eq!(settings.policy, Policy::default());
    let state = Path::new("/home/ada/.local/state/sync-client");
    assert_eq!(settings.places.ledger_file, state.join("ledger.sqlite"));
    assert_eq!(settings.places.tracker.file, state.join("tickets.sqlite"));
    assert_eq!(settings.places.tracker.uniqueness, Uniqueness::Key);
}

#[test]
fn files_are_kept_where_the_environment_says() {
    let places = |variables: &[(&str, &str)]| {
        from_environment(&[DATA_THEOREM, variables]).map(|settings| settings.places.ledger_file)
    };
    let all = [("SYNC_STATE_DIR", "state"), ("XDG_STATE_HOME", "/xdg"), ("HOME", "/h")];
    assert_eq!(places(&all).unwrap(), Path::new("state/ledger.sqlite"));
    assert_eq!(places(&all[1..]).unwrap(), Path::new("/xdg/sync-client/ledger.sqlite"));
    let relative = [("XDG_STATE_HOME", "xdg"), ("HOME", "/h")];
    assert_eq!(places(&relative).unwrap(), Path::new("/h/.local/state/sync-client/ledger.sqlite"));
    assert_eq!(places(&[("HOME", "")]), Err(ConfigError::NoStateDirectory));
}

#[test]
fn a_vendor_takes_part_if_it_is_set_up_and_half_set_up_is_an_error() {
    let only = from_environment(&[MEND, HOME]).unwrap();
    assert!(only.sources.data_theorem.is_none() && only.sources.mend.is_some());
    let half = from_environment(&[DATA_THEOREM, &MEND[..2], HOME]).unwrap_err();
    assert!(matches!(half, ConfigError::Missing { variable: "MEND_ORG_TOKEN", .. }), "{half}");
    assert_eq!(from_environment(&[HOME]).err(), Some(ConfigError::NoSource));
}

#[test]
fn a_flag_chooses_whose_findings() {
    let with = |source, variables: &[&[(&str, &str)]]| {
        load(None, variables, Choice { source: Some(source), tracker: None }).map(|settings| settings.sources)
    };
    let one = with(SourceChoice::DataTheorem, &[DATA_THEOREM, &MEND[..1], HOME]).unwrap();
    assert!(one.mend.is_none(), "what is not asked for may be half set up");
    let missing = with(SourceChoice::All, &[DATA_THEOREM, HOME]).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { variable: "MEND_URL", .. }), "{missing}");
    let file = Written::new("sources = [\"data-theorem\"]");
    assert!(file.load(&[DATA_THEOREM, MEND, HOME]).unwrap().sources.mend.is_none());
    assert!(file.load(&[MEND, HOME]).is_err(), "the file names a vendor that is not set up");
    assert_eq!(Written::new("sources = []").load(&[MEND, HOME]).err(), Some(ConfigError::NoSource));
}

#[test]
fn a_flag_chooses_the_tracker() {
    let file = Written::new("[tracker]\nkind = \"redmine\"");
    let load = |tracker| load(Some(&file.path()), &[DATA_THEOREM, HOME], Choice { source: None, tracker });
    let missing = load(None).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { variable: "REDMINE_URL", .. }), "{missing}");
    let missing = load(Some(TrackerKind::Jira)).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { variable: "JIRA_BASE_URL", .. }), "{missing}");
    assert_eq!(load(Some(TrackerKind::Local)).unwrap().tracker, TrackerSettings::Local);
}

#[test]
fn jira_is_set_up_by_variables_or_by_the_file() {
    let choice = Choice { source: None, tracker: Some(TrackerKind::Jira) };
    let jira = |settings: Settings| match settings.tracker {
        TrackerSettings::Jira(jira) => jira,
        other => panic!("{other:?}"),
    };
    let settings = jira(load(None, &[DATA_THEOREM, JIRA, HOME], choice).unwrap());
    assert_eq!(settings.url.as_str(), "https://jira.example/", "the API's path is left out");
    assert_eq!((settings.project.as_str(), settings.api), ("SEC", Api::Auto));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("jira-token") && !shown.contains("amlyYS10b2tlbg"), "{shown}");
    let missing = load(None, &[DATA_THEOREM, &JIRA[..3], HOME], choice).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { variable: "JIRA_PROJECT", .. }), "{missing}");

    let file = Written::new(
        r#"
        [tracker]
        kind = "jira"
        [tracker.jira]
        url = "https://file.example/jira"
        email = "sync@file.example"
        api_token_file = "token"
        project = "OPS"
        api = "v2"
        issue_type = "Task"
        done_status = "Closed"
        open_status = "Open"
        resolution = "Fixed"
        search_lag = "5s"
        "#,
    );
    std::fs::write(file.0.path().join("token"), "from-file\n").unwrap();
    let settings = jira(file.load(&[DATA_THEOREM, HOME]).unwrap());
    assert_eq!((settings.url.as_str(), settings.project.as_str()), ("https://file.example/jira", "OPS"));
    assert_eq!((settings.api, settings.search_lag), (Api::V2, Duration::from_secs(5)));
    assert_eq!(jira(file.load(&[DATA_THEOREM, JIRA, HOME]).unwrap()).project.as_str(), "SEC");
    for (line, wanted) in [
        ("project = \"A-1\"", "tracker.jira.project is not usable: a key of a project has only"),
        ("url = \"http://jira.example\"", "tracker.jira.url begins with http:"),
        ("api_token = \"S3CRET\"", "secrets do not belong in this file"),
        ("email = \"S3 CRET\"", "JIRA_API_TOKEN is not usable: it or the e-mail address"),
    ] {
        let file = Written::new(&format!("[tracker]\nkind = \"jira\"\n[tracker.jira]\n{line}"));
        let name = line.split(' ').next().unwrap().to_uppercase();
        let others: Vec<_> = JIRA.iter().filter(|(known, _)| !known.ends_with(&name)).copied().collect();
        let error = file.load(&[DATA_THEOREM, &others, HOME]).unwrap_err().to_string();
        assert!(error.contains(wanted) && !error.contains("CRET"), "{error}");
    }
}

#[test]
fn redmine_is_set_up_by_variables_or_by_the_file() {
    let choice = Choice { source: None, tracker: Some(TrackerKind::Redmine) };
    let redmine = |settings: Settings| match settings.tracker {
        TrackerSettings::Redmine(redmine) => redmine,
        other => panic!("{other:?}"),
    };
    let settings = redmine(load(None, &[DATA_THEOREM, REDMINE, HOME], choice).unwrap());
    assert_eq!(settings.url.as_str(), "https://redmine.example/r");
    assert_eq!((settings.project.as_str(), settings.key_field.clone()), ("sec", KeyField::default()));
    assert!(!format!("{settings:?}").contains("redmine-key"), "{settings:?}");
    let missing = load(None, &[DATA_THEOREM, &REDMINE[..2], HOME], choice).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { variable: "REDMINE_PROJECT", .. }), "{missing}");

    let file = Written::new(
        r#"
        [tracker]
        kind = "redmine"
        [tracker.redmine]
        url = "https://file.example"
        api_key_file = "key"
        project = "other"
        key_field = 12
        tracker = "Bug"
        done_status = "Resolved"
        text_format = "markdown"
        search_lag = "5s"
        "#,
    );
    std::fs::write(file.0.path().join("key"), "from-file\n").unwrap();
    let settings = redmine(file.load(&[DATA_THEOREM, HOME]).unwrap());
    assert_eq!((settings.url.as_str(), settings.project.as_str()), ("https://file.example/", "other"));
    assert_eq!((&settings.key_field, settings.text_format), (&KeyField::Id(12), TextFormat::Markdown));
    assert_eq!(
        (settings.tracker.as_deref(), settings.done_status.as_deref()),
        (Some("Bug"), Some("Resolved"))
    );
    assert_eq!(settings.search_lag, Duration::from_secs(5));
    assert_eq!(redmine(file.load(&[DATA_THEOREM, REDMINE, HOME]).unwrap()).project.as_str(), "sec");
    for (line, wanted) in [
        ("project = \"a/b\"", "tracker.redmine.project is not usable: an identifier has only"),
        ("url = \"http://redmine.example\"", "tracker.redmine.url begins with http:"),
        ("api_key = \"S3CRET\"", "secrets do not belong in this file"),
    ] {
        let file = Written::new(&format!("[tracker]\nkind = \"redmine\"\n[tracker.redmine]\n{line}"));
        let name = line.split(' ').next().unwrap();
        let others: Vec<_> =
            REDMINE.iter().filter(|(known, _)| !known.ends_with(&name.to_uppercase())).copied().collect();
        let error = file.load(&[DATA_THEOREM, &others, HOME]).unwrap_err().to_string();
        assert!(error.contains(wanted) && !error.contains("S3CRET"), "{error}");
    }
}

#[test]
fn a_file_says_everything_but_secrets() {
    let file = Written::new(
        r#"
        [data_theorem]
        base_url = "https://file.example/v2"
        api_key_file = "keys/dt"
        [tracker]
        file = "t.sqlite"
        unique_key = false
        search_lag = "2m"
        [ledger]
        file = "/var/l.sqlite"
        [policy]
        group_targets = "finding"
        on_close = "comment"
        overlap = "4d"
        mass_change_max = { percent = 50 }
        mask_credentials = false
        leave_out_apps = ["13"]
        [patience]
        attempts = 9
        run_deadline = "10m"
        "#,
    );
    let directory = file.0.path();
    std::fs::create_dir(directory.join("keys")).unwrap();
    std::fs::write(directory.join("keys/dt"), "from-file\n").unwrap();
    let settings = file.load(&[]).unwrap();
    assert_eq!(settings.places.tracker.file, directory.join("t.sqlite"), "beside the settings file");
    assert_eq!(settings.places.ledger_file, Path::new("/var/l.sqlite"));
    let lag = Uniqueness::None { search_lag: Duration::from_mins(2) };
    assert_eq!(settings.places.tracker.uniqueness, lag);
    let policy = &settings.policy;
    assert_eq!((policy.group_targets, policy.on_close), (TargetGroups::Finding, OnChange::Comment));
    assert_eq!(policy.overlap, Duration::from_hours(96));
    assert_eq!((policy.mass_change_max.tickets, policy.mass_change_max.percent), (10, 50));
    assert_eq!(policy.credentials, Credentials::Shown);
    assert!(policy.leave_out_apps.contains("13"));
    assert_eq!((settings.patience.attempts_max, settings.patience.timeout.as_secs()), (9, 60));
    assert_eq!(settings.patience.run_deadline, Duration::from_mins(10));
    let key = |settings: &Settings| settings.sources.data_theorem.as_ref().unwrap().api_key.header();
    assert_eq!(key(&settings), "APIKey from-file");
    let settings = file.load(&[DATA_THEOREM]).unwrap();
    assert_eq!(key(&settings), "APIKey dt-key", "the environment wins");
    assert_eq!(settings.sources.data_theorem.unwrap().base_url.as_str(), "https://dt.example/v2");
}

#[test]
fn messages_name_the_setting_a_value_came_from() {
    let file = Written::new("[data_theorem]\nbase_url = \"ftp://x\"");
    let error = file.load(&[&DATA_THEOREM[1..], HOME]).unwrap_err().to_string();
    assert!(error.starts_with("data_theorem.base_url is no usable address"), "{error}");
    let file = Written::new("[data_theorem]\napi_key_file = \"S3CRET\"");
    let error = file.load(&[&DATA_THEOREM[..1], HOME]).unwrap_err().to_string();
    assert!(error.contains("data_theorem.api_key_file") && !error.contains("S3CRET"), "{error}");
    assert!(file.load(&[DATA_THEOREM, HOME]).is_ok(), "the environment has the key: the file is not needed");
}

#[test]
fn what_is_unknown_or_wrong_in_a_file_is_said_with_its_place() {
    for (text, place, wanted) in [
        ("[policy]\n\"änder\" = 1", "2:1:", "unknown field `änder`, expected one of `group_targets`"),
        ("[policy]\non_closed = \"comment\"", "2:1:", "did you mean `on_close`?"),
        ("[polcy]", "1:2:", "did you mean `policy`?"),
        ("[policy]\non_close = \"coment\"", "2:12:", "did you mean `comment`?"),
        ("[data_theorem]\napi_key = \"S3CRET\"", "2:1:", "secrets do not belong in this file"),
        ("[mend]\nuser_key = \"S3CRET\"", "2:1:", "user_key_file"),
        ("[patience]\nattempts = 0", "2:12:", "a number from 1 to 100"),
        ("[patience]\nattempts = \"many\"", "2:12:", "expected"),
        ("[patience]\ntimeout = \"60\"", "2:11:", "write e.g. 90s"),
        ("[patience]\ntimeout = \"0s\"", "2:11:", "no time at all"),
        ("[policy]\nmass_change_max = { percent = 101 }", "2:31:", "from 0 to 100"),
        ("sources = [\"mendd\"]", "1:12:", "did you mean `mend`?"),
        ("[tracker\n", "1:9:", ""),
        ("a = 1\na = 2", "2:1:", "duplicate key"),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with(place) && problem.contains(wanted), "{text}: {problem}");
        assert!(!problem.contains("S3CRET"), "{problem}");
    }
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_said_so() {
    let error = load(Some(Path::new("/nowhere/sync.toml")), &[HOME], Choice::default()).unwrap_err();
    assert!(error.to_string().contains("/nowhere/sync.toml"), "{error}");
    let file = Written::new("");
    std::fs::write(file.path(), [0xff, 0xfe]).unwrap();
    assert!(file.load(&[HOME]).unwrap_err().to_string().contains("not UTF-8"));
}

/// Row 59 of the catalogue.
#[test]
fn further_authorities_are_read_and_proved_at_once() {
    let file = Written::new("[tls]\nca_file = \"ca.pem\"");
    let missing = file.load(&[DATA_THEOREM, HOME]).unwrap_err().to_string();
    assert!(missing.contains("ca.pem, which tls.ca_file names, can't be used"), "{missing}");
    std::fs::write(file.0.path().join("ca.pem"), "no certificate").unwrap();
    let none = file.load(&[DATA_THEOREM, HOME]).unwrap_err().to_string();
    assert!(none.contains("it contains no certificate in PEM form"), "{none}");
    std::fs::write(file.0.path().join("ca.pem"), AUTHORITY).unwrap();
    assert_eq!(file.load(&[DATA_THEOREM, HOME]).unwrap().authorities.as_deref(), Some(AUTHORITY.as_bytes()));
    let named = file.load(&[DATA_THEOREM, HOME, &[("SYNC_CA_FILE", "/nowhere/ca.pem")]]);
    let named = named.unwrap_err().to_string();
    assert!(named.starts_with("/nowhere/ca.pem, which SYNC_CA_FILE names"), "the environment wins: {named}");
    assert_eq!(from_environment(&[DATA_THEOREM, HOME]).unwrap().authorities, None);
}

#[test]
fn secrets_show_nowhere() {
    let settings = from_environment(&[DATA_THEOREM, MEND, HOME]).unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("dt-key") && !shown.contains("mend-key"), "{shown}");
    assert!(shown.contains("org"), "tokens of organizations are no secrets");
}

#[test]
fn where_tickets_are_needs_no_credential() {
    let places = Places::load(None, |name| (name == "HOME").then(|| "/h".into())).unwrap();
    assert_eq!(places.tracker.file, Path::new("/h/.local/state/sync-client/tickets.sqlite"));
}

/// What the example shows as the usual is the usual, and what it shows commented out is understood too.
#[test]
fn the_example_is_true() {
    let written = Written::new(EXAMPLE);
    let settings = written.load(&[DATA_THEOREM, MEND, HOME]).unwrap();
    assert_eq!(settings.policy, Policy::default());
    assert_eq!(settings.patience, super::PatienceSettings::default());
    let plain = from_environment(&[DATA_THEOREM, MEND, HOME]).unwrap();
    assert_eq!(settings.places, plain.places);
    for kind in [TrackerKind::Redmine, TrackerKind::Jira] {
        let choice = Choice { source: None, tracker: Some(kind) };
        let variables = [DATA_THEOREM, JIRA, REDMINE, HOME];
        let of_example = load(Some(&written.path()), &variables, choice).unwrap().tracker;
        assert_eq!(of_example, load(None, &variables, choice).unwrap().tracker);
    }

    let is_setting = |line: &str| line.starts_with("# ") && line.contains(" = ");
    let lines =
        EXAMPLE.lines().map(|line| if is_setting(line) { line.trim_start_matches("# ") } else { line });
    let everything = lines.collect::<Vec<_>>().join("\n");
    file::parse(Path::new("example"), &everything).unwrap();
    for table in [
        "",
        "[data_theorem]",
        "[mend]",
        "[tracker]",
        "[tracker.jira]",
        "[tracker.redmine]",
        "[ledger]",
        "[policy]",
        "[patience]",
        "[tls]",
    ] {
        let unknown = file::parse(Path::new("x"), &format!("{table}\nzzz = 1")).unwrap_err().to_string();
        let known: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert!(!known.is_empty(), "{unknown}");
        for name in known {
            let is_there = everything.contains(&format!("\n{name} = "))
                || everything.contains(&format!("\n[{name}]"))
                || everything.contains(&format!("\n[tracker.{name}]"));
            assert!(is_there, "{table} {name} is missing in the example");
        }
    }
}
