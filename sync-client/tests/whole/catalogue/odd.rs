//! What servers and networks do in the rows.

use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::ports::{
    Created, NewTicket, NoReply, Reply, Request, Ticket, Tracker, TrackerError, Transport,
};

use crate::blows::Killed;
use crate::carriers::{VirtualClock, boundary};
use crate::layers::{Layer, on_create, on_find, on_send, on_update};

/// True the first `count` times.
pub(super) fn first(count: usize) -> impl Fn() -> bool + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move || asked.fetch_add(1, Ordering::Relaxed) < count
}

/// A reply that a server gives.
pub(super) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    Reply { status, headers: HeaderMap::new(), body: body.into() }
}

pub(super) fn lost() -> TrackerError {
    TrackerError::Unknown("the connection broke".to_owned())
}

/// The tracker makes tickets, and the first replies are lost.
pub(super) fn replies_to_creates_are_lost(count: usize) -> Arc<dyn Layer> {
    let is_lost = first(count);
    on_create(move |tracker, ticket| {
        let made = tracker.create(ticket)?;
        if is_lost() { Err(lost()) } else { Ok(made) }
    })
}

/// The tracker is silent for a minute before it makes the first tickets.
pub(super) fn creates_take_too_long(clock: &VirtualClock, count: usize) -> Arc<dyn Layer> {
    use sync_client::ports::Clock as _;
    let (clock, is_slow) = (clock.clone(), first(count));
    on_create(move |tracker, ticket| {
        if !is_slow() {
            return tracker.create(ticket);
        }
        clock.sleep(Duration::from_mins(1));
        tracker.create(ticket).and(Err(lost()))
    })
}

/// The client is killed after a create that was acted upon, then before a link is sent, then after one was acted upon.
pub(super) fn three_crashes() -> [Arc<dyn Layer>; 2] {
    let is_last_create = first(1);
    let created = on_create(move |tracker, ticket| {
        let made = tracker.create(ticket);
        if is_last_create() { panic_any(Killed) } else { made }
    });
    let links = AtomicUsize::new(0);
    let linked = on_send(move |under, request, timeout| {
        let number = if is_link(request) { links.fetch_add(1, Ordering::Relaxed) } else { usize::MAX };
        if number == 0 {
            panic_any(Killed)
        }
        let reply = under.send(request, timeout);
        if number == 1 { panic_any(Killed) } else { reply }
    });
    [created, linked]
}

pub(super) fn is_link(request: &Request) -> bool {
    let boundary = boundary(request);
    boundary.starts_with("PATCH ") || boundary.starts_with("updateExternal")
}

/// The tracker's search does not work.
pub(super) fn search_fails() -> Arc<dyn Layer> {
    on_find(|_, _| Err(TrackerError::Unavailable("500".to_owned())))
}

/// A token that ran out: writes go through, reads are answered as to a stranger, and only who asks who it is, hears it.
pub(super) struct Stranger;

impl Layer for Stranger {
    fn identify(&self, _: &dyn Tracker) -> Result<String, TrackerError> {
        Err(TrackerError::Credential("401".to_owned()))
    }

    fn find(&self, _: &dyn Tracker, _: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        Ok(Vec::new())
    }

    fn get(&self, _: &dyn Tracker, _: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        Ok(None)
    }
}

/// A tracker that makes tickets, leaves out their keys, and does not say so.
pub(super) struct DropsKeys;

impl Layer for DropsKeys {
    fn create(&self, under: &dyn Tracker, ticket: &NewTicket) -> Result<Created, TrackerError> {
        let op = OpKey::new(format!("dropped-{}", ticket.op));
        match under.create(&NewTicket { op, ..ticket.clone() })? {
            Created::New(made) => Ok(Created::New(Ticket { op: None, ..made })),
            Created::Existing(_) | Created::Unseen(..) => Err(lost()),
        }
    }

    fn get(&self, under: &dyn Tracker, key: &TicketKey) -> Result<Option<Ticket>, TrackerError> {
        Ok(under.get(key)?.map(|ticket| Ticket { op: None, ..ticket }))
    }
}

/// The tracker makes tickets, and refuses every change of them.
pub(super) fn updates_are_refused() -> Arc<dyn Layer> {
    on_update(|_, _, _| Err(TrackerError::Refused("400: not on the appropriate screen".to_owned()).into()))
}

/// Instead of what was asked for there is this, as long as `when` says so.
pub(super) fn instead(
    of: &'static str,
    when: impl Fn() -> bool + Send + Sync + 'static,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Arc<dyn Layer> {
    on_send(move |under, request, timeout| {
        let is_meant = boundary(request).starts_with(of) && when();
        if is_meant { Ok(answer(request)) } else { under.send(request, timeout) }
    })
}

/// After the first reply to a request like this, something happens.
pub(super) fn meanwhile(of: &'static str, happens: impl Fn() + Send + Sync + 'static) -> Arc<dyn Layer> {
    let is_first = first(1);
    on_send(move |under, request, timeout| {
        let reply = under.send(request, timeout);
        if boundary(request).starts_with(of) && is_first() {
            happens();
        }
        reply
    })
}

/// What Mend answers instead of an answer.
pub(super) fn mend_error(code: u32) -> Reply {
    reply(200, json!({"errorCode": code, "errorMessage": "an error"}).to_string())
}

/// The list of targets on a page.
pub(super) fn target_rows(page: &mut Value) -> Option<&mut Vec<Value>> {
    page.get_mut("security_finding_targets")?.as_array_mut()
}

