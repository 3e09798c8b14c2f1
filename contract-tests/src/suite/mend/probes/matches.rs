//! Policies and what they match.

use crate::suite::check::probes;

probes! {}
