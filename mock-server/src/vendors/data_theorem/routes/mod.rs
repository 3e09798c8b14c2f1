//! Every path of the API: the table of contents of this simulator.
//!
//! [`ROUTES`] lists what is simulated, in the order of the vendor's pages, and what the vendor documents and
//! this simulator does not play. A handler is one screen: read the request, decide, change rows, render.

mod mobile_apps;
mod scans;
mod security_finding_targets;
mod security_findings;

use std::cell::RefCell;
use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use smol_str::{SmolStr, format_smolstr};

use super::account::{Account, ApiKey};
use super::readings::{Readings, TrailingSlash};
use super::rules::auth;
use super::rules::bodies::Body;
use super::rules::filters::{ListSpec, PageRequest, Place, no_parameters, page_request};
use super::store::{ListPage, Order, Window};
use super::wire::{self, Continuation};
use super::{BASE_PATH, VENDOR};
use crate::http::exchange::{Answer, Prepared, Request, Work};
use crate::http::reject::Refusal;
use crate::kernel::cursor::{Position, RowKey};
use crate::kernel::sandbox::Credential;
use crate::vendors::data_theorem::readings::{LastPageCursor, ListOrder};

/// What answers a route.
#[derive(Clone, Copy)]
pub enum Action {
    /// Looks at the account, for a list: the query string has filters.
    List(fn(&Account, &Call<'_>) -> Result<Reply, Refusal>),
    /// Looks at the account, for one thing: the query string has nothing to say.
    Read(fn(&Account, &Call<'_>) -> Result<Reply, Refusal>),
    /// May change the account.
    Write(fn(&mut Account, &Call<'_>) -> Result<Reply, Refusal>),
    /// The vendor documents it; this simulator does not play it.
    NotSimulated,
}

/// A route: method, path below [`BASE_PATH`], and what answers it.
#[derive(Clone)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path with `:id` for every parameter.
    pub path: &'static str,
    /// What answers it.
    pub action: Action,
}

const fn get(path: &'static str, handler: fn(&Account, &Call<'_>) -> Result<Reply, Refusal>) -> Route {
    Route { method: Method::GET, path, action: Action::Read(handler) }
}

const fn list(path: &'static str, handler: fn(&Account, &Call<'_>) -> Result<Reply, Refusal>) -> Route {
    Route { method: Method::GET, path, action: Action::List(handler) }
}

const fn patch(path: &'static str, handler: fn(&mut Account, &Call<'_>) -> Result<Reply, Refusal>) -> Route {
    Route { method: Method::PATCH, path, action: Action::Write(handler) }
}

const fn post(path: &'static str, handler: fn(&mut Account, &Call<'_>) -> Result<Reply, Refusal>) -> Route {
    Route { method: Method::POST, path, action: Action::Write(handler) }
}

const fn not_simulated(path: &'static str) -> Route {
    Route { method: Method::GET, path, action: Action::NotSimulated }
}

/// Every route.
pub static ROUTES: &[Route] = &[
    list("mobile_apps", mobile_apps::list_mobile_apps),
    get("mobile_apps/:id", mobile_apps::get_mobile_app),
    list("mobile_apps/:id/scans", scans::list_scans),
    get("mobile_apps/:id/scans/:id", scans::get_scan),
    list("security_findings", security_findings::list_security_findings),
    get("security_findings/:id", security_findings::get_security_finding),
    patch("security_findings/:id", security_findings::patch_security_finding),
    post("security_findings/:id/close", security_findings::close_security_finding),
    post("security_findings/:id/notes", security_findings::post_note),
    list("security_finding_targets", security_finding_targets::list_security_finding_targets),
    get("security_finding_targets/:id", security_finding_targets::get_security_finding_target),
    patch("security_finding_targets/:id", security_finding_targets::patch_security_finding_target),
    post("security_finding_targets/:id/statuses", security_finding_targets::post_status),
    not_simulated("mobile_apps_changes"),
    not_simulated("mobile_apps_changes_stats"),
    not_simulated("mobile_apps_monthly_security_metrics"),
    not_simulated("mobile_apps_security_kpis"),
    not_simulated("mobile_apps/:id/sdks"),
    not_simulated("sdks_in_mobile_apps"),
    not_simulated("mobile_app_insights"),
];

/// What a handler is given besides the account.
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request,
    /// The `:id`s of the path, decoded.
    pub ids: &'a [String],
    /// Who asks.
    pub key: Arc<ApiKey>,
    /// What the sandbox's clock shows.
    pub now: Timestamp,
    /// What is tolerated and deserves a line in the journal.
    pub flags: RefCell<Vec<String>>,
}

