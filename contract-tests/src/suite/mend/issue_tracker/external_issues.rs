//! `updateExternalIntegrationIssues`.

use crate::suite::check::checks;

checks! { "mend/external-issues";
}
