//! Every path of the API: the table of contents of this simulator.
//!
//! [`ROUTES`] lists what is simulated, and what the vendor documents and this simulator does not play. Both versions
//! have the same routes; a handler that answers them differently asks its [`Call`]. A handler is one screen: read the
//! request, decide, change rows, render.

mod call;
mod comments;
mod directory;
mod issues;
mod metadata;
mod projects;
mod properties;
mod remote_links;
mod search;
mod transitions;

use std::cell::RefCell;
use std::sync::Arc;

use fixtures::spec::jira as ledger;
use http::{HeaderName, Method, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use smol_str::{SmolStr, format_smolstr};

use super::account::Account;
use super::readings::{ContentType, Readings};
use super::rules::auth;
use super::rules::denial::{Denial, Denied};
use super::rules::fields::Version;
use super::{BASE_PATH, VENDOR, wire};
use crate::http::exchange::{Answer, Prepared, Request, Work};
use crate::http::reject::Refusal;
use crate::kernel::sandbox::Credential;

pub use call::{Call, Reply};
pub(super) use issues::usual_priority;

/// What answers a route.
#[derive(Clone, Copy)]
pub enum Action {
    /// Looks at the site.
    Read(fn(&Account, &Call<'_>) -> Result<Reply, Denied>),
    /// May change the site.
    Write(fn(&mut Account, &Call<'_>) -> Result<Reply, Denied>),
    /// The vendor documents it; this simulator does not play it.
    NotSimulated,
}

/// A route: method, path below [`BASE_PATH`] and the version, and what answers it.
#[derive(Clone)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path with `:id` for every parameter.
    pub path: &'static str,
    /// What answers it.
    pub action: Action,
}

type Reader = fn(&Account, &Call<'_>) -> Result<Reply, Denied>;
type Writer = fn(&mut Account, &Call<'_>) -> Result<Reply, Denied>;

const fn read(method: Method, path: &'static str, handler: Reader) -> Route {
    Route { method, path, action: Action::Read(handler) }
}

const fn get(path: &'static str, handler: Reader) -> Route {
    read(Method::GET, path, handler)
}

const fn write(method: Method, path: &'static str, handler: Writer) -> Route {
    Route { method, path, action: Action::Write(handler) }
}

const fn post(path: &'static str, handler: Writer) -> Route {
    write(Method::POST, path, handler)
}

const fn put(path: &'static str, handler: Writer) -> Route {
    write(Method::PUT, path, handler)
}

const fn delete(path: &'static str, handler: Writer) -> Route {
    write(Method::DELETE, path, handler)
}

const fn not_simulated(path: &'static str) -> Route {
    Route { method: Method::GET, path, action: Action::NotSimulated }
}

/// Every route. Where two fit, the first one answers.
pub static ROUTES: &[Route] = &[
    get("myself", directory::get_myself),
    get("serverInfo", directory::get_server_info),
    get("project", projects::list_projects),
    get("project/search", projects::search_projects),
    get("project/:id", projects::get_project),
    post("issue", issues::create_issue),
    post("issue/bulk", issues::create_issues),
    get("issue/createmeta/:id/issuetypes", metadata::list_issue_types),
    get("issue/createmeta/:id/issuetypes/:id", metadata::list_fields),
    not_simulated("issue/createmeta"),
    not_simulated("issue/picker"),
    get("issue/:id", issues::get_issue),
    put("issue/:id", issues::edit_issue),
    delete("issue/:id", issues::delete_issue),
    put("issue/:id/assignee", issues::assign_issue),
    get("issue/:id/editmeta", metadata::get_edit_fields),
    get("issue/:id/transitions", transitions::list_transitions),
    post("issue/:id/transitions", transitions::do_transition),
    get("issue/:id/comment", comments::list_comments),
    post("issue/:id/comment", comments::add_comment),
    get("issue/:id/comment/:id", comments::get_comment),
    put("issue/:id/comment/:id", comments::update_comment),
    delete("issue/:id/comment/:id", comments::delete_comment),
    get("issue/:id/properties", properties::list_properties),
    get("issue/:id/properties/:id", properties::get_property),
    put("issue/:id/properties/:id", properties::put_property),
    delete("issue/:id/properties/:id", properties::delete_property),
    get("issue/:id/remotelink", remote_links::list_remote_links),
    post("issue/:id/remotelink", remote_links::post_remote_link),
    delete("issue/:id/remotelink", remote_links::delete_by_global_id),
    get("issue/:id/remotelink/:id", remote_links::get_remote_link),
    put("issue/:id/remotelink/:id", remote_links::put_remote_link),
    delete("issue/:id/remotelink/:id", remote_links::delete_remote_link),
    get("label", directory::list_labels),
    get("search/jql", search::search),
    read(Method::POST, "search/jql", search::search),
    get("search", search::old_search),
    read(Method::POST, "search", search::old_search),
    get("field", directory::list_fields),
    get("issuetype", directory::list_issue_types),
    get("priority", directory::list_priorities),
    get("resolution", directory::list_resolutions),
    get("status", directory::list_statuses),
    get("statuscategory", directory::list_categories),
    not_simulated("issue/:id/changelog"),
    not_simulated("issue/:id/watchers"),
    not_simulated("issue/:id/worklog"),
    not_simulated("issue/:id/attachments"),
    not_simulated("issueLink"),
    not_simulated("mypermissions"),
    not_simulated("user"),
    not_simulated("user/search"),
    not_simulated("webhook"),
];

/// What the journal calls the requests of this API.
pub fn operations() -> impl Iterator<Item = SmolStr> {
    ROUTES.iter().map(|route| format_smolstr!("{} {}", route.method, route.path)).chain([UNKNOWN_ROUTE])
}

/// What the journal calls a request for a path that the API does not have.
const UNKNOWN_ROUTE: SmolStr = SmolStr::new_static("unknown Jira route");

/// The header that tells that a login has failed.
const LOGIN_REASON: HeaderName = HeaderName::from_static("x-seraph-loginreason");

/// Looks at a request: which route it is, whose it is, how to answer it.
pub fn prepare(request: Arc<Request>) -> Prepared {
    let (version, path) = version_of(request.path.strip_prefix(BASE_PATH).unwrap_or_default());
    let found = Arc::new(find(&request.method, path, version));
    let shown = request.header(header::AUTHORIZATION).and_then(auth::basic);
    let credential =
        shown.map(|shown| Credential { vendor: VENDOR, secret: shown.token, is_sent_encoded: true });
    let operation = found.operation(&request.method);
    let nobodys = {
        let (request, found) = (Arc::clone(&request), Arc::clone(&found));
        Box::new(move || {
            let mut nobodys = Account::nobodys();
            // Nothing is there, so nothing shows what time it is.
            answer_in(&mut nobodys, &request, &found, Timestamp::UNIX_EPOCH)
        })
    };
    let work = match found.action() {
        Some(Action::Write(_)) => {
            Work::Write(Box::new(move |world, now| answer_in(&mut world.jira, &request, &found, now)))
        }
        _ => Work::Read(Box::new(move |world, now| answer(&world.jira, &request, &found, now))),
    };
    Prepared { operation, credential, work, nobodys }
}

/// The version that a path names, and what is below it. `latest` is version 2.
fn version_of(path: &str) -> (Option<Version>, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (version, rest) = path.split_once('/').unwrap_or((path, ""));
    let version = match version {
        "3" => Some(Version::V3),
        "2" | "latest" => Some(Version::V2),
        _ => None,
    };
    (version, rest)
}

/// Answers a request that may change the site.
fn answer_in(account: &mut Account, request: &Request, found: &Found, now: Timestamp) -> Answer {
    let Some(Action::Write(handler)) = found.action() else { return answer(account, request, found, now) };
    let call = Call::of(account, request, found, now);
    let result = match admit(account, &call, found) {
        Ok(()) => handler(account, &call),
        Err(denied) => Err(denied),
    };
    finish(result, call, account.readings())
}

/// Answers a request that looks at the site.
fn answer(account: &Account, request: &Request, found: &Found, now: Timestamp) -> Answer {
    let call = Call::of(account, request, found, now);
    let result = admit(account, &call, found).and_then(|()| match found.action() {
        Some(Action::Read(handler)) => handler(account, &call),
        _ => Err(found.denial(&request.method)),
    });
    finish(result, call, account.readings())
}

/// What every request has to pass before its handler.
fn admit(account: &Account, call: &Call<'_>, found: &Found) -> Result<(), Denied> {
    if let Some(broken) = &call.request.broken {
        return Err(Denial::new(broken.clone()));
    }
    if !matches!(found.action(), Some(Action::Read(_) | Action::Write(_))) {
        return Err(found.denial(&call.request.method));
    }
    call.keep_pace(account, found.operation(&call.request.method))?;
    let kind = call.request.header(header::CONTENT_TYPE).unwrap_or_default();
    let is_json =
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if account.readings().content_type == ContentType::Required && !call.request.body.is_empty() && !is_json {
        return Err(Denial::reading(415, &ledger::JIRA_CONTENT_TYPE, "Unsupported Media Type"));
    }
    Ok(())
}

/// The answer to what a handler came to.
fn finish(result: Result<Reply, Denied>, call: Call<'_>, readings: &Readings) -> Answer {
    let is_failed_login = call.is_failed_login;
    let flags = RefCell::into_inner(call.flags);
    let mut answer = match result {
        Ok(Reply { status, body, headers, has_complaints }) => {
            Answer { headers, flags, has_complaints, ..Answer::json(status, body) }
        }
        Err(denied) => {
            let body = match &denied.body {
                Some(body) => body.clone(),
                None if denied.is_page => wire::error_page(&denied),
                None => wire::error_body(&denied, readings),
            };
            let Denial { refusal, headers, is_page, .. } = *denied;
            let mut answer = Answer { headers, flags, ..Answer::refused(refusal, body) };
            if is_page {
                answer.headers.push((header::CONTENT_TYPE, "text/html;charset=UTF-8".to_owned()));
            }
            answer
        }
    };
    if is_failed_login {
        answer.headers.push((LOGIN_REASON, "AUTHENTICATED_FAILED".to_owned()));
    }
    answer
}

/// What a method and path lead to.
struct Found {
    version: Version,
    leads: Leads,
}

enum Leads {
    Route(&'static Route, Vec<String>),
    OtherMethod { path: &'static str, allowed: Vec<&'static Method> },
    Undecodable,
    Nothing { nearest: &'static Route },
    OtherVersion,
}

fn find(method: &Method, path: &str, version: Option<Version>) -> Found {
    let Some(version) = version else { return Found { version: Version::V3, leads: Leads::OtherVersion } };
    Found { version, leads: leads(method, path) }
}

fn leads(method: &Method, path: &str) -> Leads {
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    // A HEAD is a GET whose body stays behind; the HTTP layer sees to that.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut allowed = Vec::new();
    let mut other = "";
    for route in ROUTES.iter().filter(|route| matches(route.path, &segments)) {
        // A word of a path is no parameter of another one: `issue/bulk` is no issue.
        if !other.is_empty() && other != route.path {
            break;
        }
        if route.method != *method {
            allowed.push(&route.method);
            other = route.path;
            continue;
        }
        let ids = route.path.split('/').zip(&segments).filter(|(part, _)| *part == ":id");
        let decoded = ids.map(|(_, segment)| percent_decode_str(segment).decode_utf8());
        return match decoded.map(|id| id.map(std::borrow::Cow::into_owned)).collect() {
            Ok(ids) => Leads::Route(route, ids),
            Err(_) => Leads::Undecodable,
        };
    }
    if allowed.is_empty() {
        Leads::Nothing { nearest: nearest(method, path) }
    } else {
        Leads::OtherMethod { path: other, allowed }
    }
}

fn matches(pattern: &str, segments: &[&str]) -> bool {
    let mut parts = pattern.split('/');
    segments.iter().all(|segment| {
        parts.next().is_some_and(|part| (part == ":id" && !segment.is_empty()) || part == *segment)
    }) && parts.next().is_none()
}

/// The route that a mistaken path most likely meant.
fn nearest(method: &Method, path: &str) -> &'static Route {
    let path: String = path.chars().take(200).collect();
    let distance =
        |route: &&Route| strsim::levenshtein(route.path, &path) * 2 + usize::from(route.method != *method);
    ROUTES.iter().min_by_key(distance).unwrap_or(&ROUTES[0])
}

impl Found {
    fn action(&self) -> Option<Action> {
        match &self.leads {
            Leads::Route(route, _) => Some(route.action),
            _ => None,
        }
    }

    fn ids(&self) -> &[String] {
        match &self.leads {
            Leads::Route(_, ids) => ids,
            _ => &[],
        }
    }

    fn operation(&self, method: &Method) -> SmolStr {
        match &self.leads {
            Leads::Route(route, _) => format_smolstr!("{} {}", route.method, route.path),
            Leads::OtherMethod { path, .. } => format_smolstr!("{method} {path}"),
            Leads::Undecodable | Leads::Nothing { .. } | Leads::OtherVersion => UNKNOWN_ROUTE,
        }
    }

    fn denial(&self, method: &Method) -> Denied {
        let refusal = match &self.leads {
            Leads::Route(route, _) => {
                let path = route.path;
                let reason =
                    format!("not simulated: the vendor documents {path}, this simulator does not play it");
                Refusal::server(501, "server.not-simulated", reason)
            }
            Leads::OtherMethod { path, allowed } => {
                let allowed = join(allowed);
                Refusal::server(
                    405,
                    "server.method-not-allowed",
                    format!("{path} takes {allowed}, not {method}"),
                )
            }
            Leads::Undecodable => {
                Refusal::server(400, "server.path-encoding", "the path is not percent-encoded UTF-8")
            }
            Leads::OtherVersion => {
                let reason = format!("versions 3 and 2 are simulated, at {BASE_PATH}/3 and {BASE_PATH}/2");
                Refusal::server(404, "server.unknown-route", reason)
            }
            Leads::Nothing { nearest } => {
                let reason =
                    format!("the API has no such path; the nearest is {} {}", nearest.method, nearest.path);
                Refusal::server(404, "server.unknown-route", reason)
            }
        };
        let mut denied = Denial::new(refusal);
        if let Leads::OtherMethod { allowed, .. } = &self.leads {
            denied.headers.push((header::ALLOW, join(allowed)));
        }
        denied
    }
}

/// Methods for an `Allow` header; where GET is allowed, HEAD is.
fn join(methods: &[&Method]) -> String {
    let head = methods.contains(&&Method::GET).then_some(&Method::HEAD);
    methods.iter().copied().chain(head).map(Method::as_str).collect::<Vec<_>>().join(", ")
}
