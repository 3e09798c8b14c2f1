//! `search/jql`, and the old `search`.

use std::cmp::Ordering;
use std::sync::Arc;

use fixtures::spec::jira as ledger;
use http::Method;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Account, Call, Denial, Denied, Reply};
use crate::kernel::cursor::{Position, RowKey};
use crate::vendors::jira::readings::{BadPageToken, DefaultOrder, OldSearch};
use crate::vendors::jira::rules::fields::Version;
use crate::vendors::jira::rules::jql::{self, JqlError, Operator, Query, SortKey, Term, Terms, TimeField};
use crate::vendors::jira::store::{Candidates, Issue, Searchable};
use crate::vendors::jira::wire::issue::{Wanted, push, push_id};

/// Issues of a page unless told otherwise, and most of a page of numbers alone.
const USUAL: usize = 50;
const IDS_MAX: usize = 5_000;
/// Most ids of `reconcileIssues`.
const RECONCILE_MAX: usize = 50;

/// What a search asks for, wherever it says so.
struct Asked {
    jql: String,
    page_token: Option<String>,
    max: Option<i64>,
    start: usize,
    fields: Option<Vec<String>>,
    properties: Vec<SmolStr>,
    reconcile: Vec<u64>,
}

fn invalid(text: impl Into<String>) -> Denied {
    Denial::rule(400, &ledger::JIRA_SEARCH_INVALID, text.into())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split(',').map(|part| part.trim().to_owned()).collect()),
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

impl Asked {
    fn of(call: &Call<'_>) -> Result<Self, Denied> {
        if call.request.method == Method::POST { Self::of_body(call) } else { Self::of_query(call) }
    }

    fn of_query(call: &Call<'_>) -> Result<Self, Denied> {
        let fields: Vec<String> = call.parameters("fields").map(str::to_owned).collect();
        let max = call
            .parameter("maxResults")
            .map(|text| text.parse().map_err(|_| invalid("maxResults is a number")));
        let ids = call.parameters("reconcileIssues").map(str::parse);
        let ids: Result<_, _> = ids.collect();
        Ok(Self {
            jql: call.parameter("jql").unwrap_or_default().to_owned(),
            page_token: call.parameter("nextPageToken").map(str::to_owned),
            max: max.transpose()?,
            start: call.parameter("startAt").and_then(|text| text.parse().ok()).unwrap_or(0),
            fields: (!fields.is_empty()).then_some(fields),
            properties: call.parameters("properties").map(SmolStr::new).collect(),
            reconcile: ids.map_err(|_| invalid("reconcileIssues is a list of numbers"))?,
        })
    }

    fn of_body(call: &Call<'_>) -> Result<Self, Denied> {
        let body = call.body()?;
        let given = |name: &str| body.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(invalid(format!("{name} is a text"))),
        };
        let list = |name: &str| match given(name) {
            None => Ok(None),
            Some(value) => {
                texts(value).map(Some).ok_or_else(|| invalid(format!("{name} is a list of texts")))
            }
        };
        let number = |name: &str| match given(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| invalid(format!("{name} is a number"))),
        };
        let ids = match given("reconcileIssues") {
            None => Some(Vec::new()),
            Some(value) => value.as_array().and_then(|ids| ids.iter().map(Value::as_u64).collect()),
        };
        Ok(Self {
            jql: text("jql")?.unwrap_or_default(),
            page_token: text("nextPageToken")?,
            max: number("maxResults")?,
            start: usize::try_from(number("startAt")?.unwrap_or(0)).unwrap_or(0),
            fields: list("fields")?,
            properties: list("properties")?.unwrap_or_default().iter().map(SmolStr::new).collect(),
            reconcile: ids.ok_or_else(|| invalid("reconcileIssues is a list of numbers"))?,
        })
    }

    /// What a page token is bound to: the query, in little, however long it is.
    fn canonical(&self) -> String {
        blake3::hash(self.jql.as_bytes()).to_hex().to_string()
    }
}

