//! `POST security_findings/:id/close`.

use crate::suite::check::checks;

checks! { "data-theorem/findings";
}
