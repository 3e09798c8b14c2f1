//! A small model of a client that makes no mistake, in a world where everything goes wrong.
//!
//! It looks at both sides as they are, so nothing is asked of its reading; what is modelled is what it writes down when,
//! and what it does with a reply that never came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use contract_tests::judge::capabilities::Closes;
use contract_tests::judge::ids::{GroupId, ItemId, TicketKey};
use contract_tests::judge::journal::{
    Action, Answer, Call, Counts, HowLong, Planned, Reply, RunEnded, RunStarted, TrackerRequest, Vendor,
    Wait, WaitScope, What,
};
use contract_tests::judge::state::{Author, Link, Standing, Ticket, VendorItem};
use jiff::{SignedDuration, Timestamp};
use proptest::strategy::{Just, Strategy};
use serde_json::json;

use crate::story::{Story, create, ended, killed, link, list_apps, list_targets, mend, set_done};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Fine,
    LostBefore,
    LostAfter,
    FailedBefore,
    FailedAfter,
    TooMany(Option<u64>),
    NotSent,
    Refused,
    KillBefore,
    KillAfter,
}

impl Fate {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        proptest::prop_oneof![
            8 => Just(Self::Fine),
            1 => Just(Self::LostBefore),
            1 => Just(Self::LostAfter),
            1 => Just(Self::FailedBefore),
            1 => Just(Self::FailedAfter),
            1 => proptest::option::of(0..90_u64).prop_map(Self::TooMany),
            1 => Just(Self::NotSent),
            1 => Just(Self::Refused),
            1 => Just(Self::KillBefore),
            1 => Just(Self::KillAfter),
        ]
    }
}

/// What the client keeps between its runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    tickets: BTreeMap<GroupId, TicketKey>,
    in_doubt: BTreeMap<GroupId, Timestamp>,
    reported: BTreeMap<ItemId, TicketKey>,
    told: BTreeMap<ItemId, Standing>,
    is_lost: bool,
}

impl Ledger {
    pub(crate) fn lost() -> Self {
        Self { is_lost: true, ..Self::default() }
    }
}

/// Something that happens without the client.
pub(crate) type Happens<'a> = &'a mut dyn FnMut(&mut Story);

/// What happens around a run.
pub(crate) struct Circumstances<'a> {
    pub(crate) started: RunStarted,
    pub(crate) fates: VecDeque<Fate>,
    /// After how many requests something happens, and what.
    pub(crate) during: Option<(usize, Happens<'a>)>,
}

struct Killed;

/// A run under way.
struct Run<'a, 'b> {
    story: &'a mut Story,
    ledger: &'a mut Ledger,
    circumstances: Circumstances<'b>,
    counts: Counts,
    plan: Vec<Planned>,
    failed: Vec<String>,
    waits: bool,
}

/// Runs the client once.
pub(crate) fn sync(story: &mut Story, ledger: &mut Ledger, circumstances: Circumstances<'_>) {
    let is_dry = circumstances.started.is_dry;
    let before = ledger.clone();
    story.begin(circumstances.started.clone());
    let zero = Some(0);
    let counts = Counts { created: zero, commented: zero, closed: zero, reopened: zero, linked: zero };
    let mut run =
        Run { story, ledger, circumstances, counts, plan: Vec::new(), failed: Vec::new(), waits: false };
    let ended = match run.work() {
        Err(Killed) => killed(),
        Ok(noticed) => RunEnded {
            counts: if is_dry { Counts::default() } else { run.counts },
            plan: is_dry.then(|| run.plan.clone()),
            named: Some(run.failed.join(", ")),
            noticed,
            ..ended(if !run.failed.is_empty() {
                4
            } else if run.waits {
                7
            } else {
                0
            })
        },
    };
    story.finish(ended);
    if is_dry {
        *ledger = before;
    }
}

const ATTEMPTS: usize = 5;

