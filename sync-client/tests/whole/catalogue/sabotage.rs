//! Clients that are broken in the way of real tools.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync_client::core::model::{OpKey, TicketKey};
use sync_client::core::policy::Policy;
use sync_client::ports::{
    Change, Created, NewTicket, Reply, Request, Ticket, Tracker, TrackerError, TrackerTraits,
};

use super::odd::{first, target_rows};
use crate::blows::{JIRA, Killed};
use crate::carriers::boundary;
use crate::layers::{
    Layer, on_create, on_find, on_get, on_identify, on_reply, on_send, on_sleep, on_traits, on_update,
};
use crate::trackers::Office;
use crate::world::World;

/// How a client is broken.
pub(super) enum Sabotage {
    /// It calls a port otherwise, or reads its answers otherwise.
    Port(fn(&World) -> Arc<dyn Layer>),
    /// It has another policy.
    Policy(fn(&mut Policy)),
    /// It remembers something else after a run.
    Ledger(fn(&World)),
}

impl Sabotage {
    pub(super) fn commit(&self, world: &mut World) {
        match self {
            Self::Port(layer) => world.sabotage = Some(layer(world)),
            Self::Policy(change) => change(&mut world.policy),
            Self::Ledger(after_run) => world.after_run = Some(*after_run),
        }
    }
}

/// After a lost reply the create is sent again, and again.
pub(super) fn create_again(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| {
        tracker.create(new).or_else(|_| tracker.create(new)).or_else(|_| tracker.create(new))
    })
}

/// No reply is taken for nothing done.
pub(super) fn no_reply_is_no(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| {
        tracker.create(new).map_err(|error| TrackerError::Unavailable(error.to_string()))
    })
}

/// It never looks for its tickets.
pub(super) fn no_search(_: &World) -> Arc<dyn Layer> {
    on_find(|_, _| Ok(Vec::new()))
}

/// It takes the tracker's search for immediate.
pub(super) fn no_lag(_: &World) -> Arc<dyn Layer> {
    on_traits(|tracker| TrackerTraits { search_lag: Duration::ZERO, ..tracker.traits() })
}

/// It searches among open tickets only.
pub(super) fn open_tickets_only(_: &World) -> Arc<dyn Layer> {
    on_find(|tracker, op| Ok(tracker.find(op)?.into_iter().filter(|ticket| !ticket.is_done).collect()))
}

/// It knows its tickets by their titles.
pub(super) fn titles_are_identities(world: &World) -> Arc<dyn Layer> {
    Arc::new(ByTitle { office: world.tracker.clone(), titles: Mutex::default() })
}

struct ByTitle {
    office: Office,
    titles: Mutex<BTreeMap<OpKey, String>>,
}

impl Layer for ByTitle {
    fn create(&self, under: &dyn Tracker, ticket: &NewTicket) -> Result<Created, TrackerError> {
        self.titles.lock().unwrap().insert(ticket.op.clone(), ticket.title.clone());
        under.create(ticket)
    }

    fn find(&self, under: &dyn Tracker, op: &OpKey) -> Result<Vec<Ticket>, TrackerError> {
        let title = self.titles.lock().unwrap().get(op).cloned();
        let has_title = |ticket: &Ticket| {
            let details = self.office.details(&ticket.key).unwrap();
            Some(details.summary.title) == title
        };
        Ok(under.find(op)?.into_iter().filter(has_title).collect())
    }
}

/// A search that fails finds nothing.
pub(super) fn failed_search_is_empty(_: &World) -> Arc<dyn Layer> {
    on_find(|tracker, op| Ok(tracker.find(op).unwrap_or_default()))
}

/// It does not ask who it is.
pub(super) fn no_identity(_: &World) -> Arc<dyn Layer> {
    on_identify(|_| Ok("somebody".to_owned()))
}

/// It does not look at what it made.
pub(super) fn created_as_wished(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| match tracker.create(new)? {
        Created::New(made) => Ok(Created::New(Ticket { op: Some(new.op.clone()), ..made })),
        other @ (Created::Existing(_) | Created::Unseen(..)) => Ok(other),
    })
}

/// It has no lock.
pub(super) fn no_lock(world: &World) -> Arc<dyn Layer> {
    let lock = super::duplicates::ledger_file(world).with_extension("db.lock");
    on_identify(move |tracker| {
        std::fs::remove_file(&lock).map_or(tracker.identify(), |()| tracker.identify())
    })
}

