//! Tests of pagination.
