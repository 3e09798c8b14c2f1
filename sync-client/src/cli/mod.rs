//! The command line: results on stdout, talk on stderr.

mod doctor;
mod logging;
mod output;
mod story;
mod sync;
mod tickets;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

use self::sync::{Manner, Order};
use crate::config::{Choice, ConfigError, Places, Settings, SourceChoice, TrackerKind, duration};
use crate::exit::Exit;

/// Finds environment variables.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Keeps a tracker in step with the findings of Data Theorem and Mend.
///
/// A finding gets one ticket, for ever; when the vendor closes it, so does the ticket. The vendor learns which ticket it
/// is. What people do to tickets stays. A run that is interrupted, however rudely, is finished by the next one.
#[derive(Debug, Parser)]
#[command(name = "sync-client", version, after_help = after_help(), max_term_width = 110)]
pub struct Cli {
    /// Say more on stderr: -v what is done, -vv every request
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring findings and tickets in step
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Show what `run` would change, and change nothing
    Plan(PlanArgs),
    /// Show when what was last in step, and what waits
    Status(LookArgs),
    /// Tell the story of one finding: what was seen when, what was decided why, what was done
    Explain(ExplainArgs),
    /// Check settings, credentials and files, and change nothing
    Doctor(DoctorArgs),
    /// List the tickets of the local tracker, show one, or work on one
    #[command(after_help = TICKETS_HELP)]
    Tickets(tickets::TicketsArgs),
}

/// What says where settings come from.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Settings file (TOML); without one, the environment alone [example: docs/examples/sync-client.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What `run` and `plan` share.
#[derive(Debug, Args)]
struct SyncArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Whose findings [default: every vendor that is set up]
    #[arg(long, value_enum)]
    source: Option<SourceChoice>,
    /// Where tickets live [default: local]
    #[arg(long, value_enum)]
    tracker: Option<TrackerKind>,
    /// Look at everything, not only at what changed
    #[arg(long)]
    full: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    sync: SyncArgs,
    /// Go on for ever: a run each time this long has passed since the last one began, e.g. 15m
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, conflicts_with = "dry_run")]
    every: Option<Duration>,
    /// Show what would change, and change nothing: the same as `plan`
    #[arg(long)]
    dry_run: bool,
    /// Close however many tickets the vendors say are to be closed
    #[arg(long)]
    allow_mass_change: bool,
}

#[derive(Debug, Args)]
struct PlanArgs {
    #[command(flatten)]
    sync: SyncArgs,
}

#[derive(Debug, Args)]
struct LookArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// A ticket (LOCAL-12), or an item as `tickets` names it (data-theorem/target/4567)
    id: String,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Debug, Args)]
struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Whose credentials [default: of every vendor that is set up]
    #[arg(long, value_enum)]
    source: Option<SourceChoice>,
    /// Which tracker [default: local]
    #[arg(long, value_enum)]
    tracker: Option<TrackerKind>,
}

const EXAMPLES: &str = "\
Examples:
  sync-client doctor                       do the settings work?
  sync-client plan                         what would a run change?
  sync-client run                          bring everything in step, once
  sync-client run --every 15m --source mend
  sync-client tickets                      the tickets of the local tracker
  sync-client explain LOCAL-12             why is this ticket as it is?

Environment:
  DATA_THEOREM_BASE_URL (with /apis/mobile_security/results/v2), DATA_THEOREM_API_KEY
  MEND_URL, MEND_USER_KEY, MEND_ORG_TOKEN
  JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN, JIRA_PROJECT
  REDMINE_URL, REDMINE_API_KEY, REDMINE_PROJECT
  SYNC_CA_FILE      certificates (PEM) of authorities to trust besides the usual ones
  SYNC_STATE_DIR    where ledger and tickets are kept [default: ~/.local/state/sync-client]
  NO_COLOR          no colours";

const RUN_HELP: &str = "\
Examples:
  sync-client run
  sync-client run --dry-run                the same as `sync-client plan`
  sync-client run --config sync.toml --every 15m
  sync-client run --full                   look at everything, e.g. after a change of the settings