fn understood(asked: &Asked, terms: &Terms<'_>) -> Result<Query, Denied> {
    jql::understand(&asked.jql, terms).map_err(|error| {
        let text = error.to_string();
        match error {
            JqlError::Syntax(_) | JqlError::Meaning(_) => invalid(text),
            JqlError::NoSuchIssue(_) => Denial::reading(400, &ledger::JIRA_UNKNOWN_KEY, text),
            JqlError::LabelSpaces(_) => Denial::rule(400, &ledger::JIRA_SEARCH_LABEL_SPACES, text),
            JqlError::NotSimulated(_) => Denial::server(400, "server.jql-not-simulated", text),
        }
    })
}

/// Where to look for the issues that a term means: the shortest list that has them all.
fn candidates<'s>(term: &Term, searchable: &'s Searchable) -> Candidates<'s> {
    match term {
        Term::And(terms) => {
            let lists = terms.iter().map(|term| candidates(term, searchable));
            lists.min_by_key(|list| searchable.count(list)).unwrap_or(Candidates::All)
        }
        Term::Project(ids) if ids.len() == 1 => {
            ids.first().map_or(Candidates::All, |id| searchable.of_project(*id))
        }
        Term::Label(labels) => searchable.with_labels(labels.iter().map(SmolStr::as_str)),
        Term::Issue(ids) => Candidates::These(ids.iter().copied().collect()),
        Term::Time(TimeField::Updated, operator, wanted) => match operator {
            Operator::Less | Operator::LessOrEqual => searchable.changed(None, Some(*wanted)),
            Operator::Greater | Operator::GreaterOrEqual => searchable.changed(Some(*wanted), None),
            _ => searchable.changed(Some(*wanted), Some(*wanted)),
        },
        _ => Candidates::All,
    }
}

/// Where an issue stands in a search: what it is ordered by, and its number.
type Place = (Vec<SortKey>, u64);

/// What a search sees and means.
struct Search<'a> {
    account: &'a Account,
    call: &'a Call<'a>,
    terms: Terms<'a>,
    query: Query,
    searchable: Searchable,
}

impl Search<'_> {
    fn finds(&self, issue: &Arc<Issue>) -> bool {
        !issue.is_archived
            && self.call.sees_issue(self.account, issue)
            && self.query.matches(issue, &self.terms)
    }

    fn candidates(&self) -> Candidates<'_> {
        let term = self.query.restriction.as_ref();
        term.map_or(Candidates::All, |term| candidates(term, &self.searchable))
    }

    fn is_descending(&self) -> bool {
        self.account.readings().default_order == DefaultOrder::NewestFirst
    }

    fn keys(&self, issue: &Issue) -> Vec<SortKey> {
        self.query.order.iter().map(|order| order.key(issue, &self.account.store)).collect()
    }

    /// Compares places: what the query orders by, then numbers.
    fn compare(&self, left: &Place, right: &Place) -> Ordering {
        for (order, (left, right)) in self.query.order.iter().zip(left.0.iter().zip(&right.0)) {
            match order.compare(left, right) {
                Ordering::Equal => {}
                other => return other,
            }
        }
        let by_id = left.1.cmp(&right.1);
        if self.is_descending() { by_id.reverse() } else { by_id }
    }

    /// The issues behind a place, at most so many and one more.
    fn page(&self, after: Option<&Place>, max: usize) -> Vec<Arc<Issue>> {
        let mut found = Vec::new();
        if self.query.order.is_empty() {
            self.searchable.visit(
                &self.candidates(),
                self.is_descending(),
                after.map(|place| place.1),
                |issue| {
                    if self.finds(issue) {
                        found.push(Arc::clone(issue));
                    }
                    found.len() <= max
                },
            );
            return found;
        }
        let mut ranked = self.ranked(after);
        // What is on later pages need not be in order.
        if ranked.len() > max.saturating_add(1) {
            ranked.select_nth_unstable_by(max, |(left, _), (right, _)| self.compare(left, right));
            ranked.truncate(max.saturating_add(1));
        }
        self.in_order(ranked)
    }

    /// All issues, in order.
    fn all(&self) -> Vec<Arc<Issue>> {
        self.in_order(self.ranked(None))
    }

    fn in_order(&self, mut ranked: Vec<(Place, Arc<Issue>)>) -> Vec<Arc<Issue>> {
        ranked.sort_by(|(left, _), (right, _)| self.compare(left, right));
        ranked.into_iter().map(|(_, issue)| issue).collect()
    }

    /// The issues behind a place, each with its own.
    fn ranked(&self, after: Option<&Place>) -> Vec<(Place, Arc<Issue>)> {
        let mut found = Vec::new();
        self.searchable.visit(&self.candidates(), self.is_descending(), None, |issue| {
            if self.finds(issue) {
                let place = (self.keys(issue), issue.id);
                if after.is_none_or(|after| self.compare(&place, after) == Ordering::Greater) {
                    found.push((place, Arc::clone(issue)));
                }
            }
            true
        });
        found
    }
}

