//! `run` and `plan`: a run of the sync, or what it would do.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use serde_json::json;

use super::{doctor, output};
use crate::adapters::caller::{Caller, Patience};
use crate::adapters::data_theorem::DataTheorem;
use crate::adapters::http::Http;
use crate::adapters::jira::Jira;
use crate::adapters::local::{LocalError, LocalTracker};
use crate::adapters::mend::{Mend, MendSettings};
use crate::adapters::redmine::Redmine;
use crate::adapters::system_clock::SystemClock;
use crate::config::{Settings, TrackerSettings};
use crate::core::noticed::Noticed;
use crate::exit::Exit;
use crate::ledger::{Ledger, LedgerError};
use crate::ports::{Clock as _, Tracker};
use crate::sync::{Options, Pretend, Progress, Report, Run, Vendors};

/// How a run is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Whether anything is changed, and how often.
    pub(super) manner: Manner,
    /// Look at everything.
    pub(super) is_full: bool,
    /// No mass-change brake.
    pub(super) allows_mass_change: bool,
    /// Print the result as JSON.
    pub(super) json: bool,
}

/// Whether a run changes anything, and how often it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Print the plan, and change nothing.
    DryRun,
    /// One run.
    Once,
    /// For ever, a run each time this long has passed since the last one began.
    Every(Duration),
}

/// Brings findings and tickets in step, or shows what that would change.
pub(super) fn run(settings: &Settings, order: &Order) -> Exit {
    let ended = match order.manner {
        Manner::DryRun => plan(settings, order),
        Manner::Once => once(settings, order),
        Manner::Every(interval) => return for_ever(settings, order, interval),
    };
    ended.unwrap_or_else(Refusal::say)
}

/// What keeps a run from beginning, or ends it without a report.
pub(super) struct Refusal {
    text: String,
    exit: Exit,
}

impl Refusal {
    fn say(self) -> Exit {
        output::say(self.text);
        self.exit
    }
}

/// What a ledger that can't be opened means. Nothing was sent.
fn ledger_refusal(error: LedgerError, settings: &Settings) -> Refusal {
    let error = error.at(&settings.places.ledger_file);
    Refusal { exit: doctor::exit_of_ledger(&error), text: output::with_causes(&error) }
}

/// What a ledger means that fails while a run is under way.
fn ledger_failure(error: LedgerError, settings: &Settings) -> Refusal {
    Refusal { exit: Exit::Partial, ..ledger_refusal(error, settings) }
}

fn once(settings: &Settings, order: &Order) -> Result<Exit, Refusal> {
    make_directory(settings)?;
    let ledger = Ledger::open(&settings.places.ledger_file);
    let mut ledger = ledger.map_err(|error| ledger_refusal(error, settings))?;
    let caller = caller(settings)?;
    let tracker = tracker(settings, &caller)?;
    let report =
        with_spinner(|progress| perform(settings, order, caller, &*tracker, &mut ledger, false, progress))?;
    show(&report, order.json, &[]);
    Ok(report.exit())
}

fn plan(settings: &Settings, order: &Order) -> Result<Exit, Refusal> {
    let file = &settings.places.ledger_file;
    let ledger = match Ledger::open_to_read(file) {
        Ok(Some(ledger)) => ledger.copy_in_memory(),
        Ok(None) => Ledger::in_memory(),
        Err(error) => Err(error),
    };
    let mut ledger = ledger.map_err(|error| ledger_refusal(error, settings))?;
    let caller = caller(settings)?;
    let place = &settings.places.tracker;
    // A ticket file that is not there yet is as empty as one in memory, and stays not there.
    let tracker = if settings.tracker == TrackerSettings::Local && !place.file.exists() {
        let tracker = LocalTracker::in_memory(Arc::new(SystemClock), place.uniqueness);
        Box::new(tracker.map_err(|error| tracker_refusal(&error))?)
    } else {
        tracker(settings, &caller)?
    };
    let mut steps = Vec::new();
    let report = with_spinner(|progress| {
        let mut told = |what: Progress<'_>| {
            if let Progress::Did(step) = &what {
                steps.push((*step).to_owned());
            }
            progress(what);
        };
        perform(settings, order, caller, &Pretend::new(&*tracker), &mut ledger, true, &mut told)
    })?;
    show(&report, order.json, &steps);
    Ok(report.exit())
}

fn for_ever(settings: &Settings, order: &Order, interval: Duration) -> Exit {
    let clock = SystemClock;
    loop {
        let began = clock.now();
        match once(settings, order).unwrap_or_else(Refusal::say) {
            // What is wrong with settings, credentials or the ledger does not get better by itself.
            exit @ (Exit::Configuration | Exit::Credentials | Exit::Locked) => return exit,
            Exit::Done | Exit::Partial | Exit::MassChange | Exit::InDoubt => {}
        }
        let passed = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
        clock.sleep(interval.saturating_sub(passed));
    }
}

