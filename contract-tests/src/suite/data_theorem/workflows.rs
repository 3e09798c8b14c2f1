//! The page about suggested workflows.

use crate::suite::check::checks;

checks! { "data-theorem/workflows";
}