/// It sorts numbers as texts.
pub(super) fn sorted_as_texts(_: &World) -> Arc<dyn Layer> {
    on_find(|tracker, op| {
        let mut found = tracker.find(op)?;
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    })
}

/// Every row is a finding of its own.
pub(super) fn rows_are_findings(_: &World) -> Arc<dyn Layer> {
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    on_reply("GET security_finding_targets?", move |page| {
        for row in target_rows(page).into_iter().flatten() {
            if !seen.lock().unwrap().insert(row["id"].to_string()) {
                row["id"] = json!(format!("{}9", row["id"].as_str().unwrap_or_default()));
            }
        }
    })
}

/// It makes a blank ticket and fills it afterwards.
pub(super) fn blank_then_filled(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| {
        let made = tracker.create(&NewTicket { description: String::new(), ..new.clone() })?;
        let ticket = made.ticket();
        let comment = Some(new.description.clone());
        tracker.update(&ticket.key, &Change { comment, is_done: None }).map_err(|broken| broken.error)?;
        Ok(made)
    })
}

/// The watermark is its own clock after the run, whatever happened in it.
pub(super) fn mark_after_the_run(world: &World) {
    world.sql(&format!("UPDATE scope SET mark = '{}', is_due = 0", world.clock.0.now()));
}

/// The watermark is a clock that is an hour ahead.
pub(super) fn mark_by_a_fast_clock(world: &World) {
    let ahead = world.clock.0.now() + SignedDuration::from_hours(1);
    world.sql(&format!("UPDATE scope SET mark = '{ahead}'"));
}

/// It sends its local time, 5 hours and 30 minutes ahead, as if it were UTC.
pub(super) fn kolkata_is_utc(_: &World) -> Arc<dyn Layer> {
    since_is_later(SignedDuration::from_mins(330))
}

/// It asks for what is later than what it has seen, and goes back no hour.
pub(super) fn strictly_later(_: &World) -> Arc<dyn Layer> {
    since_is_later(SignedDuration::from_hours(1) + SignedDuration::from_micros(1))
}

fn since_is_later(by: SignedDuration) -> Arc<dyn Layer> {
    on_send(move |under, request, timeout| {
        let mut url = reqwest::Url::parse(&request.url).unwrap();
        let pairs = url.query_pairs().into_owned();
        let pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| match value.parse::<Timestamp>() {
                Ok(time) if name == "results_since" => (name, (time + by).to_string()),
                _ => (name, value),
            })
            .collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        under.send(&Request { url: url.to_string(), ..request.clone() }, timeout)
    })
}

/// It reads the first page only.
pub(super) fn first_page_only(_: &World) -> Arc<dyn Layer> {
    on_reply("GET ", |page| {
        if let Some(paging) = page.get_mut("pagination_information") {
            paging["next_cursor"] = Value::Null;
        }
    })
}

/// It follows every cursor, known or not.
pub(super) fn cursors_without_end(_: &World) -> Arc<dyn Layer> {
    let number = AtomicUsize::new(0);
    on_reply("GET security_finding_targets?", move |page| {
        let cursor = &mut page["pagination_information"]["next_cursor"];
        // The server in this row does not look at the cursor.
        if cursor.is_string() && number.load(Ordering::Relaxed) < 300 {
            *cursor = json!(format!("again-{}", number.fetch_add(1, Ordering::Relaxed)));
        }
    })
}

/// Its memory of what is open is lost between runs.
pub(super) fn all_seem_closed(world: &World) {
    world.sql("UPDATE item SET standing = 'closed'");
}

/// What can't be read is empty.
pub(super) fn errors_are_empty(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let mut reply = under.send(request, timeout)?;
        let is_error =
            serde_json::from_slice::<Value>(&reply.body).is_ok_and(|body| body["errorCode"].is_u64());
        if is_error || reply.status == 404 {
            let empty =
                json!({"issues": [], "libraries": [], "projects": [], "security_finding_targets": []});
            reply = Reply { status: 200, body: empty.to_string().into(), ..reply };
        }
        Ok(reply)
    })
}

/// It forgets what it told the tickets.
pub(super) fn tells_again(world: &World) {
    world.sql("UPDATE ticket SET told = 'closed' WHERE told = 'open'");
}

/// A ticket is closed if its status is called so.
pub(super) fn done_is_a_word(_: &World) -> Arc<dyn Layer> {
    on_get(|tracker, key| {
        let ticket = tracker.get(key)?;
        Ok(ticket.map(|ticket| Ticket { is_done: ticket.status.contains("Done"), ..ticket }))
    })
}

