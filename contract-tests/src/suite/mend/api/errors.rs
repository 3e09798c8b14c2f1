//! How a call is refused.

use crate::suite::check::checks;

checks! { "mend/errors";
}
