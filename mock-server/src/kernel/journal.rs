//! The journal: what was asked and what came of it, bounded in entries and bytes.
//!
//! Evidence for tests and for the judge, so it says when evidence was evicted. Callers redact before they
//! record. Ports, peers, `Host` and durations are deliberately absent: the same requests in the same order
//! give the same journal under a manual clock.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;
use tokio::sync::Notify;

/// How much a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries.
    pub entries: usize,
    /// Most bytes of requests and replies.
    pub bytes: usize,
    /// Most bytes of one body; the rest is cut off and counted.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 16 << 20, body_bytes: 16 << 10 }
    }
}

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Number of the request within the sandbox, from 1.
    pub seq: u64,
    /// What the sandbox's clock showed.
    pub time: Timestamp,
    /// The route, e.g. `PATCH security_finding_targets/:id`.
    pub operation: SmolStr,
    /// What was asked.
    pub request: RequestRecord,
    /// HTTP status of the reply; absent while there is none, or when a fault kept it back.
    pub status: Option<u16>,
    /// The rule or reading that refused the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<SmolStr>,
    /// Why, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The planned fault that struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
    /// What the vendor would silently tolerate, such as parameters that do not exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// How far it came.
    pub phases: Phases,
    /// Body of the reply, kept for refusals only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Body>,
}

/// What was asked, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// HTTP method.
    pub method: SmolStr,
    /// Path.
    pub path: String,
    /// Query string without the question mark.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Body, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A body as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(pub Bytes);

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

/// How far a request came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, shown as such")]
pub struct Phases {
    /// It was read and assigned to the sandbox.
    pub seen: bool,
    /// It was handed to the vendor's rules, which accepted or refused it.
    pub applied: bool,
    /// What it changed is on disk, or would be with `--state`; false while the request is under way.
    pub committed: bool,
    /// A reply was handed to the connection.
    pub replied: bool,
}

/// What became of a request, for [`Journal::finish`].
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// See [`Entry::status`].
    pub status: Option<u16>,
    /// See [`Entry::rule`].
    pub rule: Option<SmolStr>,
    /// See [`Entry::reason`].
    pub reason: Option<String>,
    /// See [`Entry::fault`].
    pub fault: Option<u64>,
    /// See [`Entry::flags`].
    pub flags: Vec<String>,
    /// See [`Entry::phases`].
    pub phases: Phases,
    /// See [`Entry::reply`].
    pub reply: Option<Bytes>,
}

/// Which entries to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only entries with a greater number.
    pub after: u64,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this status.
    pub status: Option<u16>,
}

/// Entries that were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Matching entries, oldest first.
    pub entries: Vec<Entry>,
    /// Number of the newest request, matching or not; pass it as `after` to read on.
    pub last_seq: u64,
    /// How many entries the bounds have evicted since the journal was last cleared. Unless this is 0, the
    /// journal is not complete evidence.
    pub evicted: u64,
}

/// A bounded list of entries.
#[derive(Debug)]
pub struct Journal {
    limits: Limits,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    bytes: usize,
    last_seq: u64,
    evicted: u64,
    /// How often numbering began anew.
    beginnings: u64,
}

/// Where in the journal a request was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Number of the request.
    pub seq: u64,
    beginning: u64,
}

impl Journal {
    /// An empty journal.
    pub fn new(limits: Limits) -> Self {
        Self { limits, inner: Mutex::default(), changed: Notify::new() }
    }

    /// Records a request as seen and returns where.
    pub fn begin(&self, time: Timestamp, operation: SmolStr, mut request: RequestRecord) -> Ticket {
        request.body = request.body.map(|body| self.cut(body.0));
        let mut inner = self.lock();
        inner.last_seq += 1;
        let seq = inner.last_seq;
        let entry = Entry {
            seq,
            time,
            operation,
            request,
            status: None,
            rule: None,
            reason: None,
            fault: None,
            flags: Vec::new(),
            phases: Phases { seen: true, ..Phases::default() },
            reply: None,
        };
        inner.bytes += entry.weight();
        inner.entries.push_back(entry);
        inner.evict(self.limits);
        let ticket = Ticket { seq, beginning: inner.beginnings };
        drop(inner);
        self.changed.notify_waiters();
        ticket
    }

    /// Records what became of a request. An entry that was evicted meanwhile stays evicted, and one from before a
    /// restart stays forgotten.
    pub fn finish(&self, ticket: Ticket, outcome: Outcome) {
        let reply = outcome.reply.map(|body| self.cut(body));
        let mut guard = self.lock();
        let inner = &mut *guard;
        if inner.beginnings != ticket.beginning {
            return;
        }
        let Some(first) = inner.entries.front().map(|entry| entry.seq) else { return };
        let Some(position) = ticket.seq.checked_sub(first).and_then(|offset| usize::try_from(offset).ok())
        else {
            return;
        };
        let Some(entry) = inner.entries.get_mut(position) else { return };
        let before = entry.weight();
        entry.status = outcome.status;
        entry.rule = outcome.rule;
        entry.reason = outcome.reason;
        entry.fault = outcome.fault;
        entry.flags = bounded(outcome.flags);
        entry.phases = outcome.phases;
        entry.reply = reply;
        inner.bytes = inner.bytes - before + entry.weight();
        inner.evict(self.limits);
        drop(guard);
        self.changed.notify_waiters();
    }

