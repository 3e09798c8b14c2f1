//! Data Theorem's API as a check calls it. It reads replies as tolerantly as the readings allow, and no further.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use http::Method;
use serde_json::{Value, json};

use crate::suite::case::Case;
use crate::suite::check::{Stop, not_exercised};
use crate::suite::rows::{Row, Rows, SharedRows};
use crate::target::account::{ApiKey, DataTheoremAccount};
use crate::target::exchange::{Evidence, Reply, Request};

/// The resource of targets.
pub const TARGETS: &str = "security_finding_targets";
/// The resource of findings.
pub const FINDINGS: &str = "security_findings";
/// The resource of apps.
pub const APPS: &str = "mobile_apps";

/// How many pages of an account that is not ours are looked at.
const ACCOUNT_PAGES_MAX: usize = 3;
/// How many pages of a simulator's world are read before a list counts as endless.
const SIMULATOR_PAGES_MAX: usize = 2_000;

/// Data Theorem, seen with one key or with none.
#[derive(Clone, Copy)]
pub struct DataTheorem<'c> {
    case: &'c Case,
    account: &'c DataTheoremAccount,
    authorization: Authorization<'c>,
}

#[derive(Clone, Copy)]
enum Authorization<'c> {
    Key(&'c str),
    Header(&'c str),
    None,
}

/// A page of a list.
pub struct Page {
    /// Its rows.
    pub rows: Rows,
    /// `pagination_information`, if the reply has it.
    pub pagination: Option<Value>,
    /// Where the next page is; none if this is the last one.
    pub next_cursor: Option<String>,
    /// The exchange.
    pub evidence: Evidence,
}

/// What checks that only read have in common.
#[derive(Default)]
pub struct Surveyed {
    apps: SharedRows,
    findings: SharedRows,
    single_findings: SharedRows,
    targets: SharedRows,
    scans: SharedRows,
}

impl<'c> DataTheorem<'c> {
    /// Seen with the account's key.
    pub fn new(case: &'c Case, account: &'c DataTheoremAccount) -> Self {
        Self { case, account, authorization: Authorization::Key(&account.api_key) }
    }

    /// Seen with another key.
    #[must_use]
    pub fn with_key(self, key: &'c str) -> Self {
        Self { authorization: Authorization::Key(key), ..self }
    }

    /// Seen with this `Authorization` header.
    #[must_use]
    pub fn with_authorization(self, header: &'c str) -> Self {
        Self { authorization: Authorization::Header(header), ..self }
    }

    /// Seen without a key.
    #[must_use]
    pub fn anonymous(self) -> Self {
        Self { authorization: Authorization::None, ..self }
    }

    /// The account's own key.
    pub fn api_key(&self) -> &'c str {
        &self.account.api_key
    }

    /// What the account's own key is called and may do.
    pub fn own_key(&self) -> Result<&'c ApiKey, Stop> {
        self.find_key("that describes itself", |key| key.api_key == self.account.api_key)
    }

    /// A key of the account that fits.
    pub fn find_key(&self, what: &str, wanted: impl Fn(&ApiKey) -> bool) -> Result<&'c ApiKey, Stop> {
        let found = self.account.keys.iter().find(|key| wanted(key));
        found.ok_or_else(|| Stop::NotExercised(format!("the account has no key {what}")))
    }

    /// `GET` below the base path.
    pub fn get(&self, path: &str) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::GET, path))
    }

    /// `PATCH` below the base path.
    pub fn patch(&self, path: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::PATCH, path).json(body))
    }

    /// `POST` below the base path.
    pub fn post(&self, path: &str, body: &Value) -> Result<(Reply, Evidence), Stop> {
        self.send(self.request(Method::POST, path).json(body))
    }

    /// A request below the base path, without the credential.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}/{path}", self.account.base_url))
    }

    /// Sends a request with the credential.
    pub fn send(&self, request: Request) -> Result<(Reply, Evidence), Stop> {
        self.case.send(self.authorized(request))
    }

    /// The request with the credential.
    pub fn authorized(&self, request: Request) -> Request {
        match self.authorization {
            Authorization::Key(key) => request.header("authorization", &format!("APIKey {key}")),
            Authorization::Header(header) => request.header("authorization", header),
            Authorization::None => request,
        }
    }

    /// A single object, as a prerequisite: unless it comes, the check is not exercised.
    pub fn item(&self, path: &str) -> Result<Row, Stop> {
        let (reply, evidence) = self.get(path)?;
        match reply.json() {
            Some(json) if reply.status == 200 && json.is_object() => Ok(Row { json, evidence }),
            _ => not_exercised(format!("GET {path} answers {}", reply.status)),
        }
    }

    /// The target with this id.
    pub fn target(&self, id: &str) -> Result<Row, Stop> {
        self.item(&format!("{TARGETS}/{id}"))
    }

    /// The finding with this id.
    pub fn finding(&self, id: &str) -> Result<Row, Stop> {
        self.item(&format!("{FINDINGS}/{id}"))
    }

    /// One page of a list, as a prerequisite: unless it comes, the check is not exercised.
    pub fn page(&self, resource: &str, query: &[(&str, &str)]) -> Result<Page, Stop> {
        let path = with_query(resource, query);
        let (reply, evidence) = self.get(&path)?;
        let json = reply.json().filter(|_| reply.status == 200);
        let Some(json) = json else { return not_exercised(format!("GET {path} answers {}", reply.status)) };
        let Some(rows) = list_in(resource, &json) else {
            return not_exercised(format!("the reply to GET {path} has no list of {resource}"));
        };
        let rows = rows.iter().map(|row| Row { json: row.clone(), evidence: evidence.clone() }).collect();
        let pagination = json.get("pagination_information").cloned();
        let next_cursor = pagination.as_ref().and_then(next_cursor);
        let rows = Rows { what: singular(resource), rows, is_complete: next_cursor.is_none() };
        Ok(Page { rows, pagination, next_cursor, evidence })
    }

    /// All rows of a list, as far as there is patience: some pages of an account, every page of a simulator.
    pub fn all(&self, resource: &str, query: &[(&str, &str)]) -> Result<Rows, Stop> {
        let mut rows = Rows { what: singular(resource), rows: Vec::new(), is_complete: false };
        rows.is_complete = self.each_page(resource, query, |mut page| {
            rows.rows.append(&mut page.rows.rows);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// The first row of a list of which something is so.
    fn first(
        &self,
        resource: &str,
        query: &[(&str, &str)],
        what: &str,
        wanted: impl Fn(&Row) -> bool,
    ) -> Result<Row, Stop> {
        let mut found = None;
        self.each_page(resource, query, |page| {
            found = page.rows.rows.into_iter().find(|row| wanted(row));
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        found.ok_or_else(|| Stop::NotExercised(format!("there is no {what}")))
    }

    /// Follows the cursors of a list; says whether that came to the end. A cursor that comes again leads nowhere new.
    fn each_page(
        &self,
        resource: &str,
        query: &[(&str, &str)],
        mut look: impl FnMut(Page) -> ControlFlow<()>,
    ) -> Result<bool, Stop> {
        let pages_max = if self.case.writes().is_some() { ACCOUNT_PAGES_MAX } else { SIMULATOR_PAGES_MAX };
        let mut cursor: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..pages_max {
            // Some readings want the filters again beside the cursor; none minds them.
            let mut again = query.to_vec();
            again.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.page(resource, &again)?;
            let next = page.next_cursor.take();
            if look(page).is_break() {
                return Ok(false);
            }
            let Some(next) = next else { return Ok(true) };
            if !seen.insert(next.clone()) {
                return Ok(false);
            }
            cursor = Some(next);
        }
        Ok(false)
    }

    /// The account's apps.
    pub fn apps(&self) -> Result<&'c Rows, Stop> {
        self.case.surveyed().data_theorem.apps.get_or_ask(|| self.all(APPS, &[]))
    }

    /// The account's findings.
    pub fn findings(&self) -> Result<&'c Rows, Stop> {
        self.case.surveyed().data_theorem.findings.get_or_ask(|| self.all(FINDINGS, &[]))
    }

    /// The account's targets.
    pub fn targets(&self) -> Result<&'c Rows, Stop> {
        self.case.surveyed().data_theorem.targets.get_or_ask(|| self.all(TARGETS, &[]))
    }

    /// The scans of the account's first apps.
    pub fn scans(&self) -> Result<&'c Rows, Stop> {
        self.case.surveyed().data_theorem.scans.get_or_ask(|| {
            let mut all = Rows { what: "a scan", rows: Vec::new(), is_complete: false };
            for app in self.apps()?.rows.iter().take(8) {
                let Some(id) = app.text("id") else { continue };
                all.rows.append(&mut self.page(&format!("{APPS}/{id}/scans"), &[])?.rows.rows);
            }
            Ok(all)
        })
    }

    /// A target in one of these statuses that may be changed.
    pub fn changeable_target(&self, statuses: &[&str]) -> Result<Row, Stop> {
        let fits = |row: &Row| {
            row.text("current_status").is_some_and(|status| statuses.contains(&status))
                && row.text("id").is_some()
        };
        let what = format!("target that is {}", statuses.join(" or "));
        self.first(TARGETS, &self.changeable_app()?, &what, fits)
    }

    /// The query that limits a list to what may be changed.
    fn changeable_app(&self) -> Result<Vec<(&'static str, &'c str)>, Stop> {
        let Some(writes) = self.case.writes() else { return Ok(Vec::new()) };
        match &writes.mobile_app_id {
            Some(app) => Ok(vec![("mobile_app_id", app.as_str())]),
            None => {
                let why = "no app is named whose targets and findings may be changed (--data-theorem-app)";
                Err(Stop::Skipped(why.to_owned()))
            }
        }
    }

    /// Has the target's `external_id` put back to what the row says when the check is over.
    pub fn restore_external_id(&self, target: &Row) {
        let Some(id) = target.text("id") else { return };
        let before = target.text("external_id").unwrap_or_default();
        let request = self.request(Method::PATCH, &format!("{TARGETS}/{id}"));
        self.case.undo_later(self.authorized(request.json(&json!({"external_id": before}))));
    }

    /// Has the target opened again when the check is over.
    pub fn reopen_later(&self, target_id: &str) {
        let request = self.request(Method::POST, &format!("{TARGETS}/{target_id}/statuses"));
        self.case.undo_later(self.authorized(request.json(&json!({"status": "OPEN"}))));
    }

    /// The other keys of the account, as only a simulator tells.
    pub fn keys(&self) -> &'c [ApiKey] {
        &self.account.keys
    }

    /// Some of the account's findings as single objects, which may carry other fields than listed ones.
    pub fn single_findings(&self) -> Result<&'c Rows, Stop> {
        self.case.surveyed().data_theorem.single_findings.get_or_ask(|| {
            let listed = self.findings()?;
            let (noted, others): (Vec<&Row>, Vec<&Row>) =
                listed.rows.iter().partition(|row| !row.list("notes").is_empty());
            let ids = noted.into_iter().chain(others).filter_map(|row| row.text("id")).take(3);
            let rows = ids.map(|id| self.finding(id)).collect::<Result<_, _>>()?;
            Ok(Rows { what: "a finding", rows, is_complete: false })
        })
    }

    /// A finding that has a priority, which may be changed and can be put back.
    pub fn changeable_finding(&self) -> Result<Row, Stop> {
        let fits = |row: &Row| row.text("priority").is_some() && row.text("id").is_some();
        self.first(FINDINGS, &self.changeable_app()?, "finding with a priority", fits)
    }

    /// Has the finding's priority put back to what the row says when the check is over.
    pub fn restore_priority(&self, finding: &Row) {
        let (Some(id), Some(before)) = (finding.text("id"), finding.text("priority")) else { return };
        let request = self.request(Method::PATCH, &format!("{FINDINGS}/{id}"));
        self.case.undo_later(self.authorized(request.json(&json!({"priority": before}))));
    }
}

