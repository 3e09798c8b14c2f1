//! Tests of rules_coverage.