/// What a handler answers when it does not refuse.
pub struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Reply {
    /// 200 with a JSON body.
    fn ok(body: Vec<u8>) -> Self {
        Self { status: 200, body }
    }

    /// 204 with an empty body.
    fn no_content() -> Self {
        Self { status: 204, body: Vec::new() }
    }
}

impl Call<'_> {
    /// The n-th `:id` of the path.
    fn id(&self, place: usize) -> &str {
        self.ids.get(place).map_or("", String::as_str)
    }

    /// The body, to be read under these readings.
    fn body<'a>(&'a self, readings: &'a Readings) -> Body<'a> {
        Body {
            bytes: &self.request.body,
            content_type: self.request.header(http::header::CONTENT_TYPE),
            readings,
        }
    }

    /// Flags the parameters of a request that documents none.
    fn no_parameters(&self, readings: &Readings) -> Result<(), Refusal> {
        no_parameters(&self.request.query, readings, &mut self.flags.borrow_mut())
    }

    /// The page of a list that the query string asks for. The ids in the path are part of what is listed.
    fn page(&self, list: &'static ListSpec, account: &Account) -> Result<PageRequest, Refusal> {
        page_request(
            Place { list, parent: &self.ids.join("/") },
            &self.request.query,
            &account.cursor_key,
            account.readings(),
            &mut self.flags.borrow_mut(),
        )
    }
}

impl PageRequest {
    /// Where the page begins and how long it is.
    fn window<'a>(&'a self, account: &Account) -> Window<'a> {
        let readings = account.readings();
        Window {
            order: match readings.list_order {
                ListOrder::UpdatedDescending => Order::Descending,
                ListOrder::UpdatedAscending => Order::Ascending,
            },
            since: self.filters.since(readings),
            after: self.after.as_ref(),
            limit: self.page_size.unwrap_or(account.page_size),
        }
    }

    /// How the list goes on after this page.
    fn continuation<R>(
        &self,
        list: &'static ListSpec,
        listed: &ListPage<R>,
        account: &Account,
    ) -> Continuation {
        let cursor_past_the_end =
            account.readings().last_page_cursor == LastPageCursor::EmptyPage && !listed.rows.is_empty();
        match &listed.last {
            Some(row) if listed.more || cursor_past_the_end => {
                let after: RowKey = row.clone();
                let query = self.canonical(list);
                Continuation::Cursor(account.cursor_key.seal(&Position { after, query }))
            }
            _ => Continuation::End,
        }
    }
}

/// Renders a page of a list.
fn render_list<R>(
    list: &'static ListSpec,
    key: &str,
    request: &PageRequest,
    page: &ListPage<R>,
    account: &Account,
    push: impl Fn(&mut Vec<u8>, &R),
) -> Reply {
    let continuation = request.continuation(list, page, account);
    Reply::ok(wire::list(key, page.total, &continuation, account.readings(), |out| {
        for (place, row) in page.rows.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            push(out, row);
        }
    }))
}

/// What the journal calls the requests of this API.
pub fn operations() -> impl Iterator<Item = SmolStr> {
    ROUTES.iter().map(|route| format_smolstr!("{} {}", route.method, route.path)).chain([UNKNOWN_ROUTE])
}

/// What the journal calls a request for a path that the API does not have.
const UNKNOWN_ROUTE: SmolStr = SmolStr::new_static("unknown route");

