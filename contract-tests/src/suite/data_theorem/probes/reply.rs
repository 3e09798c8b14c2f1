//! How replies look.

use crate::suite::check::probes;

probes! {}
