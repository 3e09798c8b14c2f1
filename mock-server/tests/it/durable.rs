//! Tests of durable.
