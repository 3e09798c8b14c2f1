//! Tests of sandboxes.