/// Looks at a request: which route it is, whose it is, how to answer it.
pub fn prepare(request: Arc<Request>) -> Prepared {
    let path = request.path.strip_prefix(BASE_PATH).unwrap_or_default();
    let found = find(&request.method, path.strip_prefix('/').unwrap_or(path));
    let secret = auth::secret_of(request.header(http::header::AUTHORIZATION));
    let credential =
        secret.map(|secret| Credential { vendor: VENDOR, secret: secret.to_owned(), is_sent_encoded: false });
    let nobodys = {
        let (request, found) = (Arc::clone(&request), found.clone());
        Box::new(move || nobodys(&request, &found))
    };
    Prepared { operation: found.operation(&request.method), credential, work: work(request, found), nobodys }
}

fn work(request: Arc<Request>, found: Found) -> Work {
    match found {
        Found::Route(matched) => work_of_route(request, matched),
        other => Work::Read(Box::new(move |world, _| {
            let account = &world.data_theorem;
            let refusal = account.key_of(&request).err().unwrap_or_else(|| other.refusal(&request.method));
            let mut answer = refused(refusal, account.readings());
            answer.headers = other.headers();
            answer
        })),
    }
}

fn work_of_route(request: Arc<Request>, matched: Matched) -> Work {
    match matched.route.action {
        Action::Write(handler) => Work::Write(Box::new(move |world, now| {
            let account = &mut world.data_theorem;
            let readings = *account.readings();
            answer(&request, &matched, account.key_of(&request), &readings, now, |call| {
                handler(account, call)
            })
        })),
        Action::List(handler) | Action::Read(handler) => Work::Read(Box::new(move |world, now| {
            let account = &world.data_theorem;
            answer(&request, &matched, account.key_of(&request), account.readings(), now, |call| {
                handler(account, call)
            })
        })),
        Action::NotSimulated => Work::Read(Box::new(move |world, _| {
            let account = &world.data_theorem;
            let refusal =
                account.key_of(&request).err().unwrap_or_else(|| not_simulated_refusal(matched.route));
            refused(refusal, account.readings())
        })),
    }
}