/// Pages overlap: every row of a page is there twice, and the last row of the page before comes again.
pub(super) fn rows_repeat() -> impl Fn(&mut Value) + Send + Sync + 'static {
    let before: Mutex<Option<Value>> = Mutex::default();
    move |page| {
        let Some(rows) = target_rows(page) else { return };
        let last = rows.last().cloned();
        let mut repeated: Vec<Value> = rows.iter().flat_map(|row| [row.clone(), row.clone()]).collect();
        let mut before = before.lock().unwrap();
        repeated.extend(before.take());
        (*rows, *before) = (repeated, last);
    }
}

/// Whatever cursor is sent, the first page comes, and it names the same cursor.
pub(super) fn the_cursor_leads_back() -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        if !boundary(request).starts_with("GET security_finding_targets?") {
            return under.send(request, timeout);
        }
        let mut reply = under.send(&without_cursor(request), timeout)?;
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["pagination_information"]["next_cursor"] = json!("again");
        reply.body = body.to_string().into();
        Ok(reply)
    })
}

/// After the first page there are empty pages, each with another cursor.
pub(super) fn empty_pages_without_end() -> Arc<dyn Layer> {
    let page = AtomicUsize::new(0);
    on_send(move |under, request, timeout| {
        let boundary = boundary(request);
        if !boundary.starts_with("GET security_finding_targets?") || !boundary.contains("cursor=") {
            return under.send(request, timeout);
        }
        let cursor = format!("page-{}", page.fetch_add(1, Ordering::Relaxed));
        let paging = json!({"next_cursor": cursor, "total_count": "1"});
        let body = json!({"security_finding_targets": [], "pagination_information": paging});
        Ok(reply(200, body.to_string()))
    })
}

/// No cursor is known any more.
pub(super) fn cursors_run_out() -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        if boundary(request).contains("cursor=") {
            return Ok(reply(400, "{}"));
        }
        under.send(request, timeout)
    })
}

fn without_cursor(request: &Request) -> Request {
    let url = &request.url;
    let url = match url.find("cursor=") {
        Some(start) => url[..start].trim_end_matches('&').to_owned(),
        None => url.clone(),
    };
    Request { url, ..request.clone() }
}

/// Every third request is turned away, each time in another way; who comes back too early is noted.
pub(super) struct TurnsAway {
    clock: VirtualClock,
    asked: AtomicUsize,
    closed_until: Mutex<Option<Timestamp>>,
    pub(super) too_early: Mutex<Vec<String>>,
}

impl TurnsAway {
    pub(super) fn new(clock: &VirtualClock) -> Arc<Self> {
        let (closed_until, too_early) = (Mutex::default(), Mutex::default());
        Arc::new(Self { clock: clock.clone(), asked: AtomicUsize::new(0), closed_until, too_early })
    }
}

impl Layer for TurnsAway {
    fn send(&self, under: &dyn Transport, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        use sync_client::ports::Clock as _;
        let now = self.clock.now();
        if let Some(until) = self.closed_until.lock().unwrap().filter(|until| *until > now) {
            self.too_early.lock().unwrap().push(format!("{} at {now}, not {until}", boundary(request)));
        }
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        if number % 3 != 2 {
            return under.send(request, timeout);
        }
        let in_five = (now + Duration::from_secs(5)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let (header, wait) = match number / 3 % 4 {
            0 => (Some("2".to_owned()), Duration::from_secs(2)),
            // Less than the five seconds, as dates have no fractions of a second.
            1 => (Some(in_five), Duration::from_secs(4)),
            2 => (Some("300".to_owned()), Duration::from_mins(5)),
            _ => (None, Duration::from_millis(500)),
        };
        *self.closed_until.lock().unwrap() = Some(now + wait);
        let mut away = reply(429, "<html>Too many requests</html>");
        if let Some(header) = header {
            away.headers.insert("retry-after", HeaderValue::from_str(&header).unwrap());
        }
        Ok(away)
    }
}

/// The first requests are turned away with these values of `Retry-After`, one after the other.
pub(super) fn retry_after(values: &'static [&'static str]) -> Arc<dyn Layer> {
    let number = AtomicUsize::new(0);
    on_send(move |under, request, timeout| {
        // Every other request gets through, so that no patience comes to its end.
        let number = number.fetch_add(1, Ordering::Relaxed);
        let Some(value) = values.get(number / 2).filter(|_| number.is_multiple_of(2)) else {
            return under.send(request, timeout);
        };
        let mut away = reply(429, "{}");
        away.headers.insert("retry-after", HeaderValue::from_str(value).unwrap());
        Ok(away)
    })
}

/// Somebody accepts connections and never answers.
pub(super) fn silence(clock: &VirtualClock, of: &'static str) -> Arc<dyn Layer> {
    use sync_client::ports::Clock as _;
    let clock = clock.clone();
    on_send(move |under, request, timeout| {
        if !boundary(request).starts_with(of) {
            return under.send(request, timeout);
        }
        clock.sleep(timeout);
        Err(NoReply::Unknown("timed out".to_owned()))
    })
}

/// Remembers what was sent, and the body of the reply.
#[derive(Default)]
pub(super) struct Recorder(Mutex<Vec<(Request, Value)>>);

impl Recorder {
    pub(super) fn sent(&self) -> Vec<(Request, Value)> {
        self.0.lock().unwrap().clone()
    }
}

impl Layer for Recorder {
    fn send(&self, under: &dyn Transport, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        let reply = under.send(request, timeout)?;
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        self.0.lock().unwrap().push((request.clone(), body));
        Ok(reply)
    }
}