/// A path with a query, encoded.
pub fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    // A space is never in these queries; a plus is, in timestamps, and is written as %2B.
    format!("{path}?{query}")
}

/// The list in a reply: under the resource's name, or for targets under the name that the page's prose uses.
pub fn list_in<'j>(resource: &str, json: &'j Value) -> Option<&'j Vec<Value>> {
    let name = resource.rsplit('/').next().unwrap_or(resource);
    let other = if name == TARGETS { json.get("targets") } else { None };
    json.get(name).or(other)?.as_array()
}

/// The cursor of the next page. Absent, null and empty mean that there is none.
fn next_cursor(pagination: &Value) -> Option<String> {
    pagination.get("next_cursor")?.as_str().filter(|cursor| !cursor.is_empty()).map(str::to_owned)
}

/// The total count, as a string or as a number.
pub fn total_count(pagination: &Value) -> Option<u64> {
    let count = pagination.get("total_count")?;
    count.as_u64().or_else(|| count.as_str()?.parse().ok())
}

fn singular(resource: &str) -> &'static str {
    match resource.rsplit('/').next() {
        Some("security_finding_targets") => "a target",
        Some("security_findings") => "a finding",
        Some("mobile_apps") => "an app",
        Some("scans") => "a scan",
        _ => "a row",
    }
}
