//! What the page says of the API as a whole.

use crate::suite::check::checks;

checks! { "mend/overview";
}