/// Runs a handler for a key that may ask at all.
fn answer(
    request: &Request,
    matched: &Matched,
    key: Result<Arc<ApiKey>, Refusal>,
    readings: &Readings,
    now: Timestamp,
    handler: impl FnOnce(&Call<'_>) -> Result<Reply, Refusal>,
) -> Answer {
    let key = match key {
        Ok(key) => key,
        Err(refusal) => return refused(refusal, readings),
    };
    if let Some(broken) = &request.broken {
        return refused(broken.clone(), readings);
    }
    if matched.slash && readings.trailing_slash == TrailingSlash::NotFound {
        let reason = "the path ends in a slash, which makes it another path";
        return refused(
            Refusal::reading(404, &fixtures::spec::data_theorem::DT_TRAILING_SLASH, reason),
            readings,
        );
    }
    let call = Call { request, ids: &matched.ids, key, now, flags: RefCell::default() };
    let result = match matched.route.action {
        Action::List(_) => Ok(()),
        _ => call.no_parameters(readings),
    };
    let result = result.and_then(|()| handler(&call));
    let flags = call.flags.into_inner();
    match result {
        Ok(Reply { status, body }) => Answer { flags, ..Answer::json(status, body) },
        Err(refusal) => Answer { flags, ..refused(refusal, readings) },
    }
}

fn refused(refusal: Refusal, readings: &Readings) -> Answer {
    let body = wire::error_body(refusal.status, &refusal.reason, readings);
    Answer::refused(refusal, body)
}

/// The answer to a request that no sandbox owns: 401, whatever it asks for.
fn nobodys(request: &Request, found: &Found) -> Answer {
    let readings = Readings::default();
    let authorization = request.header(http::header::AUTHORIZATION);
    let refusal = match auth::secret(authorization, &readings) {
        Err(refusal) => refusal,
        Ok(_) => auth::unknown_key("no sandbox of this server"),
    };
    let mut answer = refused(refusal, &readings);
    match found {
        Found::Route(Matched {
            route: Route { action: Action::List(_) | Action::Read(_) | Action::Write(_), .. },
            ..
        }) => {}
        found => answer.flags.push(found.refusal(&request.method).reason.into_owned()),
    }
    answer
}

impl Account {
    /// The key that a request shows, if it is one of this account's.
    fn key_of(&self, request: &Request) -> Result<Arc<ApiKey>, Refusal> {
        let secret = auth::secret(request.header(http::header::AUTHORIZATION), self.readings())?;
        self.key(secret).cloned().ok_or_else(|| auth::unknown_key("no account of this sandbox"))
    }
}

/// A route with what the path says.
#[derive(Clone)]
struct Matched {
    route: &'static Route,
    ids: Vec<String>,
    /// Whether the path ends in a slash.
    slash: bool,
}

/// What a method and path lead to.
#[derive(Clone)]
enum Found {
    Route(Matched),
    OtherMethod { path: &'static str, allowed: Vec<&'static Method> },
    Undecodable,
    Nothing { nearest: &'static Route },
}

fn find(method: &Method, path: &str) -> Found {
    let (path, slash) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, false),
    };
    let segments: Vec<&str> = path.split('/').collect();
    // A HEAD is a GET whose body stays behind; the HTTP layer sees to that.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut allowed = Vec::new();
    let mut other = "";
    for route in ROUTES.iter().filter(|route| matches(route.path, &segments)) {
        if route.method != *method {
            allowed.push(&route.method);
            other = route.path;
            continue;
        }
        let ids = route.path.split('/').zip(&segments).filter(|(part, _)| *part == ":id");
        let decoded = ids.map(|(_, segment)| percent_decode_str(segment).decode_utf8());
        return match decoded.map(|id| id.map(std::borrow::Cow::into_owned)).collect() {
            Ok(ids) => Found::Route(Matched { route, ids, slash }),
            Err(_) => Found::Undecodable,
        };
    }
    if allowed.is_empty() {
        Found::Nothing { nearest: nearest(method, path) }
    } else {
        Found::OtherMethod { path: other, allowed }
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
    let distance = |route: &&Route| {
        let other_method = usize::from(route.method != *method);
        strsim::levenshtein(route.path, &path) * 2 + other_method
    };
    ROUTES.iter().min_by_key(distance).unwrap_or(&ROUTES[0])
}

impl Found {
    fn operation(&self, method: &Method) -> SmolStr {
        match self {
            Self::Route(Matched { route, .. }) => format_smolstr!("{} {}", route.method, route.path),
            Self::OtherMethod { path, .. } => format_smolstr!("{method} {path}"),
            Self::Undecodable | Self::Nothing { .. } => UNKNOWN_ROUTE,
        }
    }

    fn refusal(&self, method: &Method) -> Refusal {
        match self {
            Self::Route(Matched { route, .. }) => not_simulated_refusal(route),
            Self::OtherMethod { path, allowed } => {
                let allowed = join(allowed);
                let reason = format!("{path} takes {allowed}, not {method}");
                Refusal::server(405, "server.method-not-allowed", reason)
            }
            Self::Undecodable => {
                Refusal::server(400, "server.path-encoding", "the path is not percent-encoded UTF-8")
            }
            Self::Nothing { nearest } => {
                let reason = format!(
                    "the API has no such path; the nearest is {} {BASE_PATH}/{}",
                    nearest.method, nearest.path
                );
                Refusal::server(404, "server.unknown-route", reason)
            }
        }
    }

    fn headers(&self) -> Vec<(http::HeaderName, String)> {
        match self {
            Self::OtherMethod { allowed, .. } => vec![(http::header::ALLOW, join(allowed))],
            _ => Vec::new(),
        }
    }
}

fn not_simulated_refusal(route: &Route) -> Refusal {
    let path = route.path;
    let reason = format!("not simulated: the vendor documents {path}, this simulator does not play it");
    Refusal::server(501, "server.not-simulated", reason)
}

/// Methods for an `Allow` header; where GET is allowed, HEAD is.
fn join(methods: &[&Method]) -> String {
    let head = methods.contains(&&Method::GET).then_some(&Method::HEAD);
    methods.iter().copied().chain(head).map(Method::as_str).collect::<Vec<_>>().join(", ")
}
