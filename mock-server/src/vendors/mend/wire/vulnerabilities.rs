//! Vulnerabilities as the vendor writes them: the same object in alerts and in policy violations.
//!
//! Keys, their order and what may be absent follow captured alerts; `threatAssessment` was noted by a developer
//! at Mend. Deliberately absent: `extraData` of a fix, a text about the commit or ticket behind it, of which the
//! world knows nothing.

use fixtures::world::mend::{FixSpec, ReferenceSpec, Severity, ThreatSpec, VulnerabilitySpec};
use serde::Serialize;

use super::dates;
use crate::vendors::mend::store::Version;

/// A vulnerability.
#[derive(Debug, Serialize)]
pub struct Vulnerability<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    severity: &'static str,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvss3_severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvss3_score: Option<f64>,
    #[serde(rename = "scoreMetadataVector", skip_serializing_if = "Option::is_none")]
    vector: Option<&'a str>,
    #[serde(rename = "publishDate")]
    publish_date: String,
    #[serde(rename = "lastUpdated")]
    last_updated: String,
    url: &'a str,
    description: &'a str,
    #[serde(rename = "topFix", skip_serializing_if = "Option::is_none")]
    top_fix: Option<Fix<'a>>,
    #[serde(rename = "allFixes")]
    all_fixes: Vec<Fix<'a>>,
    #[serde(rename = "fixResolutionText", skip_serializing_if = "Option::is_none")]
    fix_resolution_text: Option<String>,
    references: Vec<Reference<'a>>,
    #[serde(rename = "threatAssessment", skip_serializing_if = "Option::is_none")]
    threat_assessment: Option<ThreatAssessment<'a>>,
}

#[derive(Debug, Serialize)]
struct Fix<'a> {
    vulnerability: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    origin: &'a str,
    url: &'a str,
    #[serde(rename = "fixResolution")]
    resolution: &'a str,
    date: String,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Reference<'a> {
    url: &'a str,
    homepage: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThreatAssessment<'a> {
    exploit_code_maturity: &'a str,
    epss_percentage: f64,
}

/// A vulnerability as this version of the API shows it.
pub fn vulnerability(spec: &VulnerabilitySpec, version: Version) -> Vulnerability<'_> {
    let top_fix = spec.fixes.first();
    Vulnerability {
        name: &spec.name,
        kind: if spec.name.starts_with("CVE-") { "CVE" } else { "WS" },
        severity: Severity::of_cvss2(spec.score).as_str(),
        score: spec.score,
        cvss3_severity: spec.cvss3.as_ref().map(|cvss3| severity_of_cvss3(cvss3.score, version).as_str()),
        cvss3_score: spec.cvss3.as_ref().map(|cvss3| cvss3.score),
        vector: spec.cvss3.as_ref().and_then(|cvss3| cvss3.vector.as_deref()),
        publish_date: dates::day(spec.publish_date),
        last_updated: dates::day(spec.last_updated),
        url: &spec.url,
        description: &spec.description,
        top_fix: top_fix.map(|fix| fix_of(spec, fix)),
        all_fixes: spec.fixes.iter().map(|fix| fix_of(spec, fix)).collect(),
        fix_resolution_text: top_fix.map(resolution_text),
        references: spec.references.iter().map(reference).collect(),
        threat_assessment: spec.threat.as_ref().filter(|_| version == Version::V14).map(threat_assessment),
    }
}

/// The band of a CVSS 3 score as this version of the API names it: 1.3 knows no `critical`.
pub fn severity_of_cvss3(score: f64, version: Version) -> Severity {
    match (Severity::of_cvss3(score), version) {
        (Severity::Critical, Version::V13) => Severity::High,
        (severity, _) => severity,
    }
}

fn fix_of<'a>(vulnerability: &'a VulnerabilitySpec, fix: &'a FixSpec) -> Fix<'a> {
    Fix {
        vulnerability: &vulnerability.name,
        kind: &fix.kind,
        origin: &fix.origin,
        url: &fix.url,
        resolution: &fix.fix_resolution,
        date: dates::day(fix.date),
        message: &fix.message,
    }
}