/// A group is closed as soon as one of its items is.
pub(super) fn one_closes_all(world: &World) {
    world.sql(
        "UPDATE item SET standing = 'closed'
         WHERE group_id IN (SELECT group_id FROM item WHERE standing = 'closed')",
    );
}

/// It does not look at a ticket before it changes it.
pub(super) fn blind_updates(_: &World) -> Arc<dyn Layer> {
    on_get(|tracker, key| {
        let ticket = tracker.get(key)?;
        Ok(ticket.map(|ticket| Ticket { is_done: false, our_last_comment: None, ..ticket }))
    })
}

/// Every target is open when it is seen first.
pub(super) fn open_at_first_sight(_: &World) -> Arc<dyn Layer> {
    let is_first = first(2);
    on_reply("GET security_finding_targets?", move |page| {
        if is_first() {
            target_rows(page).into_iter().flatten().for_each(|row| row["current_status"] = json!("OPEN"));
        }
    })
}

/// A ticket is known by its kind of issue.
pub(super) fn one_ticket_per_kind(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| tracker.create(&NewTicket { op: OpKey::new("kind"), ..new.clone() }))
}

/// It does not remember what it has told the vendor.
pub(super) fn links_every_time(world: &World) {
    world.sql("UPDATE item SET linked = NULL");
}

/// It writes the whole ticket when it changes anything.
pub(super) fn writes_whole_tickets(world: &World) -> Arc<dyn Layer> {
    let office = world.tracker.clone();
    on_update(move |tracker, key, change| {
        office.as_person("sync").remove_label(key, "team-wallet");
        office.as_person("sync").edit_title(key, "As the client would call it");
        tracker.update(key, change)
    })
}

/// It does not count its comments.
pub(super) fn comments_without_end(_: &World) -> Arc<dyn Layer> {
    on_get(|tracker, key| Ok(tracker.get(key)?.map(|ticket| Ticket { our_comments: 0, ..ticket })))
}

/// It looks for a ticket by making it.
pub(super) fn search_makes(_: &World) -> Arc<dyn Layer> {
    on_find(|tracker, op| {
        let (title, description) = ("A ticket".to_owned(), String::new());
        tracker.create(&NewTicket { op: op.clone(), title, description, labels: Vec::new() })?;
        tracker.find(op)
    })
}

/// Links are sent twice.
pub(super) fn links_twice(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        if super::odd::is_link(request) {
            under.send(request, timeout)?;
        }
        under.send(request, timeout)
    })
}

/// A second is a nanosecond.
pub(super) fn no_waiting(_: &World) -> Arc<dyn Layer> {
    on_sleep(|_, _| ())
}

/// What is no whole number is its end.
pub(super) fn whole_seconds_or_death(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let reply = under.send(request, timeout)?;
        let header = reply.headers.get("retry-after").and_then(|value| value.to_str().ok());
        if header.is_some_and(|value| value.parse::<u64>().is_err()) { panic_any(Killed) } else { Ok(reply) }
    })
}

/// A refusal counts as a ticket.
pub(super) fn refused_is_created(_: &World) -> Arc<dyn Layer> {
    let number = AtomicUsize::new(900);
    on_create(move |tracker, new| match tracker.create(new) {
        Err(TrackerError::Refused(_)) => Ok(Created::New(Ticket {
            key: TicketKey::new(format!("LOCAL-{}", number.fetch_add(1, Ordering::Relaxed))),
            url: None,
            is_done: false,
            status: "Open".to_owned(),
            op: Some(new.op.clone()),
            our_last_comment: None,
            our_comments: 0,
            resolution: None,
        })),
        other => other,
    })
}

/// What goes wrong with a link is kept to itself.
pub(super) fn silent_links(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let reply = under.send(request, timeout)?;
        let is_hidden = boundary(request).starts_with("PATCH ") && reply.status >= 400;
        let status = if is_hidden { 200 } else { reply.status };
        Ok(Reply { status, body: if is_hidden { request.body.clone() } else { reply.body }, ..reply })
    })
}

/// It looks into an error that is not there.
pub(super) fn errors_have_a_body(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let reply = under.send(request, timeout)?;
        let is_json = serde_json::from_slice::<Value>(&reply.body).is_ok();
        if is_json { Ok(reply) } else { panic_any(Killed) }
    })
}

/// The first refusal ends it.
pub(super) fn refusal_is_the_end(_: &World) -> Arc<dyn Layer> {
    on_create(|tracker, new| match tracker.create(new) {
        Err(TrackerError::Refused(_)) => panic_any(Killed),
        other => other,
    })
}

