//! What a finding looks like, with its notes, links and compliance references.

use crate::suite::check::checks;

checks! { "data-theorem/findings";
}
