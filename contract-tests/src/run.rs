//! Runs the suite against a target.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fixtures::spec::Evidence;
use globset::GlobMatcher;

use crate::clock;
use crate::suite::case::{Case, Ground, Surveyed};
use crate::suite::check::{Broken, Check, Held, Needs, Probe, Stop, Unclear, Verdict};
use crate::suite::{checks, probes, vendor_of};
use crate::target::account::Account;
use crate::target::exchange::Evidence as Exchanged;
use crate::target::plane::{PlaneError, Sandbox};
use crate::target::{Kind, Target, Writes};

/// The scene that checks get in a simulator.
pub const SCENE: &str = "contract";
/// Rows per page in it: few, so that lists have several pages.
pub const PAGE_SIZE: usize = 12;

/// Which checks and probes are run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this vendor's: `data-theorem`, `mend` or `jira`.
    pub vendor: Option<String>,
    /// Only those whose path fits.
    pub only: Option<GlobMatcher>,
    /// Checks, probes, or both.
    pub parts: Parts,
}

/// The parts of the suite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Parts {
    /// Checks and probes.
    #[default]
    Both,
    /// Checks alone.
    Checks,
    /// Probes alone.
    Probes,
}

/// What a run did.
#[derive(Debug)]
pub struct Run {
    /// One per check, in the suite's order.
    pub checks: Vec<CheckRun>,
    /// One per probe, in the ledger's order.
    pub probes: Vec<ProbeRun>,
    /// The value in force of every reading, by id, as a simulator says it.
    pub settings: BTreeMap<String, String>,
    /// How long it all took.
    pub took: Duration,
}

/// What a check came to.
#[derive(Debug)]
pub struct CheckRun {
    /// The check.
    pub check: &'static Check,
    /// How it ended.
    pub outcome: Outcome,
    /// What it asked and what came back, in order.
    pub exchanges: Vec<Exchanged>,
    /// What it changed and could not put back.
    pub left_behind: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// What a probe came to.
#[derive(Debug)]
pub struct ProbeRun {
    /// The probe.
    pub probe: &'static Probe,
    /// The value that the target shows, or why none was seen.
    pub value: Result<&'static str, Outcome>,
    /// What it changed and could not put back.
    pub left_behind: Vec<String>,
}

/// How a check ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The rule held in what was observed.
    Held(Held),
    /// The rule is broken: the target is convicted.
    Broken(Broken),
    /// What real clients were seen to rely on is otherwise here. No page says so, so nobody is convicted.
    Differs(Broken),
    /// The target did not show what the rule is about.
    NotExercised(Unclear),
    /// This can't be tried on such a target.
    Skipped(String),
    /// There was no answer.
    NoAnswer(String),
}

impl Outcome {
    /// How a check's end counts on this target.
    fn of(verdict: Verdict, check: &Check, target: &Target) -> Self {
        match verdict {
            Ok(held) => Self::Held(held),
            Err(stop) => match Self::stopped(stop) {
                Self::Broken(broken) if !convicts(check, target) => Self::Differs(broken),
                outcome => outcome,
            },
        }
    }

    fn stopped(stop: Stop) -> Self {
        match stop {
            Stop::Broken(broken) => Self::Broken(broken),
            Stop::NotExercised(why) => Self::NotExercised(Unclear { why, seen: None }),
            Stop::Unclear(unclear) => Self::NotExercised(unclear),
            Stop::Skipped(why) => Self::Skipped(why),
            Stop::NoAnswer(error) => Self::NoAnswer(error.to_string()),
            Stop::Plane(error) => Self::NoAnswer(error.to_string()),
        }
    }

    /// Whether the rule was seen to hold.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// Whether the target is convicted.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

/// Only a vendor's own page can convict a vendor. The simulator is also held to what real clients were seen to do.
fn convicts(check: &Check, target: &Target) -> bool {
    matches!(check.rule.evidence, Evidence::Documented { .. }) || target.is_simulator()
}

impl Selection {
    /// The checks that are selected, in the suite's order.
    fn checks(&self) -> Vec<&'static Check> {
        if self.parts == Parts::Probes {
            return Vec::new();
        }
        checks().filter(|check| self.takes(&check.path())).collect()
    }

    /// The probes that are selected, in the ledger's order.
    fn probes(&self) -> Vec<&'static Probe> {
        if self.parts == Parts::Checks {
            return Vec::new();
        }
        probes().filter(|probe| self.takes(&probe_path(probe))).collect()
    }

    /// Whether a path is selected.
    pub fn takes(&self, path: &str) -> bool {
        let vendor = self.vendor.as_ref().is_none_or(|vendor| path.starts_with(&format!("{vendor}/")));
        vendor && self.only.as_ref().is_none_or(|only| only.is_match(path))
    }
}

/// The path of a probe, e.g. `data-theorem/readings/dt.last-page-cursor`.
pub fn probe_path(probe: &Probe) -> String {
    let id = probe.reading.id;
    format!("{}/readings/{id}", vendor_of(id))
}

/// How many checks and probes are selected.
pub fn selected(selection: &Selection) -> usize {
    selection.checks().len() + selection.probes().len()
}

/// Runs what is selected. `threads` checks run beside each other; an account that is somebody's gets one at a time.
/// `done` is told the path of each check that ended.
pub fn run(
    target: &Target,
    selection: &Selection,
    threads: usize,
    done: &(dyn Fn(&str) + Sync),
) -> Result<Run, PlaneError> {
    let start = clock::instant();
    let ground = SharedGround::of(target)?;
    let threads = if target.is_simulator() { threads.max(1) } else { 1 };
    let checks = in_parallel(threads, &selection.checks(), |check| {
        let ended = run_check(target, &ground, check);
        done(&check.path());
        ended
    });
    let probes = in_parallel(threads, &selection.probes(), |probe| {
        let ended = run_probe(target, &ground, probe);
        done(&probe_path(probe));
        ended
    });
    let settings = ground.sandbox.as_ref().map_or_else(|| Ok(BTreeMap::new()), Sandbox::readings)?;
    ground.end();
    Ok(Run { checks, probes, settings, took: start.elapsed() })
}