/// It does not know how long texts may be.
pub(super) fn no_limits(_: &World) -> Arc<dyn Layer> {
    on_traits(|tracker| TrackerTraits {
        title_chars_max: 1_000_000,
        text_chars_max: 1_000_000,
        ..tracker.traits()
    })
}

/// The vendor is told the title of a ticket.
pub(super) fn titles_are_identifiers(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["requestType"] != "updateExternalIntegrationIssues" {
            return under.send(request, timeout);
        }
        body["externalIssues"][0]["identifier"] = json!("A title with & and more. ".repeat(12));
        under.send(&Request { body: body.to_string().into(), ..request.clone() }, timeout)
    })
}

/// What is not open is closed.
pub(super) fn unknown_is_closed(_: &World) -> Arc<dyn Layer> {
    on_reply("", |body| {
        for row in target_rows(body).into_iter().flatten() {
            if row["current_status"] != "OPEN" {
                row["current_status"] = json!("CLOSED_FIXED");
            }
        }
    })
}

/// One impossible date makes a reply unreadable.
pub(super) fn all_or_nothing(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        let reply = under.send(request, timeout)?;
        let is_odd = String::from_utf8_lossy(&reply.body).contains("2017-13-02");
        Ok(if is_odd { Reply { body: "?".into(), ..reply } } else { reply })
    })
}

/// A plus is sent as it is.
pub(super) fn plain_plus(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, timeout| {
        under.send(&Request { url: request.url.replace("%2B", "+"), ..request.clone() }, timeout)
    })
}

/// It waits for ever.
pub(super) fn no_timeout(_: &World) -> Arc<dyn Layer> {
    on_send(|under, request, _| under.send(request, Duration::from_hours(24 * 365)))
}

/// A ticket that was moved still has its old key.
pub(super) fn keys_never_change(_: &World) -> Arc<dyn Layer> {
    on_get(|tracker, key| Ok(tracker.get(key)?.map(|ticket| Ticket { key: key.clone(), ..ticket })))
}

/// What is gone is forgotten.
pub(super) fn lost_is_forgotten(world: &World) {
    world.sql(
        "DELETE FROM item WHERE group_id IN (SELECT group_id FROM ticket WHERE state = 'lost');
         DELETE FROM ticket WHERE state = 'lost';",
    );
}

/// What was not seen once is gone.
pub(super) fn unseen_is_lost(world: &World) {
    world.sql("UPDATE ticket SET state = 'lost' WHERE unseen_runs > 0");
}

/// It does not look whose ticket it is.
pub(super) fn anybodys_ticket(_: &World) -> Arc<dyn Layer> {
    on_get(|tracker, key| Ok(tracker.get(key)?.map(|ticket| Ticket { op: None, ..ticket })))
}

/// It takes every ticket for changed by somebody.
pub(super) fn all_was_left_otherwise(world: &World) {
    world.sql("UPDATE ticket SET left_done = 1 - left_done, is_unheard = 1 WHERE left_done IS NOT NULL");
}

/// It fills in nothing.
pub(super) fn no_fields(_: &World) -> Arc<dyn Layer> {
    on_json(|body| {
        if body.contains_key("transition") {
            body.remove("fields");
        }
    })
}

/// It comments before it knows whether there is a way.
pub(super) fn no_screens(_: &World) -> Arc<dyn Layer> {
    on_reply("jira GET issue/", |body| {
        for way in body["transitions"].as_array_mut().into_iter().flatten() {
            way["fields"] = json!({});
        }
    })
}

/// Markup is a document's text, whatever it holds.
pub(super) fn markup_as_it_is(_: &World) -> Arc<dyn Layer> {
    on_json(|body| {
        if let Some(description) = body.get_mut("fields").and_then(|fields| fields.get_mut("description")) {
            *description =
                json!({"type": "doc", "version": 1, "content": [{"type": "markdown", "text": "<table>"}]});
        }
    })
}

/// Other bodies than the client sends to Jira.
fn on_json(edit: impl Fn(&mut serde_json::Map<String, Value>) + Send + Sync + 'static) -> Arc<dyn Layer> {
    on_send(move |under, request, timeout| {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match body.as_object_mut().filter(|_| boundary(request).starts_with(JIRA)) {
            Some(members) => {
                edit(members);
                under.send(&Request { body: body.to_string().into(), ..request.clone() }, timeout)
            }
            None => under.send(request, timeout),
        }
    })
}