A second run with nothing changed writes nothing. See `sync-client --help` for variables and exit codes.";

const TICKETS_HELP: &str = "\
Examples:
  sync-client tickets --open
  sync-client tickets LOCAL-12
  sync-client tickets LOCAL-12 --comment \"a false alarm\" --close
  sync-client tickets --json | jq -r '.[] | select(.is_done | not) | .key'";

fn after_help() -> String {
    let codes = Exit::ALL.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning())).concat();
    format!("{EXAMPLES}\n\nExit codes:{codes}")
}

/// Runs the command line; `lookup` finds environment variables.
pub fn run(cli: &Cli, lookup: impl Fn(&str) -> Option<OsString>) -> Exit {
    let lookup: Lookup<'_> = &lookup;
    logging::start(cli.verbose, lookup);
    let outcome = match &cli.command {
        Command::Run(args) => run_sync(&args.sync, order(args), lookup),
        Command::Plan(PlanArgs { sync: args }) => {
            let order = Order {
                manner: Manner::DryRun,
                is_full: args.full,
                allows_mass_change: false,
                json: args.json,
            };
            run_sync(args, order, lookup)
        }
        Command::Status(args) => Places::load(args.config.config.as_deref(), lookup)
            .map(|places| story::status(&places, args.json)),
        Command::Explain(args) => Places::load(args.look.config.config.as_deref(), lookup)
            .map(|places| story::explain(&places, &args.id, args.look.json)),
        Command::Doctor(args) => {
            let choice = Choice { source: args.source, tracker: args.tracker };
            Settings::load_choosing(args.config.config.as_deref(), lookup, choice)
                .map(|settings| doctor::doctor(&settings))
        }
        Command::Tickets(args) => tickets::tickets(args, lookup),
    };
    outcome.unwrap_or_else(|error| {
        output::say(error);
        Exit::Configuration
    })
}

fn order(args: &RunArgs) -> Order {
    let manner = match args.every {
        _ if args.dry_run => Manner::DryRun,
        Some(interval) => Manner::Every(interval),
        None => Manner::Once,
    };
    Order {
        manner,
        is_full: args.sync.full,
        allows_mass_change: args.allow_mass_change,
        json: args.sync.json,
    }
}

fn run_sync(args: &SyncArgs, order: Order, lookup: Lookup<'_>) -> Result<Exit, ConfigError> {
    let choice = Choice { source: args.source, tracker: args.tracker };
    let settings = Settings::load_choosing(args.config.config.as_deref(), lookup, choice)?;
    Ok(sync::run(&settings, &order))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, run};
    use crate::exit::Exit;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("sync-client").chain(line.split(' ')))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_promised_flag_is_there() {
        for line in [
            "run --source all --tracker local --every 5m --full --config f --allow-mass-change",
            "run --dry-run --json -v",
            "run --source data-theorem",
            "run --source mend --tracker jira",
            "run --tracker redmine",
            "plan --full",
            "status --json",
            "explain 1",
            "doctor",
            "tickets",
            "tickets LOCAL-1 --json",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "run --every 5",
            "run --every 0s",
            "run --dry-run --every 5m",
            "run --source github",
            "explain",
            "tickets --close",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn without_settings_nothing_runs() {
        for line in ["run", "plan", "doctor", "run --tracker jira", "status --config /nowhere"] {
            assert_eq!(run(&parse(line).unwrap(), |_| None), Exit::Configuration, "{line}");
        }
    }

    #[test]
    fn help_names_every_exit_code_and_variable() {
        let help = Cli::command().render_help().to_string();
        for exit in Exit::ALL {
            assert!(help.contains(&format!("\n  {}  {}", exit.code(), exit.meaning())), "{help}");
        }
        for variable in [
            "DATA_THEOREM_API_KEY",
            "MEND_URL",
            "MEND_USER_KEY",
            "MEND_ORG_TOKEN",
            "JIRA_API_TOKEN",
            "REDMINE_API_KEY",
            "SYNC_CA_FILE",
            "SYNC_STATE_DIR",
            "NO_COLOR",
        ] {
            assert!(help.contains(variable), "{variable}");
        }
    }
}
