//! Mend's API as a check calls it. It reads replies as tolerantly as the readings allow, and no further.

use http::Method;
use serde_json::{Map, Value, json};

use crate::suite::case::Case;
use crate::suite::check::{Stop, broken_at, not_exercised, observed, unclear};
use crate::suite::rows::{Row, Rows, SharedRows};
use crate::target::account::{MendAccount, MendUser};
use crate::target::exchange::{Evidence, Reply, Request};

/// How many projects of an account that is not ours are looked at.
const ACCOUNT_PROJECTS_MAX: usize = 5;

/// A century, in each form that a window's bounds may have.
const WINDOWS: [[&str; 2]; 3] = [
    ["2000-01-01 00:00:00", "2099-12-31 00:00:00"],
    ["2000/01/01-00:00", "2099/12/31-00:00"],
    ["2000-01-01-00:00", "2099-12-31-00:00"],
];

/// Mend, seen as one user and in one version.
#[derive(Clone, Copy)]
pub struct Mend<'c> {
    case: &'c Case,
    account: &'c MendAccount,
    user_key: Option<&'c str>,
    version: &'static str,
}

/// A call's answer: status 200 and a JSON object.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The object.
    pub json: Value,
    /// The exchange.
    pub evidence: Evidence,
}

/// What checks that only read have in common.
#[derive(Default)]
pub struct Surveyed {
    projects: SharedRows,
    policy_issues: SharedRows,
    alerts: SharedRows,
}

impl Answer {
    /// Whether the call was refused: Mend says so in the body.
    pub fn is_refused(&self) -> bool {
        self.json.get("errorCode").is_some()
    }

    /// The code of a refusal.
    pub fn error_code(&self) -> Option<i64> {
        self.json.get("errorCode")?.as_i64()
    }

    /// What is said of a refusal.
    pub fn refusal(&self) -> String {
        format!("{}, {}", self.json["errorCode"], self.json["errorMessage"])
    }

    /// A list in the answer, as rows; none if it is absent.
    pub fn rows(&self, name: &str, what: &'static str) -> Rows {
        let items = self.json.get(name).and_then(Value::as_array).into_iter().flatten();
        let rows = items.map(|item| Row { json: item.clone(), evidence: self.evidence.clone() });
        Rows { what, rows: rows.collect(), is_complete: true }
    }

    /// The answer has this list, whatever stands in it. An answer without any member shows nothing.
    pub fn expect_list(&self, name: &str) -> Result<(), Stop> {
        let names: Vec<&String> = self.json.as_object().into_iter().flatten().map(|(name, _)| name).collect();
        observed(!names.is_empty(), "the answer is empty")?;
        if self.json[name].is_array() {
            return Ok(());
        }
        broken_at(&self.evidence, format!("a list as `{name}`"), format!("{names:?}"))
    }

    /// The answer as a row.
    pub fn row(&self) -> Row {
        Row { json: self.json.clone(), evidence: self.evidence.clone() }
    }
}

impl<'c> Mend<'c> {
    /// Seen as the account's user, in version 1.4.
    pub fn new(case: &'c Case, account: &'c MendAccount) -> Self {
        Self { case, account, user_key: Some(&account.user_key), version: "v1.4" }
    }

    /// Seen with another key.
    #[must_use]
    pub fn with_user_key(self, user_key: &'c str) -> Self {
        Self { user_key: Some(user_key), ..self }
    }

    /// Seen without a key.
    #[must_use]
    pub fn anonymous(self) -> Self {
        Self { user_key: None, ..self }
    }

