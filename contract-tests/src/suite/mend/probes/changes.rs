//! Modified projects and libraries.

use crate::suite::check::probes;

probes! {}
