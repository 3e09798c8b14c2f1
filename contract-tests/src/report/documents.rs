//! Documents that are generated from ledger, suite and saboteurs, so that they can't be wrong for long: a test
//! compares the files in `docs/` with these texts.

use std::path::Path;

use fixtures::spec::{self, Evidence, Party};

use super::strength;
use crate::coverage::{Covered, checked, coverage};
use crate::saboteurs::saboteurs;
use crate::suite::{checks, probes, vendor_of};
use crate::validated::{VENDORS, Validated, ValidatedError};

/// Every rule: simulated, checked, on what evidence, and when last seen at the real vendor. `unchecked` has the
/// reasons of the rules without a check; `validated` is the directory of the vendors' files.
pub fn coverage_page(unchecked: &str, validated: &Path) -> Result<String, ValidatedError> {
    let rules = coverage(spec::rules(), &checked());
    let mut text = String::from(
        "# Coverage\n\nGenerated from the rule ledger, the contract suite and the records of runs against the real \
         vendors; do not edit.\n\n",
    );
    for vendor in VENDORS {
        let of_vendor: Vec<&Covered> =
            rules.iter().filter(|covered| vendor_of(covered.rule.id) == vendor).collect();
        vendor_section(&mut text, vendor, &of_vendor, unchecked, &Validated::read(validated, vendor)?);
    }
    Ok(text)
}

fn vendor_section(
    text: &mut String,
    vendor: &str,
    rules: &[&Covered],
    unchecked: &str,
    validated: &Validated,
) {
    let server: Vec<&&Covered> = rules.iter().filter(|covered| covered.rule.binds == Party::Server).collect();
    let needed = rules.iter().filter(|covered| covered.needs_check()).count();
    let without = rules.iter().filter(|covered| covered.is_unchecked()).count();
    text.push_str(&format!(
        "## {vendor}\n\n{} rules, {} of them bind a server; of {needed} server musts {} have a check. {} checks have \
         been run against the real vendor.\n\n",
        rules.len(),
        server.len(),
        needed - without,
        validated.held.len() + validated.broken.len(),
    ));
    text.push_str(
        "| rule | strength | evidence | checked by | last true at the vendor |\n|---|---|---|---|---|\n",
    );
    for covered in server {
        let rule = covered.rule;
        let by = if covered.checks.is_empty() {
            excuse(unchecked, rule.id).map_or_else(|| "–".to_owned(), |reason| format!("– {}", cell(reason)))
        } else {
            covered.checks.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
        };
        let last = covered.checks.iter().filter_map(|path| validated.held.get(path)).max();
        let last = last.map_or_else(|| "never run".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
        let evidence = match rule.evidence {
            Evidence::Documented { page, section } => format!("documented: {page}, {section}"),
            Evidence::Observed { source } => format!("observed: {source}"),
        };
        text.push_str(&format!(
            "| `{}`: {} | {} | {} | {by} | {last} |\n",
            rule.id,
            cell(rule.text),
            strength(rule),
            cell(&evidence)
        ));
    }
    text.push('\n');
}

/// The reason behind an id in the list of unchecked rules.
fn excuse<'t>(unchecked: &'t str, id: &str) -> Option<&'t str> {
    let line =
        unchecked.lines().find(|line| line.split('#').next().is_some_and(|listed| listed.trim() == id))?;
    line.split_once('#').map(|(_, reason)| reason.trim())
}

/// Every saboteur with the checks that convict it.
pub fn saboteurs_page() -> String {
    let saboteurs = saboteurs();
    let mut text = format!(
        "# Saboteurs\n\nGenerated; do not edit. For each of the {} checks there is a layer that breaks exactly its rule \
         on a healthy simulator. A test runs the whole suite under each of the {} saboteurs: it has to be convicted by \
         the checks named here and by no other.\n\n| convicted by | what it breaks | also convicted by |\n|---|---|---|\n",
        checks().count(),
        saboteurs.len(),
    );
    for saboteur in saboteurs {
        let also: Vec<String> =
            saboteur.also.iter().map(|(path, reason)| format!("`{path}`: {}", cell(reason))).collect();
        let (check, breaks) = (saboteur.check, cell(saboteur.breaks));
        text.push_str(&format!("| `{check}` | it {breaks} | {} |\n", also.join("; ")));
    }
    text
}

/// Every reading with the probe that reports it.
pub fn readings_page() -> String {
    let mut text = String::from(
        "# Readings\n\nGenerated; do not edit. What the pages leave open, which values there are, and what a run of the \
         contract suite needs of a target to see which one it shows.\n\n\
         | reading | question | values (default first) | seen by |\n|---|---|---|---|\n",
    );
    for reading in spec::readings() {
        let mut values: Vec<&str> = reading.values.iter().map(|known| known.value).collect();
        values.sort_by_key(|value| *value != reading.default);
        let probe = probes().find(|probe| probe.reading.id == reading.id);
        let by = probe.map_or("nothing", |probe| probe.needs.in_words());
        text.push_str(&format!(
            "| `{}` | {} | {} | {by} |\n",
            reading.id,
            cell(reading.question),
            values.join(", ")
        ));
    }
    text
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
