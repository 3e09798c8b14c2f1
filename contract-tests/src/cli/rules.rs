//! `contract-tests rules`: the ledger, and what the suite checks of it.

use std::io::{self, Write};

use clap::Args;
use fixtures::spec::{self, Evidence, Party, Strength};

use super::Exit;
use crate::coverage::{Covered, checked, coverage};

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the rules.
pub(super) fn run(args: &RulesArgs) -> Exit {
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
    use super::{RulesArgs, print_rules};

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
