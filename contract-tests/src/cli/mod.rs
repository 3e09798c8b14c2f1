//! The command line: results on stdout, talk on stderr.

mod rules;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Contract tests for security vendors' APIs: is every documented rule kept, by a simulator, by a stand-in, by the
/// vendor itself?
#[derive(Debug, Parser)]
#[command(
    name = "contract-tests",
    version,
    after_help = "Exit codes: 0 all held, 1 something was convicted, 2 could not run.\n\
                  `rules` convicts nobody, so it never exits with 1."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the suite against a target
    Run(Box<run::RunArgs>),
    /// List every rule with its evidence, and which checks it has
    Rules(rules::RulesArgs),
}

/// How a run ended, as the process tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All held: 0.
    Held,
    /// Something was convicted: 1.
    Convicted,
    /// The run could not be made: 2.
    CouldNotRun,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Convicted => 1,
            Exit::CouldNotRun => 2,
        })
    }
}

/// Runs the command line.
pub fn run(cli: &Cli) -> Exit {
    match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Rules(args) => rules::run(args),
    }
}

/// Says on stderr what went wrong, with every cause.
fn complain(error: &dyn std::error::Error) {
    eprint!("contract-tests: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
