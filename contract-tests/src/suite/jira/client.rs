//! Jira's API as a check calls it. It reads replies as tolerantly as the readings allow, and no further.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value, json};

use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised, observed};
use crate::suite::rows::{Row, Rows, SharedRows};
use crate::target::account::{JiraAccount, JiraUser};
use crate::target::exchange::{Evidence, Reply, Request};

/// Nobody's address.
const NOBODYS_EMAIL: &str = "nobody@contract-suite.invalid";
/// A token by its form, and nobody's.
pub(crate) const NOBODYS_TOKEN: &str = "ATATT3xFfGF0nobodys";
/// The number of an issue, comment or link that nothing has.
pub(crate) const UNKNOWN: &str = "999999999";

/// Jira, seen by one user or by nobody, in one version of its API.
#[derive(Clone, Copy)]
pub struct Jira<'c> {
    case: &'c Case,
    account: &'c JiraAccount,
    login: Login<'c>,
    version: u8,
}

#[derive(Clone, Copy)]
enum Login<'c> {
    Pair { email: &'c str, token: &'c str },
    None,
}

/// An issue that a check made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Its number.
    pub(crate) id: String,
    /// Its key.
    pub(crate) key: String,
}

/// What checks that only read have in common.
#[derive(Default)]
pub struct Surveyed {
    issues: SharedRows,
    issue_types: SharedRows,
}

impl<'c> Jira<'c> {
    /// Version 3, seen by the account's user.
    pub fn new(case: &'c Case, account: &'c JiraAccount) -> Self {
        let login = Login::Pair { email: &account.email, token: &account.api_token };
        Self { case, account, login, version: 3 }
    }

    /// Version 2.
    #[must_use]
    pub(crate) fn version_2(self) -> Self {
        Self { version: 2, ..self }
    }

    /// Seen by another user.
    #[must_use]
    pub(crate) fn with_user(self, user: &'c JiraUser) -> Self {
        Self { login: Login::Pair { email: &user.email, token: &user.api_token }, ..self }
    }

    /// Seen by somebody whose credentials are not valid. They are nobody's, so that no user's failed logins are counted.
    #[must_use]
    pub(crate) fn stranger(self) -> Self {
        Self { login: Login::Pair { email: NOBODYS_EMAIL, token: NOBODYS_TOKEN }, ..self }
    }

    /// Seen by somebody who shows no credentials.
    #[must_use]
    pub(crate) fn anonymous(self) -> Self {
        Self { login: Login::None, ..self }
    }