fn prepared<'a>(account: &'a Account, call: &'a Call<'a>, asked: &Asked) -> Result<Search<'a>, Denied> {
    let terms = Terms { account, user: call.user.as_deref(), now: call.now };
    let query = if call.user.is_some() {
        understood(asked, &terms)?
    } else {
        // Nobody sees anything; whether the query makes sense is still looked at.
        jql::parse(&asked.jql).map_err(|error| invalid(error.to_string())).map(|parsed| Query {
            restriction: parsed.restriction.map(|_| Term::Or(Vec::new())),
            order: Vec::new(),
        })?
    };
    let searchable = account.store.searchable(call.now, &asked.reconcile);
    Ok(Search { account, call, terms, query, searchable })
}

/// `GET search/jql` and `POST search/jql`
pub(super) fn search(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let asked = Asked::of(call)?;
    if asked.reconcile.len() > RECONCILE_MAX {
        let text = format!("At most {RECONCILE_MAX} issues can be reconciled.");
        return Err(Denial::rule(400, &ledger::JIRA_SEARCH_RECONCILE_MAX, text));
    }
    let search = prepared(account, call, &asked)?;
    if search.query.restriction.is_none() {
        let text =
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.";
        return Err(Denial::rule(400, &ledger::JIRA_SEARCH_BOUNDED, text));
    }
    let ids_alone = asked.fields.as_ref().is_none_or(|fields| fields.iter().all(|field| field == "id"));
    let most = if ids_alone { IDS_MAX } else { IDS_MAX.min(account.page_size) };
    let max = match asked.max {
        None => USUAL.min(most),
        Some(max) => match usize::try_from(max) {
            Ok(max) if max > 0 => max.min(most),
            _ => return Err(invalid("maxResults is a number above zero")),
        },
    };
    let after = match &asked.page_token {
        None => None,
        Some(token) => place_of(account, token, &asked)?,
    };
    let mut found = search.page(after.as_ref(), max);
    let has_more = found.len() > max;
    found.truncate(max);

    let mut body = br#"{"issues":["#.to_vec();
    push_all(&mut body, &found, ids_alone, &asked, account, call);
    body.extend_from_slice(b"]");
    if let Some(last) = found.last().filter(|_| has_more) {
        let token = token_of(account, &search.keys(last), last.id, &asked);
        body.extend_from_slice(format!(r#","nextPageToken":"{token}""#).as_bytes());
    }
    body.extend_from_slice(format!(r#","isLast":{}}}"#, !has_more).as_bytes());
    Ok(Reply::json(200, body))
}

fn push_all(
    out: &mut Vec<u8>,
    found: &[Arc<Issue>],
    ids_alone: bool,
    asked: &Asked,
    account: &Account,
    call: &Call<'_>,
) {
    let names = asked.fields.iter().flatten().map(String::as_str);
    let wanted = Wanted { properties: asked.properties.clone(), ..Wanted::of(names) };
    for (place, issue) in found.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if ids_alone && wanted.properties.is_empty() {
            push_id(out, issue);
        } else {
            push(out, issue, &wanted, &account.store, call.version, &call.here);
        }
    }
}

/// The token of the page behind an issue.
fn token_of(account: &Account, keys: &[SortKey], id: u64, asked: &Asked) -> String {
    let query = json!([asked.canonical(), keys]).to_string();
    account
        .cursor_key
        .seal(&Position { after: RowKey { micros: 0, id: SmolStr::new(id.to_string()) }, query })
}

/// The place that a token names, if it is one of this search.
fn place_of(account: &Account, token: &str, asked: &Asked) -> Result<Option<Place>, Denied> {
    let place = || {
        let position = account.cursor_key.open(token).ok()?;
        let (jql, keys): (String, Vec<SortKey>) = serde_json::from_str(&position.query).ok()?;
        let id = position.after.id.parse().ok()?;
        (jql == asked.canonical()).then_some((keys, id))
    };
    match (place(), account.readings().bad_page_token) {
        (Some(place), _) => Ok(Some(place)),
        (None, BadPageToken::FirstPage) => Ok(None),
        (None, BadPageToken::Refused) => {
            let text = "The nextPageToken is not valid for this search.";
            Err(Denial::reading(400, &ledger::JIRA_BAD_PAGE_TOKEN, text))
        }
    }
}

/// `GET search` and `POST search`, the old ones with `startAt` and `total`.
pub(super) fn old_search(account: &Account, call: &Call<'_>) -> Result<Reply, Denied> {
    let gone = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration \
                guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046";
    match (call.version, account.readings().old_search) {
        (Version::V3, _) => return Err(Denial::rule(410, &ledger::JIRA_SEARCH_GONE, gone)),
        (Version::V2, OldSearch::Gone) => return Err(Denial::reading(410, &ledger::JIRA_OLD_SEARCH, gone)),
        (Version::V2, OldSearch::V2Only) => {}
    }
    let mut asked = Asked::of(call)?;
    asked.fields.get_or_insert_with(|| vec!["*navigable".to_owned()]);
    let found = prepared(account, call, &asked)?.all();
    let max = usize::try_from(asked.max.unwrap_or(50)).unwrap_or(0).min(account.page_size);
    let page = crate::vendors::jira::wire::Counted { start: asked.start, max, total: found.len() };
    let mut body = format!(
        r#"{{"expand":"schema,names","startAt":{},"maxResults":{},"total":{},"issues":["#,
        page.start, page.max, page.total
    )
    .into_bytes();
    push_all(&mut body, page.of(&found), false, &asked, account, call);
    body.extend_from_slice(b"]}");
    Ok(Reply::json(200, body))
}

#[cfg(test)]
mod tests {
    use fixtures::builders::jira::{issue, project, site};
    use jiff::Timestamp;

    use super::candidates;
    use crate::kernel::cursor::CursorKey;
    use crate::vendors::jira::account::{Account, Secrets};
    use crate::vendors::jira::readings::Readings;
    use crate::vendors::jira::rules::jql::{Terms, understand};
    use crate::vendors::jira::store::Store;

    #[test]
    fn a_search_looks_where_the_index_leads() {
        let mut world = site();
        world.projects = vec![project(1, "SEC", "Security"), project(2, "OUT", "Other")];
        for number in 1..=1_000 {
            let key = if number > 800 { format!("OUT-{number}") } else { format!("SEC-{number}") };
            let row = if number % 100 == 0 { issue(number, &key).label("rare") } else { issue(number, &key) };
            let row = if number == 7 { row.label("odd") } else { row };
            let mut row = row.build(Timestamp::UNIX_EPOCH);
            if number % 200 == 0 {
                row.updated = Timestamp::from_second(i64::try_from(number).unwrap() * 60).unwrap();
            }
            world.issues.push(row);
        }
        let store = Store::load(&world, Readings::default());
        let secrets = Secrets { material: b"", first_token: None };
        let account = Account::new(store, &world.users, CursorKey::derive(1, "a"), 100, &secrets);
        let now = Timestamp::UNIX_EPOCH;
        let terms = Terms { account: &account, user: account.users.first().map(|user| &**user), now };
        let searchable = account.store.searchable(now, &[]);
        for (jql, looked_at) in [
            ("labels = rare", 10),
            ("project = SEC AND labels = rare AND statusCategory != Done", 10),
            ("labels in (rare, odd)", 11),
            ("project = OUT", 200),
            ("key in (SEC-1, SEC-2) AND project = SEC", 2),
            ("labels = none", 0),
            ("project = SEC AND (labels = rare OR labels = odd)", 800),
            ("statusCategory = Done", 1_000),
            ("NOT labels = rare", 1_000),
            ("updated > '1970-01-01 00:10' AND project = SEC", 5),
            ("updated >= '1970-01-01 00:10'", 5),
            ("updated < '1970-01-01 00:10'", 995),
            ("updated = '1970-01-01 00:10'", 0),
        ] {
            let term = understand(jql, &terms).unwrap().restriction.unwrap();
            assert_eq!(searchable.count(&candidates(&term, &searchable)), looked_at, "{jql}");
        }
    }
}
