//! The policies of the four scopes.

use crate::suite::check::checks;

checks! { "mend/policies";
}