/// What running checks until one convicts came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirstConviction {
    /// A check convicts; those behind it were not run.
    Convicted,
    /// No check convicts, and some did not see their rule hold.
    NotExercised,
    /// Every check saw its rule hold.
    AllHeld,
}

/// Runs the checks that are selected until one convicts.
pub fn first_conviction(target: &Target, selection: &Selection) -> Result<FirstConviction, PlaneError> {
    let ground = SharedGround::of(target)?;
    let mut ended = FirstConviction::AllHeld;
    for check in selection.checks() {
        match run_check(target, &ground, check).outcome {
            Outcome::Held(_) => {}
            Outcome::Broken(_) => {
                ended = FirstConviction::Convicted;
                break;
            }
            _ => ended = FirstConviction::NotExercised,
        }
    }
    ground.end();
    Ok(ended)
}

/// What checks that only read stand on together.
struct SharedGround {
    account: Account,
    sandbox: Option<Sandbox>,
    surveyed: Arc<Surveyed>,
}

impl SharedGround {
    fn of(target: &Target) -> Result<Self, PlaneError> {
        let (account, sandbox) = match &target.kind {
            Kind::Simulator { .. } => {
                let sandbox = new_sandbox(target)?;
                (sandbox.account.clone(), Some(sandbox))
            }
            Kind::Account { account, .. } => ((**account).clone(), None),
        };
        Ok(Self { account, sandbox, surveyed: Arc::default() })
    }

    fn end(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.delete();
        }
    }
}

fn new_sandbox(target: &Target) -> Result<Sandbox, PlaneError> {
    match &target.kind {
        Kind::Simulator { plane, readings } => {
            let readings: Vec<(&str, &str)> =
                readings.iter().map(|(id, value)| (id.as_str(), value.as_str())).collect();
            plane.create_sandbox(SCENE, PAGE_SIZE, &readings)
        }
        Kind::Account { .. } => Err(PlaneError::NotASimulator),
    }
}

fn run_check(target: &Target, shared: &SharedGround, check: &'static Check) -> CheckRun {
    let start = clock::instant();
    let (outcome, exchanges, left_behind) = match on_ground(target, shared, check.needs, |case| {
        let verdict = (check.run)(case);
        // What is put back afterwards is no evidence.
        let exchanges = case.exchanges();
        (verdict, exchanges, case.undo())
    }) {
        Ok((verdict, exchanges, left_behind)) => {
            (Outcome::of(verdict, check, target), exchanges, left_behind)
        }
        Err(stop) => (Outcome::stopped(stop), Vec::new(), Vec::new()),
    };
    CheckRun { check, outcome, exchanges, left_behind, took: start.elapsed() }
}

fn run_probe(target: &Target, shared: &SharedGround, probe: &'static Probe) -> ProbeRun {
    let looked = on_ground(target, shared, probe.needs, |case| {
        let value = (probe.run)(case);
        (value, case.undo())
    });
    let (value, left_behind) = looked.unwrap_or_else(|stop| (Err(stop), Vec::new()));
    ProbeRun { probe, value: value.map_err(Outcome::stopped), left_behind }
}

/// Gives a case the ground that fits its needs, for as long as `act` takes; or says why there is none.
fn on_ground<T>(
    target: &Target,
    shared: &SharedGround,
    needs: Needs,
    act: impl FnOnce(&Case) -> T,
) -> Result<T, Stop> {
    match (&target.kind, &shared.sandbox) {
        (Kind::Simulator { .. }, Some(sandbox)) if needs == Needs::Reading => {
            let ground = Ground::Sandbox(Box::new(sandbox.clone()));
            Ok(act(&Case::new(target, shared.account.clone(), ground, Arc::clone(&shared.surveyed))))
        }
        (Kind::Simulator { .. }, _) => with_own_sandbox(target, act),
        (Kind::Account { writes, .. }, _) => {
            permitted(needs, writes)?;
            let ground = Ground::Account(writes.clone());
            Ok(act(&Case::new(target, shared.account.clone(), ground, Arc::clone(&shared.surveyed))))
        }
    }
}

/// Gives a case a world of its own in a simulator, for as long as `act` takes.
pub fn with_own_sandbox<T>(target: &Target, act: impl FnOnce(&Case) -> T) -> Result<T, Stop> {
    let sandbox = new_sandbox(target)?;
    let ground = Ground::Sandbox(Box::new(sandbox.clone()));
    let ended = act(&Case::new(target, sandbox.account.clone(), ground, Arc::default()));
    sandbox.delete();
    Ok(ended)
}

/// Whether an account that is somebody's allows what a check needs.
fn permitted(needs: Needs, writes: &Writes) -> Result<(), Stop> {
    let skip = |why: &str| Err(Stop::Skipped(why.to_owned()));
    match needs {
        Needs::Reading => Ok(()),
        Needs::Writing if *writes != Writes::default() => Ok(()),
        Needs::Writing => skip("it writes; --allow-writes permits that"),
        Needs::Lasting => skip("what it writes can't be put back, so it is only run in a simulator"),
        Needs::Control => {
            skip("something has to happen at the vendor for it, so it is only run in a simulator")
        }
    }
}

/// Does one thing with each item, several at a time, and returns the results in the items' order.
fn in_parallel<I: Sync, R: Send>(threads: usize, items: &[I], act: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = act(item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
