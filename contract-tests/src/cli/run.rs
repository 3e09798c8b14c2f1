//! `contract-tests run`: the suite against a target.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use fixtures::spec;
use globset::GlobBuilder;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, complain};
use crate::known_failures::{KnownFailures, KnownFailuresError};
use crate::report::{Conclusion, Report, github, html, json, junit, terminal};
use crate::run::{Selection, run as run_suite, selected};
use crate::target::plane::PlaneError;
use crate::target::politeness::Limits;
use crate::target::{Target, TargetError, Writes};
use crate::validated::{self, VENDORS, ValidatedError};
use crate::{clock, sequences};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    contract-tests run                                       the simulator in this process\n  \
    contract-tests run --target http://127.0.0.1:8700        a simulator that runs\n  \
    contract-tests run --target env                          the vendors themselves, read-only\n  \
    contract-tests run --only 'data-theorem/targets/*'       some of the checks\n\n\
    With `env`, and with a URL that is no simulator, DATA_THEOREM_BASE_URL, DATA_THEOREM_API_KEY, MEND_URL,\n\
    MEND_USER_KEY, MEND_ORG_TOKEN, JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_PROJECT say how to reach the\n\
    vendors.\n\n\
    Exit codes: 0 all held, 1 something was convicted, 2 could not run.")]
