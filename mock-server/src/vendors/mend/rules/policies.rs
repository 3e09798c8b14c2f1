//! What a policy matches in a library, and which of several policies has the say.

use std::collections::BTreeSet;

use fixtures::world::mend::{
    Cause, Filter, LibrarySpec, PolicyScope, PolicySpec, Severity, VulnerabilitySpec,
};
use jiff::Timestamp;

use crate::vendors::mend::readings::PolicyConflict;

/// A library in a project, as policies look at it.
pub struct Subject<'a> {
    /// The library.
    pub library: &'a LibrarySpec,
    /// Its vulnerabilities, by name.
    pub vulnerabilities: &'a [&'a VulnerabilitySpec],
    /// Names of those that the project's code can't reach.
    pub ineffective: &'a BTreeSet<String>,
    /// Whether a product, given by token, has the library.
    pub is_in_product: &'a dyn Fn(&str) -> bool,
    /// Whether a filter for high severity is one for critical severity, too.
    pub high_includes_critical: bool,
    /// Now, for the library's age.
    pub now: Timestamp,
}

/// Why a policy's filter matches a library; empty if it does not.
pub fn causes(filter: &Filter, is_inclusive: bool, subject: &Subject<'_>) -> Vec<Cause> {
    let library = subject.library;
    let library_if = |matches: bool| if matches { vec![Cause::Library] } else { Vec::new() };
    let vulnerabilities_if = |matches: &dyn Fn(&VulnerabilitySpec) -> bool| {
        let found = subject.vulnerabilities.iter().filter(|vulnerability| matches(vulnerability));
        found.map(|vulnerability| Cause::Vulnerability(vulnerability.name.clone())).collect()
    };
    let is_effective = |vulnerability: &VulnerabilitySpec| !subject.ineffective.contains(&vulnerability.name);
    match filter {
        Filter::License { licenses } => {
            if is_inclusive && !library.licenses.is_subset(licenses) {
                return Vec::new();
            }
            library.licenses.intersection(licenses).map(|name| Cause::License(name.clone())).collect()
        }
        Filter::VulnerabilitySeverity { severity, effective_only } => vulnerabilities_if(&|vulnerability| {
            let found = severity_of(vulnerability);
            let is_included =
                subject.high_includes_critical && (*severity, found) == (Severity::High, Severity::Critical);
            (found == *severity || is_included) && (!effective_only || is_effective(vulnerability))
        }),
        Filter::VulnerabilityScore { from, to } => {
            vulnerabilities_if(&|vulnerability| (*from..=*to).contains(&score_of(vulnerability)))
        }
        Filter::Effectiveness { is_effective: wanted } => {
            vulnerabilities_if(&|vulnerability| is_effective(vulnerability) == *wanted)
        }
        Filter::GavRegex { group_id, artifact_id, version } => {
            let pairs = [
                (group_id, &library.group_id),
                (artifact_id, &library.artifact_id),
                (version, &library.version),
            ];
            library_if(pairs.iter().all(|(pattern, text)| pattern.is_empty() || glob(pattern, text)))
        }
        Filter::ResourceNameRegex { pattern } => library_if(glob(pattern, &library.filename)),
        Filter::LibraryStaleness { older_than_days } => {
            library_if(days_between(library.released, subject.now) > i64::from(*older_than_days))
        }
        Filter::Product { product_token } => library_if((subject.is_in_product)(product_token)),
        Filter::PrimaryAttributeValue { value } => {
            library_if(library.primary_attribute.as_ref().is_some_and(|attribute| glob(value, attribute)))
        }
        Filter::LibraryRequestHistory { decision } => library_if(library.library_request == Some(*decision)),
    }
}

/// The severity that policies go by: that of CVSS 3 where there is one.
pub fn severity_of(vulnerability: &VulnerabilitySpec) -> Severity {
    match &vulnerability.cvss3 {
        Some(cvss3) => Severity::of_cvss3(cvss3.score),
        None => Severity::of_cvss2(vulnerability.score),
    }
}

/// The score that policies go by: that of CVSS 3 where there is one.
pub fn score_of(vulnerability: &VulnerabilitySpec) -> f64 {
    vulnerability.cvss3.as_ref().map_or(vulnerability.score, |cvss3| cvss3.score)
}

fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().div_euclid(86_400)
}

/// Whether a pattern with `*` (any text) and `?` (any character) matches a whole text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go on after the last `*`, should what follows it not match: with one more character in it.
    let mut retry: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                retry = Some((at_pattern + 1, at_text));
                at_pattern += 1;
            }
            Some(expected) if *expected == '?' || *expected == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    retry = Some((after_star, from + 1));
                    (at_pattern, at_text) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|rest| *rest == '*')
}

/// How a policy ranks against others: the narrower scope first, then the lower priority, then the lower number.
/// `scopes` run from the narrowest to the widest; `None` if the policy's is not among them.
pub fn rank(policy: &PolicySpec, scopes: &[PolicyScope]) -> Option<(usize, u32, u64)> {
    let place = scopes.iter().position(|scope| *scope == policy.scope)?;
    Some((place, policy.priority, policy.id))
}

/// Of what policies match, given in the order of their ranks, what stands.
pub fn standing(matched: Vec<(u64, Vec<Cause>)>, conflict: PolicyConflict) -> Vec<(u64, Cause)> {
    let mut standing = Vec::new();
    let mut taken: BTreeSet<Cause> = BTreeSet::new();
    for (policy, causes) in matched {
        match conflict {
            PolicyConflict::None => standing.extend(causes.into_iter().map(|cause| (policy, cause))),
            PolicyConflict::PerCause => {
                for cause in causes {
                    if taken.insert(cause.clone()) {
                        standing.push((policy, cause));
                    }
                }
            }
            PolicyConflict::PerLibrary => {
                if standing.is_empty() {
                    standing.extend(causes.into_iter().map(|cause| (policy, cause)));
                }
            }
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use fixtures::world::mend::Cause;

    use super::{PolicyConflict, glob, standing};

    #[test]
    fn patterns_match_whole_texts() {
        let matches = |pattern, text| assert!(glob(pattern, text), "{pattern} {text}");
        let differs = |pattern, text| assert!(!glob(pattern, text), "{pattern} {text}");
        matches("*", "");
        matches("log4j-*.jar", "log4j-core-2.14.1.jar");
        matches("*a*b*", "xxaxxbxx");
        matches("a?c", "aéc");
        matches("*aab", "aaaab");
        differs("a?c", "ac");
        differs("log4j", "log4j-core");
        differs("", "x");
        matches("", "");
        differs("*a*a*a*a*a*a*a*a*b", &"a".repeat(2_000));
    }

    #[test]
    fn the_first_in_rank_takes_a_cause_or_the_library() {
        let license = |name: &str| Cause::License(name.to_owned());
        let matched = || {
            vec![
                (7, vec![license("MIT")]),
                (3, vec![license("MIT"), license("GPL 2.0")]),
                (5, vec![Cause::Library]),
            ]
        };
        assert_eq!(
            standing(matched(), PolicyConflict::PerCause),
            [(7, license("MIT")), (3, license("GPL 2.0")), (5, Cause::Library)]
        );
        assert_eq!(standing(matched(), PolicyConflict::PerLibrary), [(7, license("MIT"))]);
        assert_eq!(standing(matched(), PolicyConflict::None).len(), 4);
    }
}
