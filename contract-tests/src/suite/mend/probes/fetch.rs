//! `fetchProjectPolicyIssues`.

use crate::suite::check::probes;

probes! {}
