//! `POST security_findings/:id/notes`.

use crate::suite::check::checks;

checks! { "data-theorem/findings";
}
