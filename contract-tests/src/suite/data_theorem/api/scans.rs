//! Scans.

use crate::suite::check::checks;

checks! { "data-theorem/scans";
}
