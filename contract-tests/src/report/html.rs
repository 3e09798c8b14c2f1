//! The report as one self-contained page: a matrix of rules, results and evidence, with filters.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{CheckReport, Conclusion, Ending, ExchangeReport, ReadingReport, Report, TargetKind, strength};
use crate::sequences::SequencesEnding;
use fixtures::spec::Evidence;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/filter.js");

/// Writes the page.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    out.write_all(page(report).into_string().as_bytes())
}

fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Contract suite on " (report.target) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report))
                (filters(report))
                (checks(report))
                @if !report.sequences.is_empty() { (sequences(report)) }
                @if !report.readings.is_empty() { (readings(report)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn head(report: &Report) -> Markup {
    let (class, verdict) = match report.conclusion() {
        Conclusion::Held => ("held", "held"),
        Conclusion::Convicted => ("broken", "convicted"),
        Conclusion::CouldNotRun => ("no-answer", "could not run"),
    };
    let kind = match report.target_kind {
        TargetKind::Simulator => "simulator",
        TargetKind::StandIn => "stand-in, treated like a vendor",
        TargetKind::Vendor => "the vendor itself",
    };
    html! {
        header {
            h1 { "Contract suite on " code { (report.target) } " " span.badge.(class) { (verdict) } }
            p {
                (kind) " · " time datetime=(report.started) { (report.started.strftime("%Y-%m-%d %H:%M:%S UTC")) }
                " · " (report.took_ms) " ms · contract-tests " (report.suite_version)
            }
            @for path in &report.stale_known_failures {
                p.note { code { (path) } " is listed as a known failure and did not fail: take it off the list." }
            }
            @for request in &report.left_behind {
                p.note { "Could not be put back: " code { (request) } }
            }
        }
    }
}

fn filters(report: &Report) -> Markup {
    html! {
        form #filters aria-label="Filters" {
            fieldset {
                legend { "Result" }
                @for ending in Ending::ALL.into_iter().filter(|ending| report.count(*ending) > 0) {
                    label.chip {
                        input type="checkbox" name="result" value=(class(ending)) checked;
                        span.badge.(class(ending)) { (ending.name()) " " b { (report.count(ending)) } }
                    }
                }
            }
            fieldset {
                legend { "Evidence" }
                @for (value, name) in [("documented", "documented"), ("observed", "observed")] {
                    label.chip { input type="checkbox" name="evidence" value=(value) checked; " " (name) }
                }
            }
            label.search { "Search " input type="search" name="text" placeholder="path, rule or text"; }
            output #shown {}
        }
    }
}

/// Failures first; otherwise in the suite's order.
fn checks(report: &Report) -> Markup {
    let mut checks: Vec<&CheckReport> = report.checks.iter().collect();
    checks.sort_by_key(|check| check.result);
    html! {
        table #checks {
            thead { tr { th { "Result" } th { "Check" } th { "Rule" } th { "Evidence" } } }
            tbody { @for check in checks { (row(check)) } }
        }
    }
}

fn row(check: &CheckReport) -> Markup {
    let (evidence, source) = match check.rule.evidence {
        Evidence::Documented { page, section } => ("documented", format!("{page}: {section}")),
        Evidence::Observed { source } => ("observed", source.to_owned()),
    };
    let name = class(check.result);
    let is_failure = matches!(check.result, Ending::Broken | Ending::NoAnswer);
    html! {
        tr data-result=(name) data-evidence=(evidence) {
            td { span.badge.(name) { (check.result.name()) } }
            td {
                code { (check.path) }
                @if let Some(times) = check.observations { small { " seen " (times) "×" } }
                @if let Some(reason) = &check.reason { div.reason { (prose(reason)) } }
                @if check.expected.is_some() || check.exchange.is_some() {
                    details open[is_failure] {
                        summary { "What was seen" }
                        @if let Some(expected) = &check.expected { p { b { "Expected: " } (prose(expected)) } }
                        @if let Some(seen) = &check.seen { p { b { "Seen: " } (seen) } }
                        @if let Some(exchange) = &check.exchange { (exchanged(exchange)) }
                    }
                }
            }
            td { span.id { (check.rule.id) } " " small { (strength(check.rule)) } div { (prose(check.rule.text)) } }
            td { (evidence) div.source { (source) } }
        }
    }
}

fn exchanged(exchange: &ExchangeReport) -> Markup {
    html! {
        pre { (exchange.request) @if !exchange.request_body.is_empty() { "\n" (exchange.request_body) } }
        pre { (exchange.reply) @if !exchange.reply_body.is_empty() { "\n" (exchange.reply_body) } }
    }
}

fn sequences(report: &Report) -> Markup {
    html! {
        h2 { "Random sequences against the models" }
        @for run in &report.sequences {
            @match &run.ending {
                SequencesEnding::Agreed => {
                    p { span.badge.held { "agree" } " " (run.vendor) ": " (run.sequences) " sequences, seed " (run.seed) }
                }
                SequencesEnding::Differed { requests, difference } => {
                    p { span.badge.broken { "differ" } " " (run.vendor) ", seed " (run.seed) ": " (difference) }
                    pre { @for request in requests { (request) "\n" } }
                }
                SequencesEnding::CouldNotRun { reason } => {
                    p { span.badge.no-answer { "could not run" } " " (run.vendor) ": " (reason) }
                }
            }
        }
    }
}

fn readings(report: &Report) -> Markup {
    let flags: Vec<String> = report.readings.iter().filter_map(ReadingReport::flag).collect();
    html! {
        h2 { "Where the pages are silent" }
        @if !flags.is_empty() && report.target_kind != TargetKind::Simulator {
            p { "The simulator does the same with" }
            pre { "mock-server " (flags.join(" ")) }
        }
        table {
            thead { tr { th { "Reading" } th { "Seen" } th { "Default" } th { "Question" } } }
            tbody {
                @for reading in &report.readings {
                    tr {
                        td { code { (reading.id) } }
                        td { (seen(reading)) }
                        td { (reading.default) }
                        td {
                            (prose(reading.question))
                            @if let Some(meaning) = reading.meaning { div.reason { (prose(meaning)) } }
                        }
                    }
                }
            }
        }
    }
}

fn seen(reading: &ReadingReport) -> Markup {
    match (reading.value, reading.set_to.as_deref()) {
        (Some(value), Some(set)) if value != set => {
            html! { span.badge.broken { (value) } div.reason { "set to " (set) } }
        }
        (Some(value), _) if value == reading.default => html! { (value) },
        (Some(value), _) => html! { b { (value) } },
        (None, _) => html! { span.reason { (reading.reason.as_deref().unwrap_or("not seen")) } },
    }
}

/// A text of the ledger, in which backticks enclose code.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// The CSS class of an ending.
fn class(ending: Ending) -> &'static str {
    match ending {
        Ending::Broken => "broken",
        Ending::KnownFailure => "known-failure",
        Ending::Differs => "differs",
        Ending::NoAnswer => "no-answer",
        Ending::NotExercised => "not-exercised",
        Ending::Skipped => "skipped",
        Ending::Held => "held",
    }
}
