//! Tests of mobile_apps.
