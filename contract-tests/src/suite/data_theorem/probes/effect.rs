//! What a request, a person or a scan brings about.

use crate::suite::check::probes;

probes! {}
