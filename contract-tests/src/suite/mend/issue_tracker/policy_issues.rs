//! `fetchProjectPolicyIssues`.

use crate::suite::check::checks;

checks! { "mend/policy-issues";
}