impl Run<'_, '_> {
    fn work(&mut self) -> Result<Option<BTreeMap<String, u64>>, Killed> {
        let identify = |answer| tracker(Call::Identify, answer);
        if !self.asked(&identify)? {
            self.failed.push("the tracker".to_owned());
            return Ok(None);
        }
        let mut items = Vec::new();
        if !self.asked(&|answer| What::Vendor(list_apps(answer)))? {
            self.failed.push("the list of apps".to_owned());
        } else if self.asked(&|answer| What::Vendor(list_targets(answer)))? {
            items.extend(self.items(Vendor::DataTheorem));
        } else {
            self.failed.push("app 13".to_owned());
        }
        let fetch =
            |answer| What::Vendor(mend("fetchProjectPolicyIssues", json!({"projectToken": "p"}), answer));
        if self.asked(&fetch)? {
            items.extend(self.items(Vendor::Mend));
        } else {
            self.failed.push("project p".to_owned());
        }
        let mut noticed = BTreeMap::new();
        for item in items.iter().filter(|item| item.standing == Standing::Unknown) {
            *noticed.entry(format!("unknown status {}", item.status)).or_insert(0) += 1;
        }
        let groups: BTreeSet<GroupId> = items.iter().map(|item| item.group.clone()).collect();
        for group in groups {
            let items: Vec<&VendorItem> = items.iter().filter(|item| item.group == group).collect();
            self.group(&group, &items)?;
        }
        Ok(self.failed.is_empty().then_some(noticed))
    }

    fn items(&self, vendor: Vendor) -> Vec<VendorItem> {
        self.story.state().items.values().filter(|item| item.vendor() == vendor).cloned().collect()
    }

    fn group(&mut self, group: &GroupId, items: &[&VendorItem]) -> Result<(), Killed> {
        let state = self.story.state();
        let is_theirs = |key: &&TicketKey| state.ticket(key).is_none_or(|ticket| ticket.origin.is_none());
        let is_left = items.iter().any(|item| {
            let keys = item.link.tickets();
            !keys.is_empty() && keys.iter().all(is_theirs)
        });
        let is_open = items.iter().any(|item| item.standing == Standing::Open);
        if is_left {
            return Ok(());
        }
        if !self.ledger.tickets.contains_key(group) {
            if self.ledger.is_lost || self.ledger.in_doubt.contains_key(group) {
                self.adopt(group)?;
            }
            if !self.ledger.tickets.contains_key(group) {
                if is_open && !self.ledger.in_doubt.contains_key(group) {
                    self.create(group, items)?;
                }
                return Ok(());
            }
        }
        self.update(group, items)
    }

    /// Looks for the ticket of a create in doubt, or of a ledger that was lost.
    fn adopt(&mut self, group: &GroupId) -> Result<(), Killed> {
        // What has a unique key is looked up by it, and there at once.
        let has_unique_key = self.story.capabilities.tracker_has_unique_key;
        let lag_s = if has_unique_key { 0 } else { self.story.capabilities.search_lag_s };
        let lag = SignedDuration::from_secs(lag_s.try_into().unwrap());
        let attempt = self.ledger.in_doubt.get(group).copied();
        if attempt.is_some_and(|attempt| self.story.now.duration_since(attempt) < lag) {
            self.waits = true;
            return Ok(());
        }
        let live = || self.story.state().live(group).map(|ticket| ticket.key.clone()).collect::<Vec<_>>();
        let found = live();
        let call = Call::Find { group: Some(group.clone()), found: found.clone() };
        if self.asked(&|answer| tracker(call.clone(), answer))? {
            self.ledger.in_doubt.remove(group);
            if let Some(key) = found.first() {
                self.ledger.tickets.insert(group.clone(), key.clone());
            }
        } else {
            self.failed.push(group.to_string());
            // Nothing was proved, so nothing may be made.
            self.ledger.in_doubt.entry(group.clone()).or_insert(self.story.now - lag);
        }
        Ok(())
    }

