//! Alerts and their statuses.

use crate::suite::check::checks;

checks! { "mend/alerts";
}
