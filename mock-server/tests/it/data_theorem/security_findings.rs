//! Tests of security_findings.