/// What to do, in a sentence: captures have the fix's message and resolution, one after the other.
fn resolution_text(fix: &FixSpec) -> String {
    if fix.message.contains(&fix.fix_resolution) {
        fix.message.clone()
    } else {
        format!("{} {}", fix.message, fix.fix_resolution).trim().to_owned()
    }
}

fn reference(spec: &ReferenceSpec) -> Reference<'_> {
    Reference { url: &spec.url, homepage: &spec.homepage }
}

fn threat_assessment(spec: &ThreatSpec) -> ThreatAssessment<'_> {
    ThreatAssessment {
        exploit_code_maturity: &spec.exploit_code_maturity,
        epss_percentage: spec.epss_percentage,
    }
}

#[cfg(test)]
mod tests {
    use fixtures::world::mend::{Cvss3Spec, ThreatSpec, VulnerabilitySpec};
    use serde_json::{Value, json};

    use super::vulnerability;
    use crate::vendors::mend::store::Version;

    fn spec(score: f64, cvss3: Option<f64>) -> VulnerabilitySpec {
        let published = "2021-12-10T10:00:00Z".parse().unwrap();
        VulnerabilitySpec {
            name: "WS-2021-0001".to_owned(),
            score,
            cvss3: cvss3.map(|score| Cvss3Spec { score, vector: None }),
            publish_date: published,
            last_updated: published,
            url: "https://nvd.example/1".to_owned(),
            description: "Something is wrong.".to_owned(),
            fixes: Vec::new(),
            references: Vec::new(),
            threat: Some(ThreatSpec { epss_percentage: 97.5, exploit_code_maturity: "HIGH".to_owned() }),
        }
    }

    fn shown(spec: &VulnerabilitySpec, version: Version) -> Value {
        serde_json::to_value(vulnerability(spec, version)).unwrap()
    }

    /// MEND-SEVERITY-CRITICAL-14, MEND-SEVERITY-BANDS, MEND-SEVERITY-CVSS2
    #[test]
    fn a_severity_follows_from_its_score_and_only_the_newer_version_says_critical() {
        for (score, older, newer) in [
            (0.1, "low", "low"),
            (3.9, "low", "low"),
            (4.0, "medium", "medium"),
            (6.9, "medium", "medium"),
            (7.0, "high", "high"),
            (8.9, "high", "high"),
            (9.0, "high", "critical"),
            (10.0, "high", "critical"),
        ] {
            let spec = spec(score, Some(score));
            assert_eq!(shown(&spec, Version::V13)["cvss3_severity"], older, "{score}");
            assert_eq!(shown(&spec, Version::V14)["cvss3_severity"], newer, "{score}");
            assert_eq!(shown(&spec, Version::V13)["severity"], older, "{score}");
            assert_eq!(shown(&spec, Version::V14)["severity"], older, "{score}");
        }
    }

    #[test]
    fn an_old_vulnerability_without_a_fix_has_neither_cvss_3_nor_a_fix() {
        let expected = json!({
            "name": "WS-2021-0001",
            "type": "WS",
            "severity": "medium",
            "score": 5.0,
            "publishDate": "2021-12-10",
            "lastUpdated": "2021-12-10",
            "url": "https://nvd.example/1",
            "description": "Something is wrong.",
            "allFixes": [],
            "references": [],
        });
        assert_eq!(shown(&spec(5.0, None), Version::V13), expected);
    }

    #[test]
    fn only_the_newer_version_assesses_the_threat() {
        let spec = spec(5.0, None);
        let expected = json!({"exploitCodeMaturity": "HIGH", "epssPercentage": 97.5});
        assert_eq!(shown(&spec, Version::V14)["threatAssessment"], expected);
        assert_eq!(shown(&spec, Version::V13)["threatAssessment"], Value::Null);
    }
}
