//! The command line: results on stdout, talk on stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use fixtures::spec::{self, Evidence, Party, Strength};

use crate::coverage::{Covered, checked, coverage};

/// Contract tests for security vendors' APIs. So far: which rules there are, and which of them are checked.
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
    /// List every rule with its evidence, and whether a check exists for it
    Rules(RulesArgs),
}

#[derive(Debug, Args)]
struct RulesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a run ended, as the process tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All held: 0.
    Held,
    /// Something was convicted: 1. Nothing can be, so far.
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
    let Command::Rules(args) = &cli.command;
    match print_rules(args, &mut io::stdout().lock()) {
        Ok(()) => Exit::Held,
        // A reader that has seen enough, as `| head` has, is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Held,
        Err(error) => {
            eprintln!("contract-tests: cannot write the rules: {error}");
            Exit::CouldNotRun
        }
    }
}

fn print_rules(args: &RulesArgs, out: &mut impl Write) -> io::Result<()> {
    let rules = coverage(spec::rules(), &checked());
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &rules).map_err(io::Error::from)?;
        return writeln!(out);
    }
    for covered in &rules {
        print_rule(covered, out)?;
    }
    let needed = rules.iter().filter(|covered| covered.needs_check()).count();
    let unchecked = rules.iter().filter(|covered| covered.is_unchecked()).count();
    let all = rules.len();
    writeln!(
        out,
        "\n{all} rules; {needed} bind a server with a must; {} of those are checked",
        needed - unchecked
    )
}

fn print_rule(covered: &Covered, out: &mut impl Write) -> io::Result<()> {
    let rule = covered.rule;
    let party = match rule.binds {
        Party::Server => "server",
        Party::Client => "client",
    };
    let strength = match rule.strength {
        Strength::Must => "must",
        Strength::Should => "should",
        Strength::May => "may",
    };
    writeln!(out, "{}  ({party} {strength})\n    {}", rule.id, rule.text)?;
    match rule.evidence {
        Evidence::Documented { page, section } => writeln!(out, "    documented: {page}, {section}")?,
        Evidence::Observed { source } => writeln!(out, "    observed: {source}")?,
    }
    match covered.checks.as_slice() {
        [] if covered.needs_check() => writeln!(out, "    check: none"),
        [] => writeln!(out, "    check: none needed"),
        paths => writeln!(out, "    check: {}", paths.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, RulesArgs, print_rules};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rules_are_printed_as_text_and_as_json() {
        let printed = |json| {
            let mut out = Vec::new();
            print_rules(&RulesArgs { json }, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(printed(false).contains("DT-TARGET-STATUS-SAME  (server must)"));
        let rules: Vec<serde_json::Value> = serde_json::from_str(&printed(true)).unwrap();
        let same = rules.iter().find(|rule| rule["id"] == "DT-TARGET-STATUS-SAME").unwrap();
        assert_eq!((&same["binds"], &same["evidence"]["kind"]), (&"server".into(), &"documented".into()));
        assert!(same.as_object().unwrap().contains_key("checks"));
    }
}