    fn create(&mut self, group: &GroupId, items: &[&VendorItem]) -> Result<(), Killed> {
        let has_unique_key = self.story.capabilities.tracker_has_unique_key;
        let key = self.story.next_key();
        if self.circumstances.started.is_dry {
            self.planned(Action::Create, &items[0].id);
        } else {
            let (mut made, mut was_doubtful) = (None, self.ledger.in_doubt.contains_key(group));
            for _ in 0..ATTEMPTS {
                let present = self.story.state().live(group).next().map(|ticket| ticket.key.clone());
                let present = present.filter(|_| has_unique_key);
                let call = create(group.clone(), present.as_ref().unwrap_or(&key));
                self.ledger.in_doubt.insert(group.clone(), self.story.now);
                let is_new = present.is_none();
                let reply = self.send(&|answer| {
                    let answer = Answer { is_applied: answer.is_applied && is_new, ..answer };
                    tracker(call.clone(), answer)
                })?;
                if reply == Reply::Done {
                    made = Some(present.unwrap_or(key.clone()));
                    self.counts.created = self.counts.created.map(|count| count + u64::from(is_new));
                    break;
                }
                if reply.is_doubtful() && !has_unique_key {
                    self.waits = true;
                    self.failed.push(group.to_string());
                    return Ok(());
                }
                // A no to the second attempt says nothing of the first.
                was_doubtful |= reply.is_doubtful();
                if !was_doubtful {
                    self.ledger.in_doubt.remove(group);
                }
                if !reply.is_passing() {
                    break;
                }
                self.story.wait(2);
            }
            let Some(made) = made else {
                self.failed.push(group.to_string());
                return Ok(());
            };
            self.ledger.in_doubt.remove(group);
            self.ledger.tickets.insert(group.clone(), made);
            for item in items {
                self.ledger.told.insert(item.id.clone(), item.standing);
            }
        }
        let key = self.ledger.tickets.get(group).cloned().unwrap_or(key);
        self.link(items, &key)
    }

    fn link(&mut self, items: &[&VendorItem], key: &TicketKey) -> Result<(), Killed> {
        for item in items.iter().filter(|item| item.standing == Standing::Open) {
            let is_linked = match &item.link {
                Link::External(present) => present.as_ref() == Some(key),
                Link::Reports(_) => self.ledger.reported.get(&item.id) == Some(key),
            };
            if is_linked {
                continue;
            }
            if self.circumstances.started.is_dry {
                self.planned(Action::Link, &item.id);
            } else if self.asked(&|answer| What::Vendor(link(&item.id, key, answer)))? {
                self.counts.linked = self.counts.linked.map(|count| count + 1);
                self.ledger.reported.insert(item.id.clone(), key.clone());
            } else {
                self.failed.push(item.id.to_string());
            }
        }
        Ok(())
    }

    /// Looks at the ticket, then brings it up to date.
    fn update(&mut self, group: &GroupId, items: &[&VendorItem]) -> Result<(), Killed> {
        let known = self.ledger.tickets[group].clone();
        let found = self.story.state().ticket(&known).filter(|ticket| !ticket.is_deleted).cloned();
        let key = found.as_ref().map(|ticket| ticket.key.clone());
        let call = Call::Get { ticket: known, found: key };
        let is_there = found.is_some();
        let get = |answer: Answer| {
            let reply = if answer.reply == Reply::Done && !is_there { Reply::NotFound } else { answer.reply };
            tracker(call.clone(), Answer { reply, ..answer })
        };
        if !self.asked(&get)? {
            self.failed.push(group.to_string());
            return Ok(());
        }
        let Some(ticket) = found else { return Ok(()) };
        self.ledger.tickets.insert(group.clone(), ticket.key.clone());
        self.link(items, &ticket.key)?;
        match self.story.capabilities.closes {
            Closes::Transition => self.decide(&ticket, items),
            Closes::Comment => self.tell(&ticket, items),
        }
    }

    fn decide(&mut self, ticket: &Ticket, items: &[&VendorItem]) -> Result<(), Killed> {
        let is_any = |standing| items.iter().any(|item| item.standing == standing);
        let is_over = !is_any(Standing::Open) && !is_any(Standing::Unknown);
        let is_theirs = ticket.decided_by == Some(Author::Person);
        let is_done = if is_over && !ticket.is_done && !is_theirs {
            true
        } else if is_any(Standing::Open) && ticket.is_done && !is_theirs && self.story.capabilities.reopens {
            false
        } else {
            return Ok(());
        };
        if is_done && items.iter().any(|item| item.vendor() == Vendor::Mend) {
            let info = |answer| {
                let body = json!({"projectToken": "p", "keyUuids": [items[0].parent]});
                What::Vendor(mend("getProjectLibrariesInfo", body, answer))
            };
            if !self.asked(&info)? {
                self.failed.push("project p".to_owned());
                return Ok(());
            }
        }
        let action = if is_done { Action::Close } else { Action::Reopen };
        if self.circumstances.started.is_dry {
            self.planned(action, &items[0].id);
        } else if self.asked(&|answer| tracker(set_done(&ticket.key, is_done), answer))? {
            let count = if is_done { &mut self.counts.closed } else { &mut self.counts.reopened };
            *count = count.map(|count| count + 1);
        } else {
            self.failed.push(ticket.key.to_string());
        }
        Ok(())
    }

