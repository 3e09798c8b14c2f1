//! Reported tickets.

use crate::suite::check::probes;

probes! {}