fn perform(
    settings: &Settings,
    order: &Order,
    caller: Caller,
    tracker: &dyn Tracker,
    ledger: &mut Ledger,
    is_dry: bool,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, Refusal> {
    let vendors = vendors(settings, caller)?;
    let options = Options { is_full: order.is_full, allows_mass_change: order.allows_mass_change, is_dry };
    let run = Run::new(&vendors, tracker, &SystemClock, ledger, &settings.policy, options, progress);
    run.perform().map_err(|error| ledger_failure(error, settings))
}

/// What sends the requests of one run, which begins now.
fn caller(settings: &Settings) -> Result<Caller, Refusal> {
    let http = Http::new(settings.authorities.as_deref()).map_err(|error| misfit(&error))?;
    let clock = Arc::new(SystemClock);
    let patience = &settings.patience;
    let run_deadline = SignedDuration::try_from(patience.run_deadline).unwrap_or(SignedDuration::MAX);
    let patience = Patience {
        attempts_max: patience.attempts_max,
        timeout: patience.timeout,
        deadline: clock.now().checked_add(run_deadline).ok(),
    };
    Ok(Caller::new(Arc::new(http), clock, patience))
}

/// The vendors that are set up.
fn vendors(settings: &Settings, caller: Caller) -> Result<Vendors, Refusal> {
    let noticed = Arc::new(Noticed::default());
    let data_theorem = settings.sources.data_theorem.clone();
    let data_theorem =
        data_theorem.map(|settings| DataTheorem::new(settings, caller.clone(), Arc::clone(&noticed)));
    let mend = match &settings.sources.mend {
        Some(mend) => {
            let mend = MendSettings::new(mend.url.clone(), &mend.user_key, &mend.org_token);
            let mend = mend.map_err(|error| misfit(&error))?;
            Some(Mend::new(mend, caller, Arc::clone(&noticed)))
        }
        None => None,
    };
    Ok(Vendors { data_theorem, mend, noticed })
}

/// Settings that turn out to be of no use.
fn misfit(error: &dyn std::error::Error) -> Refusal {
    Refusal { text: output::with_causes(error), exit: Exit::Configuration }
}

fn tracker(settings: &Settings, caller: &Caller) -> Result<Box<dyn Tracker>, Refusal> {
    match &settings.tracker {
        TrackerSettings::Local => {
            let place = &settings.places.tracker;
            let tracker = LocalTracker::open(&place.file, Arc::new(SystemClock), place.uniqueness);
            Ok(Box::new(tracker.map_err(|error| tracker_refusal(&error))?))
        }
        TrackerSettings::Jira(jira) => Ok(Box::new(Jira::new(jira.clone(), caller.clone()))),
        TrackerSettings::Redmine(redmine) => Ok(Box::new(Redmine::new(redmine.clone(), caller.clone()))),
    }
}

fn tracker_refusal(error: &LocalError) -> Refusal {
    Refusal { exit: doctor::exit_of(error), text: output::with_causes(error) }
}

fn make_directory(settings: &Settings) -> Result<(), Refusal> {
    let Some(directory) = settings.places.ledger_file.parent() else { return Ok(()) };
    std::fs::create_dir_all(directory).map_err(|error| Refusal {
        text: format!("{} can't be made: {error}", directory.display()),
        exit: Exit::Configuration,
    })
}

/// Shows on a terminal what is going on; says nothing elsewhere, where the log does.
fn with_spinner<T>(work: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work(&mut |_| {});
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {prefix} {wide_msg}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    let mut steps = 0_u64;
    let done = work(&mut |progress| match progress {
        Progress::Reading(scope) => spinner.set_message(format!("reading {scope}")),
        Progress::Did(step) => {
            steps += 1;
            spinner.set_prefix(format!("{steps} steps"));
            spinner.set_message(step.to_owned());
        }
    });
    spinner.finish_and_clear();
    done
}

fn show(report: &Report, json: bool, steps: &[String]) {
    if json {
        let mut value = json!(report);
        if let Some(members) = value.as_object_mut() {
            members.insert("exit_code".to_owned(), json!(report.exit().code()));
            if !steps.is_empty() {
                members.insert("steps".to_owned(), json!(steps));
            }
        }
        output::print_json(&value);
        return;
    }
    for step in steps {
        output::print(format!("{}\n", output::harmless(step)));
    }
    output::print(format!("{}\n", report.summary()));
    for failure in &report.failures {
        output::say(output::harmless(&format!("{}: {}", failure.what, failure.why)));
    }
    for (oddity, count) in &report.noticed {
        output::say(output::harmless(&format!("noticed {count} times: {oddity}")));
    }
    if let Some(held) = report.held_back {
        output::say(format!(
            "{} of {} open tickets would be closed, which is more than is believable; nothing was closed. Look at the \
             vendors, then run again with --allow-mass-change",
            held.closings, held.open_tickets
        ));
    }
    if report.in_doubt > 0 {
        output::say(format!(
            "of {} tickets it is not known whether they were made; the next run finds out",
            report.in_doubt
        ));
    }
    for refused in &report.credentials {
        output::say(output::harmless(refused));
    }
}
