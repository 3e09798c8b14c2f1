//! The command line: results on stdout, talk on stderr.

mod ask;
mod ledger;
mod serve;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use fixtures::scenes::{self, SCENES, SceneContext};
use jiff::Timestamp;

use crate::kernel::clock::{self, ClockMode};

/// Mock server that plays security vendors' APIs: stateful, deterministic, without credentials.
///
/// Without a subcommand it serves. After start-up it prints, per vendor, the base URL, a credential that works
/// and a curl line to paste.
#[derive(Debug, Parser)]
#[command(name = "mock-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve(Box<serve::ServeArgs>),
    /// List the worlds that --world can name, or write one as JSON
    Worlds(WorldsArgs),
    /// List the rules: every constraint of the vendors' pages, with its source
    Rules(ledger::LedgerArgs),
    /// List the readings: where the pages are silent or contradict themselves, what can be chosen
    Readings(ledger::LedgerArgs),
    /// Ask a running server for its addresses and credentials as environment variables
    Env(ask::EnvArgs),
}

#[derive(Debug, Args)]
struct WorldsArgs {
    #[command(subcommand)]
    command: Option<WorldsCommand>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum WorldsCommand {
    /// Write a world as JSON, to be edited and given to --world
    Export {
        /// Name of the world, e.g. `demo` or `scale:apps=10,targets=1000`
        name: String,
        #[command(flatten)]
        context: ContextArgs,
    },
}

/// What worlds are written relative to.
#[derive(Debug, Clone, Args)]
struct ContextArgs {
    /// Seed of everything random
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The instant at which the world's history ends; by default today 00:00 UTC, or 2026-01-15T00:00:00Z under a
    /// manual clock
    #[arg(long, value_name = "TIMESTAMP")]
    epoch: Option<Timestamp>,
    /// Rows per list page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    page_size: u16,
}

/// How `env` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `export NAME=value` lines, for `eval "$(mock-server env)"`
    Shell,
    /// `NAME=value` lines
    Dotenv,
    /// One JSON object
    Json,
}

/// The seed unless another is chosen.
const DEFAULT_SEED: u64 = 1;

/// A failure to be told to the person at the terminal.
type Failure = Box<dyn std::error::Error>;

/// Runs the command line.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        None => serve::serve(cli.serve),
        Some(Command::Serve(args)) => serve::serve(*args),
        Some(Command::Worlds(args)) => worlds(args),
        Some(Command::Rules(args)) => ledger::rules(&args),
        Some(Command::Readings(args)) => ledger::readings(&args),
        Some(Command::Env(args)) => ask::env(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-server: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Whether output was cut off by its reader, as `| head` does.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn worlds(args: WorldsArgs) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match args.command {
        Some(WorldsCommand::Export { name, context }) => {
            let context = SceneContext {
                seed: context.seed.unwrap_or(DEFAULT_SEED),
                epoch: context.epoch.unwrap_or_else(clock::today),
                page_size: usize::from(context.page_size),
            };
            let world = scenes::build(&name, context)?;
            serde_json::to_writer_pretty(&mut out, &world).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        None if args.json => {
            let list: Vec<_> = SCENES
                .iter()
                .map(|scene| serde_json::json!({"name": scene.name, "about": scene.about}))
                .collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        }
        None => {
            let width = SCENES.iter().map(|scene| scene.name.len()).max().unwrap_or(0);
            for scene in SCENES {
                writeln!(out, "{:width$}  {}", scene.name, scene.about)?;
            }
        }
    }
    Ok(())
}

/// Reads a clock mode for clap.
fn clock_mode(text: &str) -> Result<ClockMode, String> {
    text.parse().map_err(|error: clock::ClockModeError| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
