//! Tests of security_finding_targets.
