//! Keys and what they may see.

use crate::suite::check::checks;

checks! { "data-theorem/auth";
}
