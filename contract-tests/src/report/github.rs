//! Annotations and a summary for a run inside GitHub Actions.

use std::io::{self, Write};

use super::{Ending, Report};

/// Writes one annotation per failure, as workflow commands.
pub fn annotate(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for check in &report.checks {
        let (level, what) = match check.result {
            Ending::Broken => ("error", "is broken"),
            Ending::NoAnswer => ("error", "got no answer"),
            Ending::Differs => ("warning", "differs from what clients were seen to rely on"),
            Ending::KnownFailure | Ending::NotExercised | Ending::Skipped | Ending::Held => continue,
        };
        let reason = check.reason.clone().unwrap_or_default();
        let seen = check.seen.as_ref().map_or(reason, |seen| {
            format!("expected {}; seen {seen}", check.expected.as_deref().unwrap_or_default())
        });
        let message = format!("{} {what}: {} {seen}", check.rule.id, check.rule.text);
        writeln!(out, "::{level} title={}::{}", property(&check.path), data(&message))?;
    }
    for path in &report.stale_known_failures {
        let message = format!("{path} is listed as a known failure and did not fail: take it off the list");
        writeln!(out, "::error title={}::{}", property(path), data(&message))?;
    }
    Ok(())
}

/// Writes the job's summary, in markdown.
pub fn summarize(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "### Contract suite on {}\n", report.target)?;
    writeln!(out, "| result | checks |\n|---|---:|")?;
    for result in Ending::ALL.into_iter().filter(|result| report.count(*result) > 0) {
        writeln!(out, "| {} | {} |", result.name(), report.count(result))?;
    }
    let failures: Vec<_> = report.checks.iter().filter(|check| check.result == Ending::Broken).collect();
    if !failures.is_empty() {
        writeln!(out, "\n| broken | rule |\n|---|---|")?;
        for check in failures {
            writeln!(out, "| `{}` | {} |", check.path, check.rule.text.replace('|', "\\|"))?;
        }
    }
    Ok(())
}

/// A message in a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property in a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_ends_a_command_is_escaped() {
        assert_eq!(data("50 %\nnext"), "50 %25%0Anext");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
