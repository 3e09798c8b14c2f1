//! `getPolicyMatchesConfiguration`.

use crate::suite::check::checks;

checks! { "mend/policy-matches";
}