    /// Reads entries.
    pub fn read(&self, filter: &Filter) -> Page {
        let inner = self.lock();
        let start = inner.entries.partition_point(|entry| entry.seq <= filter.after);
        let wanted = |entry: &&Entry| {
            filter.operation.as_ref().is_none_or(|operation| entry.operation.eq_ignore_ascii_case(operation))
                && filter.status.is_none_or(|status| entry.status == Some(status))
        };
        let entries = inner.entries.range(start..).filter(wanted).cloned().collect();
        Page { entries, last_seq: inner.last_seq, evicted: inner.evicted }
    }

    /// Reads entries, and waits until there is at least one that has a reply or `timeout` passes.
    pub async fn read_or_wait(&self, filter: &Filter, timeout: std::time::Duration) -> Page {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let page = self.read(filter);
                if page.entries.iter().any(|entry| entry.phases.replied || entry.fault.is_some()) {
                    return page;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(timeout, waiting).await {
            Ok(page) => page,
            Err(_) => self.read(filter),
        }
    }

    /// Drops all entries. Numbers go on where they were.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.entries.clear();
        inner.bytes = 0;
        inner.evicted = 0;
    }

    /// Drops all entries and starts numbering at 1 again.
    pub fn restart(&self) {
        let mut inner = self.lock();
        *inner = Inner { beginnings: inner.beginnings + 1, ..Inner::default() };
    }

    fn cut(&self, body: Bytes) -> Body {
        if body.len() <= self.limits.body_bytes {
            return Body(body);
        }
        let mut text = String::from_utf8_lossy(&body[..self.limits.body_bytes]).into_owned();
        text.push_str(&format!("… ({} more bytes)", body.len() - self.limits.body_bytes));
        Body(Bytes::from(text))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Most flags of one entry; a request can earn as many as it has fields.
const FLAGS_MAX: usize = 20;

fn bounded(mut flags: Vec<String>) -> Vec<String> {
    if flags.len() > FLAGS_MAX {
        let more = flags.len() - FLAGS_MAX;
        flags.truncate(FLAGS_MAX);
        flags.push(format!("and {more} more"));
    }
    flags
}

impl Entry {
    /// Bytes the entry holds, roughly: its texts and a flat rate for the rest.
    fn weight(&self) -> usize {
        let body = |body: &Option<Body>| body.as_ref().map_or(0, |body| body.0.len());
        256 + self.request.method.len()
            + self.operation.len()
            + self.request.path.len()
            + self.request.query.len()
            + body(&self.request.body)
            + body(&self.reply)
            + self.reason.as_ref().map_or(0, String::len)
            + self.flags.iter().map(String::len).sum::<usize>()
    }
}

impl Inner {
    fn evict(&mut self, limits: Limits) {
        while self.entries.len() > limits.entries || self.bytes > limits.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.weight();
            self.evicted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::{Body, Filter, Journal, Limits, Outcome, RequestRecord, Ticket};

    fn request(body: &'static str) -> RequestRecord {
        RequestRecord {
            method: "GET".into(),
            path: "/x".to_owned(),
            query: String::new(),
            body: (!body.is_empty()).then(|| Body(Bytes::from_static(body.as_bytes()))),
        }
    }

    fn begin(journal: &Journal, operation: &str, body: &'static str) -> Ticket {
        journal.begin(Timestamp::UNIX_EPOCH, operation.into(), request(body))
    }

    #[test]
    fn bounds_evict_the_oldest_and_say_so() {
        let journal = Journal::new(Limits { entries: 2, ..Limits::default() });
        let tickets: Vec<Ticket> = (0..5).map(|_| begin(&journal, "GET x", "")).collect();
        let page = journal.read(&Filter::default());
        assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((page.evicted, page.last_seq), (3, 5));
        journal.finish(tickets[0], Outcome { status: Some(200), ..Outcome::default() });
        journal.finish(tickets[4], Outcome { status: Some(204), ..Outcome::default() });
        let page = journal.read(&Filter { status: Some(204), ..Filter::default() });
        assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let journal = Journal::new(Limits { bytes: 600, ..Limits::default() });
        begin(&journal, "GET x", "");
        begin(&journal, "GET x", "");
        let ticket = begin(&journal, "GET x", "a body that takes some room");
        assert_eq!(journal.read(&Filter::default()).evicted, 1);
        journal.finish(ticket, Outcome { reason: Some("x".repeat(400)), ..Outcome::default() });
        assert_eq!(journal.read(&Filter::default()).evicted, 3);
    }

    #[test]
    fn long_bodies_are_cut_and_counted() {
        let journal = Journal::new(Limits { body_bytes: 4, ..Limits::default() });
        begin(&journal, "POST x", "123456789");
        let page = journal.read(&Filter::default());
        assert_eq!(page.entries[0].request.body.as_ref().unwrap().0, "1234… (5 more bytes)");
    }

    #[test]
    fn reading_on_leaves_out_what_was_read() {
        let journal = Journal::new(Limits::default());
        begin(&journal, "GET a", "");
        begin(&journal, "GET b", "");
        let page = journal.read(&Filter { after: 1, ..Filter::default() });
        assert_eq!(page.entries.len(), 1);
        let page = journal.read(&Filter { operation: Some("get A".to_owned()), ..Filter::default() });
        assert_eq!(page.entries[0].seq, 1);
        journal.clear();
        let old = begin(&journal, "GET c", "");
        assert_eq!(old.seq, 3);
        journal.restart();
        assert_eq!(begin(&journal, "GET c", "").seq, 1);
        journal.finish(Ticket { seq: 1, ..old }, Outcome { status: Some(500), ..Outcome::default() });
        assert_eq!(journal.read(&Filter::default()).entries[0].status, None);
    }
}
