//! The command line: results on stdout, talk on stderr.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::DataTheoremSettings;
use crate::exit::Exit;
use crate::shell;

/// Keeps a tracker in step with security vendors' findings. So far only `doctor` works.
#[derive(Debug, Parser)]
#[command(
    name = "sync-client",
    version,
    after_help = "Environment: DATA_THEOREM_BASE_URL (with /apis/mobile_security/results/v2), DATA_THEOREM_API_KEY.\n\
                  Exit codes: 0 all is well; 2 settings or command line, or not implemented yet; 3 a credential was refused;\n\
                  4 something named in the output failed, e.g. the vendor could not be reached.\n\
                  5, 6 and 7 are reserved for the sync."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check settings and credentials: Data Theorem (others: not implemented yet)
    Doctor,
    /// Not implemented yet: bring findings and tickets in step
    Run(RunArgs),
    /// Not implemented yet: show what `run` would change
    Plan,
    /// Not implemented yet: show when what was last in step
    Status,
    /// Not implemented yet: tell the history of one finding and its ticket
    Explain(ExplainArgs),
    /// Not implemented yet: list tickets of the local tracker
    Tickets,
}

/// How `run` will be told what to do.
#[derive(Debug, Args)]
struct RunArgs {
    /// Settings file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose findings
    #[arg(long, value_enum)]
    source: Option<Source>,
    /// Where tickets live
    #[arg(long, value_enum)]
    tracker: Option<Tracker>,
    /// Go on for ever, once per this duration
    #[arg(long, value_name = "DURATION")]
    every: Option<String>,
    /// Show changes instead of making them
    #[arg(long)]
    dry_run: bool,
    /// Look at everything, not only at what changed
    #[arg(long)]
    full: bool,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// A finding, target or ticket
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    DataTheorem,
    Mend,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tracker {
    Local,
    Jira,
    Redmine,
}

/// Runs the command line; `lookup` finds environment variables.
pub fn run(cli: &Cli, lookup: impl Fn(&str) -> Option<OsString>) -> Exit {
    match &cli.command {
        Command::Doctor => doctor(lookup),
        Command::Run(_) => not_implemented("run"),
        Command::Plan => not_implemented("plan"),
        Command::Status => not_implemented("status"),
        Command::Explain(_) => not_implemented("explain"),
        Command::Tickets => not_implemented("tickets"),
    }
}

fn not_implemented(command: &str) -> Exit {
    eprintln!(
        "sync-client: `{command}` is not implemented yet; nothing was read or changed. Only `doctor` works."
    );
    Exit::Configuration
}

fn doctor(lookup: impl Fn(&str) -> Option<OsString>) -> Exit {
    let settings = match DataTheoremSettings::read(lookup) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("sync-client: {error}");
            return Exit::Configuration;
        }
    };
    let address = settings.base_url.clone();
    let diagnosis = shell::doctor(settings);
    // A reader that went away, as `| head` does, does not change the diagnosis.
    let _ = writeln!(std::io::stdout().lock(), "data-theorem  {address}\n              {diagnosis}");
    diagnosis.exit()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, run};
    use crate::exit::Exit;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_not_implemented_says_so_in_help_and_fails() {
        let lines = [
            "run --source all --tracker local --every 5m --dry-run --full --config f",
            "plan",
            "status",
            "explain 1",
            "tickets",
        ];
        for line in lines {
            let cli = Cli::try_parse_from(std::iter::once("sync-client").chain(line.split(' '))).unwrap();
            assert_eq!(run(&cli, |_| None), Exit::Configuration, "{line}");
        }
        let works = |name: &str| matches!(name, "doctor" | "help");
        for command in Cli::command().get_subcommands().filter(|command| !works(command.get_name())) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.starts_with("Not implemented yet"), "{}", command.get_name());
        }
    }
}
