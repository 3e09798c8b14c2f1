//! Transport, refusals and the remaining calls.

use crate::suite::check::probes;

probes! {}