pub(super) struct RunArgs {
    /// What to run against: `in-process` (the simulator, without a socket), a URL, or `env` (the vendors)
    #[arg(long, default_value = "in-process", value_name = "in-process|URL|env")]
    target: String,
    /// Only this vendor's checks
    #[arg(long, value_parser = VENDORS)]
    vendor: Option<String>,
    /// Only checks and probes whose path fits, e.g. 'mend/*/forbidden-*'; `*` also matches `/`
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// Change things in an account that is not a simulator's, and put them back; needs an app or project to do so in
    #[arg(long)]
    allow_writes: bool,
    /// The Data Theorem app whose targets and findings may be changed
    #[arg(long, value_name = "ID", requires = "allow_writes")]
    data_theorem_app: Option<String>,
    /// The token of the Mend project in which policies, a tag and the status of alerts may be changed
    #[arg(long, value_name = "TOKEN", requires = "allow_writes")]
    mend_project: Option<String>,
    /// The key of the Jira project in which issues may be made, changed and deleted
    #[arg(long, value_name = "KEY", requires = "allow_writes")]
    jira_project: Option<String>,
    /// Write report.json, junit.xml and report.html here
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
    /// Show what an account that is not a simulator's answered, also in reports
    #[arg(long)]
    report_bodies: bool,
    /// Checks that are known to fail: a path and the reason on each line
    #[arg(long, value_name = "FILE")]
    known_failures: Option<PathBuf>,
    /// Run a simulator under another reading than its default (repeatable)
    #[arg(long = "reading", value_name = "ID=VALUE", value_parser = reading)]
    readings: Vec<(String, String)>,
    /// The token of a simulator's admin plane
    #[arg(long, env = "MOCK_SERVER_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    /// Ask an account that is not a simulator's at most this often
    #[arg(long, default_value_t = Limits::default().requests_max, value_name = "N")]
    requests_max: u32,
    /// Pause between two requests to such an account
    #[arg(long, default_value_t = 250, value_name = "MS")]
    pause_ms: u64,
    /// Add what held to the records of the real vendors in this directory; only with `--target env`
    #[arg(long, value_name = "DIR")]
    validated_dir: Option<PathBuf>,
    /// Run this many random sequences per vendor against the models; only against a simulator, and not with --only
    #[arg(long, default_value_t = 16, value_name = "N")]
    sequences: u32,
    /// Seed of the random sequences
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// A run that can't be made, or whose report can't be written.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("the simulator does not play along")]
    Plane(#[from] PlaneError),
    #[error("{0:?} is no pattern")]
    Only(String, #[source] globset::Error),
    #[error("nothing fits {0}; `contract-tests rules` lists the paths")]
    NothingSelected(String),
    #[error(
        "--allow-writes needs to know where: name an app (--data-theorem-app) or a project (--mend-project, \
         --jira-project)"
    )]
    WritesNowhere,
    #[error("{path}")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{path}")]
    KnownFailures {
        path: PathBuf,
        #[source]
        cause: KnownFailuresError,
    },
    #[error("the records of the vendors are not written")]
    Validated(#[from] ValidatedError),
    #[error("cannot write the report to stdout")]
    Stdout(#[source] io::Error),
}

/// Runs the suite and says how it ended.
pub(super) fn run(args: &RunArgs) -> Exit {
    match report_of(args).and_then(|report| publish(args, &report).map(|()| report.conclusion())) {
        Ok(Conclusion::Held) => Exit::Held,
        Ok(Conclusion::Convicted) => Exit::Convicted,
        Ok(Conclusion::CouldNotRun) => Exit::CouldNotRun,
        Err(RunError::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::CouldNotRun,
        Err(error) => {
            complain(&error);
            Exit::CouldNotRun
        }
    }
}

fn report_of(args: &RunArgs) -> Result<Report, RunError> {
    let selection = selection(args)?;
    let known = known_failures(args)?;
    if args.validated_dir.is_some() && args.target != "env" {
        return Err(ValidatedError::NotAVendor.into());
    }
    let target = target(args)?;
    let started = clock::timestamp();
    let progress = progress(selected(&selection));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let ended = run_suite(&target, &selection, threads, &|path| {
        progress.set_message(path.to_owned());
        progress.inc(1);
    });
    let report = Report::new(&target, &ended?, &known, started, args.report_bodies);
    let sequences = if target.is_simulator() && args.only.is_none() && args.sequences > 0 {
        progress.set_message("random sequences");
        sequences::run(&target, args.vendor.as_deref(), args.sequences, args.seed)
    } else {
        Vec::new()
    };
    progress.finish_and_clear();
    Ok(report.with_sequences(sequences))
}

fn selection(args: &RunArgs) -> Result<Selection, RunError> {
    let glob = |pattern: &String| {
        let glob = GlobBuilder::new(pattern).build();
        glob.map(|glob| glob.compile_matcher()).map_err(|error| RunError::Only(pattern.clone(), error))
    };
    let only = args.only.as_ref().map(glob).transpose()?;
    let selection = Selection { vendor: args.vendor.clone(), only, ..Selection::default() };
    if selected(&selection) == 0 {
        let what = args.only.clone().or_else(|| args.vendor.clone()).unwrap_or_default();
        return Err(RunError::NothingSelected(what));
    }
    Ok(selection)
}

fn known_failures(args: &RunArgs) -> Result<KnownFailures, RunError> {
    let Some(path) = &args.known_failures else { return Ok(KnownFailures::default()) };
    let text = fs::read_to_string(path).map_err(|cause| RunError::File { path: path.clone(), cause })?;
    KnownFailures::parse(&text).map_err(|cause| RunError::KnownFailures { path: path.clone(), cause })
}

fn target(args: &RunArgs) -> Result<Target, RunError> {
    let writes = if args.allow_writes {
        let writes = Writes {
            mobile_app_id: args.data_theorem_app.clone(),
            project_token: args.mend_project.clone(),
            jira_project: args.jira_project.clone(),
        };
        if writes == Writes::default() && args.target != "in-process" {
            return Err(RunError::WritesNowhere);
        }
        writes
    } else {
        Writes::default()
    };
    let limits = Limits { requests_max: args.requests_max, pause: Duration::from_millis(args.pause_ms) };
    let variable = |name: &str| std::env::var(name).ok();
    Ok(match args.target.as_str() {
        "in-process" => Target::in_process(&args.readings)?,
        "env" => Target::vendors(variable, writes, limits)?,
        url => Target::at(url, args.admin_token.clone(), &args.readings, variable, writes, limits)?,
    })
}

/// A bar on a terminal; nothing anywhere else.
fn progress(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn publish(args: &RunArgs, report: &Report) -> Result<(), RunError> {
    if let Some(directory) = &args.report_dir {
        write_files(report, directory)?;
    }
    if let Some(directory) = &args.validated_dir {
        validated::record(report, directory)?;
    }
    let mut out = io::stdout().lock();
    if args.json {
        return json::write(report, &mut out).map_err(RunError::Stdout);
    }
    terminal::write(report, &mut out).map_err(RunError::Stdout)?;
    if std::env::var_os("GITHUB_ACTIONS").is_some() {
        github::annotate(report, &mut out).map_err(RunError::Stdout)?;
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) {
            let file = OpenOptions::new().append(true).create(true).open(&path);
            file.and_then(|mut file| github::summarize(report, &mut file))
                .map_err(|cause| RunError::File { path, cause })?;
        }
    }
    Ok(())
}

/// The reports of a run, in one directory.
fn write_files(report: &Report, directory: &Path) -> Result<(), RunError> {
    type Writer = fn(&Report, &mut BufWriter<File>) -> io::Result<()>;
    const FILES: [(&str, Writer); 3] =
        [("report.json", json::write), ("junit.xml", junit::write), ("report.html", html::write)];
    fs::create_dir_all(directory).map_err(|cause| RunError::File { path: directory.to_owned(), cause })?;
    for (name, write) in FILES {
        let path = directory.join(name);
        let written = File::create(&path).map(BufWriter::new).and_then(|mut file| {
            write(report, &mut file)?;
            file.flush()
        });
        written.map_err(|cause| RunError::File { path, cause })?;
    }
    eprintln!("reports: {}", directory.join("report.html").display());
    Ok(())
}

/// Reads `ID=VALUE`.
fn reading(text: &str) -> Result<(String, String), String> {
    let (id, value) = text.split_once('=').ok_or("write it as ID=VALUE")?;
    let known = spec::reading(id)
        .ok_or_else(|| format!("there is no reading {id:?}; `mock-server readings` lists them"))?;
    if !known.allows(value) {
        let values: Vec<&str> = known.values.iter().map(|known| known.value).collect();
        return Err(format!("{id} can be {}", values.join(", ")));
    }
    Ok((id.to_owned(), value.to_owned()))
}
