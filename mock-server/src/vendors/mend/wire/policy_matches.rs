//! What policies can match by: the whole public list.

use fixtures::world::mend::MatchType;
use serde::Serialize;

/// One thing that policies can match by.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PolicyMatch {
    /// Its name in requests and replies.
    #[serde(rename = "type")]
    kind: MatchType,
    /// Its name for people.
    name: &'static str,
    /// What it does.
    description: &'static str,
}

/// All of them, in the order of the vendor's example.
pub static MATCHES: &[PolicyMatch] = &[
    PolicyMatch {
        kind: MatchType::ResourceNameRegex,
        name: "Resource Name RegEx",
        description: "Match By Glob Pattern on Resource Name",
    },
    PolicyMatch {
        kind: MatchType::LibraryRequestHistory,
        name: "Library Request History",
        description: "Match By Library Request History",
    },
    PolicyMatch {
        kind: MatchType::PrimaryAttributeValue,
        name: "Primary Attribute Value",
        description: "Match By Primary Attribute Value",
    },
    PolicyMatch {
        kind: MatchType::Effectiveness,
        name: "Vulnerability Effectiveness",
        description: "Match By Vulnerability Effectiveness",
    },
    PolicyMatch {
        kind: MatchType::VulnerabilitySeverity,
        name: "Vulnerability Severity",
        description: "Match By Security Vulnerability Severity",
    },
    PolicyMatch {
        kind: MatchType::Product,
        name: "Product",
        description: "Match If Exists in Product's Inventory",
    },
    PolicyMatch { kind: MatchType::License, name: "License Group", description: "Match By License Group" },
    PolicyMatch {
        kind: MatchType::VulnerabilityScore,
        name: "Vulnerability Score",
        description: "Match By Security Vulnerability Score (CVSS 3)",
    },
    PolicyMatch {
        kind: MatchType::LibraryStaleness,
        name: "Library Age",
        description: "Match By Library Age",
    },
    PolicyMatch {
        kind: MatchType::GavRegex,
        name: "GAV RegEx",
        description: "Match By Glob Pattern on GAV Custom Attributes",
    },
];
