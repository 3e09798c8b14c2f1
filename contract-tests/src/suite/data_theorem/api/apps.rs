//! Apps.

use crate::suite::check::checks;

checks! { "data-theorem/apps";
}
