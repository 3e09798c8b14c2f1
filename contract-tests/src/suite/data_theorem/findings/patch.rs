//! `PATCH security_findings/:id`.

use crate::suite::check::checks;

checks! { "data-theorem/findings";
}