    fn tell(&mut self, ticket: &Ticket, items: &[&VendorItem]) -> Result<(), Killed> {
        let is_news = |item: &&&VendorItem| {
            item.standing != Standing::Unknown && self.ledger.told.get(&item.id) != Some(&item.standing)
        };
        let news: Vec<&VendorItem> = items.iter().filter(is_news).copied().collect();
        if news.is_empty() || ticket.is_done {
            return Ok(());
        }
        let texts = news.iter().map(|item| {
            let events = self.story.events.iter();
            let changes = events.filter(|event| matches!(&event.what, What::Happened(_))).count();
            format!("{} is {}, after {changes} changes", item.id, item.status)
        });
        let text = texts.collect::<Vec<_>>().join("; ");
        let last = ticket.comments.iter().rev().find(|comment| comment.by == Author::Client);
        if last.is_none_or(|last| last.text != text) {
            if self.circumstances.started.is_dry {
                self.planned(Action::Comment, &items[0].id);
                return Ok(());
            }
            // Until a reply says so, nobody knows what the readers were told.
            for item in &news {
                self.ledger.told.remove(&item.id);
            }
            let comment = Call::Comment { ticket: ticket.key.clone(), text };
            if !self.asked(&|answer| tracker(comment.clone(), answer))? {
                self.failed.push(ticket.key.to_string());
                return Ok(());
            }
            self.counts.commented = self.counts.commented.map(|count| count + 1);
        }
        for item in news {
            self.ledger.told.insert(item.id.clone(), item.standing);
        }
        Ok(())
    }

    fn planned(&mut self, action: Action, item: &ItemId) {
        self.plan.push(Planned { action, item: item.clone() });
    }

    /// Sends a request that may be repeated until it is answered, and says whether it was granted.
    fn asked(&mut self, request: &dyn Fn(Answer) -> What) -> Result<bool, Killed> {
        for _ in 0..ATTEMPTS {
            let reply = self.send(request)?;
            if !reply.is_passing() {
                return Ok(matches!(reply, Reply::Done | Reply::NotFound));
            }
            self.story.wait(2);
        }
        Ok(false)
    }

    /// Sends a request once.
    fn send(&mut self, request: &dyn Fn(Answer) -> What) -> Result<Reply, Killed> {
        let fate = self.circumstances.fates.pop_front().unwrap_or(Fate::Fine);
        let (is_applied, reply) = match fate {
            Fate::Fine | Fate::KillAfter => (true, Reply::Done),
            Fate::LostBefore | Fate::KillBefore => (false, Reply::Lost),
            Fate::LostAfter => (true, Reply::Lost),
            Fate::FailedBefore => (false, Reply::Failed(502)),
            Fate::FailedAfter => (true, Reply::Failed(500)),
            Fate::TooMany(_) => (false, Reply::TooMany),
            Fate::NotSent => (false, Reply::NotSent),
            Fate::Refused => (false, Reply::Refused(400)),
        };
        let mut answer = Answer::new(is_applied, reply);
        answer.fault = (fate != Fate::Fine).then(|| format!("{fate:?}"));
        if let Fate::TooMany(seconds) = fate {
            let how_long = seconds.map_or(HowLong::Unsaid, HowLong::Seconds);
            answer.wait = Some(Wait { how_long, scope: WaitScope::Server });
        }
        let what = request(answer);
        let reply = match &what {
            What::Vendor(request) => request.answer.reply,
            What::Tracker(request) => request.answer.reply,
            _ => reply,
        };
        self.story.push(what);
        if let Fate::TooMany(seconds) = fate {
            self.story.wait(seconds.unwrap_or(5).try_into().unwrap());
        }
        if let Some((left, happens)) = &mut self.circumstances.during {
            if *left == 0 {
                happens(self.story);
                self.circumstances.during = None;
            } else {
                *left -= 1;
            }
        }
        match fate {
            Fate::KillBefore | Fate::KillAfter => Err(Killed),
            _ => Ok(reply),
        }
    }
}

fn tracker(call: Call, answer: Answer) -> What {
    What::Tracker(TrackerRequest { call, answer })
}
