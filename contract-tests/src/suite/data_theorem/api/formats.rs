//! JSON and timestamps.

use crate::suite::check::checks;

checks! { "data-theorem/formats";
}
