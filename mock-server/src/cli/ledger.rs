//! `rules` and `readings`: the ledger as text or JSON.

use std::io::Write as _;

use clap::Args;
use fixtures::spec::{self, Evidence};

use super::Failure;

/// How to print the ledger.
#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `mock-server rules`
pub(super) fn rules(args: &LedgerArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let rules: Vec<_> = spec::rules().collect();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&rules)?)?;
        return Ok(());
    }
    for rule in rules {
        let strength = format!("{:?}", rule.strength).to_lowercase();
        let party = format!("{:?}", rule.binds).to_lowercase();
        writeln!(out, "{}  ({party} {strength})\n    {}", rule.id, rule.text)?;
        match rule.evidence {
            Evidence::Documented { page, section } => writeln!(out, "    documented: {page}, {section}")?,
            Evidence::Observed { source } => writeln!(out, "    observed: {source}")?,
        }
    }
    Ok(())
}

/// `mock-server readings`
pub(super) fn readings(args: &LedgerArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let readings: Vec<_> = spec::readings().collect();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&readings)?)?;
        return Ok(());
    }
    for reading in readings {
        writeln!(out, "{}\n    {}", reading.id, reading.question)?;
        for value in reading.values {
            let mark = if value.value == reading.default { " (default)" } else { "" };
            writeln!(out, "    = {}{mark}: {}", value.value, value.meaning)?;
        }
        writeln!(out, "    why: {}", reading.why)?;
    }
    Ok(())
}
