//! How a call is made, and who may make it.

use crate::suite::check::checks;

checks! { "mend/calls";
}
