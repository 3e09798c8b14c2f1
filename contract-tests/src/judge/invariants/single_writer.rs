//! I13: two runs at once.

use super::Findings;
use crate::judge::case::{Case, Run};

pub(super) fn single_writer(case: &Case<'_>, findings: &mut Findings) {
    let locked = case.capabilities().exits.locked;
    let yields = |run: &Run<'_>| {
        run.writes.is_empty() && (run.code() == Some(locked) || run.is_killed() || run.ended.is_none())
    };
    let writing: Vec<&Run<'_>> = case.runs.iter().filter(|run| !run.started.is_dry).collect();
    for (place, first) in writing.iter().enumerate() {
        for second in &writing[place + 1..] {
            if first.end.is_none_or(|end| second.start < end) {
                findings.saw();
                if !yields(first) && !yields(second) {
                    let shown: Vec<usize> = [first.start, second.start]
                        .into_iter()
                        .chain(first.writes.first().copied())
                        .chain(second.writes.first().copied())
                        .collect();
                    findings.convict(case, &shown, format!("{} and {} work at once", first.id, second.id));
                }
            }
        }
    }
    if findings.observations == 0 {
        findings.skip("no two runs were under way at once");
    }
}
