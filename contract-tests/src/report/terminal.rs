//! The report for a person at a terminal: failures first, each with all that is needed to judge it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use console::Style;

use crate::sequences::SequencesEnding;

use super::{CheckReport, Conclusion, Ending, Report, TargetKind, source, strength};

/// Writes the report. Colours follow the terminal and `NO_COLOR`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for check in of(report, Ending::Broken).chain(of(report, Ending::NoAnswer)) {
        failure(check, &Style::new().red().bold(), out)?;
    }
    for check in of(report, Ending::Differs) {
        failure(check, &Style::new().yellow(), out)?;
    }
    excused(report, out)?;
    readings(report, out)?;
    sequences(report, out)?;
    for request in &report.left_behind {
        writeln!(out, "could not be put back: {request}")?;
    }
    table(report, out)?;
    conclusion(report, out)
}

fn of(report: &Report, result: Ending) -> impl Iterator<Item = &CheckReport> {
    report.checks.iter().filter(move |check| check.result == result)
}

fn failure(check: &CheckReport, style: &Style, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} {}", style.apply_to(check.result.name()), check.path)?;
    writeln!(out, "  rule      {} ({}): {}", check.rule.id, strength(check.rule), check.rule.text)?;
    writeln!(out, "  source    {}", source(check.rule))?;
    for (label, text) in [("expected", &check.expected), ("seen", &check.seen), ("reason", &check.reason)] {
        if let Some(text) = text {
            writeln!(out, "  {label:<9} {text}")?;
        }
    }
    if let Some(exchange) = &check.exchange {
        for (label, text) in [
            ("request", &exchange.request),
            ("", &exchange.request_body),
            ("reply", &exchange.reply),
            ("", &exchange.reply_body),
        ] {
            if !text.is_empty() {
                writeln!(out, "  {label:<9} {text}")?;
            }
        }
    }
    writeln!(out)
}

/// What was not exercised, skipped or is known to fail, with the reasons; the same reason once.
fn excused(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for result in [Ending::KnownFailure, Ending::NotExercised, Ending::Skipped] {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for check in of(report, result) {
            by_reason.entry(check.reason.as_deref().unwrap_or_default()).or_default().push(&check.path);
        }
        for (reason, paths) in by_reason {
            writeln!(out, "{}: {reason}", Style::new().yellow().apply_to(result.name()))?;
            for path in paths {
                writeln!(out, "  {path}")?;
            }
        }
    }
    for path in &report.stale_known_failures {
        let label = Style::new().red().bold().apply_to("stale");
        writeln!(out, "{label}: {path} is listed as a known failure and did not fail; take it off the list")?;
    }
    Ok(())
}

fn readings(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.target_kind == TargetKind::Simulator {
        for reading in report.unlike_setting() {
            let label = Style::new().red().bold().apply_to("reading");
            let set_to = reading.set_to.as_deref().unwrap_or_default();
            let seen = reading.value.or(reading.reason.as_deref()).unwrap_or("nothing");
            writeln!(out, "{label} {} is set to {set_to}, seen: {seen}", reading.id)?;
        }
        return Ok(());
    }
    let seen: Vec<_> = report.readings.iter().filter(|reading| reading.value.is_some()).collect();
    if seen.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "where the pages are silent, this target shows ({} of {}):",
        seen.len(),
        report.readings.len()
    )?;
    for reading in &seen {
        let value = reading.value.unwrap_or_default();
        let mark = if value == reading.default { " " } else { "*" };
        writeln!(out, " {mark} {} = {value}: {}", reading.id, reading.meaning.unwrap_or_default())?;
    }
    let flags: Vec<String> = seen.iter().filter_map(|reading| reading.flag()).collect();
    if flags.is_empty() {
        writeln!(out, "the simulator does the same by default\n")
    } else {
        writeln!(out, "the simulator does the same with:\n  mock-server {}\n", flags.join(" "))
    }
}

fn sequences(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for run in &report.sequences {
        let (vendor, count, seed) = (run.vendor, run.sequences, run.seed);
        match &run.ending {
            SequencesEnding::Agreed => {
                writeln!(out, "{vendor}: {count} random sequences agree with the model (seed {seed})")?;
            }
            SequencesEnding::Differed { requests, difference } => {
                let label = Style::new().red().bold().apply_to("differs from the model");
                writeln!(out, "{label}: {vendor} (seed {seed}): {difference}")?;
                for request in requests {
                    writeln!(out, "  {request}")?;
                }
            }
            SequencesEnding::CouldNotRun { reason } => {
                let label = Style::new().red().bold().apply_to("sequences could not run");
                writeln!(out, "{label}: {vendor}: {reason}")?;
            }
        }
    }
    Ok(())
}

/// A line per folder of checks.
fn table(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut folders: BTreeMap<&str, BTreeMap<Ending, usize>> = BTreeMap::new();
    for check in &report.checks {
        let folder = check.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default().entry(check.result).or_default() += 1;
    }
    let width = folders.keys().map(|folder| folder.len()).max().unwrap_or_default();
    for (folder, counts) in folders {
        let counts: Vec<String> = Ending::ALL
            .into_iter()
            .rev()
            .filter_map(|result| counts.get(&result).map(|count| format!("{count} {}", result.name())))
            .collect();
        writeln!(out, "{folder:<width$}  {}", counts.join(", "))?;
    }
    Ok(())
}

fn conclusion(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let held = report.count(Ending::Held);
    let (all, readings) = (report.checks.len(), report.readings.len());
    let probed = report.readings.iter().filter(|reading| reading.value.is_some()).count();
    let seconds = report.took_ms / 1000;
    let tenths = report.took_ms % 1000 / 100;
    let figures =
        format!("{held} of {all} checks held, {probed} of {readings} readings seen, {seconds}.{tenths} s");
    match report.conclusion() {
        Conclusion::Held => writeln!(out, "{}: {figures}", Style::new().green().bold().apply_to("held")),
        Conclusion::Convicted => {
            writeln!(out, "{}: {figures}", Style::new().red().bold().apply_to("convicted"))
        }
        Conclusion::CouldNotRun => {
            let label = Style::new().red().bold().apply_to("could not run");
            writeln!(out, "{label}: {figures}; no answer, nothing exercised, or something not put back")
        }
    }
}
