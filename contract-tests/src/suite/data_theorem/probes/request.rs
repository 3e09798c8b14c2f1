//! What a request may look like.

use crate::suite::check::probes;

probes! {}