    /// In another version, such as `v1.3`.
    #[must_use]
    pub fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    /// The case this belongs to.
    pub fn case(&self) -> &'c Case {
        self.case
    }

    /// The organization's token.
    pub fn org_token(&self) -> &'c str {
        &self.account.org_token
    }

    /// The user's key.
    pub fn user_key(&self) -> &'c str {
        self.user_key.unwrap_or_default()
    }

    /// A user of the account that fits.
    pub fn find_user(&self, what: &str, wanted: impl Fn(&MendUser) -> bool) -> Result<&'c MendUser, Stop> {
        let found = self.account.users.iter().find(|user| wanted(user));
        found.ok_or_else(|| Stop::NotExercised(format!("the account has no user {what}")))
    }

    /// The request of a call, with the credential.
    pub fn request(&self, request_type: &str, fields: &Value) -> Request {
        let mut body = Map::new();
        body.insert("requestType".to_owned(), Value::from(request_type));
        if let Some(key) = self.user_key {
            body.insert("userKey".to_owned(), Value::from(key));
        }
        if let Some(fields) = fields.as_object() {
            body.extend(fields.clone());
        }
        self.raw(Method::POST).json(&Value::Object(body))
    }

    /// A request to this version's path, without a body.
    pub fn raw(&self, method: Method) -> Request {
        Request::new(method, format!("{}/api/{}", self.account.url, self.version))
    }

    /// Sends a request as it is.
    pub fn send(&self, request: Request) -> Result<(Reply, Evidence), Stop> {
        self.case.send(request)
    }

    /// Makes a call and expects an answer of some kind, a refusal included.
    pub fn call(&self, request_type: &str, fields: &Value) -> Result<Answer, Stop> {
        self.answer(self.request(request_type, fields))
    }

    /// Sends a request and expects an answer of some kind, a refusal included.
    pub fn answer(&self, request: Request) -> Result<Answer, Stop> {
        let request_type = request.body_json().and_then(|body| body.get("requestType").cloned());
        let (reply, evidence) = self.case.send(request)?;
        match reply.json() {
            Some(json) if reply.status == 200 && json.is_object() => Ok(Answer { json, evidence }),
            _ => {
                let name = request_type.unwrap_or_default();
                not_exercised(format!("{name} is answered with status {} and no JSON object", reply.status))
            }
        }
    }

    /// Makes a call as a prerequisite: if it is refused, the check is not exercised.
    pub fn accepted(&self, request_type: &str, fields: &Value) -> Result<Answer, Stop> {
        let answer = self.call(request_type, fields)?;
        if answer.is_refused() {
            return unclear(format!("{request_type} is refused"), answer.refusal());
        }
        Ok(answer)
    }

    /// The organization's projects: rows with `projectName` and `projectToken`.
    pub fn projects(&self) -> Result<&'c Rows, Stop> {
        let cell = &self.case.surveyed().mend.projects;
        cell.get_or_ask(|| {
            let answer =
                self.accepted("getOrganizationProjectVitals", &json!({"orgToken": self.org_token()}))?;
            let mut rows = answer.rows("projectVitals", "a project");
            for row in &mut rows.rows {
                // Vitals call it `token`; the rest of the API `projectToken`.
                if let Some(token) = row.json.get("token").cloned() {
                    row.json["projectToken"] = token;
                }
            }
            Ok(rows)
        })
    }

    /// The potential issues of the organization's projects, each with its project's token as `projectToken`.
    pub fn policy_issues(&self) -> Result<&'c Rows, Stop> {
        let cell = &self.case.surveyed().mend.policy_issues;
        cell.get_or_ask(|| {
            let most = if self.case.writes().is_some() { ACCOUNT_PROJECTS_MAX } else { usize::MAX };
            let mut all = Rows { what: "an issue", rows: Vec::new(), is_complete: most == usize::MAX };
            for project in self.projects()?.rows.iter().take(most) {
                let Some(token) = project.text("projectToken") else { continue };
                all.rows.append(&mut self.policy_issues_of(token)?.rows);
            }
            Ok(all)
        })
    }

    /// The potential issues of a project, each with its token as `projectToken`.
    pub fn policy_issues_of(&self, project_token: &str) -> Result<Rows, Stop> {
        let answer = self.fetched(project_token)?;
        let mut issues = answer.rows("issues", "an issue");
        for issue in &mut issues.rows {
            if issue.json.is_object() {
                issue.json["projectToken"] = Value::from(project_token);
            }
        }
        Ok(issues)
    }

    /// All issues of a project. A server may want a window to be named, and understand one form of its bounds only.
    fn fetched(&self, project_token: &str) -> Result<Answer, Stop> {
        let mut fields = json!({"projectToken": project_token, "policyActionType": "CREATE_ISSUE"});
        let answer = self.call("fetchProjectPolicyIssues", &fields)?;
        if !answer.is_refused() {
            return Ok(answer);
        }
        for [from, to] in WINDOWS {
            fields["fromDateTime"] = Value::from(from);
            fields["toDateTime"] = Value::from(to);
            let answer = self.call("fetchProjectPolicyIssues", &fields)?;
            if !answer.is_refused() {
                return Ok(answer);
            }
        }
        unclear("fetchProjectPolicyIssues is refused", answer.refusal())
    }

    /// A project with a policy violation that may be reported on: the issue it stands in.
    pub fn reportable_issue(&self) -> Result<Row, Stop> {
        let project = match self.case.writes() {
            None => None,
            Some(writes) => match &writes.project_token {
                Some(token) => Some(token.as_str()),
                None => {
                    let why = "no project is named whose violations may be reported on (--mend-project)";
                    return Err(Stop::Skipped(why.to_owned()));
                }
            },
        };
        let fits = |row: &Row| row.list("policyViolations").iter().any(|one| one["issueUuid"].is_string());
        let what = "issue with a policy violation";
        match project {
            None => self.find_issue(what, fits),
            Some(token) => Ok(self.policy_issues_of(token)?.find(what, fits)?.clone()),
        }
    }

    /// The alerts of the organization that stand.
    pub fn alerts(&self) -> Result<&'c Rows, Stop> {
        let cell = &self.case.surveyed().mend.alerts;
        cell.get_or_ask(|| {
            if self.case.writes().is_none() {
                let fields = json!({"orgToken": self.org_token()});
                return Ok(self.accepted("getOrganizationAlerts", &fields)?.rows("alerts", "an alert"));
            }
            // An account that is somebody's may have more than can be asked for at once.
            let mut all = Rows { what: "an alert", rows: Vec::new(), is_complete: false };
            for project in self.projects()?.rows.iter().take(ACCOUNT_PROJECTS_MAX) {
                let fields = json!({"projectToken": project.json["projectToken"]});
                all.rows
                    .append(&mut self.accepted("getProjectAlerts", &fields)?.rows("alerts", "an alert").rows);
            }
            Ok(all)
        })
    }

    /// The first issue that fits, project by project: fewer calls than [`Mend::policy_issues`] where the world is not
    /// shared. Each has its project's token as `projectToken`.
    pub fn find_issue(&self, what: &str, fits: impl Fn(&Row) -> bool) -> Result<Row, Stop> {
        let most = if self.case.writes().is_some() { ACCOUNT_PROJECTS_MAX } else { usize::MAX };
        for project in self.projects()?.rows.iter().take(most) {
            let Some(token) = project.text("projectToken") else { continue };
            if let Some(found) = self.policy_issues_of(token)?.rows.into_iter().find(|row| fits(row)) {
                return Ok(found);
            }
        }
        not_exercised(format!("there is no {what}"))
    }
}