    /// The address of the account's user.
    pub(crate) fn email(&self) -> &'c str {
        &self.account.email
    }

    /// All users, as only a simulator tells.
    pub(crate) fn users(&self) -> &'c [JiraUser] {
        &self.account.users
    }

    /// A user of the account who fits.
    pub(crate) fn find_user(
        &self,
        what: &str,
        wanted: impl Fn(&JiraUser) -> bool,
    ) -> Result<&'c JiraUser, Stop> {
        let found = self.account.users.iter().find(|user| wanted(user));
        found.ok_or_else(|| Stop::NotExercised(format!("the account has no user {what}")))
    }

    /// Key of the project that is looked at.
    pub(crate) fn project(&self) -> &'c str {
        &self.account.project
    }

    /// The query for all issues of that project.
    pub(crate) fn project_jql(&self) -> String {
        format!("project = \"{}\"", self.project())
    }

    /// Key of the project in which issues may be made, changed and deleted.
    pub(crate) fn changeable_project(&self) -> Result<&'c str, Stop> {
        let Some(writes) = self.case.writes() else { return Ok(self.project()) };
        let why = "no project is named in which issues may be made and deleted (--jira-project)";
        writes.jira_project.as_deref().ok_or_else(|| Stop::Skipped(why.to_owned()))
    }

    /// `GET` below the version.
    pub(crate) fn get(&self, path: &str) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::GET, path))
    }

    /// `POST` below the version.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::POST, path).json(body))
    }

    /// `PUT` below the version.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::PUT, path).json(body))
    }

    /// `DELETE` below the version.
    pub(crate) fn delete(&self, path: &str) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::DELETE, path))
    }

    /// A request below the version, without credentials.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}/rest/api/{}/{path}", self.account.base_url, self.version))
    }

    /// Sends a request with the credentials.
    pub(crate) fn send(&self, request: Request) -> Result<(Reply, Evidence), Stop> {
        self.case.send(self.authorized(request))
    }

    fn authorized(&self, request: Request) -> Request {
        match self.login {
            Login::Pair { email, token } => {
                let pair = STANDARD.encode(format!("{email}:{token}"));
                request.header("authorization", &format!("Basic {pair}"))
            }
            Login::None => request,
        }
    }

    /// A single object, as a prerequisite: unless it comes, the check is not exercised.
    pub(crate) fn item(&self, path: &str) -> Result<Row, Stop> {
        let (reply, evidence) = self.get(path)?;
        match reply.json() {
            Some(json) if reply.status == 200 && json.is_object() => Ok(Row { json, evidence }),
            _ => not_exercised(format!("GET {path} answers {}", reply.status)),
        }
    }

    /// An issue, as a prerequisite.
    pub(crate) fn issue(&self, key: &str) -> Result<Row, Stop> {
        self.item(&format!("issue/{key}"))
    }

    /// A field of an issue, as a prerequisite; null if it has none.
    pub(crate) fn field(&self, key: &str, name: &str) -> Result<Value, Stop> {
        Ok(self.issue(key)?.json["fields"][name].clone())
    }

    /// Asks the search. It reads only, by GET, so that an account sees that.
    pub(crate) fn ask_search(&self, query: &[(&str, &str)]) -> Result<(Reply, Evidence), Stop> {
        self.get(&with_query("search/jql", query))
    }

    /// A page of a search, as a prerequisite.
    pub(crate) fn search(&self, query: &[(&str, &str)]) -> Result<Row, Stop> {
        let page = self.item(&with_query("search/jql", query))?;
        observed(page.json["issues"].is_array(), "the reply to a search has no list of issues")?;
        Ok(page)
    }

    /// The issues that a search finds at once, as a prerequisite.
    pub(crate) fn found(&self, query: &[(&str, &str)]) -> Result<Rows, Stop> {
        let page = self.search(query)?;
        Ok(Rows { what: "an issue", rows: vec![page], is_complete: false }.items_of("issues", "an issue"))
    }

    /// The first issues of the project, with key and summary.
    pub(crate) fn issues(&self) -> Result<&'c Rows, Stop> {
        self.case
            .surveyed()
            .jira
            .issues
            .get_or_ask(|| self.found(&[("jql", &self.project_jql()), ("fields", "summary,status")]))
    }

    /// Key of an issue of the project.
    pub(crate) fn some_key(&self) -> Result<&'c str, Stop> {
        let issue = self.issues()?.find("issue in the project", |row| row.text("key").is_some())?;
        Ok(issue.text("key").unwrap_or_default())
    }

    /// Number of an issue type with which issues of the changeable project can be made.
    pub(crate) fn issue_type(&self) -> Result<&'c str, Stop> {
        let project = self.changeable_project()?;
        let types = self.case.surveyed().jira.issue_types.get_or_ask(|| {
            let page = self.item(&format!("issue/createmeta/{project}/issuetypes"))?;
            let page = Rows { what: "a page", rows: vec![page], is_complete: true };
            Ok(page.items_of("issueTypes", "an issue type"))
        })?;
        let is_plain = |row: &Row| row.json["subtask"] != json!(true) && row.text("id").is_some();
        let found = types.find("issue type that stands alone", is_plain)?;
        Ok(found.text("id").unwrap_or_default())
    }

    /// The fields of a new issue in the changeable project; `more` are added to them.
    pub(crate) fn new_fields(&self, more: &Value) -> Result<Value, Stop> {
        let mut fields = Map::new();
        fields.insert("project".to_owned(), json!({"key": self.changeable_project()?}));
        fields.insert("issuetype".to_owned(), json!({"id": self.issue_type()?}));
        fields.insert("summary".to_owned(), json!("Made by the contract suite"));
        fields.extend(
            more.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())),
        );
        Ok(fields.into())
    }

    /// Asks for an issue to be made, whatever comes of it. What is made, by whomever, is deleted by the account's user when
    /// the check is over.
    pub(crate) fn create(&self, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.create_by(self.request(Method::POST, "issue").json(body))
    }

    /// The same for a request of another form.
    pub(crate) fn create_by(&self, request: Request) -> Result<(Reply, Evidence), Stop> {
        let (reply, evidence) = self.send(request)?;
        let json = reply.json().filter(|_| reply.is_success()).unwrap_or_default();
        let many = json.get("issues").and_then(Value::as_array).into_iter().flatten();
        for key in many.chain([&json]).filter_map(|made| made.get("key")?.as_str()) {
            let owner = Self::new(self.case, self.account);
            let deletion = owner.request(Method::DELETE, &format!("issue/{key}"));
            self.case.undo_later(owner.authorized(deletion));
        }
        Ok((reply, evidence))
    }

    /// An issue with these fields besides the necessary ones, as a prerequisite.
    pub(crate) fn make(&self, more: &Value) -> Result<Made, Stop> {
        self.make_of(&json!({"fields": self.new_fields(more)?}))
    }

    /// An issue by the whole body of its request, as a prerequisite.
    pub(crate) fn make_of(&self, body: &Value) -> Result<Made, Stop> {
        let (reply, evidence) = self.create(body)?;
        let json = reply.json().filter(|_| reply.is_success()).unwrap_or_default();
        match (json["id"].as_str(), json["key"].as_str()) {
            (Some(id), Some(key)) => Ok(Made { id: id.to_owned(), key: key.to_owned() }),
            _ => not_exercised(format!("no issue is made: {evidence}")),
        }
    }

    /// The ways on that an issue has, with the fields of their screens, as a prerequisite.
    pub(crate) fn transitions(&self, key: &str) -> Result<Rows, Stop> {
        let page = self.item(&format!("issue/{key}/transitions?expand=transitions.fields"))?;
        let page = Rows { what: "a page", rows: vec![page], is_complete: true };
        Ok(page.items_of("transitions", "a transition"))
    }

    /// A way on that needs no fields.
    pub(crate) fn plain_transition(&self, key: &str) -> Result<Row, Stop> {
        let ways = self.transitions(key)?;
        let plain = |row: &Row| row.text("id").is_some() && required_fields(row).next().is_none();
        ways.find("transition that requires no field", plain).cloned()
    }
}

/// The fields that a transition's screen requires and that have no value by themselves. One of which that is not said
/// counts as required.
pub(crate) fn required_fields(transition: &Row) -> impl Iterator<Item = (&String, &Value)> {
    let fields = transition.get("fields").and_then(Value::as_object).into_iter().flatten();
    fields.filter(|(_, field)| field["required"] != json!(false) && field["hasDefaultValue"] != json!(true))
}

/// A path with a query, encoded.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{query}")
}

/// A document of one paragraph.
pub(crate) fn document(text: &str) -> Value {
    let paragraph = json!({"type": "paragraph", "content": [{"type": "text", "text": text}]});
    json!({"type": "doc", "version": 1, "content": [paragraph]})
}
